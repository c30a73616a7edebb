//! How long what a call waits for may take. Two things end a wait before the work does: the call's time, and whoever
//! does not want the call any more. When either comes, the call's token trips (see [`super::run`]). What begins after
//! that is the guest cleaning up: it has [`GRACE`].

use std::future::Future;
use std::time::{Duration, Instant};

use super::info::CallInfo;
use super::run::GRACE;

/// A waiting import ended because its call was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the call was cancelled")]
pub struct Cancelled;

/// Why a wait within a call's time ended before the work did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CutShort {
    /// The call has no more time, or the work had less and used it up.
    #[error("it took too long")]
    Time,
    /// Whoever called does not want it any more.
    #[error("the call was cancelled")]
    Cancelled,
}

impl CallInfo {
    /// Waits for `work`, but no longer than until the call is cancelled. Every import that waits goes through
    /// here. What is started after the cancellation runs: it is the guest cleaning up, and ends with its grace.
    pub async fn waiting<T>(&self, work: impl Future<Output = T>) -> Result<T, Cancelled> {
        if self.cancel.is_cancelled() {
            return Ok(work.await);
        }
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Cancelled),
            done = work => Ok(done),
        }
    }

    /// Waits for `work` as [`Self::waiting`] does, and no longer than [`Self::time_for`] says.
    pub async fn in_time<T>(
        &self,
        most: Option<Duration>,
        work: impl Future<Output = T>,
    ) -> Result<T, CutShort> {
        match self.waiting(tokio::time::timeout(self.time_for(most), work)).await {
            Ok(done) => done.map_err(|_| CutShort::Time),
            // The deadline cancels as well.
            Err(Cancelled) if self.remaining().is_zero() => Err(CutShort::Time),
            Err(Cancelled) => Err(CutShort::Cancelled),
        }
    }

    /// How long work that begins now may take: what the call has left, or the guest's grace where it is cleaning up
    /// already; and never more than `most`.
    pub fn time_for(&self, most: Option<Duration>) -> Duration {
        let left = if self.cancel.is_cancelled() { GRACE } else { self.remaining() };
        most.map_or(left, |most| most.min(left))
    }

    /// Time until the deadline; zero after it.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;

    use super::super::{CallLimits, CallPolicy, Nobody, Used};
    use super::*;
    use crate::abi::log::LogGate;
    use crate::jobs::JobsOfCall;
    use crate::secret_arguments::Vault;

    const HOUR: Duration = Duration::from_secs(3_600);
    const MOMENT: Duration = Duration::from_millis(20);

    /// A call with so much time.
    fn call(timeout: Duration) -> CallInfo {
        CallInfo {
            id: "ref-1".into(),
            binding: "plugin".into(),
            plugin: "plugin".into(),
            tool: "look".into(),
            principal: "anna".into(),
            roles: Vec::new(),
            session: String::new(),
            client_capabilities: "{}".into(),
            config: Arc::default(),
            granted: Arc::default(),
            policy: Arc::new(CallPolicy::default()),
            limits: CallLimits { memory: 0, cpu: timeout, timeout, result: 0, response: 0 },
            deadline: Instant::now() + timeout,
            cancel: CancellationToken::new(),
            log: LogGate::new(),
            observer: Arc::new(Nobody),
            lists: None,
            used: Used::default(),
            jobs: JobsOfCall::default(),
            secrets: Vault::default(),
        }
    }

    #[tokio::test]
    async fn work_that_is_done_in_time_is_done() {
        assert_eq!(call(HOUR).in_time(None, ready(7)).await, Ok(7));
        assert_eq!(call(HOUR).in_time(Some(HOUR), ready(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn work_ends_with_the_time_of_its_call() {
        assert_eq!(call(MOMENT).in_time(None, pending::<()>()).await, Err(CutShort::Time));
        assert_eq!(call(MOMENT).in_time(Some(HOUR), pending::<()>()).await, Err(CutShort::Time));
    }

    #[tokio::test]
    async fn work_ends_with_its_own_time_where_that_is_less() {
        let call = call(HOUR);
        assert_eq!(call.in_time(Some(MOMENT), pending::<()>()).await, Err(CutShort::Time));
        assert!(call.time_for(None) > MOMENT, "the call has more");
        assert_eq!(call.time_for(Some(MOMENT)), MOMENT);
    }

    #[tokio::test]
    async fn work_ends_when_its_call_is_cancelled() {
        let call = call(HOUR);
        let cancelling = async {
            tokio::task::yield_now().await;
            call.cancel.cancel();
        };
        let (ended, ()) = tokio::join!(call.in_time(None, pending::<()>()), cancelling);
        assert_eq!(ended, Err(CutShort::Cancelled));
    }

    #[tokio::test]
    async fn a_call_that_its_deadline_cancels_ran_out_of_time() {
        let call = call(MOMENT);
        // Both have come when it is looked again.
        let deadline = async {
            std::thread::sleep(MOMENT);
            call.cancel.cancel();
        };
        let (waited, ()) = tokio::join!(call.in_time(None, pending::<()>()), deadline);
        assert_eq!(waited, Err(CutShort::Time));
    }

    #[tokio::test]
    async fn what_begins_after_the_cancellation_cleans_up_and_has_the_grace() {
        // Its deadline came too: nothing is left, and still the guest may say good-bye.
        for timeout in [HOUR, Duration::ZERO] {
            let call = call(timeout);
            call.cancel.cancel();
            assert_eq!(call.time_for(None), GRACE);
            assert_eq!(call.time_for(Some(HOUR)), GRACE);
            assert_eq!(call.time_for(Some(MOMENT)), MOMENT);
            let work = async {
                tokio::task::yield_now().await;
                7
            };
            assert_eq!(call.in_time(None, work).await, Ok(7));
            assert_eq!(call.in_time(Some(MOMENT), pending::<()>()).await, Err(CutShort::Time));
        }
    }
}
