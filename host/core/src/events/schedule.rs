//! What comes from time to time. Never more often than granted, whatever is restarted or loaded anew: the last time is
//! kept with its event. One at most waits to be handled, and what was missed meanwhile is not made up for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, mpsc, oneshot};

use super::engine::at_most;
use super::keep::Ask;
use super::live::{Comes, FoundEvent};
use super::queue::Queue;
use super::record::{millis, now_ms};

/// How often the clock is looked at: it may be set right meanwhile, and does not stand still while the machine sleeps.
const LOOK: Duration = Duration::from_secs(60);

/// Says each time that it has come, until nobody keeps it any more. `changed`: the event may be another now.
pub(super) async fn tick(
    queue: Arc<Queue>,
    current: Arc<ArcSwap<FoundEvent>>,
    asked: mpsc::UnboundedSender<Ask>,
    changed: Arc<Notify>,
) {
    let mut beat = Beat::new(Instant::now());
    let mut first = true;
    loop {
        let Comes::Every(every) = current.load().event.comes else {
            changed.notified().await;
            continue;
        };
        let last_ms = queue.state().last_ms();
        let mut pause = beat.pause(last_ms, every, now_ms(), Instant::now()).min(LOOK);
        if pause.is_zero() && first {
            // All that is due when a host starts does not come at once.
            first = false;
            pause = at_most(queue.pace.spread.min(every / 2));
        }
        if !pause.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = changed.notified() => {}
            }
            continue;
        }
        let (answer, kept) = oneshot::channel();
        if asked.send(Ask::Tick(answer)).is_err() {
            return;
        }
        match kept.await {
            Ok(kept) => beat.came(kept, Instant::now()),
            Err(_) => return,
        }
    }
}

/// When it comes next. The clock says so, since it also counts while no host runs. Where the clock was ahead when it
/// last came, or was set back since, the time that has passed here says so: else it would come when the clock is that
/// late again.
struct Beat {
    /// When it last came, by the clock.
    last_ms: u64,
    /// When that was seen here.
    since: Instant,
    /// It came after that, and was left out since the last one was still waiting.
    left_out: bool,
}

impl Beat {
    fn new(now: Instant) -> Self {
        Self { last_ms: 0, since: now, left_out: false }
    }

    /// How long it is until then. `last_ms`: when it last came, as it is kept; zero: never.
    fn pause(&mut self, last_ms: u64, every: Duration, now_ms: u64, now: Instant) -> Duration {
        if last_ms != self.last_ms {
            *self = Self { last_ms, ..Self::new(now) };
        }
        let here = every.saturating_sub(now.saturating_duration_since(self.since));
        if self.left_out {
            return here;
        }
        if last_ms == 0 {
            return Duration::ZERO;
        }
        let due_ms = last_ms.saturating_add(millis(every));
        Duration::from_millis(due_ms.saturating_sub(now_ms)).min(here)
    }

    fn came(&mut self, kept: bool, now: Instant) {
        self.since = now;
        self.left_out = !kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3_600);
    const YEAR_MS: u64 = 365 * 24 * 3_600_000;
    /// A moment by the clock.
    const THEN: u64 = 60 * YEAR_MS;

    #[test]
    fn what_never_came_is_due_and_what_came_is_due_after_its_time() {
        let start = Instant::now();
        let mut beat = Beat::new(start);
        assert_eq!(beat.pause(0, HOUR, THEN, start), Duration::ZERO);
        // Before this host began, it came a minute ago.
        let kept = THEN - millis(MINUTE);
        assert_eq!(beat.pause(kept, HOUR, THEN, start), HOUR - MINUTE);
        assert_eq!(beat.pause(kept, 2 * HOUR, THEN, start), 2 * HOUR - MINUTE, "another table");
        assert_eq!(beat.pause(kept, HOUR, THEN + millis(HOUR), start), Duration::ZERO, "the machine slept");
    }

    #[test]
    fn a_clock_that_was_ahead_neither_keeps_it_away_nor_brings_it_earlier() {
        let start = Instant::now();
        let mut beat = Beat::new(start);
        let kept = THEN + YEAR_MS;
        assert_eq!(beat.pause(kept, HOUR, THEN, start), HOUR);
        // However often it is looked, and whatever is loaded anew meanwhile.
        assert_eq!(beat.pause(kept, HOUR, THEN + millis(MINUTE), start + MINUTE), HOUR - MINUTE);
        assert_eq!(beat.pause(kept, HOUR, THEN + millis(HOUR), start + HOUR), Duration::ZERO);
        beat.came(true, start + HOUR);
        // It came by the right clock.
        let kept = THEN + millis(HOUR);
        assert_eq!(beat.pause(kept, HOUR, kept, start + HOUR), HOUR);
        assert_eq!(beat.pause(kept, HOUR, kept + millis(HOUR), start + 2 * HOUR), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_is_set_back_neither_keeps_it_away_nor_brings_it_earlier() {
        let start = Instant::now();
        let mut beat = Beat::new(start);
        assert_eq!(beat.pause(THEN, HOUR, THEN, start), HOUR);
        let back = THEN - YEAR_MS;
        assert_eq!(beat.pause(THEN, HOUR, back, start + MINUTE), HOUR - MINUTE);
        assert_eq!(beat.pause(THEN, HOUR, back + millis(HOUR), start + HOUR), Duration::ZERO);
        // Also when the last one is handled late, by the clock that was set back.
        assert_eq!(beat.pause(back + 1, HOUR, back + 1, start + HOUR), HOUR);
    }

    #[test]
    fn what_was_left_out_comes_again_after_its_time_however_the_clock_is() {
        let start = Instant::now();
        for now_ms in [THEN + millis(HOUR), THEN - YEAR_MS, THEN + YEAR_MS] {
            let mut beat = Beat::new(start);
            beat.pause(THEN, HOUR, THEN, start);
            beat.came(false, start + HOUR);
            assert_eq!(beat.pause(THEN, HOUR, now_ms, start + HOUR), HOUR);
            assert_eq!(beat.pause(THEN, HOUR, now_ms, start + 2 * HOUR), Duration::ZERO);
        }
    }
}
