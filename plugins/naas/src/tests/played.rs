//! A NAAS server that answers what a test tells it to, and the promises that hold for every call.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Harness, Request, Response};

use crate::Exported;

/// The id that the server gives to every job.
pub const ID: &str = "84a2acc9-7156-43d9-ae7d-d17168a00c94";

/// What the host puts in the place of a password.
pub const PASSWORD: &str = "fleetgate-secret-abcdefghijklmnopqrstuvwxyz";

/// A server, and the host in between.
pub struct Played {
    pub host: Harness,
}

/// A host that grants the API to an operator.
pub fn operator() -> Harness {
    host(&["operator", "viewer"])
}

/// A host that grants the API to somebody who sees all jobs.
pub fn admin() -> Harness {
    host(&["admin", "operator", "viewer"])
}

fn host(roles: &[&str]) -> Harness {
    Harness::new()
        .binding("naas")
        .principal("ann")
        .roles(roles.iter().copied())
        .granted("http.api")
        .deadline(Duration::from_secs(900))
}

impl Played {
    /// Answers each request as told.
    pub fn new(host: Harness, respond: impl Fn(&Request) -> Response + 'static) -> Self {
        Self { host: host.respond(respond) }
    }

    /// Takes every job, and gives these answers to the looks at it, the last one again and again.
    pub fn jobs(host: Harness, looks: impl IntoIterator<Item = Response>) -> Self {
        let looks: Vec<_> = looks.into_iter().collect();
        let at = Cell::new(0);
        Self::new(host, move |request| match request.method() {
            "POST" => taken(ID),
            _ => {
                let look = looks[at.get().min(looks.len() - 1)].clone();
                at.set(at.get() + 1);
                look
            }
        })
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
        if let (Some(schema), Some(structured)) = (declared["outputSchema"].as_object(), &result.structured) {
            let schema =
                jsonschema::validator_for(&Value::Object(schema.clone())).expect("the schema is one");
            let errors: Vec<_> = schema.iter_errors(structured).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{tool} breaks its output schema: {errors:?}");
        }
        Ok(result)
    }

    /// What a call returned that succeeded.
    #[track_caller]
    pub fn data(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).expect("the call succeeds");
        assert!(!result.is_error, "{}", result.all_text());
        result.structured.expect("the tool returns data")
    }

    /// What a call says that succeeded.
    #[track_caller]
    pub fn text(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).expect("the call succeeds");
        assert!(!result.is_error, "{}", result.all_text());
        result.all_text()
    }

    /// What a call says that failed with a result.
    #[track_caller]
    pub fn failure(&self, tool: &str, arguments: Value) -> (String, Value) {
        let result = self.call(tool, arguments).expect("the call has a result");
        assert!(result.is_error, "{:?}", result.structured);
        (result.all_text(), result.structured.expect("a failed job is returned"))
    }

    /// The fault of a call.
    #[track_caller]
    pub fn fault(&self, tool: &str, arguments: Value) -> Fault {
        self.call(tool, arguments).expect_err("the call is refused")
    }

    /// What a resource holds.
    #[track_caller]
    pub fn read(&self, uri: &str) -> Value {
        let contents = self.host.run(|| testing::read::<Exported>(uri)).expect("the resource can be read");
        serde_json::from_str(contents[0].text.as_deref().expect("text")).expect("JSON")
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

/// Counts.
pub fn counter() -> Rc<Cell<u32>> {
    Rc::default()
}

/// The answer to a job that was taken.
pub fn taken(id: &str) -> Response {
    Response::json(
        202,
        json!({
            "job_id": id, "message": "Job enqueued", "queue_position": 0,
            "enqueued_at": "2026-11-20T09:32:38.426023+00:00", "timeout": 120, "idempotent": false,
            "deduplicated": false, "app": "naas", "version": "2.1.0"
        }),
    )
    .header("x-request-id", id)
}

/// A look at a job; what stands in `with` stands there instead.
pub fn look(status: &str, with: Value) -> Response {
    let mut job = json!({
        "job_id": ID, "status": status, "results": null, "error": null, "error_code": null,
        "error_retryable": null, "detected_platform": null, "tags": null, "app": "naas", "version": "2.1.0"
    });
    for (key, value) in with.as_object().expect("an object") {
        job[key] = value.clone();
    }
    Response::json(200, job)
}

/// A job that succeeded.
pub fn finished(results: Value) -> Response {
    look("finished", json!({ "results": results }))
}

/// The arguments of most calls.
pub fn show() -> Value {
    json!({ "host": "192.0.2.1", "platform": "cisco_ios", "commands": ["show clock"] })
}

/// The same with something else.
pub fn show_with(with: Value) -> Value {
    let mut arguments = show();
    for (key, value) in with.as_object().expect("an object") {
        arguments[key] = value.clone();
    }
    arguments
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

/// What the manifest asks for of this upstream.
pub fn requested(upstream: &str, key: &str) -> Vec<String> {
    manifest()["capabilities"]["http"][upstream][key].clone().try_into().expect("a list of words")
}

fn assert_allowed(declared: &Value, request: &Request) {
    let (method, path) = (request.method(), request.path());
    let upstream = request.upstream().expect("a granted upstream");
    assert!(
        requested(upstream, "methods").iter().any(|allowed| allowed == method),
        "{method} is not requested"
    );
    let covered = |paths: Vec<String>| paths.iter().any(|allowed| covers(allowed, method, path));
    assert!(covered(requested(upstream, "paths")), "{method} {path} is not requested");
    let (name, reach) = (&declared["name"], &declared["manifest"]["reach"][format!("http.{upstream}")]);
    let words = |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).expect("words") };
    if !reach["methods"].is_null() {
        assert!(words(&reach["methods"]).iter().any(|allowed| allowed == method), "{name} may not {method}");
    }
    if !reach["paths"].is_null() {
        assert!(covered(words(&reach["paths"])), "{name} may not {method} {path}");
    }
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
