//! Sending.

use std::time::Duration;

use fleetgate_sdk::prelude::*;

use super::refusal;
use crate::command::perhaps_done;
use crate::settings;

/// What stays of the call's time for saying what was slow, and for doing without it.
const MARGIN: Duration = Duration::from_secs(2);
/// No request gets less.
const LEAST: Duration = Duration::from_millis(500);

/// The API of the granted server. Paths begin below `/v1`, which the manifest says.
pub(super) struct Api {
    upstream: http::Upstream,
    timeout: Duration,
}

impl Api {
    /// What every request needs to know. The mode says that the server was granted.
    pub(super) fn connect() -> Result<Self, Fault> {
        Ok(Self { upstream: http::upstream("api"), timeout: settings::request_timeout()? })
    }

    /// A list of the whole fleet.
    pub(super) fn list(&self, what: &str) -> http::Request {
        self.prepared(self.upstream.get([what]))
    }

    /// Something of one device; `[]`: the device itself.
    pub(super) fn of_device<'a>(
        &self,
        method: http::Method,
        device: &str,
        what: impl IntoIterator<Item = &'a str>,
    ) -> http::Request {
        let request = self.upstream.request(method, ["devices"]).segment_named("/device_id", device);
        self.prepared(request.segments(what))
    }

    /// Looks at something of one device.
    pub(super) fn get<'a>(&self, device: &str, what: impl IntoIterator<Item = &'a str>) -> http::Request {
        self.of_device(http::Method::Get, device, what)
    }

    /// A request that takes as long as the whole call would end it without a word about what was slow.
    fn prepared(&self, request: http::Request) -> http::Request {
        let left = call::deadline().saturating_sub(MARGIN).max(LEAST);
        request.header("accept", "application/json").timeout(self.timeout.min(left))
    }
}

/// Sends what may arrive twice without harm; a status that is not a success is a fault.
pub(super) fn answer(request: http::Request) -> Result<Value, Fault> {
    let response = request.send()?;
    match read(&response)? {
        Value::Null if response.status() == 200 && response.bytes().is_empty() => {
            // Somebody in between, rather than the server.
            Err(Fault::upstream("The API answered with nothing. Is the granted URL that of a jettyd server?"))
        }
        said => Ok(said),
    }
}

/// Sends what must not arrive twice. Where it is not known whether it did, the fault says so and asks for no repeat.
pub(super) fn answer_once(request: http::Request) -> Result<Value, Fault> {
    match request.send() {
        Ok(response) => read(&response).map_err(|fault| match response.status() {
            // 520 and more: what stands before the server lost it on the way.
            200..=299 | 408 | 500 | 502 | 504 | 520..=599 => perhaps_done(fault),
            _ => fault,
        }),
        Err(fault) if ["timeout", "unavailable", "upstream", "cancelled"].contains(&&*fault.code) => {
            Err(perhaps_done(fault))
        }
        Err(fault) => Err(fault),
    }
}

/// The body as JSON; null where there is none.
fn read(response: &http::Response) -> Result<Value, Fault> {
    if !response.is_ok() {
        return Err(refusal::of(response));
    }
    if response.bytes().iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    response.json()
}

/// The status of a success, beside its body. A success in plain words (`OK`) is one; a page for people is not.
pub(super) fn answer_with_status(request: http::Request) -> Result<(u16, Value), Fault> {
    let response = request.send()?;
    let said = match read(&response) {
        Err(_) if response.is_ok() && !response.text().trim_start().starts_with('<') => Value::Null,
        said => said?,
    };
    Ok((response.status(), said))
}
