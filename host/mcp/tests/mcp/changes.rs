//! Clients hear that a list changed, if it is theirs.

use rmcp::model::{ClientConfig, ProtocolVersion, ServerNotification, SubscriptionFilter};
use rmcp::service::NotificationContext;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient, ServiceExt};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::backend::{Does, Fake, binding, tool};
use crate::running::{Events, Served, client, in_time, served, served_with};

fn two() -> std::sync::Arc<Fake> {
    Fake::new([binding("lab", [tool("it", Does::Echo)]), binding("home", [tool("it", Does::Change)])])
}

fn transport(served: &Served, path: &str) -> StreamableHttpClientTransport<reqwest::Client> {
    let config = StreamableHttpClientTransportConfig::with_uri(served.url(path)).auth_header("ann");
    StreamableHttpClientTransport::with_client(client(), config)
}

async fn listen(served: &Served, path: &str, caller: &str) -> Events {
    let params = json!({"notifications": {"toolsListChanged": true, "promptsListChanged": true}});
    let response = served.modern(path, caller, "subscriptions/listen", params).send().await.unwrap();
    let mut events = Events::of(response);
    let first = events.message().await.unwrap();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    // Only what is served is promised.
    assert_eq!(first["params"]["notifications"], json!({"toolsListChanged": true}));
    events
}

fn assert_changed(message: &Value) {
    assert_eq!(message["method"], "notifications/tools/list_changed");
    assert_eq!(message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 7);
}

#[tokio::test]
async fn a_modern_subscriber_hears_of_its_own_endpoints_changes_alone() {
    let fake = two();
    let served = served(&fake).await;
    let mut shared = listen(&served, "/mcp", "ann").await;
    let mut lab = listen(&served, "/mcp/lab", "ann").await;
    let mut home = listen(&served, "/mcp/home", "ann").await;
    fake.publish(
        [binding("lab", [tool("new", Does::Echo)]), binding("home", [tool("it", Does::Change)])],
        &["lab"],
    );
    assert_changed(&shared.message().await.unwrap());
    assert_changed(&lab.message().await.unwrap());
    // A plugin may say so itself.
    served.ask("/mcp/home", "ann", "tools/call", json!({"name": "it"})).await;
    assert_changed(&home.message().await.unwrap());
    assert_changed(&shared.message().await.unwrap());
    served.shutdown.begin();
    // Nothing came in between: the next message is the last.
    for mut stream in [lab, home, shared] {
        let result = stream.message().await.unwrap();
        assert_eq!(result["result"]["resultType"], "complete", "{result}");
        assert!(stream.next().await.is_none());
    }
}

#[tokio::test]
async fn a_subscription_ends_with_a_result_when_its_binding_goes() {
    let fake = two();
    let served = served(&fake).await;
    let mut lab = listen(&served, "/mcp/lab", "ann").await;
    fake.publish([], &["lab", "home"]);
    let mut last = lab.message().await.unwrap();
    if last["method"] == "notifications/tools/list_changed" {
        last = lab.message().await.unwrap();
    }
    assert_eq!(last["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 7, "{last}");
}

#[tokio::test]
async fn one_caller_cannot_hold_any_number_of_subscriptions() {
    let fake = two();
    let served = served_with(&fake, |mut options| {
        options.listens_per_principal = 2;
        options
    })
    .await;
    let first = listen(&served, "/mcp", "ann").await;
    let _second = listen(&served, "/mcp", "ann").await;
    let mut third = listen(&served, "/mcp", "ann").await;
    assert_eq!(third.message().await.unwrap()["error"]["code"], 429);
    let _others = listen(&served, "/mcp", "bob").await;
    drop(first);
    in_time(async {
        loop {
            let mut again = listen(&served, "/mcp", "ann").await;
            let next = tokio::time::timeout(std::time::Duration::from_millis(300), again.message()).await;
            match next {
                Ok(message) => assert_eq!(message.unwrap()["error"]["code"], 429),
                Err(_) => break,
            }
        }
    })
    .await;
}

struct Heard(mpsc::UnboundedSender<()>);

impl ClientHandler for Heard {
    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.0.send(()).ok();
    }
}

#[tokio::test]
async fn rmcps_own_client_of_the_legacy_era_calls_and_hears_changes() {
    let fake = two();
    let served = served(&fake).await;
    let (lab_heard, mut lab_hears) = mpsc::unbounded_channel();
    let (home_heard, mut home_hears) = mpsc::unbounded_channel();
    let lab = Heard(lab_heard).serve(transport(&served, "/mcp/lab")).await.unwrap();
    let home = Heard(home_heard).serve(transport(&served, "/mcp/home")).await.unwrap();
    assert_eq!(lab.list_all_tools().await.unwrap()[0].name, "it");
    home.list_all_tools().await.unwrap();
    in_time(async {
        // The client's stream may come up after its first answers: what is said before is not repeated.
        for name in ["a", "b", "c"].into_iter().cycle() {
            fake.publish(
                [binding("lab", [tool(name, Does::Echo)]), binding("home", [tool("it", Does::Change)])],
                &["lab"],
            );
            if tokio::time::timeout(std::time::Duration::from_millis(500), lab_hears.recv()).await.is_ok() {
                break;
            }
        }
    })
    .await;
    assert!(home_hears.try_recv().is_err(), "home did not change");
    lab.cancel().await.unwrap();
    home.cancel().await.unwrap();
}

#[tokio::test]
async fn rmcps_own_client_of_the_modern_era_calls_and_hears_changes() {
    let fake = two();
    let served = served(&fake).await;
    let mode = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    let client =
        ClientConfig::default().serve_with_lifecycle(transport(&served, "/mcp"), mode).await.unwrap();
    let names: Vec<_> = client.list_all_tools().await.unwrap().into_iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["home_it", "lab_it"]);
    let mut subscription =
        client.listen(SubscriptionFilter::builder().tools_list_changed().build()).await.unwrap();
    fake.publish([binding("lab", [tool("new", Does::Echo)])], &["lab", "home"]);
    let heard = in_time(subscription.next()).await.unwrap();
    assert!(matches!(heard, Some(ServerNotification::ToolListChangedNotification(_))));
    assert_eq!(client.list_all_tools().await.unwrap()[0].name, "lab_new");
    subscription.cancel().await.unwrap();
    client.cancel().await.unwrap();
}
