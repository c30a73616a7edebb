//! Calls that a caller's roles do not cover.

use serde_json::{Value, json};

use crate::backend::{Does, Fake, binding, tool};
use crate::running::served;

#[tokio::test]
async fn a_call_without_the_role_is_a_403_that_names_it_in_both_eras() {
    let fake = Fake::new([binding("lab", [tool("reboot", Does::Echo).needs("operator")])]);
    let lab = served(&fake).await;
    let params = json!({"name": "lab_reboot", "arguments": {"device": "x"}});
    let session = lab.legacy("/mcp", "bob", "2025-06-18").await;
    for request in [
        lab.modern("/mcp", "bob", "tools/call", params.clone()),
        session.request(7, "tools/call", params.clone()),
        // However it is written.
        session.post(json!({"method": "tools/call", "id": 7, "params": params, "jsonrpc": "2.0"})),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 403);
        assert_eq!(
            response.headers()["www-authenticate"],
            "Bearer error=\"insufficient_scope\", scope=\"lab:operator\""
        );
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["id"], 7);
        assert_eq!(answer["error"]["code"], 403);
        assert_eq!(answer["error"]["data"], json!({"reference": "ref0", "scopes": ["lab:operator"]}));
    }
    assert_eq!(fake.seen(), [], "nothing was run");
    let allowed =
        lab.modern("/mcp", "ann", "tools/call", json!({"name": "lab_reboot"})).send().await.unwrap();
    assert_eq!(allowed.status(), 200);
}

#[tokio::test]
async fn a_name_that_is_written_with_escapes_is_the_same_name() {
    let fake = Fake::new([binding("lab", [tool("reboot", Does::Echo).needs("operator")])]);
    let lab = served(&fake).await;
    let session = lab.legacy("/mcp", "bob", "2025-06-18").await;
    let body =
        r#"{"jsonrpc":"2.0","id":1,"meth\u006fd":"tools\/call","params":{"n\u0061me":"lab\u005freboot"}}"#;
    let response = lab
        .post("/mcp", "bob", body)
        .header("mcp-session-id", &session.id)
        .header("mcp-protocol-version", "2025-06-18")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(fake.seen(), []);
}
