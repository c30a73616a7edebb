//! Secret arguments: what a guest gets of them, what is recorded and kept, and what becomes of them in jobs.

use std::sync::{Arc, Mutex};

use fleetgate_core::audit::{Audit, AuditFailed, Intent, Record};
use fleetgate_core::call::{Answered, End, Refused, ToolCall};
use fleetgate_core::catalog::{Host, HostOptions, Scope};
use fleetgate_core::domain::Fault;
use fleetgate_core::jobs::{Access, Begun, Job, Status};
use fleetgate_core::principal::Principal;
use fleetgate_core::store::{Memory, Page, Space, Store};
use serde_json::{Value, json};

use super::fake::capabilities;
use super::guest::{Does, Tool, packed};
use super::host::{Place, Plugin, SANDBOX, context, in_time, why_broken};
use super::jobs_guest::component_of;

const SECRET: &str = "c4n4ry/p4ss w0rd";
const LOGIN: &str = r#"{"type":"object","additionalProperties":false,"properties":{
    "host":{"type":"string"},"password":{"type":["string","null"],"minLength":8}}}"#;

/// Keeps what is recorded.
#[derive(Default)]
struct Written(Mutex<Vec<Record>>);

impl Audit for Written {
    fn intent(&self, intent: &Intent) -> Result<(), AuditFailed> {
        assert!(!format!("{intent:?}").contains("c4n4ry"), "{intent:?}");
        Ok(())
    }
    fn outcome(&self, record: &Record) -> Result<(), AuditFailed> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
    fn hash(&self, arguments: &str) -> String {
        format!("hash of {arguments}")
    }
}

fn tool(name: &str) -> Tool {
    Tool { input: LOGIN.into(), ..Tool::new(name) }
}

/// Its tool answers so.
fn answering(tool: &Tool, answer: Value) -> Plugin {
    let manifest = "[tools.look]\nrequires = \"any\"\nsecret = [\"/password\"]\naudit = [\"/host\"]\n";
    Plugin::bare("lab").and(manifest).lists("tools", "list-tools", json!([tool.value()])).exports(
        "tools",
        "call-tool",
        Does::Answers(answer),
    )
}

/// Its tool answers with its arguments.
fn echo(tool: &Tool) -> Plugin {
    let said = json!({ "structured": "$2", "content": [{ "kind": "text", "text": "$2" }] });
    answering(tool, json!({ "ok": { "done": said } }))
}

struct World {
    place: Place,
    host: Arc<Host>,
    audit: Arc<Written>,
    store: Arc<Memory>,
}

impl World {
    async fn of(bytes: &[u8]) -> Self {
        let place = Place::new("[limits]\ncpu = \"10m\"\n[plugins.lab]\n");
        place.drop_file("lab", bytes);
        Self::over(place, Arc::default()).await
    }

    async fn over(place: Place, store: Arc<Memory>) -> Self {
        let audit = Arc::<Written>::default();
        let options = HostOptions { store: Some(store.clone()), ..place.options() };
        let host = in_time(Host::start(options, SANDBOX.clone(), capabilities(), audit.clone())).await;
        let host = host.unwrap_or_else(|failed| panic!("{failed}"));
        assert!(host.survey().is_fine(), "{:?}", host.survey());
        Self { place, host, audit, store }
    }

    async fn call(&self, tool: &str, arguments: &Value) -> Answered {
        let answered = in_time(self.host.call_tool(&self.host.catalog(), call(tool, arguments))).await;
        answered.unwrap_or_else(|refused: Refused| panic!("{refused}"))
    }

    async fn fault(&self, tool: &str, arguments: &Value) -> Fault {
        match self.call(tool, arguments).await.end {
            End::Fault(fault) => fault,
            other => panic!("{other:?}"),
        }
    }

    /// What the guest got, which it answers with.
    async fn seen(&self, tool: &str, arguments: &Value) -> Value {
        match self.call(tool, arguments).await.end {
            End::Done(result) => {
                assert!(!format!("{result:?}").contains("c4n4ry"), "{result:?}");
                serde_json::from_str(result.structured.expect("structured").get()).expect("JSON")
            }
            other => panic!("{other:?}"),
        }
    }

    fn records(&self) -> Vec<Record> {
        self.audit.0.lock().unwrap().clone()
    }

    async fn over_with(&self, id: &str) -> Job {
        let (who, scope) = (principal(), Scope::Shared);
        in_time(async {
            loop {
                let catalog = self.host.catalog();
                let access = Access { principal: &who, scope: &scope, tools: &*catalog };
                let job = self.host.jobs().expect("jobs").get(&access, id).expect("it is kept");
                if job.status.is_over() {
                    return job;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await
    }

    /// All that the store holds.
    async fn stored(&self) -> String {
        let listed = self.store.list(&Space::new("jobs").unwrap(), Page::of("")).await.unwrap();
        listed.entries.iter().map(|entry| String::from_utf8_lossy(&entry.value).into_owned()).collect()
    }
}

fn principal() -> Principal {
    Principal::new("tester", [])
}

fn call(tool: &str, arguments: &Value) -> ToolCall {
    ToolCall {
        context: context(Scope::Binding("lab".into()), &[]),
        tool: tool.into(),
        arguments: arguments.to_string().into(),
        answers: None,
    }
}

fn placeholder(seen: &Value) -> &str {
    let text = seen["password"].as_str().expect("a text");
    assert!(text.starts_with("fleetgate-secret-") && text.len() == 43, "{text}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_gets_another_placeholder_in_each_call_and_never_the_value() {
    let world = World::of(&echo(&tool("look")).bytes()).await;
    let given = json!({"host": "sw1", "password": SECRET});
    let one = world.seen("look", &given).await;
    let other =
        world.seen("look", &json!({"host": "sw1", "password": "a much longer one than the first"})).await;
    assert_eq!(one["host"], "sw1");
    assert_ne!(placeholder(&one), placeholder(&other));
    let [first, second] = &world.records()[..] else { panic!("two calls") };
    assert_eq!(first.intent.arguments_hash, second.intent.arguments_hash, "it says nothing of a password");
    assert!(first.intent.arguments_hash.contains("sw1"));
    assert_eq!(Value::from(first.intent.arguments.clone()), json!({"host": "sw1"}));
    assert!(!format!("{first:?}").contains("c4n4ry"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn absent_and_null_stay_and_what_is_no_text_is_refused() {
    let world = World::of(&echo(&tool("look")).bytes()).await;
    for given in [json!({}), json!({"password": null})] {
        assert_eq!(world.seen("look", &given).await, given);
    }
    // The schema is asked first, so that one lets a number through.
    let mut any = tool("look");
    any.input = r#"{"type":"object"}"#.into();
    let world = World::of(&echo(&any).bytes()).await;
    for given in
        [json!({"password": 12345678}), json!({"password": [SECRET]}), json!({"password": {"a": SECRET}})]
    {
        let fault = world.fault("look", &given).await;
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/password")));
        assert!(!format!("{fault:?}{:?}", world.records()).contains("c4n4ry"));
        assert!(!format!("{fault:?}{:?}", world.records()).contains("12345678"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_checked_as_it_is_and_not_repeated_where_it_is_wrong() {
    let world = World::of(&echo(&tool("look")).bytes()).await;
    let fault = world.fault("look", &json!({"host": 7, "password": "c4n4ry"})).await;
    assert_eq!(fault.code, "invalid-arguments");
    assert!(fault.message.contains("/password") && !fault.message.contains("c4n4ry"), "{}", fault.message);
    let unreadable = ToolCall { arguments: r#"{"password": "c4n4ry"#.into(), ..call("look", &json!({})) };
    let answered = in_time(world.host.call_tool(&world.host.catalog(), unreadable)).await.expect("answered");
    assert!(matches!(answered.end, End::Fault(fault) if !format!("{fault:?}").contains("c4n4ry")));
    let absent = call("absent", &json!({"password": SECRET}));
    in_time(world.host.call_tool(&world.host.catalog(), absent)).await.expect_err("there is none");
    let records = world.records();
    assert!(!format!("{records:?}").contains("c4n4ry"), "{records:?}");
    assert_eq!(records[1].intent.arguments_hash, "", "what cannot be read cannot be told from its secrets");
    assert_eq!(records[2].intent.arguments_hash, "", "nor what is asked of nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_argument_says_of_a_secret_is_masked_on_the_way_out_and_in_the_record() {
    let world = World::of(&echo(&tool("look")).bytes()).await;
    let seen = world.seen("look", &json!({"host": format!("set {SECRET}"), "password": SECRET})).await;
    assert_eq!(seen["host"], "set [masked]");
    let record = world.records().remove(0);
    assert_eq!(record.intent.arguments["host"], "set [masked]");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_and_a_question_of_a_guest_are_masked() {
    let question = json!({"requests": [{
        "key": "sure", "kind": "elicitation-form",
        "params": json!({"message": SECRET, "requestedSchema": {"type": "object", "properties": {}}}).to_string()
    }], "state": SECRET});
    for answer in [
        json!({"err": {"code": "internal", "message": SECRET, "details": json!({ "a": SECRET }).to_string()}}),
        json!({"ok": {"ask": question}}),
    ] {
        let plugin = answering(&tool("look"), answer).and("[client]\nelicitation = \"why\"\n");
        let place = Place::new("[plugins.lab]\n[plugins.lab.grant.client.elicitation]\n");
        place.drop_plugin(&plugin);
        let world = World::over(place, Arc::default()).await;
        let end = world.call("look", &json!({"password": SECRET})).await.end;
        let said = format!("{end:?}");
        assert!(said.contains("[masked]") && !said.contains("c4n4ry"), "{said}");
        if let End::Ask(question) = end {
            assert_eq!(question.state.as_deref(), Some(&b"[masked]"[..]));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_the_schema_does_not_have_or_a_header_repeats_is_refused_at_load() {
    for (properties, said) in [
        (
            r#"{"pasword":{"type":"string"}}"#,
            "takes a secret at /password, which its input schema does not have",
        ),
        (r#"{"password":{"type":"integer"}}"#, "is no text in its input schema"),
        (r#"{"password":{"type":"string","x-mcp-header":"Password"}}"#, "remove its x-mcp-header"),
    ] {
        let mut wrong = tool("look");
        wrong.input = format!(r#"{{"type":"object","properties":{properties}}}"#);
        let place = Place::new("[plugins.lab]\n");
        place.drop_plugin(&echo(&wrong));
        let host = place.start().await;
        let why = why_broken(&host.survey(), "lab");
        assert!(why.contains(said), "{why}");
    }
}

const JOBS: &str = r#"
[plugin]
id = "lab"
version = "1.0.0"
interface = "0.1"
title = "A plugin"
description = "For tests."
license = "Apache-2.0"
[tools]
echo = { requires = "any", task = "optional", secret = ["/password"], audit = ["/host"] }
plain = { requires = "any" }
s-echo = { requires = "any", secret = ["/password"] }
s-done = { requires = "any", secret = ["/password"] }
s-eager = { requires = "any", secret = ["/password"] }
done = { requires = "any" }
eager = { requires = "any", secret = ["/password"] }
loop = { requires = "any", task = "optional", secret = ["/password"] }
"#;

async fn with_jobs() -> World {
    let mut eager = tool("eager");
    // Whether it takes a value would tell the guest what the value is.
    eager.input = LOGIN.replace("\"minLength\":8", "\"pattern\":\"^c\"");
    let names = ["echo", "plain", "s-echo", "s-done", "s-eager", "done", "loop"];
    let tools: Vec<_> = names.into_iter().map(tool).chain([eager]).collect();
    World::of(&packed(component_of(&tools), JOBS)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_has_the_secrets_of_who_began_it_in_memory_and_the_store_has_none() {
    let world = with_jobs().await;
    let given = call("echo", &json!({"host": format!("not {SECRET}"), "password": SECRET}));
    let begun = in_time(world.host.jobs().expect("jobs").begin(&world.host.catalog(), given)).await;
    let Ok(Begun::Job(job)) = begun else { panic!("{begun:?}") };
    let job = world.over_with(&job.id).await;
    assert_eq!(job.status, Status::Completed);
    let result = world.host.jobs().expect("jobs").result(&job).await.unwrap().expect("a result");
    let seen: Value = serde_json::from_str(result.structured.expect("structured").get()).unwrap();
    placeholder(&seen);
    let stored = world.stored().await;
    assert!(stored.contains("not [masked]") && !stored.contains("c4n4ry"), "{stored}");
    assert!(stored.contains("\"arguments_hash\":\"hash of {"), "{stored}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn placeholders_that_a_guest_submits_are_bound_to_the_job_where_its_tool_says_secret() {
    let world = with_jobs().await;
    let given = json!({"host": "sw1", "password": SECRET});
    let said = world.seen("s-echo", &given).await;
    let job = world.over_with(said["said"].as_str().expect("an id")).await;
    let result = world.host.jobs().expect("jobs").result(&job).await.unwrap().expect("a result");
    let seen: Value = serde_json::from_str(result.structured.expect("structured").get()).unwrap();
    placeholder(&seen);
    assert_eq!(seen["host"], "sw1");
    assert_eq!(world.seen("s-done", &given).await["said"], "invalid-arguments", "done calls nothing secret");
    assert!(!world.stored().await.contains("c4n4ry"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_schema_tells_a_guest_what_a_placeholder_stands_for() {
    let world = with_jobs().await;
    for password in ["c4n4ry-one", "d-another-one"] {
        let said = world.seen("s-eager", &json!({ "password": password })).await;
        assert_eq!(said["said"], "invalid-arguments", "the placeholder is checked, whatever it stands for");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_secrets_are_gone_with_the_host_is_failed_and_says_so() {
    let world = with_jobs().await;
    let given = call("loop", &json!({"password": SECRET}));
    let begun = in_time(world.host.jobs().expect("jobs").begin(&world.host.catalog(), given)).await;
    let Ok(Begun::Job(job)) = begun else { panic!("{begun:?}") };
    assert!(!world.stored().await.contains("c4n4ry"));
    // As after `kill -9`.
    let World { place, store, .. } = world;
    let world = World::over(place, store).await;
    let job = world.over_with(&job.id).await;
    let fault = job.fault.expect("a fault");
    assert_eq!((job.status, fault.code.as_str()), (Status::Failed, "interrupted"));
    assert!(!world.stored().await.contains("c4n4ry"));
}
