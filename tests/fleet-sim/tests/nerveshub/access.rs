//! Who may: tokens, membership and roles.

use fleet_sim::nerveshub::{known, well_formed};
use serde_json::json;

use crate::client::{Api, device, hub, product, segment};

const HIDDEN: &str = "Resource Not Found or Authorization Insufficient";

#[tokio::test]
async fn every_token_has_the_form_of_the_real_ones() {
    let hub = hub().await;
    assert_eq!(hub.tokens().len(), 7);
    for (handle, token) in hub.tokens() {
        assert!(well_formed(token), "{handle}: {token}");
    }
}

#[tokio::test]
async fn bearer_and_token_are_taken_in_any_case_and_nothing_else() {
    let hub = hub().await;
    let token = hub.token(known::VIEW);
    for scheme in ["Bearer", "bearer", "BEARER", "token", "Token"] {
        let answer = Api::with(&hub, Some(format!("{scheme} {token}"))).get("/api/users/me").await;
        assert_eq!(answer.data()["email"], "vera.lindqvist@acme.example", "{scheme}");
    }
    let cut = &token[..token.len() - 1];
    for header in [
        None,
        Some(String::new()),
        Some(token.to_owned()),
        Some(format!("Basic {token}")),
        Some(format!("Bearer  {token}")),
        Some(format!("Bearer {cut}")),
        Some("Bearer nhu_0000".to_owned()),
    ] {
        Api::with(&hub, header).get("/api/users/me").await.refused(401, HIDDEN);
    }
}

#[tokio::test]
async fn two_authorization_headers_are_as_good_as_none() {
    let hub = hub().await;
    let api = Api::of(&hub, known::VIEW);
    let request = api.request(reqwest::Method::GET, "/api/users/me");
    let twice = request.header("authorization", format!("Bearer {}", hub.token(known::VIEW)));
    api.send(twice).await.refused(401, HIDDEN);
}

#[tokio::test]
async fn a_bad_token_is_401_even_where_the_path_leads_nowhere() {
    let hub = hub().await;
    let nobody = Api::with(&hub, None);
    nobody.get("/api/orgs/no-such-org/products").await.refused(401, HIDDEN);
    nobody.get(&device(known::KIOSK, "no-such-device")).await.refused(401, HIDDEN);
}

#[tokio::test]
async fn a_call_stamps_its_token_as_used() {
    let hub = hub().await;
    let token = hub.token(known::VIEW).to_owned();
    assert!(hub.state().token(&token).unwrap().last_used.is_none());
    Api::of(&hub, known::VIEW).get("/api/users/me").await.data();
    assert!(hub.state().token(&token).unwrap().last_used.is_some());
}

#[tokio::test]
async fn a_login_issues_a_working_token_and_a_bad_one_says_so() {
    let hub = hub().await;
    let nobody = Api::with(&hub, None);
    let login = json!({
        "email": "vera.lindqvist@acme.example", "password": "correct horse battery view", "note": "my laptop",
    });
    for path in ["/api/users/auth", "/api/users/login"] {
        let data = nobody.post_json(path, login.clone()).await.data();
        let token = data["token"].as_str().unwrap();
        assert!(well_formed(token));
        assert_ne!(token, hub.token(known::VIEW));
        assert_eq!(data["name"], "Vera Lindqvist");
        assert_eq!(hub.state().token(token).unwrap().note.as_deref(), Some("my laptop"));
        Api::with(&hub, Some(format!("token {token}"))).get("/api/users/me").await.data();
    }
    let failed = "Authentication failed, please check your username and password and try again.";
    for body in [json!({}), json!({"email": "vera.lindqvist@acme.example", "password": "guess"})] {
        nobody.post_json("/api/users/auth", body).await.refused(401, failed);
    }
}

#[tokio::test]
async fn whoami_is_a_name_and_an_address_for_anybody() {
    let hub = hub().await;
    let me = Api::of(&hub, known::OUTSIDER).get("/api/users/me").await.data();
    assert_eq!(me, json!({"name": "Otto Becker", "email": "otto.becker@mail.example"}));
}

#[tokio::test]
async fn orgs_are_the_callers_own() {
    let hub = hub().await;
    for (handle, orgs) in [
        (known::VIEW, vec![known::ACME]),
        (known::BOTH, vec![known::ACME, known::ROBOTICS]),
        (known::OUTSIDER, vec![]),
    ] {
        assert_eq!(Api::of(&hub, handle).get("/api/orgs").await.names(), orgs, "{handle}");
    }
}

#[tokio::test]
async fn a_stranger_to_the_org_gets_404_everywhere() {
    let hub = hub().await;
    let stranger = Api::of(&hub, known::OUTSIDER);
    let (product, device) = (product(known::KIOSK), device(known::KIOSK, known::CONNECTED));
    for path in ["", "/firmwares", "/deployments", "/scripts", "/devices"] {
        stranger.get(&format!("{product}{path}")).await.refused(404, HIDDEN);
    }
    stranger.get(&device).await.refused(404, HIDDEN);
    stranger.put_json(&device, json!({"tags": []})).await.refused(404, HIDDEN);
    stranger.delete(&format!("{device}/penalty")).await.refused(404, HIDDEN);
    for action in ["reboot", "reconnect", "upgrade", "scripts/Uptime"] {
        stranger.post(&format!("{device}/{action}")).await.refused(404, HIDDEN);
    }
    stranger.get(&format!("/api/devices/{}", known::CONNECTED)).await.refused(404, HIDDEN);
    stranger.get("/api/orgs/acme/products").await.refused(404, HIDDEN);
    assert!(hub.state().events().is_empty());
}

#[tokio::test]
async fn a_role_that_is_too_low_is_401_with_the_body_of_404_and_changes_nothing() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    for device in
        [device(known::KIOSK, known::CONNECTED), format!("/api/devices/{}", segment(known::CONNECTED))]
    {
        for action in ["reboot", "reconnect", "upgrade", "code", "move"] {
            view.post(&format!("{device}/{action}")).await.refused(401, HIDDEN);
        }
        view.delete(&format!("{device}/penalty")).await.refused(401, HIDDEN);
    }
    let put = view.put_json(&device(known::KIOSK, known::CONNECTED), json!({"tags": ["x"]})).await;
    put.refused(401, HIDDEN);
    assert!(hub.state().events().is_empty());
    assert!(hub.state().audit().is_empty());
}

#[tokio::test]
async fn an_unknown_device_is_404_before_the_role_is_looked_at() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    view.post(&format!("{}/reboot", device(known::KIOSK, "no-such-device"))).await.refused(404, HIDDEN);
}

#[tokio::test]
async fn a_role_counts_in_its_own_org_only() {
    let hub = hub().await;
    let both = Api::of(&hub, known::BOTH);
    both.post(&format!("{}/reboot", device(known::KIOSK, known::CONNECTED))).await.empty();
    both.post(&format!("{}/reboot", device(known::KIOSK_V2, known::SHARED))).await.refused(401, HIDDEN);
    both.get(&device(known::KIOSK_V2, known::SHARED)).await.data();
}

#[tokio::test]
async fn only_an_admin_reads_the_members_and_their_roles() {
    let hub = hub().await;
    let admin = Api::of(&hub, known::ADMIN);
    let members = admin.get("/api/orgs/acme/users").await.data();
    assert_eq!(members.as_array().unwrap().len(), 4);
    let member = admin.get("/api/orgs/acme/users/marco.silva%40acme.example").await.data();
    assert_eq!(member, json!({"name": "Marco Silva", "email": "marco.silva@acme.example", "role": "manage"}));
    admin.get("/api/orgs/acme/users/otto.becker%40mail.example").await.refused(404, HIDDEN);
    for handle in [known::MANAGE, known::VIEW] {
        Api::of(&hub, handle).get("/api/orgs/acme/users").await.refused(401, HIDDEN);
    }
}
