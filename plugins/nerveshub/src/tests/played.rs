//! A NervesHub that answers what a test tells it to, and the promises that hold for every call.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Harness, Request, Response};

use crate::Exported;

/// The product that most tests ask about.
pub const PRODUCT: &str = "/api/orgs/acme/products/kiosk";

/// The device that most tests ask about.
pub const DEVICE: &str = "/api/orgs/acme/products/kiosk/devices/sn-1";

/// The sentence that NervesHub has for a wrong token, a low role and an unknown object alike.
const UNTELLING: &str = "Resource Not Found or Authorization Insufficient";

/// A server, and the host in between.
pub struct Played {
    host: Harness,
}

impl Played {
    /// Answers each request as told.
    pub fn new(respond: impl Fn(&Request) -> Response + 'static) -> Self {
        Self::with(Harness::new().granted("http.api"), respond)
    }

    /// The same with a host that was prepared otherwise.
    pub fn with(host: Harness, respond: impl Fn(&Request) -> Response + 'static) -> Self {
        Self { host: host.binding("nerveshub").respond(respond) }
    }

    /// Answers by method and path; everything else is a 404.
    pub fn table<const N: usize>(answers: [(&str, &str, Response); N]) -> Self {
        let table: BTreeMap<(String, String), Response> = answers
            .into_iter()
            .map(|(method, path, answer)| ((method.into(), path.into()), answer))
            .collect();
        Self::new(move |request| {
            let found = table.get(&(request.method().to_owned(), request.path().to_owned()));
            found.cloned().unwrap_or_else(|| error(404))
        })
    }

    /// Calls a tool by its name, and checks what holds for every call.
    pub fn call(&self, tool: &str, arguments: Value) -> Result<Value, Fault> {
        let before = self.host.requests().len();
        let outcome = self.host.run(|| testing::call_tool::<Exported>(tool, arguments));
        let declared = declared(tool);
        for request in &self.host.requests()[before..] {
            assert_allowed(&declared, request);
        }
        match outcome? {
            Outcome::Done(result) => {
                assert!(!result.is_error);
                let structured = result.structured.expect("every tool returns data");
                let schema = jsonschema::validator_for(&declared["outputSchema"]).expect("the schema is one");
                let errors: Vec<_> = schema.iter_errors(&structured).map(|e| e.to_string()).collect();
                assert!(errors.is_empty(), "{tool} breaks its output schema: {errors:?}");
                Ok(structured)
            }
            Outcome::Ask(_) => panic!("{tool} asks"),
        }
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.host.requests()
    }

    /// The requests so far, as `METHOD path`.
    pub fn asked(&self) -> Vec<String> {
        self.requests().iter().map(|request| format!("{} {}", request.method(), request.path())).collect()
    }

    /// The host in between.
    pub fn host(&self) -> &Harness {
        &self.host
    }
}

/// What the host learns about a tool.
pub fn declared(tool: &str) -> Value {
    let all = testing::list_tools::<Exported>().expect("the tools can be listed");
    all.into_iter().find(|entry| entry["name"] == tool).unwrap_or_else(|| panic!("there is no tool {tool}"))
}

/// `plugin.toml`.
pub fn manifest() -> toml::Table {
    include_str!("../../plugin.toml").parse().expect("plugin.toml is TOML")
}

fn assert_allowed(declared: &Value, request: &Request) {
    let (method, path) = (request.method(), request.path());
    assert_eq!(request.upstream(), Some("api"));
    let manifest = manifest();
    let requested = &manifest["capabilities"]["http"]["api"];
    let words = |list: &toml::Value| -> Vec<String> { list.clone().try_into().expect("a list of words") };
    assert!(
        words(&requested["methods"]).iter().any(|allowed| allowed == method),
        "{method} is not requested"
    );
    assert!(
        words(&requested["paths"]).iter().any(|allowed| covers(allowed, method, path)),
        "{method} {path} is not requested"
    );
    let tool = &declared["manifest"];
    let reach = &tool["reach"]["http.api"];
    let words =
        |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).expect("a list of words") };
    let name = &declared["name"];
    assert!(words(&reach["methods"]).iter().any(|allowed| allowed == method), "{name} may not {method}");
    assert!(
        words(&reach["paths"]).iter().any(|allowed| covers(allowed, method, path)),
        "{name} may not {method} {path}"
    );
    if tool["read_only"] == true {
        assert_eq!(method, "GET", "{name} is read-only");
    }
    let body = !request.body().is_empty();
    assert_eq!(body, request.header("content-type") == Some("application/json"), "a body has its type");
    assert_eq!(request.header("accept"), Some("application/json"));
}

/// A pattern of the manifest: a method, a blank, and a path in which `*` is one segment.
fn covers(pattern: &str, method: &str, path: &str) -> bool {
    let Some(pattern) = pattern.strip_prefix(method).and_then(|rest| rest.strip_prefix(' ')) else {
        return false;
    };
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(|(p, s)| *p == "*" || p == s)
}

/// Success with something under `data`.
pub fn ok(data: Value) -> Response {
    Response::json(200, json!({ "data": data }))
}

/// NervesHub's own way of saying no.
pub fn error(status: u16) -> Response {
    let detail = match status {
        401 | 404 => UNTELLING,
        403 => "device not available or responding",
        500 => "Sorry, an unexpected error occurred. The masters of the web have been notified.",
        _ => "Invalid request",
    };
    Response::json(status, json!({ "errors": { "detail": detail } }))
}

/// A device that is connected, with some fields otherwise.
pub fn device(otherwise: Value) -> Value {
    let mut device = json!({
        "identifier": "sn-1", "description": "Lobby kiosk", "tags": ["beta", "beta-edge"],
        "online": "connected", "connection_status": "connected",
        "firmware_metadata": {
            "id": "3f2264c3-cc52-4ba9-b77d-e441f8bb91b6", "uuid": "6fd2bbc8-52b8-4826-8c2a-189968d0de23",
            "product": "kiosk", "version": "1.2.3", "architecture": "arm", "platform": "rpi4", "author": "me",
            "description": "D", "fwup_version": "1.10.1", "vcs_identifier": null, "misc": null
        },
        "version": "1.2.3",
        "deployment_group": {
            "name": "production", "is_active": true, "firmware_uuid": "6fd2bbc8-52b8-4826-8c2a-189968d0de23",
            "firmware_version": "1.2.3"
        },
        "updates_enabled": true, "updates_blocked_until": null, "org_name": "acme", "product_name": "kiosk",
        "last_communication": "2026-08-20 10:11:12.123456Z", "deleted": false
    });
    for (key, value) in otherwise.as_object().expect("fields") {
        device[key] = value.clone();
    }
    device
}

/// The fault of a call that must fail.
#[track_caller]
pub fn fault_of(result: Result<Value, Fault>) -> Fault {
    result.expect_err("the call must fail")
}
