//! The connection of a grant that its events share.
//!
//! Its name is the same after a restart and its session is kept by the broker, so that what is published while nobody is
//! connected is told later, as far as the broker has room for it. A message is acknowledged when everybody who listens to
//! it has made it durable, in the order in which messages came; until then the broker keeps it, and sends it again after
//! a connection that broke ([`hearing`]). Everything is heard with QoS 1 at most: what is at least once anyhow does not
//! become exactly once by a longer handshake.
//!
//! A session also remembers what was subscribed. What is wanted no more has to be unsubscribed, so what was subscribed is
//! written down beside the host's state ([`record`]), and put right whenever a connection begins or what is wanted
//! changes. Events that are dropped may come back in the next version of the plugin: the connection is closed at once,
//! nothing more is acknowledged, and the broker keeps it for them. Those that are given up are unsubscribed, and after the
//! last of them the broker is told to forget the session; the next host does so for those that were taken away while none
//! ran.

mod hearing;
mod record;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fleetgate_core::capability::{Listening, Sink, Standing};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::connect::{ConnectFailed, Dialled, Dialling};
use crate::filter::{Filter, Filters};
use crate::grant::MqttLimits;
use crate::qos::Qos;
use crate::reach::MqttReach;
use crate::wire::{Broke, Connected, Session, goodbye};
use record::Record;

/// Events of one plugin come and go together: so long nothing must have changed before a connection is made.
const SETTLE: Duration = Duration::from_millis(300);
/// A connection that held so long was a good one.
const GOOD: Duration = Duration::from_secs(10);

/// The connection for events of one grant. Nothing is connected before somebody listens.
pub(crate) struct Stand {
    dialling: Arc<Dialling>,
    limits: MqttLimits,
    /// What the client's name begins with.
    prefix: String,
    names: Arc<Names>,
    record: Record,
    /// Names under which an earlier host listened, until somebody listens or they are forgotten.
    left_over: Mutex<Vec<String>>,
    inner: Mutex<Inner>,
    changed: Notify,
}

struct Inner {
    listeners: BTreeMap<u64, Arc<Listener>>,
    next: u64,
    client: String,
    /// The task works.
    working: bool,
    /// The last that listened gave up.
    forget: bool,
    last_change: Instant,
    /// Why nothing is heard now.
    trouble: Option<String>,
    /// Ends the connection that stands, before anything more is acknowledged.
    leave: CancellationToken,
}

/// An event.
struct Listener {
    name: String,
    /// What its author asks for; their wildcards say what a device is.
    asked: Filters,
    /// What of it is granted.
    filters: Filters,
    qos: Qos,
    sink: Arc<dyn Sink>,
    trouble: Mutex<Option<String>>,
}

/// An event that listens. Dropped, it does not.
struct Held {
    stand: Arc<Stand>,
    number: u64,
    listener: Arc<Listener>,
    given_up: bool,
}

/// Clients' names in use by this process: a broker ends the older of two connections with one name, and the next version
/// of a plugin has the name of the last.
#[derive(Default)]
pub(crate) struct Names(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Names {
    fn of(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut names = lock(&self.0);
        names.retain(|_, name| Arc::strong_count(name) > 1);
        Arc::clone(names.entry(name.to_owned()).or_default())
    }

    async fn take(&self, name: &str) -> tokio::sync::OwnedMutexGuard<()> {
        self.of(name).lock_owned().await
    }

    fn try_take(&self, name: &str) -> Option<tokio::sync::OwnedMutexGuard<()>> {
        self.of(name).try_lock_owned().ok()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stand {
    /// `of`: whose it is, `meters/broker`. `state`: the host's directory for what it remembers. Blocks for short.
    pub(crate) fn new(
        dialling: Arc<Dialling>,
        limits: MqttLimits,
        client_id: Option<String>,
        names: Arc<Names>,
        of: String,
        state: &Path,
    ) -> Arc<Self> {
        let inner = Inner {
            listeners: BTreeMap::new(),
            next: 0,
            client: String::new(),
            working: false,
            forget: false,
            last_change: Instant::now(),
            trouble: None,
            leave: CancellationToken::new(),
        };
        let record = Record::new(state, dialling.broker.to_string(), of);
        Arc::new(Self {
            left_over: Mutex::new(record.left_over()),
            record,
            dialling,
            limits,
            prefix: client_id.unwrap_or_default(),
            names,
            inner: Mutex::new(inner),
            changed: Notify::new(),
        })
    }

    /// Listens for an event: to what its author asks for, as far as it is granted. `Err` where nothing of it is.
    pub(crate) fn listen(
        self: &Arc<Self>,
        standing: Standing,
        request: &Filters,
        granted: &Filters,
    ) -> Result<Box<dyn Listening>, String> {
        // What is asked for and what is granted lies within the request already.
        let Standing { name, event, reach, narrowed, client, sink } = standing;
        let not_mqtt = || format!("the event {event} does not say what it listens to at mqtt.{name}");
        let reach = MqttReach::of(&*reach).ok_or_else(not_mqtt)?;
        let narrowed =
            narrowed.as_deref().map(|reach| MqttReach::of(reach).ok_or_else(not_mqtt)).transpose()?;
        let asked = reach.subscribe.clone().unwrap_or_else(|| request.clone());
        let sets = narrowed.and_then(|narrowed| narrowed.subscribe.as_ref());
        let filters = asked.clone().within([granted].into_iter().chain(sets)).ok_or_else(|| {
            format!("what the event {event} listens to and what is granted have too many filters in common: sum them up with + or #")
        })?;
        if filters.is_empty() {
            return Err(format!(
                "nothing of what the event {event} listens to is granted: it asks for {asked}, and the grant of \
                 mqtt.{name} allows {granted}"
            ));
        }
        let topics = self.limits.topics;
        for filter in filters.iter().map(Filter::to_string) {
            topics.check(&filter).map_err(|misread| {
                format!(
                    "the event {event} listens to {filter}, and with topics = \"{topics}\" in the grant of mqtt.{name} \
                     {misread}: grant it less with from"
                )
            })?;
        }
        let qos = narrowed.map_or(reach.qos, |narrowed| narrowed.qos.min(reach.qos)).min(self.limits.qos);
        let listener = Arc::new(Listener {
            name: event,
            asked,
            filters,
            qos: qos.min(Qos::AtLeastOnce),
            sink,
            trouble: Mutex::new(Some("it is not subscribed yet".into())),
        });
        lock(&self.left_over).clear();
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        inner.client = format!("{}{client}", self.prefix);
        inner.listeners.insert(number, Arc::clone(&listener));
        inner.forget = false;
        inner.last_change = Instant::now();
        if inner.working {
            self.changed.notify_one();
        } else {
            inner.working = true;
            inner.trouble = Some("the connection to the broker is being made".into());
            tokio::spawn(Arc::clone(self).work());
        }
        drop(inner);
        Ok(Box::new(Held { stand: Arc::clone(self), number, listener, given_up: false }))
    }

    /// Whether the broker may keep a session from before, and nobody listens.
    pub(crate) fn is_left_over(&self) -> bool {
        !lock(&self.left_over).is_empty()
    }

    /// Has the broker forget it.
    pub(crate) fn forget_left_over(self: &Arc<Self>) {
        let clients = std::mem::take(&mut *lock(&self.left_over));
        let stand = Arc::clone(self);
        tokio::spawn(async move {
            for client in clients {
                stand.forget(client).await;
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// The task: keeps the connection as long as somebody listens.
    async fn work(self: Arc<Self>) {
        let mut backoff = Backoff::default();
        while let Some(client) = self.settled().await {
            let name = self.names.take(&client).await;
            let leave = CancellationToken::new();
            {
                let mut inner = self.lock();
                if inner.listeners.is_empty() || inner.last_change.elapsed() < SETTLE {
                    continue;
                }
                inner.leave = leave.clone();
            }
            let session = Session::Kept {
                expiry: self.limits.session,
                inflight: hearing::inflight(self.limits.message),
            };
            let connected = tokio::select! {
                biased;
                () = leave.cancelled() => continue,
                connected = self.dialling.connect(client.clone(), session) => connected,
            };
            let begun = Instant::now();
            let why = match connected {
                Ok(Dialled { connected, mask }) => {
                    self.lock().trouble = None;
                    match self.hear(connected, mask, &client, &leave).await {
                        Some(broke) => broke.to_string(),
                        None => continue,
                    }
                }
                Err(why) => trouble(&why),
            };
            drop(name);
            tracing::warn!(broker = %self.dialling.broker, %why, "events cannot be heard");
            self.lock().trouble = Some(why);
            if begun.elapsed() > GOOD {
                backoff.reset();
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.next()) => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// Waits until nothing has changed for a while. The client's name, or None where nobody listens; then the task is
    /// over, and the broker is told to forget what was given up.
    async fn settled(&self) -> Option<String> {
        loop {
            let (wait, forget) = {
                let mut inner = self.lock();
                let wait = SETTLE.saturating_sub(inner.last_change.elapsed());
                if wait.is_zero() && !inner.listeners.is_empty() {
                    return Some(inner.client.clone());
                }
                if wait.is_zero() && !inner.forget {
                    inner.working = false;
                    return None;
                }
                let forget = wait.is_zero() && std::mem::take(&mut inner.forget);
                (wait, forget.then(|| inner.client.clone()))
            };
            match forget {
                Some(client) => self.forget(client).await,
                None => tokio::time::sleep(wait).await,
            }
        }
    }

    /// A clean session under a name ends the one that was kept (MQTT 3.1.1, section 3.1.2.4). Where that fails, the next
    /// host tries it again.
    async fn forget(&self, client: String) {
        // Taken: the next version of the plugin listens under it already.
        let Some(_name) = self.names.try_take(&client) else { return };
        match self.dialling.connect(client.clone(), Session::Clean).await {
            Ok(Dialled { connected, .. }) => {
                let Connected { client: leaving, mut driver, .. } = connected;
                goodbye(&*leaving, &mut *driver).await;
                self.record.remove(&client).await;
            }
            Err(why) => {
                tracing::warn!(broker = %self.dialling.broker, %why, "a broker keeps a session that nobody wants");
            }
        }
    }

    /// What is to be subscribed, and with what QoS.
    fn wanted(&self) -> BTreeMap<Filter, Qos> {
        let inner = self.lock();
        let all = inner.listeners.values().flat_map(|listener| listener.filters.iter().cloned());
        let most = inner.listeners.values().map(|listener| listener.qos).max().unwrap_or_default();
        // Filters that others cover would bring the same messages twice.
        Filters::new(all).within([]).unwrap_or_default().iter().map(|filter| (filter.clone(), most)).collect()
    }

    /// Whoever listens. None: the connection is to be left, and nothing more acknowledged.
    fn listeners(&self) -> Option<Vec<Arc<Listener>>> {
        let inner = self.lock();
        (!inner.leave.is_cancelled()).then(|| inner.listeners.values().cloned().collect())
    }
}

fn trouble(why: &ConnectFailed) -> String {
    match why {
        ConnectFailed::Mqtt { broke: Broke::Protocol(_), .. } => {
            format!("{why}; perhaps it is no MQTT broker")
        }
        _ => why.to_string(),
    }
}

impl Listening for Held {
    fn trouble(&self) -> Option<String> {
        let all = self.stand.lock().trouble.clone();
        all.or_else(|| lock(&self.listener.trouble).clone())
    }

    fn give_up(mut self: Box<Self>) {
        self.given_up = true;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut inner = self.stand.lock();
        inner.listeners.remove(&self.number);
        inner.last_change = Instant::now();
        if self.given_up {
            inner.forget = inner.listeners.is_empty();
        } else {
            inner.leave.cancel();
        }
        if inner.listeners.is_empty() {
            inner.leave.cancel();
        }
        self.stand.changed.notify_one();
    }
}
