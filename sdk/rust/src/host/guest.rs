//! In a component: the imports of `fleetgate:plugin`.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bindings::fleetgate::plugin::{call, capabilities, config as settings};
use crate::{Fault, http};

pub(crate) fn principal() -> String {
    call::principal()
}

pub(crate) fn roles() -> Vec<String> {
    call::roles()
}

pub(crate) fn session() -> String {
    call::session()
}

pub(crate) fn binding() -> String {
    call::binding()
}

pub(crate) fn client_capabilities() -> Value {
    serde_json::from_str(&call::client_capabilities()).unwrap_or_else(|_| Value::Object(Default::default()))
}

pub(crate) fn deadline() -> Duration {
    Duration::from_millis(call::deadline_ms())
}

pub(crate) fn cancelled() -> bool {
    call::cancelled()
}

pub(crate) fn progress(done: f64, total: Option<f64>, message: Option<&str>) {
    call::progress(done, total, message);
}

pub(crate) fn log(level: &str, message: &str, data: Option<&Value>) {
    call::log(level, message, data.map(Value::to_string).as_deref());
}

pub(crate) fn tools_changed() {
    call::tools_changed();
}

pub(crate) fn prompts_changed() {
    call::prompts_changed();
}

pub(crate) fn resources_changed() {
    call::resources_changed();
}

pub(crate) fn resource_updated(uri: &str) {
    call::resource_updated(uri);
}

pub(crate) fn config(key: &str) -> Option<String> {
    settings::get(key)
}

pub(crate) fn granted(name: &str) -> bool {
    capabilities::granted(name)
}

/// The clock is WASI's, and knows nothing of the call: it is asked in short steps, so that a cancel is noticed.
pub(crate) fn sleep(duration: Duration) -> Result<(), Fault> {
    const STEP: Duration = Duration::from_millis(100);
    let begin = Instant::now();
    loop {
        let left = duration.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        if cancelled() {
            return Err(Fault::cancelled());
        }
        std::thread::sleep(left.min(STEP));
    }
}

pub(crate) fn send(request: &http::Outgoing) -> Result<http::Incoming, http::Failure> {
    http::wasi::send(request)
}
