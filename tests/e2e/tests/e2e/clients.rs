//! rmcp's own client in both protocol eras, over HTTP and over stdio, and clients of every protocol version.

use std::process::Stdio;
use std::time::{Duration, Instant};

use fleet_sim::nerveshub::known;
use fleetgate_e2e::{Fleet, Installation, PATIENCE, Server, http_client, kiosk};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, ProgressNotificationParam, ProtocolVersion,
    ServerNotification, SubscriptionFilter,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RunningService};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// What a client heard besides answers.
#[derive(Debug, PartialEq)]
enum Heard {
    Changed,
    Progress(f64),
}

struct Listener(mpsc::UnboundedSender<Heard>);

impl ClientHandler for Listener {
    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.0.send(Heard::Changed).ok();
    }

    async fn on_progress(&self, said: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.0.send(Heard::Progress(said.progress)).ok();
    }
}

type Client = RunningService<RoleClient, Listener>;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Era {
    Legacy,
    Modern,
}

const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];

impl Era {
    fn mode(self) -> ClientLifecycleMode {
        match self {
            Self::Legacy => ClientLifecycleMode::Initialize,
            Self::Modern => {
                ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
            }
        }
    }
}

async fn over_http(era: Era, url: &str) -> (Client, mpsc::UnboundedReceiver<Heard>) {
    let (said, heard) = mpsc::unbounded_channel();
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let transport = StreamableHttpClientTransport::with_client(http_client(), config);
    (Listener(said).serve_with_lifecycle(transport, era.mode()).await.expect("it answers"), heard)
}

async fn over_stdio(
    era: Era,
    installation: &Installation,
    more: &[&str],
) -> (Client, mpsc::UnboundedReceiver<Heard>) {
    let (said, heard) = mpsc::unbounded_channel();
    let command = tokio::process::Command::from(installation.command(&[&["stdio"], more].concat()));
    let (transport, _) =
        TokioChildProcess::builder(command).stderr(Stdio::null()).spawn().expect("fleetgate starts");
    (Listener(said).serve_with_lifecycle(transport, era.mode()).await.expect("it answers"), heard)
}

fn call(tool: &str, arguments: &Value) -> CallToolRequestParams {
    let arguments = arguments.as_object().cloned().expect("arguments are an object");
    CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it never came")
}

fn hello() -> Installation {
    let installation = Installation::new();
    installation.install("hello");
    installation.config("[serve]\n\n[plugins.hello]\n");
    installation
}

/// The attacking plugin, with time to spare.
fn hostile() -> Installation {
    let installation = Installation::new();
    installation.install("hostile");
    installation.config("[serve]\n\n[limits]\ncpu = \"2m\"\n\n[plugins.hostile]\n");
    installation
}

async fn lists_and_calls(client: &Client, era: Era) {
    let version = client.peer_info().expect("the handshake").protocol_version.clone();
    let expected = if era == Era::Modern { "2026-07-28" } else { "2025-11-25" };
    assert_eq!(version.as_str(), expected);
    let tools = client.list_all_tools().await.expect("a list");
    assert_eq!(tools.len(), 18);
    let device = tools.iter().find(|tool| tool.name == "nerveshub_get_device").expect("it is listed");
    assert!(device.output_schema.is_some() && device.annotations.is_some());

    let called =
        client.call_tool(call("nerveshub_get_device", &kiosk(known::CONNECTED))).await.expect("a result");
    assert_ne!(called.is_error, Some(true));
    let structured = called.structured_content.expect("structured content");
    assert_eq!(structured["identifier"], known::CONNECTED);
    let text = called.content[0].as_text().expect("the same as text");
    assert_eq!(serde_json::from_str::<Value>(&text.text).expect("JSON"), structured);

    let failed = client.call_tool(call("nerveshub_get_device", &kiosk("sn-9999"))).await.expect("a result");
    assert_eq!(failed.is_error, Some(true));
    assert!(client.call_tool(call("nerveshub_nothing", &json!({}))).await.is_err());
}

#[tokio::test]
async fn rmcps_client_lists_and_calls_in_both_eras_over_http_and_stdio() {
    let fleet = Fleet::of(known::MANAGE).await;
    for era in ERAS {
        let (client, _) = over_http(era, fleet.server.url()).await;
        lists_and_calls(&client, era).await;
        client.cancel().await.expect("it ends");
        let (client, _) = over_stdio(era, &fleet.installation, &[]).await;
        lists_and_calls(&client, era).await;
        client.cancel().await.expect("it ends");
    }
}

#[tokio::test]
async fn stdio_with_one_plugin_has_its_bare_names_and_all_its_roles_unless_some_are_named() {
    let fleet = Fleet::of(known::MANAGE).await;
    for (more, tools) in [
        (&["--plugin", "nerveshub"][..], 18),
        (&["--plugin", "nerveshub", "--role", "nerveshub:view"], 12),
        (&["--role", "nerveshub:view"], 12),
    ] {
        let (client, _) = over_stdio(Era::Legacy, &fleet.installation, more).await;
        let listed = client.list_all_tools().await.expect("a list");
        assert_eq!(listed.len(), tools, "{more:?}");
        let bare = listed.iter().any(|tool| tool.name == "whoami");
        assert_eq!(bare, more.contains(&"--plugin"), "{more:?}");
        client.cancel().await.expect("it ends");
    }
}

/// Changes the settings until the client heard of it: what is said before its stream stands is not repeated.
async fn hears_of_a_change(installation: &Installation, mut heard: impl AsyncFnMut(Duration) -> bool) {
    let started = Instant::now();
    // Longer each time: a machine that is slower than that would be told of the next one before it is done with this.
    let mut pause = Duration::from_secs(2);
    for label in ["ONE", "TWO"].into_iter().cycle() {
        installation.config(&format!("[serve]\n\n[plugins.hello]\nlabel = \"{label}\"\n"));
        if heard(pause).await {
            return;
        }
        pause *= 2;
        assert!(started.elapsed() < PATIENCE, "the client never heard that the list changed");
    }
}

async fn heard_soon(heard: &mut mpsc::UnboundedReceiver<Heard>, pause: Duration) -> bool {
    let next = tokio::time::timeout(pause, heard.recv()).await;
    next.is_ok_and(|heard| heard == Some(Heard::Changed))
}

#[tokio::test]
async fn legacy_clients_hear_that_the_list_changed() {
    let installation = hello();
    let server = Server::start(&installation);
    let (client, mut heard) = over_http(Era::Legacy, server.url()).await;
    client.list_all_tools().await.expect("a list");
    hears_of_a_change(&installation, async |pause| heard_soon(&mut heard, pause).await).await;
    client.cancel().await.expect("it ends");

    let (client, mut heard) = over_stdio(Era::Legacy, &installation, &[]).await;
    client.list_all_tools().await.expect("a list");
    hears_of_a_change(&installation, async |pause| heard_soon(&mut heard, pause).await).await;
    let tools = client.list_all_tools().await.expect("a list");
    assert!(tools[0].description.as_ref().is_some_and(|text| text.starts_with('[')), "{tools:?}");
    client.cancel().await.expect("it ends");
}

#[tokio::test]
async fn modern_clients_that_listen_hear_that_the_list_changed() {
    let installation = hello();
    let server = Server::start(&installation);
    let over_http = over_http(Era::Modern, server.url()).await.0;
    let over_stdio = over_stdio(Era::Modern, &installation, &[]).await.0;
    for client in [over_http, over_stdio] {
        let filter = SubscriptionFilter::builder().tools_list_changed().build();
        let mut subscription = in_time(client.listen(filter)).await.expect("a subscription");
        hears_of_a_change(&installation, async |pause| {
            let next = tokio::time::timeout(pause, subscription.next()).await;
            matches!(next, Ok(Ok(Some(ServerNotification::ToolListChangedNotification(_)))))
        })
        .await;
        in_time(subscription.cancel()).await.expect("it ends");
        client.cancel().await.expect("it ends");
    }
}

#[tokio::test]
async fn progress_that_a_tool_reports_reaches_the_client_and_only_grows() {
    let installation = hostile();
    let server = Server::start(&installation);
    for era in ERAS {
        for http in [true, false] {
            let (client, mut heard) = match http {
                true => over_http(era, &server.endpoint("hostile")).await,
                false => over_stdio(era, &installation, &["--plugin", "hostile"]).await,
            };
            let _ = in_time(client.call_tool(call("progress_flood", &json!({})))).await.expect("a result");
            client.cancel().await.expect("it ends");
            let mut steps = Vec::new();
            while let Ok(said) = heard.try_recv() {
                if let Heard::Progress(step) = said {
                    steps.push(step);
                }
            }
            assert!(!steps.is_empty(), "{era:?}, http: {http}: no progress");
            assert!(steps.is_sorted_by(|one, next| one < next), "{era:?}, http: {http}: {steps:?}");
            assert!(steps.len() <= 1_000, "100,000 reports are not 100,000 messages: {}", steps.len());
        }
    }
}

/// The records of one tool's calls, as `fleetgate audit find` gives them.
fn audited(installation: &Installation, tool: &str) -> Vec<Value> {
    let found = installation.fleetgate(&["audit", "find", "--tool", tool, "--json"]);
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let lines = String::from_utf8_lossy(&found.stdout).into_owned();
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect()
}

/// The same once there are more than so many, or this time is over.
async fn soon(installation: &Installation, tool: &str, before: usize, time: Duration) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let records = audited(installation, tool);
        if records.len() > before || started.elapsed() > time {
            return records;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_call_that_its_client_gives_up_ends_in_the_sandbox() {
    for (tool, arguments) in [("sleep", json!({"milliseconds": 59_000})), ("spin", json!({}))] {
        let installation = hostile();
        let server = Server::start(&installation);
        let mut ended = 0;
        for era in ERAS {
            for http in [true, false] {
                let (client, _) = match http {
                    true => over_http(era, &server.endpoint("hostile")).await,
                    false => over_stdio(era, &installation, &["--plugin", "hostile"]).await,
                };
                let begun = Instant::now();
                // Given up while the guest runs, and not before it came to that: where the host had not even heard of
                // the call, there is no record, and it is tried again with more time.
                let mut pause = Duration::from_millis(700);
                let records = loop {
                    let request =
                        ClientRequest::CallToolRequest(CallToolRequest::new(call(tool, &arguments)));
                    let options = PeerRequestOptions::no_options();
                    let sent = client.send_cancellable_request(request, options).await.expect("it is sent");
                    tokio::time::sleep(pause).await;
                    sent.cancel(Some("never mind".to_owned())).await.expect("it is told");
                    let records = soon(&installation, tool, ended, pause * 10).await;
                    if records.len() > ended {
                        break records;
                    }
                    assert!(begun.elapsed() < PATIENCE, "{tool} {era:?} http: {http}: it runs on");
                    pause *= 3;
                };
                ended = records.len();
                assert!(
                    records.iter().all(|record| record["outcome"] == "fault:cancelled"),
                    "{tool} {era:?} http: {http}: {records:?}"
                );
                assert!(client.list_all_tools().await.is_ok(), "{era:?}: the connection lives on");
                client.cancel().await.expect("it ends");
            }
        }
    }
}

#[tokio::test]
async fn more_tools_than_a_page_holds_come_in_pages_in_one_order_and_each_once() {
    let fleet = Fleet::of(known::MANAGE).await;
    let mut settings = fleet.installation.config_text();
    for number in 1..12 {
        settings += &format!(
            "\n[plugins.fleet{number:02}]\nuse = \"nerveshub\"\n[plugins.fleet{number:02}.grant.http.api]\n\
             url = \"{}\"\ncredential = {{ bearer = \"token\" }}\n",
            fleet.hub.url()
        );
    }
    let roles: Vec<_> = (1..12).map(|number| format!("fleet{number:02}:manage")).collect();
    let roles = format!("[\"nerveshub:manage\", \"{}\"]", roles.join("\", \""));
    fleet.installation.config(&settings.replace("[\"nerveshub:manage\"]", &roles));
    let server = Server::start(&fleet.installation);
    let client = server.client();
    let first = client.request("tools/list", json!({})).await;
    assert_eq!(first.result()["tools"].as_array().expect("a list").len(), 200);
    assert!(first.result()["nextCursor"].is_string());
    let names = client.tool_names().await;
    assert_eq!(names.len(), 12 * 18);
    let once: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(once.len(), names.len());
    assert_eq!(client.tool_names().await, names);
    let (rmcp, _) = over_http(Era::Legacy, server.url()).await;
    let listed = rmcp.list_all_tools().await.expect("a list");
    assert_eq!(listed.into_iter().map(|tool| tool.name.into_owned()).collect::<Vec<_>>(), names);
    rmcp.cancel().await.expect("it ends");
    let forged = client.request("tools/list", json!({"cursor": "MjAw"})).await;
    assert_eq!(forged.error_code(), -32602);
}

#[tokio::test]
async fn every_protocol_version_is_spoken_with_clients_that_ask_for_it() {
    let installation = hello();
    let server = Server::start(&installation);
    let http = http_client();
    for (asked, answered) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("1999-12-31", "2025-11-25"),
    ] {
        let post = |body: Value, session: Option<&str>| {
            let mut request = http
                .post(server.url())
                .header("accept", "application/json, text/event-stream")
                .header("content-type", "application/json");
            if let Some(session) = session {
                request = request.header("mcp-session-id", session).header("mcp-protocol-version", answered);
            }
            request.body(body.to_string()).send()
        };
        let params = json!({"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
        let response = post(body, None).await.expect("an answer");
        let session =
            response.headers().get("mcp-session-id").expect("a session").to_str().expect("text").to_owned();
        let text = response.text().await.expect("a whole answer");
        assert!(text.contains(&format!("\"protocolVersion\":\"{answered}\"")), "{asked}: {text}");
        let body = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(post(body, Some(&session)).await.expect("an answer").status(), 202);
        let arguments = json!({"name": "hello_greet", "arguments": {"name": "Ann"}});
        let body = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": arguments});
        let text = post(body, Some(&session)).await.expect("an answer").text().await.expect("all of it");
        assert!(text.contains("Hello, Ann!"), "{asked}: {text}");
    }
}
