//! The hub's rows as a test sees and changes them, behind one lock.
//!
//! A test looks here, not over HTTP, for what the API never shows: audit rows, messages to devices, updates
//! in flight.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::model::{AuditRow, DeploymentGroup, Device, Event, Firmware, FirmwareMetadata, Script, Token};
use super::seed::Seed;
use super::world::World;

/// A handle to everything the hub knows. Clones share it.
#[derive(Debug, Clone)]
pub struct State {
    world: Arc<Mutex<World>>,
    pub(crate) seed: Arc<Seed>,
}

impl State {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { world: Arc::new(Mutex::new(super::seed::grow(&seed))), seed: Arc::new(seed) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All devices of an org, soft-deleted ones included; empty for an unknown org.
    pub fn devices(&self, org: &str) -> Vec<Device> {
        let world = self.lock();
        let Some(org) = world.org_named(org).map(|org| org.id) else { return Vec::new() };
        world.devices.iter().filter(|device| device.org == org).cloned().collect()
    }

    /// All devices of a product, soft-deleted ones included; empty for an unknown product.
    pub fn devices_of(&self, org: &str, product: &str) -> Vec<Device> {
        let id = self.product(org, product);
        self.devices(org).into_iter().filter(|device| Some(device.product) == id).collect()
    }

    /// One device.
    pub fn device(&self, org: &str, identifier: &str) -> Option<Device> {
        let world = self.lock();
        let org = world.org_named(org)?.id;
        world.device_named(org, identifier).cloned()
    }

    /// Changes one device behind the API's back, as the device itself would. False if there is none.
    pub fn change_device(&self, org: &str, identifier: &str, change: impl FnOnce(&mut Device)) -> bool {
        let mut world = self.lock();
        let Some(org) = world.org_named(org).map(|org| org.id) else { return false };
        let Some(device) = world.device_named(org, identifier).map(|device| device.id) else { return false };
        change(world.device_row_mut(device));
        true
    }

    /// The firmware of a product, newest version first.
    pub fn firmware(&self, org: &str, product: &str) -> Vec<Firmware> {
        let id = self.product(org, product);
        self.lock().firmwares.iter().filter(|row| Some(row.product) == id).cloned().collect()
    }

    /// The deployment groups of a product.
    pub fn deployment_groups(&self, org: &str, product: &str) -> Vec<DeploymentGroup> {
        let id = self.product(org, product);
        self.lock().groups.iter().filter(|row| Some(row.product) == id).cloned().collect()
    }

    /// The scripts of a product.
    pub fn scripts(&self, org: &str, product: &str) -> Vec<Script> {
        let id = self.product(org, product);
        self.lock().scripts.iter().filter(|row| Some(row.product) == id).cloned().collect()
    }

    /// The uuid of the firmware on its way to a device, if there is one.
    pub fn update_in_flight(&self, org: &str, identifier: &str) -> Option<String> {
        let device = self.device(org, identifier)?.id;
        let world = self.lock();
        let update = world.inflight.iter().find(|update| update.device == device)?;
        Some(world.firmware_row(update.firmware).uuid.clone())
    }

    /// The device has installed what was on its way and reports it. False if nothing was.
    pub fn finish_update(&self, org: &str, identifier: &str) -> bool {
        let Some(device) = self.device(org, identifier).map(|device| device.id) else { return false };
        let mut world = self.lock();
        let Some(at) = world.inflight.iter().position(|update| update.device == device) else { return false };
        let firmware = world.inflight.remove(at).firmware;
        let firmware = world.firmware_row(firmware).clone();
        let product = world.product_row(firmware.product).name.clone();
        let device = world.device_row_mut(device);
        let id = device.firmware.as_ref().and_then(|before| before.get("id")).unwrap_or(&firmware.uuid);
        device.firmware = Some(FirmwareMetadata::of(&firmware, &product, id));
        true
    }

    /// The audit log, oldest row first.
    pub fn audit(&self) -> Vec<AuditRow> {
        self.lock().audit.clone()
    }

    /// What devices were told, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.lock().events.clone()
    }

    /// Forgets audit rows and events, so that a test sees only its own.
    pub fn forget_history(&self) {
        let mut world = self.lock();
        world.audit.clear();
        world.events.clear();
    }

    /// What is kept about an issued token.
    pub fn token(&self, token: &str) -> Option<Token> {
        self.lock().tokens.get(token).cloned()
    }

    fn product(&self, org: &str, product: &str) -> Option<super::model::Id> {
        let world = self.lock();
        let org = world.org_named(org)?.id;
        Some(world.product_named(org, product)?.id)
    }
}
