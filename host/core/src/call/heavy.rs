//! Checking and cleaning large values away from the workers.
//!
//! Both run without a pause, so a large value would hold a worker, and with it everybody's timers. What is small is
//! done at once; the rest on a thread of its own, a few at a time, and no longer than the call's deadline waits.

use std::time::Instant;

use tokio::sync::Semaphore;

use crate::domain::Fault;

/// Up to here it takes less time than moving to another thread.
const SMALL: usize = 64 << 10;
/// Large values at a time.
static PLACES: Semaphore = Semaphore::const_new(2);

/// Does `work` over a value of so many bytes.
pub(super) async fn over<T: Send + 'static>(
    bytes: usize,
    deadline: Instant,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    if bytes <= SMALL {
        return Ok(work());
    }
    let elsewhere = async {
        // The semaphore is never closed.
        let place = PLACES.acquire().await.expect("the semaphore stays open");
        tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        })
        .await
    };
    match tokio::time::timeout_at(deadline.into(), elsewhere).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => Err(Fault::new("internal", "checking the value failed")),
        Err(_) => Err(Fault::new("timeout", "checking the value took longer than the call's time limit")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn what_never_ends_is_left_behind_at_the_deadline() {
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let deadline = Instant::now() + Duration::from_millis(20);
        let ended = over(SMALL + 1, deadline, move || wait.recv().is_ok()).await;
        assert_eq!(ended.expect_err("it was left behind").code, "timeout");
        drop(done);
    }

    #[tokio::test]
    async fn small_and_large_values_are_worked_on() {
        let deadline = Instant::now() + Duration::from_secs(60);
        assert_eq!(over(1, deadline, || 1).await, Ok(1));
        assert_eq!(over(SMALL + 1, deadline, || 2).await, Ok(2));
    }
}
