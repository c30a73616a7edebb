//! What the tests of all capabilities need, once: a [`World`] in which an author asks for something and an operator
//! grants it, a [`Call`] that is made there without a guest, and a network that is [`Watched`].
//!
//! A capability's tests say with a [`Subject`] what they are about, and keep for themselves what only they have: how a
//! guest uses it.

mod call;
mod network;
mod place;
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetgate_core::capability::{BindingParts, Capability};
use fleetgate_core::diagnostic::Diagnostics;
use fleetgate_core::sandbox::CallInfo;

pub use call::Call;
pub use network::{Answers, Watched};
pub use place::Place;
pub use world::{Binding, Tables, World};

/// What tests are about: one capability, and a request for it.
pub trait Subject: Sized + 'static {
    /// The request: `ssh.devices`.
    const CAPABILITY: &'static str;
    /// What is asked for, where a test says nothing else.
    const REQUEST: &'static str;

    /// The capability.
    type Kind: Capability;
    /// How it is made; the default is how the host makes it.
    type Options: Default;
    /// What becomes of a binding's grants.
    type Bound;
    /// What a test makes a call with.
    type Caller;

    /// The capability, as a host has it.
    fn capability(options: Self::Options) -> Self::Kind;

    /// Takes a binding's grants.
    fn bind(capability: &Self::Kind, parts: BindingParts<'_>) -> Result<Self::Bound, Diagnostics>;

    /// Begins a call.
    fn caller(binding: &Binding<Self>, call: Arc<CallInfo>) -> Self::Caller;
}

/// How long something may take on a machine that has much else to do. Only to end what hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is so, and fails when it is not after a minute.
pub async fn until<F: Future<Output = bool>>(what: &str, mut is: impl FnMut() -> F) {
    let begin = Instant::now();
    while !is().await {
        assert!(begin.elapsed() < PATIENCE, "{what}: not after a minute");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// `ssh.devices` as the kind and the name.
fn parts(capability: &'static str) -> (&'static str, &'static str) {
    capability.split_once('.').expect("a kind and a name")
}
