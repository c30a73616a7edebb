//! Keeps the catalog current: hears that something changed, looks when the burst is over, plans when work is done.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::Host;
use super::reload::{Next, Reload};
use super::watch::Watch;
use crate::sandbox::ListsChanged;

/// How long nothing must have happened before looking. A copied file comes in many events.
const QUIET: Duration = Duration::from_millis(100);
/// Looking is not put off for longer, even if something happens all the time.
const AT_LATEST: Duration = Duration::from_millis(500);
/// While many jobs run, what is done is taken up this often.
const PLAN_EVERY: Duration = Duration::from_millis(50);

/// Somebody wants to know how everything stands now.
pub(super) struct Look {
    /// What failed is tried again.
    pub(super) again: bool,
    /// Answered when nothing is left to do; else after what can be done at once.
    pub(super) wait: bool,
    pub(super) done: oneshot::Sender<()>,
}

/// Runs until the host is gone.
pub(super) async fn keep(host: Weak<Host>, reload: Reload, mut asked: mpsc::Receiver<Look>, watch: bool) {
    let mut keeper = Keeper {
        host,
        reload,
        watch: watch.then(Watch::new),
        burst: None,
        look_at: None,
        planned: Instant::now(),
        unplanned: false,
        relist_at: None,
        waiting: Vec::new(),
        pruned: false,
    };
    let lists = keeper.reload.lists();
    if let Some(watch) = &mut keeper.watch {
        // Before the first look, so that nothing happens between the two.
        watch.follow(&keeper.reload.watched());
    }
    loop {
        let next = keeper.next_time();
        tokio::select! {
            look = asked.recv() => match look {
                None => return,
                Some(look) => keeper.asked(look).await,
            },
            () = keeper.reload.work() => keeper.unplanned = true,
            () = heard(&keeper.watch) => keeper.heard(),
            () = said(&lists) => {}
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
        }
        if keeper.look_at.is_some_and(|at| at <= Instant::now()) {
            keeper.look().await;
        }
        if keeper.unplanned && (keeper.reload.is_settled() || keeper.planned.elapsed() >= PLAN_EVERY) {
            keeper.plan().await;
        }
        keeper.relist_at = keeper.reload.relist();
        keeper.answer();
    }
}

/// A running guest says that a list of it is another.
async fn said(lists: &Option<Arc<ListsChanged>>) {
    match lists {
        Some(lists) => lists.heard().await,
        None => std::future::pending().await,
    }
}

async fn heard(watch: &Option<Watch>) {
    match watch {
        Some(watch) => watch.heard().await,
        None => std::future::pending().await,
    }
}

struct Keeper {
    host: Weak<Host>,
    reload: Reload,
    watch: Option<Watch>,
    /// When the burst of events began that is going on.
    burst: Option<Instant>,
    look_at: Option<Instant>,
    planned: Instant,
    /// Work was done since the last plan.
    unplanned: bool,
    /// When the lists of a binding are to be taken again.
    relist_at: Option<Instant>,
    waiting: Vec<Look>,
    pruned: bool,
}

impl Keeper {
    fn next_time(&self) -> Option<Instant> {
        let plan_at = self.unplanned.then(|| self.planned + PLAN_EVERY);
        [self.look_at, plan_at, self.relist_at].into_iter().flatten().min()
    }

    fn heard(&mut self) {
        let now = Instant::now();
        let burst = *self.burst.get_or_insert(now);
        // Each event puts it off, but not beyond the end.
        self.look_at = Some((now + QUIET).min(burst + AT_LATEST));
    }

    fn look_soon(&mut self, at: Instant) {
        self.look_at = Some(self.look_at.map_or(at, |planned| planned.min(at)));
    }

    async fn asked(&mut self, look: Look) {
        if look.again {
            self.reload.forget_failures();
        }
        self.waiting.push(look);
        self.look().await;
    }

    async fn look(&mut self) {
        (self.burst, self.look_at) = (None, None);
        self.reload.look().await;
        if let Some(watch) = &mut self.watch {
            if watch.follow(&self.reload.watched()) {
                self.look_at = Some(Instant::now() + QUIET);
            }
            let interval = watch.interval();
            self.look_soon(Instant::now() + interval);
        }
        if let Some(again) = self.reload.again {
            self.look_soon(again);
        }
        self.plan().await;
    }

    async fn plan(&mut self) {
        self.unplanned = false;
        let next = self.reload.plan().await;
        self.planned = Instant::now();
        let survey = self.reload.survey(self.watch.as_ref().and_then(Watch::problem));
        let Some(host) = self.host.upgrade() else { return };
        host.note(survey.clone());
        if let Some(Next { catalog, change }) = next {
            host.publish_shared(catalog, change);
        }
        // Whoever reads in the log that something is live, held or gone finds it so.
        self.reload.log_changes(&survey);
    }

    /// Answers those who waited, once there is nothing left to do.
    fn answer(&mut self) {
        let settled = self.reload.is_settled() && !self.unplanned && self.reload.again.is_none();
        let (done, waiting) = self.waiting.drain(..).partition(|look: &Look| settled || !look.wait);
        self.waiting = waiting;
        for look in done {
            let _ = look.done.send(());
        }
        if settled && !self.pruned {
            self.pruned = true;
            self.reload.prune_cache();
        }
    }
}
