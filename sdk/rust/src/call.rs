//! The call that is going on: who calls, how long there is, how far it has come.
//!
//! While the host lists the tools there is no caller: text is empty, lists too.

use std::time::Duration;

use serde_json::Value;

use crate::{Answers, Client, Fault, host};

/// Who calls: a stable name without secrets (`local`, a token's name, an OAuth subject).
#[must_use]
pub fn principal() -> String {
    host::principal()
}

/// The roles of this plugin that the caller holds, with those that they include. The host enforces roles before the
/// plugin runs; this is for wording and for filtering results.
#[must_use]
pub fn roles() -> Vec<String> {
    host::roles()
}

/// Whether the caller holds this role.
#[must_use]
pub fn has_role(role: &str) -> bool {
    roles().iter().any(|held| held == role)
}

/// A key that stays the same within one session of one caller on this binding and says nothing about either.
#[must_use]
pub fn session() -> String {
    host::session()
}

/// The name under which the operator bound this plugin (`naas`, `naas-lab`).
#[must_use]
pub fn binding() -> String {
    host::binding()
}

/// What the client can do, as the `capabilities` object that it sent. Empty when unknown. See also [`client`].
#[must_use]
pub fn client_capabilities() -> Value {
    host::client_capabilities()
}

/// What the client can do: whether it can be asked, and what.
#[must_use]
pub fn client() -> Client {
    Client::new(client_capabilities())
}

/// The id of the job that this call runs in. None: somebody waits for it.
#[must_use]
pub fn job() -> Option<String> {
    host::job()
}

/// How long until the call is ended.
#[must_use]
pub fn deadline() -> Duration {
    host::deadline()
}

/// True once the client gave up or the deadline came. 2 seconds remain for cleaning up then, and calls to the host
/// work for that.
#[must_use]
pub fn cancelled() -> bool {
    host::cancelled()
}

/// For loops that do not otherwise wait: `call::check_cancelled()?`.
///
/// # Errors
/// `cancelled` once [`cancelled`] is true.
pub fn check_cancelled() -> Result<(), Fault> {
    if cancelled() { Err(Fault::cancelled()) } else { Ok(()) }
}

/// Waits. Other calls go on meanwhile.
///
/// # Errors
/// `cancelled`, at once, when the client gives up or the deadline comes.
pub fn sleep(duration: Duration) -> Result<(), Fault> {
    check_cancelled()?;
    host::sleep(duration)?;
    check_cancelled()
}

/// How far the call has come. `done` must grow from one report to the next, and is dropped otherwise. Costs nothing
/// when the client did not ask for progress.
pub fn progress(done: f64, total: Option<f64>, message: Option<&str>) {
    host::progress(done, total, message);
}

/// The answers to the question that this call asked before. Empty: it has not asked yet, or nobody answered.
#[must_use]
pub fn answers() -> Answers {
    host::answers::current()
}

/// The list of tools is another now: the host looks again and tells clients.
pub fn tools_changed() {
    host::tools_changed();
}

/// The list of prompts is another now.
pub fn prompts_changed() {
    host::prompts_changed();
}

/// The list of resources is another now.
pub fn resources_changed() {
    host::resources_changed();
}

/// The resource at this URI (in the plugin's own scheme) has new contents.
pub fn resource_updated(uri: &str) {
    host::resource_updated(uri);
}
