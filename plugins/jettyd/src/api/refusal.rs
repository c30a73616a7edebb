//! From a status of the API to a fault that says what to do.

use fleetgate_sdk::prelude::*;

use crate::mode::binding;

/// How much of the server's answer is passed on, in bytes.
const EXCERPT: usize = 500;

/// `jettyd API error 404: {"error":"device not found"}`, with `status` and `body` in its details.
pub(super) fn of(response: &http::Response) -> Fault {
    let status = response.status();
    let text = response.text();
    let text = text.trim();
    let said: String =
        text[..text.floor_char_boundary(EXCERPT)].chars().filter(|c| !c.is_control()).collect();
    let mut message = format!("jettyd API error {status}: {said}");
    if let Some(hint) = hint(status) {
        message.push_str(&format!("\n{hint}"));
    }
    let fault = response.refusal(message).detail("status", status).detail("body", said);
    // A server that stumbled may not do so again. Of what must not be done twice, who sent it says so.
    match (status, response.retry_after()) {
        (408 | 500 | 520..=599, Some(wait)) => fault.retry_after(wait),
        (408 | 500 | 520..=599, None) => fault.retryable(),
        _ => fault,
    }
}

/// The status that a fault is about, if it is about one.
pub(super) fn status(fault: &Fault) -> Option<u64> {
    fault.details.as_ref()?.get("status")?.as_u64()
}

fn hint(status: u16) -> Option<String> {
    let binding = binding();
    match status {
        300..=399 => Some(format!(
            "That is a redirect: the URL in [plugins.{binding}.grant.http.api] is probably not the one that the server \
             calls its own."
        )),
        401 => Some(format!(
            "The server does not accept the credential of [plugins.{binding}.grant.http.api]: there is none, or it is \
             wrong, expired or revoked."
        )),
        403 => Some(format!(
            "The credential of [plugins.{binding}.grant.http.api] may not do this: it lacks the scope at jettyd."
        )),
        _ => None,
    }
}
