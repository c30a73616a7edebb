//! The task that works for the connection of a grant: it connects, reads, closes what nobody uses, and connects anew.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use fleetgate_core::mask::Mask;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{BRAKE, Live, Shared};
use crate::backoff::Backoff;
use crate::connect::{ConnectFailed, Dialled, random_client_id};
use crate::failure::Unconnected;
use crate::inbox::Message;
use crate::message::Arrived;
use crate::wire::{Broke, Connected, Driver, Session, goodbye};

/// How often what is unused is looked for.
const TICK: Duration = Duration::from_secs(1);
/// How long a filter stays subscribed after its last reader.
const LINGER: Duration = Duration::from_secs(5);

/// Why a connection was left.
enum Left {
    Broke(Broke),
    Unused,
    Stopped,
}

impl Shared {
    /// The task: keeps a connection as long as somebody needs it.
    pub(super) async fn keep(self: Arc<Self>) {
        // Whatever becomes of this task, the next caller may begin another.
        let _kept = Kept(&self);
        let mut backoff = Backoff::default();
        loop {
            let client_id = random_client_id(self.client_id.as_deref());
            let connecting = self.dialling.connect(client_id, Session::Clean);
            let connected = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                connected = connecting => connected,
            };
            match connected {
                Ok(dialled) => {
                    let begun = Instant::now();
                    match self.serve(dialled).await {
                        Left::Stopped => return,
                        Left::Unused => {}
                        Left::Broke(broke) => {
                            tracing::info!(broker = %self.dialling.broker, why = %broke, "the connection to a broker broke");
                            let host = self.dialling.broker.host.to_string();
                            // One that breaks at once is no better than none.
                            if begun.elapsed() > BRAKE {
                                backoff.reset();
                            } else {
                                self.failed(ConnectFailed::Mqtt { host, broke });
                            }
                        }
                    }
                }
                Err(why) => self.failed(why),
            }
            if self.is_done() {
                return;
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(backoff.next()) => {}
            }
            if self.is_done() {
                return;
            }
        }
    }

    fn failed(&self, why: ConnectFailed) {
        let why = Arc::new(Unconnected(why));
        tracing::info!(broker = %self.dialling.broker, %why, "no connection to a broker");
        self.link.send_modify(|link| {
            link.failures += 1;
            link.failed = Some((Instant::now(), why));
        });
    }

    /// Whether nobody needs a connection; then the task is over.
    fn is_done(&self) -> bool {
        let mut state = self.lock();
        let done = state.readers.is_empty() && self.waiting.load(Ordering::SeqCst) == 0;
        if done {
            state.kept = false;
        }
        done
    }

    /// Works with one connection until it is left.
    async fn serve(self: &Arc<Self>, dialled: Dialled) -> Left {
        let Dialled { connected: Connected { client, mut driver, offers, .. }, mask } = dialled;
        let live = Arc::new(Live {
            client,
            offers,
            mask,
            inflight: Arc::new(Semaphore::new(offers.inflight.into())),
            broke: CancellationToken::new(),
        });
        {
            let mut state = self.lock();
            state.subscribed.begin(offers.numbers);
            for filter in state.subscribed.filters() {
                self.ask(&mut state, &live, filter);
            }
            state.used = Instant::now();
        }
        self.link.send_modify(|link| {
            link.live = Some(Arc::clone(&live));
            link.failed = None;
        });
        let left = tokio::select! {
            biased;
            () = self.stop.cancelled() => Left::Stopped,
            () = self.unused(&live) => Left::Unused,
            broke = self.hear(&mut *driver, &live) => Left::Broke(broke),
        };
        self.link.send_modify(|link| link.live = None);
        live.broke.cancel();
        live.inflight.close();
        {
            let mut state = self.lock();
            state.subscribed.broke();
            state.readers.values().for_each(|inbox| inbox.gap());
        }
        if !matches!(left, Left::Broke(_)) {
            goodbye(&*live.client, &mut *driver).await;
        }
        left
    }

    async fn hear(self: &Arc<Self>, driver: &mut dyn Driver, live: &Live) -> Broke {
        let mut large = 0u64;
        loop {
            match driver.next().await {
                Ok(arrived) => {
                    if let Some(bytes) = arrived.left_out {
                        large += 1;
                        if large.is_power_of_two() {
                            tracing::warn!(
                                broker = %self.dialling.broker, bytes, messages = large,
                                "a message is larger than message in the grant takes, and was passed over"
                            );
                        }
                    }
                    self.deliver(arrived, live);
                }
                Err(broke) => return broke,
            }
        }
    }

    /// One message, to whoever listens to it.
    fn deliver(&self, arrived: Arrived, live: &Live) {
        let mut state = self.lock();
        let state = &mut *state;
        if !state.subscribed.takes(&arrived) {
            return;
        }
        let message = Arc::new(as_heard(arrived, live.mask.as_deref()));
        if message.retained {
            // The broker forgets what is published empty, and says so to nobody who asks later.
            if message.payload.is_empty() && !message.left_out {
                return;
            }
            state.subscribed.remember(&message);
        }
        for inbox in state.readers.values().filter(|inbox| inbox.wants(&message.topic)) {
            inbox.push(&message);
        }
    }

    /// Unsubscribes what nobody reads any more. Ends when nobody used the connection for so long.
    async fn unused(self: &Arc<Self>, live: &Live) {
        loop {
            tokio::time::sleep(TICK.min(self.limits.idle.max(Duration::from_millis(50)))).await;
            let mut state = self.lock();
            for filter in state.subscribed.unread(LINGER) {
                let asked = live.client.unsubscribe(&filter.to_string());
                // A broker that does not want to forget it sends messages that nobody reads.
                tokio::spawn(async move { drop(asked.await) });
            }
            let idle = state.readers.is_empty()
                && self.waiting.load(Ordering::SeqCst) == 0
                && live.inflight.available_permits() == usize::from(live.offers.inflight)
                && state.used.elapsed() >= self.limits.idle;
            if idle {
                // Whoever comes from here on waits for the next connection.
                self.link.send_modify(|link| link.live = None);
                return;
            }
        }
    }
}

/// A message as it waits to be read, without the credential in it.
fn as_heard(arrived: Arrived, mask: Option<&Mask>) -> Message {
    let Arrived { topic, payload, left_out, qos, retained, properties, .. } = arrived;
    let clean = |text: String| match mask {
        Some(mask) if mask.finds(text.as_bytes()) => mask.replace(&text),
        _ => text,
    };
    // A copy: a piece of the connection's buffer would keep all of it.
    let payload = mask.map_or_else(|| payload.to_vec(), |mask| mask.hide_bytes(&payload).into_owned());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Message {
        topic: clean(topic),
        payload,
        qos,
        retained,
        time_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        properties: properties.json().map(|properties| clean(properties.to_string())),
        left_out: left_out.is_some(),
    }
}

/// The task that works.
struct Kept<'a>(&'a Shared);

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        // Only a panic leaves the task without having said so.
        if std::thread::panicking() {
            self.0.lock().kept = false;
            self.0.link.send_modify(|link| link.live = None);
        }
    }
}
