//! Logins of devices, keys of the server: who may use them, and that they are seen nowhere else.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fleet_sim::naas::{Behaviour, known};
use fleetgate_e2e::network::{on, quick, show};
use fleetgate_e2e::{Network, Server};
use serde_json::json;

use crate::canaries::nowhere;

const ADMIN: &str = r#"
[plugins.naas.grant.http.admin]
url = "{url}"
credential = { basic = { user = "anybody", password = "admin" } }
"#;

const READS: &str = r#"
[plugins.naas.grant.http.reads]
url = "{url}"
credential = { basic = { user = "netops", password = "device" } }
"#;

/// Everything that the host wrote into its folder.
fn written(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(written(&path));
        } else {
            all.extend(fs::read(&path).unwrap_or_default());
        }
    }
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_server_that_lets_a_token_submit_and_not_read_is_asked_as_the_devices_user() {
    let network = Network::of(Behaviour::StrictUpstream).await;
    network.call("send_command", show(json!({}))).await.structured();
    let requests = network.naas.requests();
    let credential = |at: usize| requests[at].header("authorization").expect("a credential").to_owned();
    assert!(credential(0).starts_with("Bearer ") && credential(1).starts_with("Bearer "));
    let basic = STANDARD.encode(format!("{}:{}", known::USER, known::PASSWORD));
    assert_eq!(credential(2), format!("Basic {basic}"));
    assert!(requests.iter().all(|request| request.header("fleetgate-basic").is_none()));
    let looks = &requests[1..];
    assert_eq!(
        looks.iter().filter(|look| look.status == Some(403)).count(),
        1,
        "it is not tried again each time"
    );
}

#[tokio::test]
async fn where_the_grant_keeps_the_calls_login_to_itself_the_403_is_told_with_what_to_grant() {
    let seed = quick(Behaviour::StrictUpstream);
    let network = Network::edited(seed, known::OPERATOR, "operator", |settings, _| {
        settings.replace(", basic = true", "")
    });
    let network = network.await;
    let answer = network.call("send_command", show(json!({}))).await;
    assert!(
        answer.text().starts_with("NAAS HTTP 403: ") && answer.text().contains("grant.http.reads"),
        "{answer:?}"
    );
    assert!(answer.fault()["details"]["job_id"].is_string(), "{answer:?}");
}

#[tokio::test]
async fn a_login_for_reading_reads_and_cancels() {
    let seed = quick(Behaviour::StrictUpstream);
    let network = Network::grown(seed, known::OPERATOR, "operator", READS).await;
    let id = network.call("send_command", show(json!({}))).await.structured()["job_id"].clone();
    let answer = network.call("get_job_result", json!({"job_id": id})).await;
    assert_eq!(answer.structured()["status"], "finished");
    let answer = network.call("cancel_job", json!({"job_id": id})).await;
    assert_eq!(answer.fault()["code"], "conflict", "{answer:?}");
}

#[tokio::test]
async fn without_one_a_result_cannot_be_read_again_from_such_a_server() {
    let network = Network::of(Behaviour::StrictUpstream).await;
    let id = network.call("send_command", show(json!({}))).await.structured()["job_id"].clone();
    let answer = network.call("get_job_result", json!({"job_id": id})).await;
    assert!(answer.text().starts_with("NAAS HTTP 403: "), "{answer:?}");
}

#[tokio::test]
async fn a_password_reaches_the_server_and_nobody_else() {
    for behaviour in [Behaviour::AsDocumented, Behaviour::StrictUpstream] {
        let network = Network::of(behaviour).await;
        let answers = [
            network.call("send_command", show(json!({"enable": "canary-enable-1"}))).await,
            network.call("send_command", on(known::LOCKED, "cisco_ios", &["show version"])).await,
        ];
        let sent: serde_json::Value = network.naas.requests()[0].json().expect("JSON");
        assert_eq!(
            (&sent["password"], &sent["enable"]),
            (&json!(known::PASSWORD), &json!("canary-enable-1"))
        );
        let kept = written(&network.installation.path().join(".fleetgate"));
        for secret in [known::PASSWORD, "canary-enable-1"] {
            let basic = STANDARD.encode(format!("{}:{secret}", known::USER));
            for trace in [secret, &basic] {
                assert!(!network.server.log().contains(trace), "the log");
                assert!(!holds(&kept, trace), "what is kept");
                assert!(answers.iter().all(|answer| !format!("{answer:?}").contains(trace)), "the answers");
            }
        }
        assert!(answers.iter().all(|answer| !format!("{answer:?}").contains("fleetgate-secret-")));
    }
}

#[tokio::test]
async fn a_grant_that_does_not_take_passwords_from_calls_sends_none() {
    let seed = quick(Behaviour::AsDocumented);
    let network = Network::edited(seed, known::OPERATOR, "operator", |settings, _| {
        settings
            .lines()
            .filter(|line| !line.starts_with("from_call"))
            .map(|line| format!("{line}\n"))
            .collect()
    });
    let network = network.await;
    let answer = network.call("send_command", show(json!({}))).await;
    assert_eq!(answer.fault()["code"], "denied", "{answer:?}");
    assert!(network.arrived().is_empty());
}

#[tokio::test]
async fn a_key_is_made_used_and_revoked_and_its_token_is_told_once() {
    for behaviour in [Behaviour::AsDocumented, Behaviour::StrictUpstream] {
        let network = Network::grown(quick(behaviour), known::OPERATOR, "admin", ADMIN).await;
        let answer = network.call("create_api_key", json!({"contexts": ["lab"], "ttl": 600})).await;
        let key = answer.structured();
        let token = key["token"].as_str().expect("a token");
        let claims = network.naas.state().claims(token).expect("the server's own");
        assert_eq!(
            (claims.role.as_deref(), claims.contexts.as_slice()),
            (Some("operator"), &["lab".to_owned()][..])
        );
        assert_eq!(json!(claims.sub), key["key_id"]);

        let answer = network.call("revoke_api_key", json!({"key_id": key["key_id"]})).await;
        assert_eq!(answer.text(), format!("API key {} revoked.", claims.sub));
        assert!(network.naas.state().is_revoked(&claims.sub));
        let answer = network.call("revoke_api_key", json!({"key_id": "k-000000000000"})).await;
        assert_eq!(answer.fault()["code"], "unknown");

        let kept = written(&network.installation.path().join(".fleetgate"));
        assert!(!network.server.log().contains(token) && !holds(&kept, token), "the token is in a log");
    }
}

#[tokio::test]
async fn a_key_that_was_made_is_in_no_trace_record_or_file() {
    let mut network = Network::grown(quick(Behaviour::AsDocumented), known::OPERATOR, "admin", ADMIN).await;
    let mut command = network.installation.command(&["serve", "--json", "--listen", "127.0.0.1:0"]);
    command.env("FLEETGATE_LOG", "trace");
    network.server = Server::of(command);
    let answer = network.call("create_api_key", json!({})).await;
    let token = answer.structured()["token"].as_str().expect("a token").to_owned();
    assert_eq!(answer.result()["_meta"]["secret"], json!(["/token"]), "it says itself what is secret");
    let mut said = network.installation.why(&answer.reference()).all();
    for command in [&["audit", "find", "--json"][..], &["jobs", "list", "--json"]] {
        said += &network.installation.run(command).all();
    }
    assert!(said.contains("create_api_key"), "{said}");
    // The whole log is looked at.
    network.server.logs("TRACE").await;
    said += &network.server.log();
    said += &String::from_utf8_lossy(&written(network.installation.path()));
    nowhere(&token, &said);
}

#[tokio::test]
async fn a_binding_without_the_admins_credential_makes_no_keys() {
    let network = Network::grown(quick(Behaviour::AsDocumented), known::ADMIN, "admin", "").await;
    let answer = network.call("create_api_key", json!({})).await;
    assert_eq!(answer.fault()["code"], "denied");
    assert!(answer.text().contains("[plugins.naas.grant.http.admin]"), "{answer:?}");
    assert!(network.arrived().is_empty());
}

#[tokio::test]
async fn roles_are_enforced_before_the_server_is_asked() {
    let network = Network::grown(quick(Behaviour::AsDocumented), known::ADMIN, "viewer", ADMIN).await;
    let client = network.server.client_of("naas");
    let mut tools = client.tool_names().await;
    tools.sort();
    assert_eq!(tools, ["get_job_result", "list_jobs"]);
    for (tool, arguments) in [("send_command", show(json!({}))), ("create_api_key", json!({}))] {
        assert!(!network.call(tool, arguments).await.succeeded(), "{tool}");
    }
    let read = client.request("resources/read", json!({"uri": "naas://jobs/failed"})).await;
    assert!(read.message["error"].is_object(), "{read:?}");
    let prompts = client.request("prompts/list", json!({})).await;
    assert_eq!(prompts.result()["prompts"], json!([]));
    assert!(network.arrived().is_empty(), "{:?}", network.arrived());
}
