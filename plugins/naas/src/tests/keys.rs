//! API keys of the server.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Failure, Response};

use super::played::{Played, admin};

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.canary.signature";

fn made() -> Response {
    Response::json(
        201,
        json!({
            "key_id": "k-0123456789ab", "token": TOKEN, "role": "operator", "contexts": ["*"],
            "expires_at": "2027-02-18T00:00:00+00:00", "app": "naas"
        }),
    )
}

fn server(answer: Response) -> Played {
    Played::new(admin().granted("http.admin"), move |_| answer.clone())
}

#[test]
fn the_role_is_always_sent_and_is_operator_by_default() {
    let server = server(made());
    server.data("create_api_key", json!({}));
    assert_eq!(server.requests()[0].json::<Value>(), json!({ "role": "operator" }));
    let wanted = json!({ "role": "viewer", "contexts": ["lab"], "ttl": 0 });
    server.data("create_api_key", wanted.clone());
    assert_eq!(server.requests()[1].json::<Value>(), wanted);
    assert_eq!(server.asked()[1], "POST /v2/api-keys");
}

#[test]
fn keys_are_managed_with_a_credential_of_their_own() {
    let server = server(made());
    server.data("create_api_key", json!({}));
    assert_eq!(server.requests()[0].upstream(), Some("admin"));
    let without = Played::new(admin(), |_| made());
    for (tool, arguments) in [("create_api_key", json!({})), ("revoke_api_key", json!({ "key_id": "k-1" }))] {
        let fault = without.fault(tool, arguments);
        assert_eq!(fault.code, "denied");
        assert!(fault.message.contains("[plugins.naas.grant.http.admin]"), "{fault}");
    }
    assert!(without.requests().is_empty());
}

#[test]
fn the_token_is_told_once_and_marked_as_a_secret() {
    let server = server(made());
    let result = server.call("create_api_key", json!({})).expect("a key");
    let key = result.structured.expect("data");
    assert_eq!(
        key,
        json!({
            "key_id": "k-0123456789ab", "token": TOKEN, "role": "operator", "contexts": ["*"],
            "expires_at": "2027-02-18T00:00:00+00:00"
        })
    );
    assert_eq!(result.meta.expect("a mark")["secret"], json!(["/token"]));
    assert!(server.host.logs().is_empty());
}

#[test]
fn a_token_that_cannot_be_used_is_in_no_fault_either() {
    let odd = [
        Response::json(201, json!({ "token": TOKEN })),
        Response::json(201, json!({ "key_id": { "token": TOKEN } })),
        Response::status(201).body(format!("{{\"token\":\"{TOKEN}\"")),
    ];
    for answer in odd {
        let fault = server(answer).fault("create_api_key", json!({}));
        assert_eq!(fault.code, "upstream");
        assert!(!format!("{fault:?}").contains("canary"), "{fault:?}");
    }
}

#[test]
fn a_key_is_not_made_twice_when_no_answer_came() {
    for failure in [Failure::Unreachable("reset".into()), Failure::Timeout] {
        let server = server(Response::fails(failure));
        let _ = server.fault("create_api_key", json!({}));
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_key_is_revoked_by_its_id() {
    let server = server(Response::status(204));
    assert_eq!(
        server.text("revoke_api_key", json!({ "key_id": "k-0123456789ab" })),
        "API key k-0123456789ab revoked."
    );
    assert_eq!(server.asked(), ["DELETE /v2/api-keys/k-0123456789ab"]);
}

#[test]
fn a_key_that_is_not_there_is_said_to_be_unknown() {
    let fault = server(Response::json(404, json!({ "error": "Key 'k-1' not found" })))
        .fault("revoke_api_key", json!({ "key_id": "k-1" }));
    assert_eq!(
        (fault.code.as_str(), fault.message.as_str()),
        ("unknown", "NAAS HTTP 404: Key 'k-1' not found")
    );
}

#[test]
fn a_credential_that_may_not_is_told_of() {
    let fault = server(Response::json(401, json!({ "error": "You must authenticate" })))
        .fault("create_api_key", json!({}));
    assert_eq!(fault.code, "denied");
    assert!(fault.message.contains("NAAS HTTP 401") && fault.message.contains("credential"), "{fault}");
}

#[test]
fn what_cannot_be_is_refused_and_a_token_that_was_pasted_is_not_repeated() {
    let server = server(made());
    let fault = server.fault("revoke_api_key", json!({ "key_id": TOKEN }));
    assert_eq!(fault.field.as_deref(), Some("/key_id"));
    assert!(!fault.message.contains("canary"));
    for (arguments, field) in [
        (json!({ "role": "root" }), "/role"),
        (json!({ "ttl": -1 }), "/ttl"),
        (json!({ "contexts": [] }), "/contexts"),
        (json!({ "contexts": ["a", "b/c"] }), "/contexts/1"),
    ] {
        let fault = server.fault("create_api_key", arguments);
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some(field)));
    }
    assert!(server.requests().is_empty());
}

#[test]
fn without_a_server_there_are_no_keys_to_make() {
    let direct = Played {
        host: fleetgate_sdk::testing::Harness::new().binding("naas").roles(["admin"]).granted("ssh.devices"),
    };
    let fault = direct.fault("create_api_key", json!({}));
    assert_eq!(fault.code, "denied");
    assert!(fault.message.contains("NAAS server"), "{fault}");
}
