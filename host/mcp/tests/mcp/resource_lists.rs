//! The list of resources is taken from the guests, for its caller, and no guest spoils it for the others.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::backend::{Fake, FakeBinding, Gate, binding};
use crate::running::{Served, in_time, served, served_with};
use crate::surfaces::{Lists, Reads, resource, skill};

fn uris(answer: &Value) -> Vec<String> {
    let resources = answer["result"]["resources"].as_array().unwrap_or_else(|| panic!("{answer}"));
    resources.iter().map(|one| one["uri"].as_str().unwrap().to_owned()).collect()
}

fn numbered(name: &'static str, count: usize) -> FakeBinding {
    binding(name, []).resources((0..count).map(|n| resource(&format!("n://{n}"), Reads::Echo)))
}

async fn paged(fake: &Arc<Fake>, size: usize) -> Served {
    served_with(fake, |mut options| {
        options.page_size = NonZeroUsize::new(size).unwrap();
        options
    })
    .await
}

/// Every page, until there is none.
async fn all(served: &Served, path: &str, caller: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut params = json!({});
    loop {
        let answer = served.ask(path, caller, "resources/list", params).await;
        pages.push(uris(&answer));
        match answer["result"].get("nextCursor") {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => return pages,
        }
        assert!(pages.len() < 100, "it does not end");
    }
}

#[tokio::test]
async fn each_caller_gets_what_the_guests_give_it_in_both_eras() {
    let secret = resource("n://secret", Reads::Echo).needs("operator");
    let fake = Fake::new([numbered("lab", 1).resources([secret]), numbered("lab-2", 2)]);
    let served = served(&fake).await;
    for (caller, expected) in [
        ("ann", vec!["lab+n://0", "lab+n://secret", "lab-2+n://0", "lab-2+n://1"]),
        ("bob", vec!["lab+n://0", "lab-2+n://0", "lab-2+n://1"]),
    ] {
        assert_eq!(uris(&served.ask("/mcp", caller, "resources/list", json!({})).await), expected);
        let session = served.legacy("/mcp", caller, "2025-11-25").await;
        assert_eq!(uris(&session.ask("resources/list", json!({})).await), expected);
        let own = served.ask("/mcp/lab-2", caller, "resources/list", json!({})).await;
        assert_eq!(uris(&own), ["n://0", "n://1"]);
    }
    assert!(fake.seen().iter().any(|seen| seen.principal == "bob" && seen.tool == "resources/list"));
}

#[tokio::test]
async fn an_item_says_what_its_plugin_may_say() {
    let mut one = resource("n://1", Reads::Echo);
    one.info.title = Some("One".into());
    one.info.description = Some("The first.".into());
    one.info.mime_type = Some("text/plain".into());
    one.info.size = Some(3);
    one.info.meta = Some(json!({"mcp.dev/x": 1, "com.example/x": 2}));
    one.info.extra = Some(json!({
        "icons": [{"src": "https://x.example/i.png"}, {"src": "data:image/svg+xml,x"}],
        "annotations": {"priority": 1.0, "lastModified": "2026-01-01T00:00:00Z"},
    }));
    let served = served(&Fake::new([binding("lab", []).resources([one])])).await;
    let answer = served.ask("/mcp", "ann", "resources/list", json!({})).await;
    assert_eq!(
        answer["result"]["resources"][0],
        json!({
            "uri": "lab+n://1", "name": "n://1", "title": "One", "description": "The first.",
            "mimeType": "text/plain", "size": 3,
            "icons": [{"src": "data:image/svg+xml,x"}],
            "annotations": {"priority": 1.0, "lastModified": "2026-01-01T00:00:00Z"},
            "_meta": {"com.example/x": 2, "dev.fleetgate/binding": "lab"},
        })
    );
    let result = &answer["result"];
    assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(5000), &json!("private")));
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "fleetgate");
    assert_eq!(result["_meta"].get("dev.fleetgate/unavailable"), None);
}

#[tokio::test]
async fn pages_cover_every_binding_once_however_the_guests_page() {
    for guest in [1, 2, 3, 100] {
        let fake = Fake::new([
            numbered("a", 5).listing(Lists::InPagesOf(guest)),
            numbered("b", 0),
            numbered("c", 4).listing(Lists::InPagesOf(guest)),
            binding("d", []).skills([skill("x", &[("SKILL.md", "x")]), skill("y", &[("SKILL.md", "y")])]),
        ]);
        for size in [1, 2, 3, 4, 100] {
            let served = paged(&fake, size).await;
            let pages = all(&served, "/mcp", "all").await;
            assert!(pages.iter().all(|page| page.len() <= size));
            let expected: Vec<_> =
                (0..5).map(|n| format!("a+n://{n}")).chain((0..4).map(|n| format!("c+n://{n}"))).collect();
            let listed: Vec<_> = pages.concat();
            assert_eq!(listed[..9], expected, "guest {guest}, page {size}");
            let own = all(&served, "/mcp/a", "all").await.concat();
            assert_eq!(own.len(), 5);
        }
    }
}

#[tokio::test]
async fn a_cursor_is_its_callers_and_its_endpoints_and_shows_the_guests_to_nobody_else() {
    let fake = Fake::new([numbered("a", 5).listing(Lists::InPagesOf(2)), numbered("b", 1)]);
    let served = paged(&fake, 2).await;
    let first = served.ask("/mcp", "ann", "resources/list", json!({})).await;
    let cursor = first["result"]["nextCursor"].as_str().unwrap();
    for (path, caller, cursor) in
        [("/mcp", "bob", cursor), ("/mcp/a", "ann", cursor), ("/mcp", "ann", ""), ("/mcp", "ann", "2")]
    {
        let answer = served.ask(path, caller, "resources/list", json!({"cursor": cursor})).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    // Its binding went meanwhile: the list goes on with the next.
    fake.publish([numbered("b", 1)], &["a"]);
    let rest = served.ask("/mcp", "ann", "resources/list", json!({"cursor": cursor})).await;
    assert_eq!(uris(&rest), ["b+n://0"]);
}

#[tokio::test]
async fn a_guest_that_fails_is_left_out_of_the_shared_list_and_named() {
    let fake = Fake::new([numbered("a", 1), numbered("b", 1).listing(Lists::Fail), numbered("c", 1)]);
    let served = served(&fake).await;
    let session = served.legacy("/mcp", "ann", "2025-06-18").await;
    let modern = served.ask("/mcp", "ann", "resources/list", json!({})).await;
    let legacy = session.ask("resources/list", json!({})).await;
    for answer in [modern, legacy] {
        assert_eq!(uris(&answer), ["a+n://0", "c+n://0"]);
        assert_eq!(answer["result"]["_meta"]["dev.fleetgate/unavailable"], json!(["b"]));
    }
    let own = served.ask("/mcp/b", "ann", "resources/list", json!({})).await;
    assert_eq!(own["error"]["message"], "The API said 503.");
    assert_eq!(own["error"]["data"]["code"], "upstream");
}

#[tokio::test]
async fn a_guest_that_never_answers_is_stopped_and_the_others_are_listed() {
    let gate = Arc::new(Gate::default());
    let fake = Fake::new([numbered("a", 1).listing(Lists::Wait(gate.clone())), numbered("b", 1)]);
    let served = served(&fake).await;
    let answer = in_time(served.ask("/mcp", "ann", "resources/list", json!({}))).await;
    assert_eq!(uris(&answer), ["b+n://0"]);
    assert_eq!(answer["result"]["_meta"]["dev.fleetgate/unavailable"], json!(["a"]));
    in_time(gate.cancelled.notified()).await;
}

#[tokio::test]
async fn a_client_that_hangs_up_stops_the_guests() {
    let gate = Arc::new(Gate::default());
    let served = served(&Fake::new([numbered("a", 1).listing(Lists::Wait(gate.clone()))])).await;
    let asking = tokio::spawn(served.modern("/mcp/a", "ann", "resources/list", json!({})).send());
    in_time(gate.started.notified()).await;
    asking.abort();
    in_time(gate.cancelled.notified()).await;
}

#[tokio::test]
async fn a_list_without_end_ends_and_what_comes_behind_it_is_reached() {
    let fake = Fake::new([numbered("a", 1).listing(Lists::Endless), numbered("b", 1)]);
    let served = served(&fake).await;
    let pages = all(&served, "/mcp", "ann").await;
    let listed = pages.concat();
    assert_eq!(listed.last().unwrap(), "b+n://0");
    assert_eq!(listed.iter().collect::<HashSet<_>>().len(), listed.len(), "nothing came twice");
    let asked = fake.seen().iter().filter(|seen| !seen.arguments.is_empty()).count();
    assert!(asked <= 1001, "{asked}");

    let fake = Fake::new([numbered("a", 1).listing(Lists::Stuck), numbered("b", 1)]);
    let served = crate::running::served(&fake).await;
    let answer = served.ask("/mcp", "ann", "resources/list", json!({})).await;
    assert_eq!(uris(&answer), ["b+n://0"]);
    assert_eq!(answer["result"]["_meta"]["dev.fleetgate/unavailable"], json!(["a"]));
    assert!(fake.seen().len() < 10);
}
