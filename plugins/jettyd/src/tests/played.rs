//! A jettyd server that answers what a test tells it to, and the promises that hold for every call.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Harness, Request, Response};

use crate::Exported;

/// The device of the product page.
pub const ID: &str = "dev_01hx3k9j2m4v5p6q7r8s";

/// All scopes.
pub const SCOPES: [&str; 6] =
    ["devices:read", "devices:write", "telemetry:read", "commands:write", "rules:read", "rules:write"];

/// A server, and the host in between.
pub struct Played {
    pub host: Harness,
}

/// A host that grants the API to somebody who may everything.
pub fn host() -> Harness {
    holding(&SCOPES)
}

/// The same for somebody with these scopes.
pub fn holding(scopes: &[&str]) -> Harness {
    Harness::new()
        .binding("jettyd")
        .principal("ann")
        .roles(scopes.iter().copied())
        .granted("http.api")
        .deadline(Duration::from_secs(120))
}

impl Played {
    /// Answers each request as told.
    pub fn new(respond: impl Fn(&Request) -> Response + 'static) -> Self {
        Self::with(host(), respond)
    }

    /// The same by another host.
    pub fn with(host: Harness, respond: impl Fn(&Request) -> Response + 'static) -> Self {
        Self {
            host: host.respond(move |request| {
                assert_eq!(request.timeout(), Some(time_for_a_request()));
                respond(request)
            }),
        }
    }

    /// Calls a tool by its name, and checks what holds for every call.
    pub fn call(&self, tool: &str, arguments: Value) -> Result<ToolResult, Fault> {
        let before = self.host.requests().len();
        let outcome = self.host.run(|| testing::call_tool::<Exported>(tool, arguments));
        let declared = declared(tool);
        for request in &self.host.requests()[before..] {
            assert_allowed(&declared, request);
        }
        let Outcome::Done(result) = outcome? else { panic!("{tool} asks") };
        assert_fits(tool, &declared, &result);
        Ok(result)
    }

    /// What a call returned that succeeded.
    #[track_caller]
    pub fn data(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).expect("the call succeeds");
        assert!(!result.is_error, "{}", result.all_text());
        result.structured.expect("the tool returns data")
    }

    /// What a call says that failed with a result.
    #[track_caller]
    pub fn failure(&self, tool: &str, arguments: Value) -> (String, Value) {
        let result = self.call(tool, arguments).expect("the call has a result");
        assert!(result.is_error, "{:?}", result.structured);
        (result.all_text(), result.structured.expect("a failure has data"))
    }

    /// The fault of a call.
    #[track_caller]
    pub fn fault(&self, tool: &str, arguments: Value) -> Fault {
        self.call(tool, arguments).expect_err("the call is refused")
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.host.requests()
    }

    /// The requests so far, as `METHOD path`.
    pub fn asked(&self) -> Vec<String> {
        self.requests().iter().map(|request| format!("{} {}", request.method(), request.path())).collect()
    }
}

/// A result is what the tool declares.
pub fn assert_fits(tool: &str, declared: &Value, result: &ToolResult) {
    if let (Some(schema), Some(structured)) = (declared["outputSchema"].as_object(), &result.structured) {
        let schema = jsonschema::validator_for(&Value::Object(schema.clone())).expect("the schema is one");
        let errors: Vec<_> = schema.iter_errors(structured).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{tool} breaks its output schema: {errors:?}\n{structured}");
    }
}

/// Answers 404 as the server does.
pub fn not_found() -> Response {
    Response::json(404, json!({ "error": "device not found" }))
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

/// What the manifest asks for of the API.
pub fn requested(key: &str) -> Vec<String> {
    manifest()["capabilities"]["http"]["api"][key].clone().try_into().expect("a list of words")
}

/// What one may take now: 30 s, and so little of what is left of the call that something can still be said.
fn time_for_a_request() -> Duration {
    let left = call::deadline().saturating_sub(Duration::from_secs(2));
    left.clamp(Duration::from_millis(500), Duration::from_secs(30))
}

fn assert_allowed(declared: &Value, request: &Request) {
    let (method, path) = (request.method(), request.path());
    assert_eq!(request.upstream(), Some("api"));
    assert!(requested("methods").iter().any(|allowed| allowed == method), "{method} is not requested");
    let covered = |paths: Vec<String>| paths.iter().any(|allowed| covers(allowed, method, path));
    assert!(covered(requested("paths")), "{method} {path} is not requested");
    let (name, reach) = (&declared["name"], &declared["manifest"]["reach"]["http.api"]);
    let words = |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).expect("words") };
    assert!(words(&reach["methods"]).iter().any(|allowed| allowed == method), "{name} may not {method}");
    assert!(covered(words(&reach["paths"])), "{name} may not {method} {path}");
    if declared["manifest"]["read_only"] == true {
        assert_eq!(method, "GET", "{name} is read-only");
    }
    let body = !request.body().is_empty();
    assert_eq!(body, request.header("content-type") == Some("application/json"), "a body has its type");
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.header("authorization"), None, "credentials are the host's");
}

/// A pattern of the manifest: a method, a blank, and a path in which `*` is one segment.
pub fn covers(pattern: &str, method: &str, path: &str) -> bool {
    let Some(pattern) = pattern.strip_prefix(method).and_then(|rest| rest.strip_prefix(' ')) else {
        return false;
    };
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(|(p, s)| *p == "*" || p == s)
}
