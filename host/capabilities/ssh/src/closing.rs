//! Ending a channel in a task of the host's, whatever became of the guest.
//!
//! The channel's room on its connection and in the grant is given back when the device is known to have heard of the
//! end. russh forgets a channel as soon as it asked for its end, and says nothing of the answer; so the device is asked
//! afterwards whether it is there, and answers come in the order of the questions (RFC 4254, 4). One that does not
//! answer loses the connection: what cannot be closed must not be kept.

use std::time::Duration;

use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};

use crate::pool::Lease;
use crate::session::Room;

/// How long a command may take to end after a signal.
const SIGNALLED: Duration = Duration::from_millis(500);
/// How long the device may take to answer.
const CONFIRM: Duration = Duration::from_secs(5);

/// An open channel, with what it holds.
pub(crate) struct Open {
    pub(crate) write: ChannelWriteHalf<Msg>,
    pub(crate) read: ChannelReadHalf,
    pub(crate) lease: Lease,
    pub(crate) room: Room,
}

impl Open {
    /// Ends the command that runs: RFC 4254, 6.9, for those that implement it, and then the channel.
    pub(crate) async fn kill(mut self) {
        for signal in [Sig::TERM, Sig::KILL] {
            if self.write.signal(signal).await.is_err() || self.is_closed_within(SIGNALLED).await {
                return;
            }
        }
        self.close().await;
    }

    /// Ends the channel.
    pub(crate) async fn close(mut self) {
        close(&self.write, &mut self.read, &self.lease).await;
    }

    async fn is_closed_within(&mut self, time: Duration) -> bool {
        let closed = async { while !matches!(self.read.wait().await, Some(ChannelMsg::Close) | None) {} };
        tokio::time::timeout(time, closed).await.is_ok()
    }
}

/// Ends a channel. What still comes is taken meanwhile, since it would hold up the answer.
pub(crate) async fn close(write: &ChannelWriteHalf<Msg>, read: &mut ChannelReadHalf, lease: &Lease) {
    let asked = async { write.close().await.is_ok() && lease.connection.answers().await };
    let gone = async { while !matches!(read.wait().await, Some(ChannelMsg::Close) | None) {} };
    let confirmed = async {
        tokio::select! {
            answered = asked => answered,
            () = gone => true,
        }
    };
    if !tokio::time::timeout(CONFIRM, confirmed).await.unwrap_or(false) {
        lease.connection.cut();
    }
}

/// Runs to its end although whoever started it is gone.
pub(crate) fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(work);
    }
}
