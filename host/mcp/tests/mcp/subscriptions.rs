//! Who subscribed hears what is new, if they may read it, and nobody else does.

use std::sync::Arc;

use rmcp::model::{
    ArgumentInfo, CallToolRequestParams, ClientConfig, CompleteRequestParams, GetPromptRequestParams,
    ProtocolVersion, ReadResourceRequestParams, Reference, ResourceUpdatedNotificationParam,
    ServerNotification, SubscribeRequestParams, SubscriptionFilter,
};
use rmcp::service::NotificationContext;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient, ServiceExt};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::backend::{Does, Fake, FakeBinding, binding, tool};
use crate::running::{Events, HANG, Served, Session, client, in_time, served};
use crate::surfaces::{Fills, Reads, prompt, resource};

fn naas(name: &'static str) -> FakeBinding {
    let tools = [
        tool("update", Does::Update(&["naas://jobs"])),
        tool("update_secret", Does::Update(&["naas://secret"])),
        tool("update_all", Does::Update(&["naas://%6Aobs", "naas://other", "naas://secret", "no uri"])),
        tool("tools", Does::Changes("tools")),
        tool("prompts", Does::Changes("prompts")),
        tool("resources", Does::Changes("resources")),
    ];
    binding(name, tools).prompts([prompt("p", Fills::Echo)]).resources([
        resource("naas://jobs", Reads::Update("naas://jobs")),
        resource("naas://other", Reads::Echo),
        resource("naas://secret", Reads::Echo).needs("operator"),
    ])
}

async fn fleet() -> (Arc<Fake>, Served) {
    let fake = Fake::new([naas("lab"), naas("lab-2")]);
    let served = served(&fake).await;
    (fake, served)
}

/// A subscription, and what its acknowledgment says.
async fn listen(served: &Served, path: &str, caller: &str, filter: Value) -> (Events, Value) {
    let params = json!({"notifications": filter});
    let response = served.modern(path, caller, "subscriptions/listen", params).send().await.unwrap();
    let mut events = Events::of(response);
    let first = in_time(events.message()).await.unwrap();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
    (events, first["params"]["notifications"].clone())
}

async fn call(served: &Served, path: &str, name: &str) {
    let answer = served.ask(path, "ann", "tools/call", json!({"name": name})).await;
    assert_eq!(answer["result"]["content"][0]["text"], "told", "{answer}");
}

async fn next(events: &mut Events) -> (String, Value) {
    let message = in_time(events.message()).await.unwrap();
    let method = message["method"].as_str().unwrap_or_else(|| panic!("{message}"));
    (method.to_owned(), message["params"].clone())
}

const UPDATED: &str = "notifications/resources/updated";

#[tokio::test]
async fn a_modern_subscriber_hears_of_the_resources_it_named_as_it_named_them() {
    let (_, fleet) = fleet().await;
    let filter = |uris: &[&str]| json!({"resourceSubscriptions": uris});
    let named = ["lab+naas://jobs", "lab-2+naas://other"];
    let (mut shared, acknowledged) = listen(&fleet, "/mcp", "ann", filter(&named)).await;
    assert_eq!(acknowledged, filter(&named));
    let (mut own, _) = listen(&fleet, "/mcp/lab", "ann", filter(&["naas://other", "naas://jobs"])).await;
    call(&fleet, "/mcp/lab-2", "update").await;
    call(&fleet, "/mcp/lab", "update_all").await;
    let (method, params) = next(&mut shared).await;
    assert_eq!(
        (&*method, &params["uri"]),
        (UPDATED, &json!("lab+naas://jobs")),
        "the other binding's is another"
    );
    assert_eq!(params["_meta"]["io.modelcontextprotocol/subscriptionId"], 7);
    for uri in ["naas://jobs", "naas://other"] {
        assert_eq!(next(&mut own).await.1["uri"], uri);
    }
    // A read tells as well as a call does.
    fleet.ask("/mcp", "bob", "resources/read", json!({"uri": "lab+naas://jobs"})).await;
    assert_eq!(next(&mut shared).await.1["uri"], "lab+naas://jobs");
    fleet.shutdown.begin();
    assert!(in_time(shared.message()).await.unwrap()["result"].is_object(), "nothing else came");
}

#[tokio::test]
async fn a_subscription_to_tasks_is_for_clients_that_declare_that_they_know_them() {
    let (_, fleet) = fleet().await;
    let ask = |version: &str, capabilities: Value, tasks: Value| {
        let meta = json!({
            "io.modelcontextprotocol/clientCapabilities": capabilities,
            "io.modelcontextprotocol/protocolVersion": version,
        });
        let notifications = json!({"taskIds": tasks, "toolsListChanged": true});
        let params = json!({"notifications": notifications, "_meta": meta});
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": "subscriptions/listen", "params": params});
        fleet
            .post("/mcp", "ann", body.to_string())
            .header("mcp-protocol-version", version)
            .header("mcp-method", "subscriptions/listen")
            .send()
    };
    const TASKS: &str = "io.modelcontextprotocol/tasks";
    for named in [json!(["a"]), json!([])] {
        let refused = ask("2026-07-28", json!({"extensions": {}}), named).await.unwrap();
        assert_eq!(refused.status(), 400);
        let refused: Value = refused.json().await.unwrap();
        assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(7), &json!(-32021)), "{refused}");
        let required = &refused["error"]["data"]["requiredCapabilities"];
        assert_eq!(*required, json!({"extensions": {TASKS: {}}}));
    }
    // Whoever declares it is heard; what is not told is not acknowledged.
    let declared = json!({"extensions": {TASKS: {}}});
    for (capabilities, named) in [(declared, json!(["a"])), (json!({}), json!(null))] {
        let mut events = Events::of(ask("2026-07-28", capabilities, named).await.unwrap());
        let first = in_time(events.message()).await.unwrap();
        assert_eq!(first["params"]["notifications"], json!({"toolsListChanged": true}), "{first}");
    }
    // What is wrong with the request itself comes first.
    let other: Value = ask("2199-01-01", json!({}), json!(["a"])).await.unwrap().json().await.unwrap();
    assert_eq!(other["error"]["code"], -32022, "{other}");
}

#[tokio::test]
async fn only_what_exists_is_acknowledged() {
    let (_, fleet) = fleet().await;
    let uris = ["lab+naas://jobs", "naas://jobs", "lab+naas://nothing", "nothing", "https://example.com"];
    let filter =
        json!({"resourceSubscriptions": uris, "promptsListChanged": true, "toolsListChanged": false});
    let (_, acknowledged) = listen(&fleet, "/mcp", "ann", filter).await;
    assert_eq!(
        acknowledged,
        json!({"resourceSubscriptions": ["lab+naas://jobs"], "promptsListChanged": true})
    );
    let bare = served(&Fake::new([binding("bare", [tool("it", Does::Echo)])])).await;
    let filter = json!({"resourceSubscriptions": ["x://y"], "promptsListChanged": true, "resourcesListChanged": true,
                        "toolsListChanged": true});
    let (_, acknowledged) = listen(&bare, "/mcp", "ann", filter).await;
    assert_eq!(acknowledged, json!({"toolsListChanged": true}));
}

#[tokio::test]
async fn a_subscription_without_the_role_is_refused_and_nothing_is_heard() {
    let (_, fleet) = fleet().await;
    let filter = json!({"resourceSubscriptions": ["lab+naas://jobs", "lab+naas://secret"]});
    let params = json!({"notifications": filter});
    let response = fleet.modern("/mcp", "bob", "subscriptions/listen", params).send().await.unwrap();
    assert_eq!(response.status(), 403);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["error"]["data"]["scopes"], json!(["lab:operator"]));
}

#[tokio::test]
async fn who_may_no_longer_read_a_resource_no_longer_hears_of_it() {
    let (fake, fleet) = fleet().await;
    let uris = ["naas://jobs", "naas://other"];
    let (mut bob, _) = listen(&fleet, "/mcp/lab", "bob", json!({"resourceSubscriptions": uris})).await;
    let mut guarded = naas("lab");
    guarded.resources[0].role = Some("operator");
    fake.publish([guarded, naas("lab-2")], &[]);
    call(&fleet, "/mcp/lab", "update_all").await;
    assert_eq!(next(&mut bob).await.1["uri"], "naas://other");
    fleet.shutdown.begin();
    assert!(in_time(bob.message()).await.unwrap()["result"].is_object(), "nothing else came");
}

#[tokio::test]
async fn who_lost_the_role_since_no_longer_hears_of_what_it_watched() {
    let (fake, fleet) = fleet().await;
    let mut guarded = naas("lab");
    guarded.resources[0].role = Some("operator");
    fake.publish([guarded, naas("lab-2")], &[]);
    let uris = ["naas://jobs", "naas://other"];
    let (mut ann, _) = listen(&fleet, "/mcp/lab", "ann", json!({"resourceSubscriptions": uris})).await;
    call(&fleet, "/mcp/lab", "update_all").await;
    let mut told = [next(&mut ann).await.1["uri"].clone(), next(&mut ann).await.1["uri"].clone()];
    told.sort_by_key(Value::to_string);
    assert_eq!(told, uris);
    fake.loses("ann");
    call(&fleet, "/mcp/lab", "update_all").await;
    assert_eq!(next(&mut ann).await.1["uri"], "naas://other");
    fleet.shutdown.begin();
    assert!(in_time(ann.message()).await.unwrap()["result"].is_object(), "nothing else came");
}

/// What a session hears of two updates: all that it should, however long that takes, and what comes within a moment
/// after that.
async fn heard(served: &Served, stream: &mut Events, should: &[&str]) -> Vec<Value> {
    let mut heard = Vec::new();
    call(served, "/mcp/lab", "update").await;
    call(served, "/mcp/lab", "update_secret").await;
    loop {
        let missing = should.iter().any(|uri| !heard.contains(&json!(uri)));
        let patience = if missing { HANG } else { std::time::Duration::from_millis(1500) };
        match tokio::time::timeout(patience, next(stream)).await {
            Ok((method, params)) if method == UPDATED => heard.push(params["uri"].clone()),
            Ok(_) => {}
            Err(_) => return heard,
        }
    }
}

async fn stream(session: &Session<'_>) -> Events {
    Events::of(session.get().send().await.unwrap())
}

#[tokio::test]
async fn a_legacy_session_hears_what_it_subscribed_to_until_it_no_longer_wants_to() {
    let (_, fleet) = fleet().await;
    let ann = fleet.legacy("/mcp", "ann", "2025-11-25").await;
    let other = fleet.legacy("/mcp", "ann", "2025-06-18").await;
    let bob = fleet.legacy("/mcp/lab", "bob", "2025-06-18").await;
    let (mut anns, mut others, mut bobs) = (stream(&ann).await, stream(&other).await, stream(&bob).await);
    for uri in ["lab+naas://secret", "lab+naas://jobs", "lab+naas://jobs"] {
        assert_eq!(ann.ask("resources/subscribe", json!({"uri": uri})).await["result"], json!({}));
    }
    assert_eq!(bob.ask("resources/subscribe", json!({"uri": "naas://jobs"})).await["result"], json!({}));
    let (at_ann, at_other, at_bob) = tokio::join!(
        heard(&fleet, &mut anns, &["lab+naas://secret", "lab+naas://jobs"]),
        heard(&fleet, &mut others, &[]),
        heard(&fleet, &mut bobs, &["naas://jobs"]),
    );
    assert!(at_ann.contains(&json!("lab+naas://secret")) && at_ann.contains(&json!("lab+naas://jobs")));
    assert!(at_other.is_empty(), "another session of the same caller: {at_other:?}");
    assert!(!at_bob.is_empty() && at_bob.iter().all(|uri| uri == "naas://jobs"), "{at_bob:?}");
    // Unsubscribing from what was never subscribed to is fine, too.
    for uri in ["lab+naas://jobs", "lab+naas://other", "lab+naas://nothing"] {
        assert_eq!(ann.ask("resources/unsubscribe", json!({"uri": uri})).await["result"], json!({}));
    }
    let left = heard(&fleet, &mut anns, &["lab+naas://secret"]).await;
    assert!(!left.is_empty() && left.iter().all(|uri| uri == "lab+naas://secret"), "{left:?}");
}

#[tokio::test]
async fn what_cannot_be_read_cannot_be_subscribed_to() {
    let (_, fleet) = fleet().await;
    let bob = fleet.legacy("/mcp", "bob", "2025-11-25").await;
    for (uri, code) in [
        ("lab+naas://secret", 403),
        ("lab+naas://nothing", -32002),
        ("naas://jobs", -32002),
        ("nothing", -32002),
    ] {
        let answer = bob.ask("resources/subscribe", json!({"uri": uri})).await;
        assert_eq!(answer["error"]["code"], code, "{uri}: {answer}");
    }
    assert_eq!(bob.ask("resources/subscribe", json!({})).await["error"]["code"], -32602);
}

#[tokio::test]
async fn a_session_watches_a_bounded_number_of_resources() {
    let many = (0..200).map(|n| resource(&format!("n://{n}"), Reads::Echo));
    let fleet = served(&Fake::new([binding("lab", []).resources(many)])).await;
    let session = fleet.legacy("/mcp/lab", "ann", "2025-11-25").await;
    for n in 0..129 {
        let answer = session.ask("resources/subscribe", json!({"uri": format!("n://{n}")})).await;
        assert_eq!(answer.get("error").is_some(), n == 128, "{n}: {answer}");
    }
    // What it watches already it may watch again; what it no longer watches makes room.
    assert_eq!(session.ask("resources/subscribe", json!({"uri": "n://0"})).await["result"], json!({}));
    session.ask("resources/unsubscribe", json!({"uri": "n://0"})).await;
    assert_eq!(session.ask("resources/subscribe", json!({"uri": "n://128"})).await["result"], json!({}));
    let all: Vec<_> = (0..200).map(|n| format!("n://{n}")).collect();
    let (_, acknowledged) = listen(&fleet, "/mcp/lab", "ann", json!({"resourceSubscriptions": all})).await;
    assert_eq!(acknowledged["resourceSubscriptions"].as_array().unwrap().len(), 128);
}

#[tokio::test]
async fn each_list_is_told_of_to_those_that_asked() {
    let (_, fleet) = fleet().await;
    let (mut prompts, _) = listen(&fleet, "/mcp", "ann", json!({"promptsListChanged": true})).await;
    let (mut resources, _) = listen(&fleet, "/mcp/lab", "ann", json!({"resourcesListChanged": true})).await;
    let (other, _) = listen(&fleet, "/mcp/lab-2", "ann", json!({"resourcesListChanged": true})).await;
    for list in ["tools", "prompts", "resources"] {
        call(&fleet, "/mcp/lab", list).await;
    }
    assert_eq!(next(&mut prompts).await.0, "notifications/prompts/list_changed");
    assert_eq!(next(&mut resources).await.0, "notifications/resources/list_changed");
    fleet.shutdown.begin();
    for mut stream in [prompts, resources, other] {
        assert!(in_time(stream.message()).await.unwrap()["result"].is_object(), "nothing else came");
    }
}

#[tokio::test]
async fn a_catalog_that_changes_tells_of_each_list() {
    let (fake, fleet) = fleet().await;
    let everything =
        json!({"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true});
    let (mut lab, _) = listen(&fleet, "/mcp/lab", "ann", everything).await;
    fake.publish_all([naas("lab"), naas("lab-2")], &[], &["lab"], &[]);
    assert_eq!(next(&mut lab).await.0, "notifications/prompts/list_changed");
    fake.publish_all([naas("lab"), naas("lab-2")], &[], &["lab-2"], &["lab"]);
    assert_eq!(next(&mut lab).await.0, "notifications/resources/list_changed");
}

#[tokio::test]
async fn a_legacy_session_is_told_of_the_lists_that_its_handshake_spoke_of() {
    let fake = Fake::new([naas("lab"), binding("bare", [tool("it", Does::Echo)])]);
    let fleet = served(&fake).await;
    let full = fleet.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let bare = fleet.legacy("/mcp/bare", "ann", "2025-11-25").await;
    let (mut fulls, mut bares) = (stream(&full).await, stream(&bare).await);
    fake.publish_all([naas("lab"), naas("bare")], &["bare"], &["lab", "bare"], &["lab", "bare"]);
    assert_eq!(next(&mut fulls).await.0, "notifications/prompts/list_changed");
    assert_eq!(next(&mut fulls).await.0, "notifications/resources/list_changed");
    assert_eq!(next(&mut bares).await.0, "notifications/tools/list_changed");
    fake.publish_all([naas("lab"), naas("bare")], &["bare"], &["bare"], &["bare"]);
    assert_eq!(next(&mut bares).await.0, "notifications/tools/list_changed", "and of nothing else");
}

#[tokio::test]
async fn a_flood_of_updates_becomes_a_few_notifications() {
    let uris: &'static [&'static str] = vec!["naas://jobs"; 10_000].leak();
    let mut lab = naas("lab");
    lab.tools.push(tool("flood", Does::Update(uris)));
    let fleet = served(&Fake::new([lab])).await;
    let filter = json!({"resourceSubscriptions": ["naas://jobs"]});
    let (mut events, _) = listen(&fleet, "/mcp/lab", "ann", filter).await;
    call(&fleet, "/mcp/lab", "flood").await;
    assert_eq!(next(&mut events).await.0, UPDATED);
    fleet.shutdown.begin();
    let mut more = 0;
    while in_time(events.message()).await.is_some_and(|message| message["method"] == UPDATED) {
        more += 1;
    }
    assert!(more < 10, "{more}");
}

fn transport(served: &Served, path: &str) -> StreamableHttpClientTransport<reqwest::Client> {
    let config = StreamableHttpClientTransportConfig::with_uri(served.url(path)).auth_header("ann");
    StreamableHttpClientTransport::with_client(client(), config)
}

struct Heard(mpsc::UnboundedSender<String>);

impl ClientHandler for Heard {
    async fn on_resource_updated(
        &self,
        params: ResourceUpdatedNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.0.send(params.uri).ok();
    }
}

#[expect(deprecated, reason = "clients of before 2026-07-28 subscribe so")]
#[tokio::test]
async fn rmcps_own_client_of_the_legacy_era_lists_reads_fills_in_and_hears() {
    let fake = Fake::new([naas("lab").completing()]);
    let served = served(&fake).await;
    let (heard, mut hears) = mpsc::unbounded_channel();
    let client = Heard(heard).serve(transport(&served, "/mcp")).await.unwrap();
    let listed = client.list_all_resources().await.unwrap();
    let read = client.read_resource(ReadResourceRequestParams::new(&listed[1].uri)).await.unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap()["contents"][0]["text"], "naas://other");
    assert_eq!(client.list_all_prompts().await.unwrap()[0].name, "lab_p");
    client.get_prompt(GetPromptRequestParams::new("lab_p")).await.unwrap();
    let argument = ArgumentInfo::new("a", "3");
    let completed =
        client.complete(CompleteRequestParams::new(Reference::for_prompt("lab_p"), argument)).await.unwrap();
    assert_eq!(completed.completion.values, ["0", "1", "2"]);
    client.subscribe(SubscribeRequestParams::new("lab+naas://jobs")).await.unwrap();
    let uri = in_time(async {
        // The client's stream may come up after its first answers: what is said before is not repeated.
        loop {
            client.call_tool(CallToolRequestParams::new("lab_update")).await.unwrap();
            let next = tokio::time::timeout(std::time::Duration::from_millis(700), hears.recv()).await;
            if let Ok(Some(uri)) = next {
                break uri;
            }
        }
    })
    .await;
    assert_eq!(uri, "lab+naas://jobs");
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn rmcps_own_client_of_the_modern_era_lists_reads_fills_in_and_hears() {
    let fake = Fake::new([naas("lab")]);
    let served = served(&fake).await;
    let mode = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    let client =
        ClientConfig::default().serve_with_lifecycle(transport(&served, "/mcp"), mode).await.unwrap();
    let listed = client.list_all_resources().await.unwrap();
    client.read_resource(ReadResourceRequestParams::new(&listed[1].uri)).await.unwrap();
    client.get_prompt(GetPromptRequestParams::new("lab_p")).await.unwrap();
    let filter = SubscriptionFilter::builder().resource_subscription("lab+naas://jobs").build();
    let mut subscription = client.listen(filter).await.unwrap();
    client.call_tool(CallToolRequestParams::new("lab_update")).await.unwrap();
    let heard = in_time(subscription.next()).await.unwrap();
    match heard {
        Some(ServerNotification::ResourceUpdatedNotification(updated)) => {
            assert_eq!(updated.params.uri, "lab+naas://jobs");
        }
        other => panic!("{other:?}"),
    }
    subscription.cancel().await.unwrap();
    client.cancel().await.unwrap();
}
