//! The connection of a grant that all calls share.
//!
//! It is opened at the first use and closed when nobody used it for a while. Its session is clean and its name random:
//! the broker remembers nothing of it. A filter that several calls listen to is subscribed once, at the grant's QoS, and
//! unsubscribed a moment after the last of them went; each message is matched here ([`subscribed`]) and put into the
//! inboxes of those who listen to it ([`crate::inbox`]).
//!
//! One task works for it ([`keeping`]): it connects, reads, and when the connection breaks, it tells everybody who
//! waits for an acknowledgement that none came, drops the client with all that it still had to send, and connects anew,
//! as long as somebody listens or wants to publish. Nothing is ever sent again by itself.

mod keeping;
mod subscribed;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fleetgate_core::mask::Mask;
use tokio::sync::{Notify, Semaphore, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connect::Dialling;
use crate::failure::{Failure, Unconnected};
use crate::filter::Filter;
use crate::grant::MqttLimits;
use crate::inbox::{Budget, Inbox};
use crate::message::Publication;
use crate::options::Opening;
use crate::qos::Qos;
use crate::wire::{Client, NotDone, Offers};
use subscribed::{Phase, Subscribed};

/// A broker is not asked more often than this, however many calls there are.
const BRAKE: Duration = Duration::from_secs(1);
/// Filters of one connection. Each is looked at for each message.
const MOST_FILTERS: usize = 1024;

/// The connection for calls. Dropped, it is closed.
pub(crate) struct Calls {
    shared: Arc<Shared>,
    _stop: DropGuard,
}

struct Shared {
    dialling: Arc<Dialling>,
    limits: MqttLimits,
    client_id: Option<String>,
    budget: Arc<Budget>,
    link: watch::Sender<Link>,
    state: Mutex<State>,
    /// Callers that wait for a connection.
    waiting: AtomicUsize,
    wake: Notify,
    stop: CancellationToken,
}

/// How the connection is.
#[derive(Default)]
struct Link {
    live: Option<Arc<Live>>,
    failures: u64,
    failed: Option<(Instant, Arc<Unconnected>)>,
}

/// A connection that stands.
struct Live {
    client: Arc<dyn Client>,
    offers: Offers,
    mask: Option<Arc<Mask>>,
    inflight: Arc<Semaphore>,
    broke: CancellationToken,
}

struct State {
    /// The task works.
    kept: bool,
    readers: HashMap<u64, Arc<Inbox>>,
    next_reader: u64,
    subscribed: Subscribed,
    used: Instant,
}

/// Filters that were asked for, and what the broker says to each.
type Awaited = Vec<(Filter, watch::Receiver<Phase>)>;

/// Filters that a call listens to. Dropped, it listens no more.
pub(crate) struct Reader {
    shared: Arc<Shared>,
    number: u64,
    /// The numbers of its filters' entries, in their order: an entry that came after one that was refused is another.
    entries: Vec<u32>,
    pub(crate) inbox: Arc<Inbox>,
}

impl Calls {
    pub(crate) fn new(dialling: Arc<Dialling>, limits: MqttLimits, client_id: Option<String>) -> Self {
        let stop = CancellationToken::new();
        let state = State {
            kept: false,
            readers: HashMap::new(),
            next_reader: 0,
            subscribed: Subscribed::default(),
            used: Instant::now(),
        };
        let shared = Arc::new(Shared {
            dialling,
            limits,
            client_id,
            budget: Budget::new(limits.buffer),
            link: watch::Sender::default(),
            state: Mutex::new(state),
            waiting: AtomicUsize::new(0),
            wake: Notify::new(),
            stop: stop.clone(),
        });
        Self { shared, _stop: stop.drop_guard() }
    }

    /// Publishes, and ends when the broker has it. `sent`: set at the moment from which on it may have it. Dropped, the
    /// message is on its way all the same, if it was sent.
    pub(crate) async fn publish(&self, publication: Publication, sent: &mut bool) -> Result<(), Failure> {
        match self.published(publication.clone(), sent).await {
            // It was closed, or broke, while it was handed out: there is another.
            Err(Failure::Dropped { sent: false }) => self.published(publication, sent).await,
            done => done,
        }
    }

    async fn published(&self, publication: Publication, sent: &mut bool) -> Result<(), Failure> {
        let live = self.shared.live().await?;
        fits(&live, &publication)?;
        let permit = tokio::select! {
            biased;
            () = live.broke.cancelled() => return Err(Failure::Dropped { sent: false }),
            permit = Arc::clone(&live.inflight).acquire_owned() => permit,
        };
        let permit = permit.map_err(|_| Failure::Dropped { sent: false })?;
        if live.broke.is_cancelled() {
            return Err(Failure::Dropped { sent: false });
        }
        *sent = true;
        let asked = live.client.publish(publication);
        // Its place is taken until the broker answers, also where nobody waits for that any more.
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            let _permit = permit;
            let _ = tell.send(asked.await);
        });
        let done = told.await.unwrap_or(Err(NotDone::Gone));
        self.shared.lock().used = Instant::now();
        done.map_err(|why| Failure::not_done(why, || "the publication".into(), true))
    }

    /// Listens, and ends when the broker acknowledged all of the filters.
    pub(crate) async fn open(&self, filters: Vec<Filter>, how: Opening) -> Result<Reader, Failure> {
        match self.opened(filters.clone(), how).await {
            Err(Failure::Dropped { .. }) => self.opened(filters, how).await,
            done => done,
        }
    }

    async fn opened(&self, filters: Vec<Filter>, how: Opening) -> Result<Reader, Failure> {
        let shared = &self.shared;
        let live = shared.live().await?;
        let inbox = Arc::new(Inbox::new(filters, how, Arc::clone(&shared.budget)));
        let (reader, phases) = shared.enter(&live, inbox)?;
        for (filter, mut phase) in phases {
            let answer = tokio::select! {
                biased;
                answer = phase.wait_for(|phase| *phase != Phase::Asked) => answer.map(|phase| *phase),
                () = live.broke.cancelled() => return Err(Failure::Dropped { sent: false }),
            };
            match answer {
                Ok(Phase::Refused(reason)) => {
                    let what = format!("the subscription to {filter}");
                    return Err(Failure::Broker { what, reason, sent: false });
                }
                Ok(_) => {}
                Err(_) => return Err(Failure::Dropped { sent: false }),
            }
        }
        Ok(reader)
    }
}

/// What the broker said that it takes.
fn fits(live: &Live, publication: &Publication) -> Result<(), Failure> {
    let refused = |reason| Err(Failure::Broker { what: "the publication".into(), reason, sent: false });
    if publication.qos > live.offers.qos {
        return refused(0x9b);
    }
    if publication.retain && !live.offers.retain {
        return refused(0x9a);
    }
    let most = live.offers.packet.unwrap_or(u32::MAX);
    if live.client.size(publication) > usize::try_from(most).unwrap_or(usize::MAX) {
        return Err(Failure::TooLarge(format!("the broker takes no packet of more than {most} bytes")));
    }
    Ok(())
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, made if there is none.
    async fn live(self: &Arc<Self>) -> Result<Arc<Live>, Failure> {
        let mut link = self.link.subscribe();
        let failures = {
            let now = link.borrow_and_update();
            if let Some(live) = &now.live {
                return Ok(Arc::clone(live));
            }
            if let Some((when, why)) = &now.failed
                && when.elapsed() < BRAKE
            {
                return Err(Failure::Unconnected(Arc::clone(why)));
            }
            now.failures
        };
        let _waiting = Waiting::new(&self.waiting);
        self.start();
        loop {
            if link.changed().await.is_err() {
                return Err(Failure::Dropped { sent: false });
            }
            let now = link.borrow_and_update();
            if let Some(live) = &now.live {
                return Ok(Arc::clone(live));
            }
            if let Some((_, why)) = now.failed.as_ref().filter(|_| now.failures > failures) {
                return Err(Failure::Unconnected(Arc::clone(why)));
            }
        }
    }

    /// Has the task work, at once.
    fn start(self: &Arc<Self>) {
        let mut state = self.lock();
        state.used = Instant::now();
        if state.kept {
            self.wake.notify_one();
        } else {
            state.kept = true;
            tokio::spawn(Arc::clone(self).keep());
        }
    }

    /// A new reader, and the answers that it has to wait for.
    fn enter(self: &Arc<Self>, live: &Arc<Live>, inbox: Arc<Inbox>) -> Result<(Reader, Awaited), Failure> {
        let mut state = self.lock();
        if live.broke.is_cancelled() {
            return Err(Failure::Dropped { sent: false });
        }
        let most = self.limits.subscriptions;
        if state.readers.len() >= most {
            let why =
                format!("{most} subscriptions of this plugin are open, and it may have no more at once");
            return Err(Failure::TooMuch(why));
        }
        if state.subscribed.len() + inbox.filters.len() > MOST_FILTERS {
            return Err(Failure::TooMuch(format!("this plugin listens to {MOST_FILTERS} filters already")));
        }
        let number = state.next_reader;
        state.next_reader += 1;
        state.used = Instant::now();
        state.readers.insert(number, Arc::clone(&inbox));
        let (mut phases, mut entries) = (Vec::new(), Vec::new());
        for filter in &inbox.filters {
            let (entry, known, phase) = state.subscribed.enter(filter, inbox.wants_retained());
            entries.push(entry);
            match known {
                Some(retained) => retained.iter().for_each(|message| inbox.push(message)),
                None => self.ask(&mut state, live, filter.clone()),
            }
            phases.push((filter.clone(), phase));
        }
        Ok((Reader { shared: Arc::clone(self), number, entries, inbox }, phases))
    }

    /// Subscribes a filter. The packet is queued in here, so that it comes behind what was asked for before.
    fn ask(self: &Arc<Self>, state: &mut State, live: &Arc<Live>, filter: Filter) {
        let Some((number, turn)) = state.subscribed.ask(&filter) else { return };
        let qos: Qos = self.limits.qos.min(live.offers.qos);
        let number = if live.offers.numbers { number } else { 0 };
        let asked = live.client.subscribe(&filter.to_string(), qos, number);
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let answer = asked.await;
            let mut state = shared.lock();
            if let Some(reason) = state.subscribed.answered(&filter, turn, answer.map(drop)) {
                let what = format!("the subscription to {filter}");
                let listening = state.readers.values().filter(|inbox| inbox.filters.contains(&filter));
                listening
                    .for_each(|inbox| inbox.end(Failure::Broker { what: what.clone(), reason, sent: false }));
            }
        });
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.readers.remove(&self.number);
        state.used = Instant::now();
        for (filter, entry) in self.inbox.filters.iter().zip(&self.entries) {
            state.subscribed.leave(filter, *entry);
        }
    }
}

/// Counts a caller that waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
