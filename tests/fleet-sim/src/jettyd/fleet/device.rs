//! A device of the fleet, as a test sees and moves it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rumqttc::AsyncClient;
use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;

use super::super::firmware::Unit;
use super::manner::Manner;
use super::session::{self, Session};
use super::setup::Profile;

/// Messages that are remembered per device and direction.
const KEPT: usize = 2_000;

/// A message that reached a device.
#[derive(Debug, Clone)]
pub struct Received {
    /// The topic after the device's prefix: `command`, `config`, `shadow/desired`, `firmware`.
    pub suffix: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// 0, 1 or 2.
    pub qos: u8,
    /// The broker had kept it.
    pub retained: bool,
}

impl Received {
    /// The payload as JSON, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.payload).ok()
    }
}

/// A message that a device published.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The topic after the device's prefix.
    pub suffix: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// When it was handed to the connection.
    pub at: Timestamp,
}

/// A device. Clones are the same one; it falls silent when the last is dropped.
#[derive(Debug, Clone)]
pub struct Device(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) broker: SocketAddr,
    pub(super) prefix: String,
    pub(super) profile: Profile,
    pub(super) inner: Mutex<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) unit: Unit,
    pub(super) manner: Manner,
    received: VecDeque<Received>,
    sent: VecDeque<Sent>,
    session: Option<Session>,
    reporting: Option<JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.reporting.iter().for_each(JoinHandle::abort);
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn received(&self, message: Received) {
        remember(&mut self.lock().received, message);
    }

    /// Publishes below the device's prefix, and waits until the broker has it.
    pub(super) async fn publish(
        &self,
        client: &AsyncClient,
        suffix: &str,
        payload: String,
    ) -> Result<(), String> {
        let sent =
            Sent { suffix: suffix.to_owned(), payload: payload.clone().into_bytes(), at: Timestamp::now() };
        remember(&mut self.lock().sent, sent);
        let topic = format!("{}/{suffix}", self.prefix);
        session::publish(client, &topic, payload.into_bytes()).await
    }

    /// `P/status`.
    pub(super) fn status(&self, status: &str) -> String {
        let ts = self.profile.clock.ts(Timestamp::now(), self.lock().unit.booted);
        match ts {
            Some(ts) => json!({"status": status, "ts": ts}).to_string(),
            None => json!({ "status": status }).to_string(),
        }
    }

    /// `P/shadow/report`.
    pub(super) fn shadow(&self) -> String {
        self.lock().unit.shadow(None, Timestamp::now()).to_string()
    }

    /// `P/telemetry` with these readings. A value that is no number stands there as C prints it.
    pub(super) fn telemetry(&self, readings: Map<String, Value>, ts: Option<i64>) -> String {
        let payload = match ts {
            Some(ts) => json!({"ts": ts, "readings": readings}),
            None => json!({ "readings": readings }),
        };
        payload.to_string().replace(r#""nan""#, "nan")
    }
}

fn remember<T>(queue: &mut VecDeque<T>, what: T) {
    if queue.len() == KEPT {
        queue.pop_front();
    }
    queue.push_back(what);
}

impl From<Arc<Shared>> for Device {
    fn from(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}

impl Device {
    pub(super) fn new(broker: SocketAddr, tenant: &str, number: u64, profile: Profile) -> Self {
        let mut unit = Unit::new(profile.model, number, Timestamp::now());
        unit.broken = profile.broken.iter().cloned().collect();
        let inner = Inner {
            unit,
            manner: profile.manner.clone(),
            received: VecDeque::new(),
            sent: VecDeque::new(),
            session: None,
            reporting: None,
        };
        let prefix = format!("jettyd/{tenant}/{}", profile.id);
        Self(Arc::new(Shared { broker, prefix, profile, inner: Mutex::new(inner) }))
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.0.profile.id
    }

    /// What it was set up as.
    pub fn profile(&self) -> &Profile {
        &self.0.profile
    }

    /// The start of its topics: `jettyd/TENANT/ID`.
    pub fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// What runs on it, as it is now.
    pub fn unit(&self) -> Unit {
        self.0.lock().unit.clone()
    }

    /// Answers commands like this from now on.
    pub fn set_manner(&self, manner: Manner) {
        self.0.lock().manner = manner;
    }

    /// What reached it, oldest first; the last 2,000.
    pub fn received(&self) -> Vec<Received> {
        self.0.lock().received.iter().cloned().collect()
    }

    /// The commands that reached it, oldest first.
    pub fn commands(&self) -> Vec<Value> {
        let received = self.received().into_iter().filter(|message| message.suffix == "command");
        received.filter_map(|message| message.json()).collect()
    }

    /// What it published, oldest first; the last 2,000.
    pub fn sent(&self) -> Vec<Sent> {
        self.0.lock().sent.iter().cloned().collect()
    }

    /// Whether it has been switched on. It then reconnects by itself.
    pub fn is_connected(&self) -> bool {
        self.0.lock().session.is_some()
    }

    /// Switches it on: it connects, publishes its shadow, subscribes, and says that it is online.
    ///
    /// # Errors
    /// If the broker refuses it, or does not acknowledge that in time.
    pub async fn connect(&self) -> Result<(), String> {
        self.0.lock().unit.booted = Timestamp::now();
        let session = Session::start(&self.0).await?;
        self.0.lock().session = Some(session);
        Ok(())
    }

    /// Takes its power: its connection breaks without a word.
    pub fn disconnect(&self) {
        drop(self.0.lock().session.take());
    }

    /// Reports every metric once.
    ///
    /// # Errors
    /// If it is not connected, or the broker does not acknowledge it in time.
    pub async fn report(&self) -> Result<(), String> {
        let (now, profile) = (Timestamp::now(), &self.0.profile);
        let (mut readings, booted) = {
            let inner = self.0.lock();
            (inner.unit.readings(now), inner.unit.booted)
        };
        if let Some(first) = readings.values_mut().next().filter(|_| profile.nan) {
            *first = json!("nan");
        }
        self.publish("telemetry", self.0.telemetry(readings, profile.clock.ts(now, booted))).await
    }

    /// Reports these readings, by the time that it gives.
    ///
    /// # Errors
    /// If it is not connected, or the broker does not acknowledge it in time.
    pub async fn report_of(&self, ts: Option<i64>, readings: Map<String, Value>) -> Result<(), String> {
        self.publish("telemetry", self.0.telemetry(readings, ts)).await
    }

    /// Says its status: `online`, `sleep`, `updating`, ….
    ///
    /// # Errors
    /// If it is not connected, or the broker does not acknowledge it in time.
    pub async fn say(&self, status: &str) -> Result<(), String> {
        self.publish("status", self.0.status(status)).await
    }

    /// Raises an alert, as a rule on the device does.
    ///
    /// # Errors
    /// If it is not connected, or the broker does not acknowledge it in time.
    pub async fn alert(&self, message: &str, severity: &str) -> Result<(), String> {
        let ts = Timestamp::now().as_second();
        let alert = json!({"ts": ts, "message": message, "severity": severity});
        self.publish("alert", alert.to_string()).await
    }

    /// Publishes whatever below its prefix.
    ///
    /// # Errors
    /// If it is not connected, or the broker does not acknowledge it in time.
    pub async fn publish(&self, suffix: &str, payload: String) -> Result<(), String> {
        let client = self.0.lock().session.as_ref().map(|session| session.client.clone());
        let client = client.ok_or_else(|| format!("{} is not connected", self.id()))?;
        self.0.publish(&client, suffix, payload).await
    }

    /// Reports by itself from now on.
    pub fn report_every(&self, every: Duration) {
        let weak = Arc::downgrade(&self.0);
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                let Some(shared) = weak.upgrade() else { return };
                // Away or refused: it tries again at the next heartbeat, as the firmware does.
                let _ = Self(shared).report().await;
            }
        });
        let before = self.0.lock().reporting.replace(task);
        before.iter().for_each(JoinHandle::abort);
    }
}
