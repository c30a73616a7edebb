//! Tasks (SEP-2663), over a real host: its jobs, a sandboxed guest, and clients by hand.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::request::Parts;
use fleetgate_core::asking::ClientCapability;
use fleetgate_core::audit::Unrecorded;
use fleetgate_core::capability::Capabilities;
use fleetgate_core::catalog::{Host, HostOptions};
use fleetgate_core::principal::Principal;
use fleetgate_core::sandbox::compile::CompileIn;
use fleetgate_core::sandbox::{Sandbox, SandboxOptions};
use fleetgate_core::store::{Batch, Key, Memory, Space, Store};
use fleetgate_mcp::{Authenticate, Challenge, HttpOptions, router, serve};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::backend::principal;
use crate::guests::{component, packed};
use crate::running::{Served, client, in_time, last};

const TOOLS: [&str; 4] = ["ask", "done", "fault", "loop"];

const MANIFEST: &str = r#"
[plugin]
id = "lab"
version = "1.0.0"
interface = "0.1"
title = "A plugin"
description = "For tests."
license = "Apache-2.0"
[client]
elicitation = "To ask who"
[roles]
operator = {}
[tools]
ask = { requires = "any", task = "optional" }
done = { requires = "any", task = "optional" }
fault = { requires = "any", task = "optional" }
loop = { requires = "operator", task = "required" }
"#;

const SETTINGS: &str = r#"
[limits]
cpu = "10m"
[jobs]
ttl = "2h"
[plugins.lab]
grant.client.elicitation = {}
[plugins.lab-2]
use = "lab"
"#;

const TASKS: &str = "io.modelcontextprotocol/tasks";

/// `Authorization: Bearer NAME ROLE…` is that, on this binding's twins too.
struct Named;

impl Authenticate for Named {
    fn principal(&self, parts: &Parts, _: SocketAddr) -> Result<Principal, Challenge> {
        let said = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
        let mut words = said.and_then(|said| said.strip_prefix("Bearer ")).unwrap_or_default().split(' ');
        let name = words.next().filter(|name| !name.is_empty()).ok_or_else(|| Challenge {
            status: StatusCode::UNAUTHORIZED,
            authenticate: None,
            message: "say who you are".into(),
        })?;
        Ok(principal(name, &words.collect::<Vec<_>>()))
    }
}

const ANN: &str = "ann lab:operator lab-2:operator";
const ANN_WITHOUT: &str = "ann";
const BOB: &str = "bob lab:operator lab-2:operator";

/// One engine for all: starting one reserves address space.
static SANDBOX: LazyLock<Arc<Sandbox>> = LazyLock::new(|| {
    let options = SandboxOptions { calls: 64, jobs: 16, ..SandboxOptions::default() };
    Sandbox::new(&options, &capabilities()).unwrap()
});

fn capabilities() -> Capabilities {
    Capabilities::new().with(ClientCapability)
}

struct Fleet {
    served: Served,
    store: Arc<Memory>,
    _place: TempDir,
}

impl Fleet {
    async fn new() -> Self {
        Self::over(Arc::default()).await
    }

    /// A host that finds what another one kept.
    async fn over(store: Arc<Memory>) -> Self {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = place.path().join(name);
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        };
        let plugins = place.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        fs::set_permissions(&plugins, fs::Permissions::from_mode(0o755)).unwrap();
        write("fleetgate.toml", SETTINGS.as_bytes());
        write("plugins/lab.wasm", &packed(component(&TOOLS), MANIFEST));

        let options = HostOptions {
            watch: false,
            store: Some(store.clone()),
            ..HostOptions::new(place.path().join("fleetgate.toml"), CompileIn::ThisProcess)
        };
        let host = in_time(Host::start(options, SANDBOX.clone(), capabilities(), Unrecorded::shared())).await;
        let host = host.unwrap_or_else(|failed| panic!("{failed}"));
        assert!(host.survey().is_fine(), "{:?}", host.survey());

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mcp = router(host, HttpOptions::new(address, Arc::new(Named)));
        let shutdown = mcp.shutdown.clone();
        tokio::spawn(serve(listener, mcp, std::future::pending(), Duration::from_secs(5)));
        Self { served: Served { address, http: client(), shutdown }, store, _place: place }
    }

    /// A request of a client that knows tasks and fills in forms.
    fn knowing(&self, path: &str, who: &str, method: &str, params: Value) -> RequestBuilder {
        let can = json!({"elicitation": {}, "extensions": {TASKS: {}}});
        self.request(path, who, method, params, can)
    }

    fn request(&self, path: &str, who: &str, method: &str, mut params: Value, can: Value) -> RequestBuilder {
        params["_meta"] = json!({"io.modelcontextprotocol/clientCapabilities": can});
        let task = params.get("taskId").and_then(Value::as_str).map(str::to_owned);
        let request = self.served.modern(path, who, method, params);
        match task {
            Some(task) => request.header("mcp-name", task),
            None => request,
        }
    }

    async fn ask(&self, path: &str, who: &str, method: &str, params: Value) -> Value {
        last(self.knowing(path, who, method, params).send().await.unwrap()).await
    }

    /// Ann's.
    async fn task(&self, tool: &str) -> Value {
        let answer = self.ask("/mcp/lab", ANN, "tools/call", json!({"name": tool})).await;
        assert_eq!(answer["result"]["resultType"], "task", "{answer}");
        answer["result"].clone()
    }

    async fn get(&self, id: &str) -> Value {
        let answer = self.ask("/mcp/lab", ANN, "tasks/get", json!({"taskId": id})).await;
        assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
        answer["result"].clone()
    }

    async fn until(&self, id: &str, status: &str) -> Value {
        in_time(async {
            loop {
                let task = self.get(id).await;
                if task["status"] == status {
                    return task;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
    }

    async fn acknowledged(&self, method: &str, params: Value) {
        let answer = self.ask("/mcp/lab", ANN, method, params).await;
        let mut result = answer["result"].as_object().unwrap_or_else(|| panic!("{answer}")).clone();
        let meta = result.remove("_meta").unwrap_or_default();
        assert_eq!(meta["io.modelcontextprotocol/serverInfo"]["name"], "fleetgate", "{answer}");
        assert_eq!(Value::from(result), json!({"resultType": "complete"}), "nothing else");
    }
}

fn id(task: &Value) -> &str {
    task["taskId"].as_str().unwrap_or_else(|| panic!("{task}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_that_must_be_a_task_is_refused_to_a_client_that_knows_none() {
    let fleet = Fleet::new().await;
    let call = json!({"name": "loop"});
    let response =
        fleet.request("/mcp/lab", ANN, "tools/call", call.clone(), json!({})).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let modern = last(response).await;
    let legacy = fleet.served.legacy("/mcp/lab", ANN, "2025-11-25").await;
    for refused in [modern, legacy.ask("tools/call", call.clone()).await] {
        assert_eq!(refused["error"]["code"], -32021, "{refused}");
        let required = &refused["error"]["data"]["requiredCapabilities"];
        assert_eq!(*required, json!({"extensions": {TASKS: {}}}));
    }
    // What a legacy client declares does not make it know tasks.
    let declares = json!({"extensions": {TASKS: {}}});
    let legacy = fleet.served.legacy_that_can("/mcp/lab", ANN, "2025-11-25", declares).await;
    assert_eq!(legacy.ask("tools/call", call.clone()).await["error"]["code"], -32021);
    // The role is looked at first.
    let forbidden = fleet.knowing("/mcp/lab", ANN_WITHOUT, "tools/call", call).send().await.unwrap();
    assert_eq!(forbidden.status(), 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_that_may_be_a_task_runs_at_once_for_a_client_that_knows_none() {
    let fleet = Fleet::new().await;
    let call = json!({"name": "done"});
    let modern = fleet.request("/mcp/lab", ANN, "tools/call", call.clone(), json!({})).send().await.unwrap();
    let modern = last(modern).await;
    assert_eq!(modern["result"]["resultType"], "complete");
    let legacy = fleet.served.legacy("/mcp/lab", ANN, "2025-06-18").await.ask("tools/call", call).await;
    for answer in [modern, legacy] {
        assert_eq!(answer["result"]["structuredContent"], json!({"done": true}), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_told_with_its_times_and_ends_with_what_the_call_would_have_returned() {
    let fleet = Fleet::new().await;
    let task = fleet.task("done").await;
    assert_eq!(task["_meta"]["dev.fleetgate/binding"], "lab");
    assert_eq!(task["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "fleetgate");
    assert_eq!(task["ttlMs"], 2 * 60 * 60 * 1000);
    assert!(task["pollIntervalMs"].as_u64().is_some_and(|interval| interval > 0), "{task}");
    for key in ["createdAt", "lastUpdatedAt"] {
        assert!(task[key].as_str().is_some_and(|at| at.ends_with('Z') && at.contains('T')), "{task}");
    }
    for key in ["result", "error", "inputRequests", "requestState"] {
        assert_eq!(task.get(key), None);
    }
    let over = fleet.until(id(&task), "completed").await;
    assert_eq!(over["taskId"], task["taskId"]);
    assert_eq!(over["createdAt"], task["createdAt"]);
    let result = &over["result"];
    assert_eq!(result["structuredContent"], json!({"done": true}));
    assert_eq!(result["_meta"]["dev.fleetgate/binding"], "lab");
    assert!(result["_meta"]["dev.fleetgate/reference"].is_string(), "{over}");
    // The plugin calls it a fault of its own making, which is no result.
    let failing = fleet.task("fault").await;
    let over = fleet.until(id(&failing), "failed").await;
    assert_eq!((&over["error"]["code"], over.get("result")), (&json!(-32603), None), "{over}");
    assert_eq!(over["error"]["message"], "the device said no");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_cancelled_by_saying_so_and_again_without_harm() {
    let fleet = Fleet::new().await;
    let task = fleet.task("loop").await;
    let working = fleet.get(id(&task)).await;
    assert_eq!((&working["status"], working.get("result")), (&json!("working"), None));
    fleet.acknowledged("tasks/cancel", json!({"taskId": id(&task)})).await;
    let over = fleet.until(id(&task), "cancelled").await;
    assert_eq!((over.get("result"), over.get("error")), (None, None));
    fleet.acknowledged("tasks/cancel", json!({"taskId": id(&task)})).await;
    assert_eq!(fleet.get(id(&task)).await["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_asks_and_goes_on_with_the_answer() {
    let fleet = Fleet::new().await;
    let task = fleet.task("ask").await;
    let asks = fleet.until(id(&task), "input_required").await;
    let requests = asks["inputRequests"].as_object().unwrap();
    let (key, request) = requests.iter().next().unwrap();
    assert_eq!((requests.len(), &request["method"]), (1, &json!("elicitation/create")));
    assert_eq!(request["params"]["message"], "[lab] Who?");
    // What it did not ask is acknowledged, and changes nothing.
    let update = |answers: Value| json!({"taskId": id(&task), "inputResponses": answers});
    fleet.acknowledged("tasks/update", update(json!({"other": {"action": "cancel"}}))).await;
    assert_eq!(fleet.get(id(&task)).await["inputRequests"], asks["inputRequests"]);
    let answer = json!({key: {"action": "accept", "content": {"name": "Ann"}}});
    fleet.acknowledged("tasks/update", update(answer.clone())).await;
    // This guest always asks once more, and a key is never used again.
    let again = in_time(async {
        loop {
            let again = fleet.until(id(&task), "input_required").await;
            if again["inputRequests"] != asks["inputRequests"] {
                return again;
            }
        }
    })
    .await;
    assert_eq!(again["inputRequests"].get(key), None, "{again}");
    // An answer that comes twice answers nothing.
    fleet.acknowledged("tasks/update", update(answer)).await;
    assert_eq!(fleet.get(id(&task)).await["inputRequests"], again["inputRequests"]);
    fleet.acknowledged("tasks/cancel", json!({"taskId": id(&task)})).await;
    fleet.until(id(&task), "cancelled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_its_owners_alone_on_its_endpoint_while_the_role_is_held() {
    let fleet = Fleet::new().await;
    let task = fleet.task("loop").await;
    let asked = |method: &str, id: &str| match method {
        "tasks/update" => json!({"taskId": id, "inputResponses": {}}),
        _ => json!({"taskId": id}),
    };
    let nobodys = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        for (path, who, id) in [
            ("/mcp/lab", BOB, id(&task)),
            ("/mcp", BOB, id(&task)),
            ("/mcp/lab-2", ANN, id(&task)),
            ("/mcp/lab", ANN_WITHOUT, id(&task)),
            ("/mcp/lab", ANN, nobodys),
        ] {
            let response = fleet.knowing(path, who, method, asked(method, id)).send().await.unwrap();
            let answer = last(response).await;
            assert_eq!(answer["error"]["code"], -32602, "{method} {path} {who}: {answer}");
            let said = answer["error"]["message"].as_str().unwrap().replace(id, "ID");
            assert!(said.contains("there is no job \"ID\" here"), "all of them read the same: {said}");
        }
    }
    assert_eq!(fleet.get(id(&task)).await["status"], "working", "nobody stopped it");
    let shared = fleet.ask("/mcp", ANN, "tasks/get", json!({"taskId": id(&task)})).await;
    assert_eq!(shared["result"]["taskId"], task["taskId"], "it is shown where its binding is");
    fleet.acknowledged("tasks/cancel", json!({"taskId": id(&task)})).await;
    fleet.until(id(&task), "cancelled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_header_of_a_request_about_a_task_names_the_task() {
    let fleet = Fleet::new().await;
    let task = fleet.task("done").await;
    let params = json!({"taskId": id(&task), "_meta": {
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {TASKS: {}}}}});
    let without = fleet.served.modern("/mcp/lab", ANN, "tasks/get", params);
    for request in [without.try_clone().unwrap(), without.header("mcp-name", "another")] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        assert_eq!(last(response).await["error"]["code"], -32020);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_whose_time_is_over_is_unknown() {
    let fleet = Fleet::new().await;
    let task = fleet.task("done").await;
    fleet.until(id(&task), "completed").await;
    let (space, key) = (Space::new("jobs").unwrap(), Key::new(format!("job/{}", id(&task))).unwrap());
    let kept = fleet.store.get(&space, &key).await.unwrap().expect("it is kept");
    let mut record: Value = serde_json::from_slice(&kept.value).unwrap();
    record["ttl_ms"] = json!(1);
    fleet.store.write(&space, Batch::new().put(key, record.to_string(), None)).await.unwrap();
    let later = Fleet::over(fleet.store.clone()).await;
    let answer = later.ask("/mcp/lab", ANN, "tasks/get", json!({"taskId": id(&task)})).await;
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_known_to_modern_clients_that_declare_them_alone() {
    let fleet = Fleet::new().await;
    let discovered = fleet.ask("/mcp/lab", ANN, "server/discover", json!({})).await;
    assert_eq!(discovered["result"]["capabilities"]["extensions"], json!({TASKS: {}}));
    let legacy = fleet.served.legacy("/mcp/lab", ANN, "2025-11-25").await;
    let declared = &legacy.initialized["result"]["capabilities"];
    assert_eq!((declared.get("extensions"), declared.get("tasks")), (None, None));
    let task = json!({"taskId": "a"});
    for method in ["tasks/get", "tasks/cancel"] {
        let undeclared =
            fleet.request("/mcp/lab", ANN, method, task.clone(), json!({})).send().await.unwrap();
        assert_eq!(undeclared.status(), 400, "{method}");
        let undeclared = last(undeclared).await;
        assert_eq!(undeclared["error"]["code"], -32021, "{method}: {undeclared}");
        // The extension is not defined for their versions, whatever they declare.
        let known = json!({"extensions": {TASKS: {}}});
        let legacy = fleet.served.legacy_that_can("/mcp/lab", ANN, "2025-11-25", known).await;
        assert_eq!(legacy.ask(method, task.clone()).await["error"]["code"], -32601, "{method}");
    }
    // Those of 2025-11-25, which the extension replaced.
    for method in ["tasks/list", "tasks/result"] {
        let response = fleet.knowing("/mcp/lab", ANN, method, json!({})).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &last(response).await["error"]["code"]),
            (404, &json!(-32601))
        );
    }
}
