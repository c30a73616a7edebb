//! The server's jobs, keys and devices as a test sees and changes them, behind one lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::known;
use super::model::{Device, Job};
use super::seed::Seed;
use super::token::{self, Claims};
use super::world::World;

/// A handle to everything the server knows. Clones share it.
#[derive(Debug, Clone)]
pub struct State {
    world: Arc<Mutex<World>>,
    pub(crate) seed: Arc<Seed>,
}

impl State {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { world: Arc::new(Mutex::new(World::new(&seed))), seed: Arc::new(seed) }
    }

    /// The world, up to date.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.catch_up();
        world
    }

    /// Lets time pass at once: jobs start and end, keys expire, breakers close.
    pub fn pass(&self, time: Duration) {
        self.lock().clock.pass(time);
        drop(self.lock());
    }

    /// All jobs that are remembered, oldest first.
    pub fn jobs(&self) -> Vec<Job> {
        self.lock().jobs.values().cloned().collect()
    }

    /// One job.
    pub fn job(&self, id: &str) -> Option<Job> {
        self.lock().jobs.get(id).cloned()
    }

    /// All devices.
    pub fn devices(&self) -> Vec<Device> {
        self.lock().devices.clone()
    }

    /// One device, by name or address.
    pub fn device(&self, host: &str) -> Option<Device> {
        self.lock().device(host).cloned()
    }

    /// Changes one device. False if there is none.
    pub fn change_device(&self, host: &str, change: impl FnOnce(&mut Device)) -> bool {
        let mut world = self.lock();
        let device = world.devices.iter_mut().find(|device| device.name == host || device.address == host);
        device.map(change).is_some()
    }

    /// Sets how many workers a context has. False if there is no such context.
    pub fn set_workers(&self, context: &str, workers: usize) -> bool {
        let mut world = self.lock();
        let context = world.contexts.iter_mut().find(|row| row.name == context);
        context.map(|context| context.workers = workers).is_some()
    }

    /// Takes the queue's backend away, or gives it back.
    pub fn set_backend_up(&self, up: bool) {
        self.lock().backend_up = up;
    }

    /// Signs any claims as the server would.
    pub fn sign(&self, claims: &Claims) -> String {
        token::sign(claims, &self.seed.signing_secret)
    }

    /// The claims of a token of this server.
    pub fn claims(&self, text: &str) -> Option<Claims> {
        token::verify(text, &self.seed.signing_secret)
    }

    /// Whether the key with this number was revoked.
    pub fn is_revoked(&self, key: &str) -> bool {
        self.lock().revoked.contains(key)
    }

    /// The tokens of [`known`]'s handles.
    pub(crate) fn tokens(&self) -> BTreeMap<String, String> {
        let all: &[&str] = &["*"];
        let rows = [
            (known::VIEWER, Some("viewer"), all),
            (known::OPERATOR, Some("operator"), all),
            (known::OTHER_OPERATOR, Some("operator"), all),
            (known::LAB_OPERATOR, Some("operator"), &[known::LAB]),
            (known::ADMIN, Some("admin"), all),
            (known::ROLELESS, None, all),
            (known::EXPIRED, Some("operator"), all),
            (known::REVOKED, Some("operator"), all),
        ];
        let mut world = self.lock();
        let now = world.now().as_second();
        let mut tokens = BTreeMap::new();
        for (number, (handle, role, contexts)) in (1..).zip(rows) {
            let claims = Claims {
                sub: format!("k-{number:012x}"),
                role: role.map(str::to_owned),
                contexts: contexts.iter().map(|&context| context.to_owned()).collect(),
                iat: now - 3_600,
                exp: (handle == known::EXPIRED).then_some(now - 60),
            };
            world.keys.insert(claims.sub.clone());
            if handle == known::REVOKED {
                world.revoked.insert(claims.sub.clone());
            }
            tokens.insert(handle.to_owned(), token::sign(&claims, &self.seed.signing_secret));
        }
        tokens
    }
}
