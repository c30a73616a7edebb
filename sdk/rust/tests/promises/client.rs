//! What the client can do.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Harness;

#[track_caller]
fn client(capabilities: Value) -> fleetgate_sdk::Client {
    Harness::new().client_capabilities(capabilities).run(call::client)
}

#[test]
fn a_client_that_says_nothing_can_be_asked_nothing() {
    for nothing in [call::client(), client(json!({})), client(json!({ "sampling": null, "roots": false }))] {
        assert!(
            !nothing.elicitation() && !nothing.elicitation_url() && !nothing.sampling() && !nothing.roots()
        );
        assert_eq!(nothing.extension("io.modelcontextprotocol/tasks"), None);
    }
}

#[test]
fn a_bare_elicitation_means_forms() {
    let bare = client(json!({ "elicitation": {} }));
    assert!(bare.elicitation() && !bare.elicitation_url());
    let urls = client(json!({ "elicitation": { "url": {} } }));
    assert!(!urls.elicitation() && urls.elicitation_url());
    let both = client(json!({ "elicitation": { "form": {}, "url": {} } }));
    assert!(both.elicitation() && both.elicitation_url());
}

#[test]
fn what_the_client_says_of_the_rest_is_heard() {
    let all = json!({
        "sampling": { "tools": {} }, "roots": { "listChanged": true },
        "extensions": { "io.modelcontextprotocol/tasks": { "a": 1 } },
    });
    let all = client(all);
    assert!(all.sampling() && all.sampling_tools() && all.roots());
    assert_eq!(all.extension("io.modelcontextprotocol/tasks"), Some(&json!({ "a": 1 })));
    assert!(!client(json!({ "sampling": {} })).sampling_tools());
    assert_eq!(all.capabilities()["roots"]["listChanged"], true);
}
