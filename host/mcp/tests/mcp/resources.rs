//! Resources are read by the URI that their endpoint shows, by whoever may.

use std::num::NonZeroUsize;
use std::sync::Arc;

use fleetgate_core::domain::{Content, Fault};
use serde_json::{Value, json};

use crate::backend::{Does, Fake, FakeBinding, Gate, binding, tool};
use crate::running::{Served, Session, in_time, messages, served, served_with};
use crate::surfaces::{Reads, resource, template};

fn naas(name: &'static str) -> FakeBinding {
    binding(name, [])
        .resources([
            resource("naas://jobs", Reads::Echo),
            resource("naas://secret", Reads::Echo).needs("operator"),
            resource("skill://push/notes", Reads::Echo),
            resource("ui://panel", Reads::Echo),
        ])
        .templates([template("naas://jobs/{id}"), template("ui://{name}")])
}

/// Two bindings of one plugin, and one that has nothing to read.
async fn fleet() -> (Arc<Fake>, Served) {
    let fake = Fake::new([naas("lab"), naas("lab-2"), binding("bare", [tool("it", Does::Echo)])]);
    let served = served(&fake).await;
    (fake, served)
}

async fn both(served: &Served, session: &Session<'_>, caller: &str, uri: &str) -> [Value; 2] {
    let params = json!({"uri": uri});
    let modern = served.ask(&session.path, caller, "resources/read", params.clone()).await;
    [modern, session.ask("resources/read", params).await]
}

#[tokio::test]
async fn a_resource_is_read_by_the_uri_that_its_endpoint_shows() {
    let (fake, fleet) = fleet().await;
    for (path, shown, binding, own) in [
        ("/mcp", "lab+naas://jobs", "lab", "naas://jobs"),
        ("/mcp", "lab-2+naas://jobs", "lab-2", "naas://jobs"),
        ("/mcp", "lab-2+naas://jobs/7", "lab-2", "naas://jobs/7"),
        ("/mcp", "skill://lab/push/notes", "lab", "skill://push/notes"),
        ("/mcp", "ui://lab-2/panel", "lab-2", "ui://panel"),
        ("/mcp/lab-2", "naas://jobs", "lab-2", "naas://jobs"),
        ("/mcp/lab-2", "ui://panel", "lab-2", "ui://panel"),
    ] {
        let session = fleet.legacy(path, "bob", "2025-06-18").await;
        for answer in both(&fleet, &session, "bob", shown).await {
            let result = &answer["result"];
            assert_eq!(result["contents"], json!([{"uri": shown, "text": own}]), "{answer}");
            assert_eq!(result["_meta"]["dev.fleetgate/binding"], binding);
            assert_eq!(fake.seen().last().unwrap().tool, own);
        }
    }
}

#[tokio::test]
async fn no_spelling_leads_to_another_binding_or_endpoint() {
    let (fake, fleet) = fleet().await;
    for (path, uri) in [
        ("/mcp", "naas://jobs"),
        ("/mcp", "LAB+naas://jobs"),
        ("/mcp", "lab%2Bnaas://jobs"),
        ("/mcp", "lab+lab+naas://jobs"),
        ("/mcp", "lab+ui://panel"),
        ("/mcp", "ui://panel"),
        ("/mcp", "ui:lab/panel"),
        ("/mcp", "skill://lab%2Fpush/notes"),
        ("/mcp", "skill://lab/../lab-2/push/notes"),
        ("/mcp", "+naas://jobs"),
        ("/mcp", "nothing+naas://jobs"),
        ("/mcp", "no uri"),
        ("/mcp", ""),
        ("/mcp/lab", "lab+naas://jobs"),
        ("/mcp/lab", "lab-2+naas://jobs"),
    ] {
        let session = fleet.legacy(path, "ann", "2025-11-25").await;
        let codes = both(&fleet, &session, "ann", uri).await.map(|answer| {
            assert_eq!(answer["error"]["data"]["uri"], uri, "{answer}");
            answer["error"]["code"].clone()
        });
        assert_eq!(codes, [json!(-32602), json!(-32002)], "{uri}");
    }
    assert_eq!(fake.seen(), []);
}

#[tokio::test]
async fn what_an_entry_covers_and_the_plugin_does_not_have_is_not_found() {
    let (_, fleet) = fleet().await;
    let session = fleet.legacy("/mcp", "ann", "2025-11-25").await;
    let uri = "lab+naas://jobs/gone";
    let [modern, legacy] = both(&fleet, &session, "ann", uri).await;
    assert_eq!((&modern["error"]["code"], &legacy["error"]["code"]), (&json!(-32602), &json!(-32002)));
    for answer in [modern, legacy] {
        assert_eq!(answer["error"]["data"]["uri"], uri);
        assert_eq!(answer["error"]["data"]["reference"], "ref1");
    }
}

#[tokio::test]
async fn a_uri_without_a_binding_is_that_of_the_only_one_that_exposes_it() {
    let web = |name| binding(name, []).resources([resource("https://example.com/both", Reads::Echo)]);
    let fake = Fake::new([
        web("lab").resources([resource("https://example.com/one", Reads::Echo)]),
        web("home").resources([resource("https://example.com/secret", Reads::Echo).needs("operator")]),
    ]);
    let served = served(&fake).await;
    let read =
        async |path, caller, uri| served.ask(path, caller, "resources/read", json!({"uri": uri})).await;
    let one = read("/mcp", "bob", "https://example.com/one").await;
    assert_eq!(one["result"]["_meta"]["dev.fleetgate/binding"], "lab");
    let seen = fake.seen().len();
    // Whoever asks, and whatever they may.
    for caller in ["ann", "bob"] {
        let both = read("/mcp", caller, "https://example.com/both").await;
        assert_eq!(both["error"]["code"], -32602);
        let message = both["error"]["message"].as_str().unwrap();
        assert!(message.contains("lab, home") && message.contains("/mcp/lab"), "{message}");
        assert_eq!(read("/mcp", caller, "https://example.com/none").await["error"]["code"], -32602);
        assert_eq!(read("/mcp", caller, "https://example.com/secret").await["error"]["code"], 403);
    }
    assert_eq!(fake.seen().len(), seen);
    let own = read("/mcp/home", "bob", "https://example.com/both").await;
    assert_eq!(own["result"]["_meta"]["dev.fleetgate/binding"], "home");
}

#[tokio::test]
async fn a_read_without_the_role_is_a_403_that_names_it_in_both_eras() {
    let (fake, fleet) = fleet().await;
    let params = json!({"uri": "lab+naas://secret"});
    let session = fleet.legacy("/mcp", "bob", "2025-06-18").await;
    for request in [
        fleet.modern("/mcp", "bob", "resources/read", params.clone()),
        session.request(7, "resources/read", params.clone()),
        session.request(7, "resources/subscribe", params),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 403);
        let challenge = &response.headers()["www-authenticate"];
        assert_eq!(challenge, "Bearer error=\"insufficient_scope\", scope=\"lab:operator\"");
        let answer: Value = response.json().await.unwrap();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(403)));
    }
    assert_eq!(fake.seen(), [], "nothing was run");
    // The role is the binding's own.
    assert!(
        fleet
            .ask("/mcp", "ann", "resources/read", json!({"uri": "lab+naas://secret"}))
            .await
            .get("result")
            .is_some()
    );
    let other = fleet.ask("/mcp", "ann", "resources/read", json!({"uri": "lab-2+naas://secret"})).await;
    assert_eq!(other["error"]["data"]["scopes"], json!(["lab-2:operator"]));
}

#[tokio::test]
async fn what_a_plugin_returns_is_shown_as_contents() {
    let contents = vec![
        Content {
            kind: "resource".into(),
            uri: Some("naas://jobs/1".into()),
            mime_type: Some("application/json".into()),
            meta: Some(json!({"mcp.dev/x": 1, "ui": {"csp": {}}, "dev.fleetgate/binding": "other"})),
            ..Content::text("{}")
        },
        Content { kind: "resource".into(), data: Some(vec![255]), ..Content::default() },
        Content::text("without a URI"),
    ];
    let lab = binding("lab", []).resources([
        resource("naas://all", Reads::Contents(contents)),
        resource("naas://none", Reads::Contents(Vec::new())),
    ]);
    let served = served(&Fake::new([lab])).await;
    let answer = served.ask("/mcp", "ann", "resources/read", json!({"uri": "lab+naas://all"})).await;
    assert_eq!(
        answer["result"]["contents"],
        json!([
            {"uri": "lab+naas://jobs/1", "mimeType": "application/json", "text": "{}", "_meta": {"ui": {"csp": {}}}},
            {"uri": "lab+naas://all", "blob": "/w=="},
            {"uri": "lab+naas://all", "text": "without a URI"},
        ])
    );
    // No contents could mean that there is nothing there.
    let none = served.ask("/mcp", "ann", "resources/read", json!({"uri": "lab+naas://none"})).await;
    assert_eq!(none["error"]["code"], -32603, "{none}");
}

#[tokio::test]
async fn a_modern_read_says_how_long_and_for_whom_it_is_good_and_a_legacy_one_does_not() {
    let (_, fleet) = fleet().await;
    let session = fleet.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let [modern, legacy] = both(&fleet, &session, "ann", "naas://jobs").await;
    assert_eq!((&modern["result"]["ttlMs"], &modern["result"]["cacheScope"]), (&json!(0), &json!("private")));
    assert_eq!(modern["result"]["resultType"], "complete");
    assert_eq!(modern["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "fleetgate");
    for key in ["cacheScope", "ttlMs", "resultType"] {
        assert_eq!(legacy["result"].get(key), None, "{key}");
    }
}

#[tokio::test]
async fn a_read_that_fails_says_why_in_its_error() {
    let fault = Fault { retry_after_ms: Some(5), ..Fault::new("upstream", "The API said 503.").retryable() };
    let lab = binding("lab", []).resources([resource("naas://a", Reads::Fail(fault))]);
    let answer = served(&Fake::new([lab]))
        .await
        .ask("/mcp/lab", "ann", "resources/read", json!({"uri": "naas://a"}))
        .await;
    assert_eq!(
        answer["error"],
        json!({"code": -32603, "message": "The API said 503.",
               "data": {"code": "upstream", "retryable": true, "retryAfterMs": 5, "reference": "ref1", "uri": "naas://a"}})
    );
}

#[tokio::test]
async fn a_read_talks_to_its_client_and_stops_when_that_hangs_up() {
    let gate = Arc::new(Gate::default());
    let lab = binding("lab", []).resources([
        resource("naas://talk", Reads::Talk),
        resource("naas://wait", Reads::Wait(gate.clone())),
    ]);
    let lab = served(&Fake::new([lab])).await;
    let meta = json!({"progressToken": 3, "io.modelcontextprotocol/logLevel": "warning"});
    let params = json!({"uri": "naas://talk", "_meta": meta});
    let heard = messages(lab.modern("/mcp/lab", "ann", "resources/read", params).send().await.unwrap()).await;
    let methods: Vec<_> = heard.iter().filter_map(|message| message["method"].as_str()).collect();
    assert_eq!(methods, ["notifications/progress", "notifications/message"]);
    assert_eq!(heard[1]["params"]["level"], "error");
    let waiting = lab.modern("/mcp/lab", "ann", "resources/read", json!({"uri": "naas://wait"})).send();
    let waiting = tokio::spawn(waiting);
    in_time(gate.started.notified()).await;
    waiting.abort();
    in_time(gate.cancelled.notified()).await;
}

#[tokio::test]
async fn a_log_level_that_is_none_is_an_invalid_parameter() {
    let (_, fleet) = fleet().await;
    let meta = json!({"io.modelcontextprotocol/logLevel": "loud"});
    for (method, params) in [
        ("resources/read", json!({"uri": "naas://jobs", "_meta": meta})),
        ("resources/list", json!({"_meta": meta})),
        ("tools/list", json!({"_meta": meta})),
    ] {
        let answer = fleet.ask("/mcp/lab", "ann", method, params).await;
        assert_eq!(answer["error"]["code"], -32602, "{method}: {answer}");
    }
}

#[tokio::test]
async fn templates_are_listed_as_their_endpoint_shows_them() {
    let mut secret = template("naas://secret/{id}{?since}").needs("operator");
    secret.template.extra = Some(json!({
        "icons": [{"src": "data:image/png;base64,AAAA"}, {"src": "https://x.example/i.png"}],
        "annotations": {"audience": ["user"], "priority": 0.5},
    }));
    secret.template.meta = Some(json!({"mcp.dev/x": 1, "com.example/x": 2}));
    let fake = Fake::new([naas("lab").templates([secret]), naas("lab-2")]);
    let fleet = served_with(&fake, |mut options| {
        options.page_size = NonZeroUsize::new(3).unwrap();
        options
    })
    .await;
    let shown = |answer: &Value| -> Vec<String> {
        let templates = answer["result"]["resourceTemplates"].as_array().unwrap().iter();
        templates.map(|one| one["uriTemplate"].as_str().unwrap().to_owned()).collect()
    };
    let first = fleet.ask("/mcp", "ann", "resources/templates/list", json!({})).await;
    assert_eq!(shown(&first), ["lab+naas://jobs/{id}", "lab+naas://secret/{id}{?since}", "ui://lab/{name}"]);
    let cursor = &first["result"]["nextCursor"];
    let second = fleet.ask("/mcp", "ann", "resources/templates/list", json!({"cursor": cursor})).await;
    assert_eq!(shown(&second), ["lab-2+naas://jobs/{id}", "ui://lab-2/{name}"]);
    assert_eq!(second["result"].get("nextCursor"), None);
    assert_eq!(
        first["result"]["resourceTemplates"][1],
        json!({
            "uriTemplate": "lab+naas://secret/{id}{?since}", "name": "naas://secret/{id}{?since}",
            "icons": [{"src": "data:image/png;base64,AAAA"}],
            "annotations": {"audience": ["user"], "priority": 0.5},
            "_meta": {"com.example/x": 2, "dev.fleetgate/binding": "lab"},
        })
    );
    assert_eq!(first["result"]["cacheScope"], "private");
    let session = fleet.legacy("/mcp/lab", "bob", "2025-06-18").await;
    let own = session.ask("resources/templates/list", json!({})).await;
    assert_eq!(shown(&own), ["naas://jobs/{id}", "ui://{name}"]);
}

#[tokio::test]
async fn a_tools_panel_is_named_as_it_is_read() {
    let mut panel = tool("show", Does::Echo);
    panel.meta = Some(json!({"ui": {"resourceUri": "ui://panel"}}));
    let fake = Fake::new([FakeBinding { tools: vec![panel], ..naas("lab") }]);
    let served = served(&fake).await;
    for (path, shown) in [("/mcp", "ui://lab/panel"), ("/mcp/lab", "ui://panel")] {
        let listed = served.ask(path, "ann", "tools/list", json!({})).await;
        assert_eq!(listed["result"]["tools"][0]["_meta"]["ui"]["resourceUri"], shown);
        let read = served.ask(path, "ann", "resources/read", json!({"uri": shown})).await;
        assert_eq!(read["result"]["contents"][0]["text"], "ui://panel");
    }
}

#[tokio::test]
async fn what_an_endpoint_has_is_declared_and_looked_at_with_every_request() {
    let (fake, fleet) = fleet().await;
    let bare = fleet.legacy("/mcp/bare", "ann", "2025-11-25").await;
    let logging = json!({"tools": {"listChanged": true}, "logging": {}});
    assert_eq!(bare.initialized["result"]["capabilities"], logging);
    let has = fleet.ask("/mcp/lab", "ann", "server/discover", json!({})).await;
    let capability = json!({"subscribe": true, "listChanged": true});
    assert_eq!(has["result"]["capabilities"]["resources"], capability);
    for method in [
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
    ] {
        assert_eq!(bare.ask(method, json!({"uri": "x://y"})).await["error"]["code"], -32601, "{method}");
        let response =
            fleet.modern("/mcp/bare", "ann", method, json!({"uri": "x://y"})).send().await.unwrap();
        assert_eq!(response.status(), 404, "{method}");
    }
    // Later it has: a session of before is served.
    fake.publish([naas("bare")], &[]);
    assert!(bare.ask("resources/read", json!({"uri": "naas://jobs"})).await.get("result").is_some());
}

#[tokio::test]
async fn what_the_modern_era_no_longer_has_is_not_found_whatever_its_parameters() {
    let (_, fleet) = fleet().await;
    for method in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"] {
        for params in [json!({}), json!({"uri": "naas://jobs", "level": "info"})] {
            let response = fleet.modern("/mcp/lab", "ann", method, params).send().await.unwrap();
            let status = response.status();
            let answer: Value = response.json().await.unwrap();
            assert_eq!(
                (status.as_u16(), &answer["error"]["code"]),
                (404, &json!(-32601)),
                "{method}: {answer}"
            );
            assert_eq!(answer["id"], 7);
        }
    }
}
