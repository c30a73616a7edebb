//! Making and revoking API keys.

use std::time::Duration;

use fleet_sim::naas::{Behaviour, Seed, known};
use serde_json::json;

use crate::client::{Api, BOTH, NOT_ALLOWED, NOT_AUTHENTICATED, noon, seeded, server, server_of};

#[tokio::test]
async fn the_admin_secret_makes_keys_with_basic_in_both_worlds() {
    for behaviour in BOTH {
        let server = server_of(behaviour).await;
        let admin = Api::basic(&server, "whoever", known::ADMIN_SECRET);
        let made = admin.post("/v2/api-keys", &json!({"role": "viewer", "contexts": ["lab"]})).await.of(201);
        let id = made["key_id"].as_str().unwrap();
        let (prefix, digits) = id.split_at(2);
        assert!(
            prefix == "k-" && digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit()),
            "{id}"
        );
        assert_eq!(
            made,
            json!({
                "key_id": id, "token": made["token"], "role": "viewer", "contexts": ["lab"],
                "expires_at": "2027-02-18T09:32:38.000000+00:00", "app": "naas", "version": "2.1.0",
            })
        );
        let token = made["token"].as_str().unwrap();
        let claims = server.state().claims(token).unwrap();
        assert_eq!((claims.sub.as_str(), claims.role.as_deref()), (id, Some("viewer")));
        assert_eq!((claims.iat, claims.exp), (noon().as_second(), Some(noon().as_second() + 7_776_000)));

        let bearer = Api::with(&server, Some(format!("Bearer {token}")));
        assert_eq!(bearer.get("/v2/jobs").await.status, 200);
        admin.delete(&format!("/v2/api-keys/{id}")).await.empty();
        bearer.get("/v2/jobs").await.refused(401, NOT_AUTHENTICATED);
        assert!(server.state().is_revoked(id));
    }
}

#[tokio::test]
async fn a_bearer_who_is_admin_makes_keys_in_the_documents_only() {
    let documented = server().await;
    let admin = Api::of(&documented, known::ADMIN);
    let made = admin.post("/v2/api-keys", &json!({"role": "operator"})).await.of(201);
    admin.delete(&format!("/v2/api-keys/{}", made["key_id"].as_str().unwrap())).await.empty();
    for handle in [known::VIEWER, known::OPERATOR] {
        let lower = Api::of(&documented, handle);
        lower.post("/v2/api-keys", &json!({"role": "admin"})).await.refused(403, NOT_ALLOWED);
        lower.delete("/v2/api-keys/k-000000000001").await.refused(403, NOT_ALLOWED);
    }

    let strict = server_of(Behaviour::StrictUpstream).await;
    let admin = Api::of(&strict, known::ADMIN);
    admin.post("/v2/api-keys", &json!({"role": "operator"})).await.refused(401, NOT_AUTHENTICATED);
    admin.delete("/v2/api-keys/k-000000000001").await.refused(401, NOT_AUTHENTICATED);
}

#[tokio::test]
async fn another_password_or_an_unset_secret_is_401() {
    for behaviour in BOTH {
        let server = server_of(behaviour).await;
        let other = Api::basic(&server, "admin", "not the secret");
        other.post("/v2/api-keys", &json!({})).await.refused(401, NOT_AUTHENTICATED);

        let unset = seeded(Seed { behaviour, admin_secret: None, ..Seed::default() }).await;
        let admin = Api::basic(&unset, "admin", known::ADMIN_SECRET);
        admin.post("/v2/api-keys", &json!({})).await.refused(401, NOT_AUTHENTICATED);
        admin.delete("/v2/api-keys/k-000000000001").await.refused(401, NOT_AUTHENTICATED);
    }
}

#[tokio::test]
async fn whoever_does_not_say_gets_an_admin_for_all_contexts_and_ninety_days() {
    let server = server().await;
    let admin = Api::of(&server, known::ADMIN);
    let made = admin.post("/v2/api-keys", &json!({})).await.of(201);
    assert_eq!((&made["role"], &made["contexts"]), (&json!("admin"), &json!(["*"])));
    let bearer = Api::with(&server, Some(format!("Bearer {}", made["token"].as_str().unwrap())));
    server.state().pass(Duration::from_secs(7_775_999));
    assert_eq!(bearer.get("/v2/jobs").await.status, 200);
    server.state().pass(Duration::from_secs(1));
    bearer.get("/v2/jobs").await.refused(401, NOT_AUTHENTICATED);
}

#[tokio::test]
async fn a_life_of_zero_is_for_ever_and_a_long_one_is_clipped() {
    let server = seeded(Seed { key_max_ttl: 3_600, ..Seed::default() }).await;
    let admin = Api::of(&server, known::ADMIN);
    for (ttl, expires_at) in [
        (0, json!(null)),
        (60, json!("2026-11-20T09:33:38.000000+00:00")),
        (999_999, json!("2026-11-20T10:32:38.000000+00:00")),
    ] {
        let made = admin.post("/v2/api-keys", &json!({"role": "viewer", "ttl": ttl})).await.of(201);
        assert_eq!(made["expires_at"], expires_at, "{ttl}");
    }
}

#[tokio::test]
async fn bad_keys_are_422_and_unknown_ones_404() {
    let server = server().await;
    let admin = Api::of(&server, known::ADMIN);
    for (body, field, kind) in [
        (json!({"role": "root"}), "role", "literal_error"),
        (json!({"ttl": -1}), "ttl", "greater_than_equal"),
        (json!({"ttl": "60"}), "ttl", "int_type"),
        (json!({"contexts": "lab"}), "contexts", "list_type"),
    ] {
        let refused = admin.post("/v2/api-keys", &body).await.of(422);
        assert_eq!((&refused[0]["loc"], &refused[0]["type"]), (&json!([field]), &json!(kind)), "{body}");
    }
    let body = admin.delete("/v2/api-keys/k-ffffffffffff").await.of(404);
    let expected = json!({"error": "Key 'k-ffffffffffff' not found", "app": "naas", "version": "2.1.0"});
    assert_eq!(body, expected);
}
