//! What comes from time to time. Never more often than granted, whatever is restarted or loaded anew: the last time is
//! kept with its event. One at most waits to be handled, and what was missed meanwhile is not made up for.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, mpsc, oneshot};

use super::engine::at_most;
use super::keep::Ask;
use super::live::{Comes, FoundEvent};
use super::queue::Queue;
use super::record::{millis, now_ms};

/// Says each time that it has come, until nobody keeps it any more. `changed`: the event may be another now.
pub(super) async fn tick(
    queue: Arc<Queue>,
    current: Arc<ArcSwap<FoundEvent>>,
    asked: mpsc::UnboundedSender<Ask>,
    changed: Arc<Notify>,
) {
    // When it had come and another one was waiting still.
    let mut skipped_ms = 0_u64;
    let mut first = true;
    loop {
        let Comes::Every(every) = current.load().event.comes else {
            changed.notified().await;
            continue;
        };
        let now = now_ms();
        let last = queue.state().last_ms().max(skipped_ms.min(now));
        let due = if last == 0 { now } else { last.saturating_add(millis(every)) };
        let mut pause = Duration::from_millis(due.saturating_sub(now));
        if first {
            // All that is due when a host starts does not come at once.
            pause += at_most(queue.pace.spread.min(every / 2));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = changed.notified() => continue,
        }
        first = false;
        let (answer, kept) = oneshot::channel();
        if asked.send(Ask::Tick(answer)).is_err() {
            return;
        }
        match kept.await {
            Ok(true) => {}
            Ok(false) => skipped_ms = now_ms(),
            Err(_) => return,
        }
    }
}
