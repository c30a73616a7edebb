//! The resources with a server.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Response};

use super::played::{ID, Played, admin, covers, requested};
use crate::Exported;

fn answering(status: u16, body: Value) -> Played {
    Played::new(admin(), move |_| Response::json(status, &body))
}

#[test]
fn each_resource_is_one_request_that_is_asked_for_in_the_manifest() {
    for (uri, path) in [
        ("naas://health", "/healthcheck"),
        ("naas://contexts", "/v2/contexts"),
        ("naas://jobs", "/v2/jobs"),
        ("naas://jobs/failed", "/v2/jobs/failed"),
    ] {
        let server = answering(200, json!({ "status": "healthy", "contexts": [], "jobs": [] }));
        server.read(uri);
        assert_eq!(server.asked(), [format!("GET {path}")], "{uri}");
        assert!(requested("api", "paths").iter().any(|allowed| covers(allowed, "GET", path)), "{path}");
    }
}

#[test]
fn health_is_told_as_it_is() {
    let health = json!({
        "status": "degraded", "version": "2.1.0", "uptime_seconds": 12,
        "components": { "redis": { "status": "healthy" }, "queue": { "status": "healthy", "depth": 3 } }
    });
    let mut body = health.clone();
    body["app"] = json!("naas");
    assert_eq!(answering(200, body.clone()).read("naas://health"), health);
    assert_eq!(answering(503, body).read("naas://health"), health, "a server that is not well has said so");
}

#[test]
fn a_server_that_does_not_answer_for_its_health_is_a_fault() {
    let read =
        |server: Played| server.host.run(|| testing::read::<Exported>("naas://health")).expect_err("a fault");
    assert!(read(answering(502, json!({}))).message.starts_with("NAAS HTTP 502"));
    assert!(
        read(answering(401, json!({ "status": 401, "error": "no" }))).message.starts_with("NAAS HTTP 401")
    );
    assert_eq!(read(answering(200, json!({}))).code, "upstream");
}

#[test]
fn contexts_and_failed_jobs_come_without_the_servers_name_and_version() {
    let contexts = json!([{ "name": "default", "workers": 2, "queue_depth": 0 }]);
    let server = answering(200, json!({ "contexts": contexts, "app": "naas", "version": "2.1.0" }));
    assert_eq!(server.read("naas://contexts"), json!({ "contexts": contexts }));
    let job = json!({
        "job_id": ID, "host": "192.0.2.1", "platform": "cisco_ios", "port": 22,
        "failed_at": "2026-11-20T09:34:05+00:00", "error": "Traceback", "error_code": "UNKNOWN",
        "error_retryable": false, "func": "naas.library.netmiko_lib.netmiko_send_command"
    });
    let server = answering(200, json!({ "jobs": [job], "total": 1, "app": "naas", "version": "2.1.0" }));
    assert_eq!(server.read("naas://jobs/failed"), json!({ "jobs": [job], "total": 1 }));
}

#[test]
fn a_role_that_the_server_does_not_accept_is_told() {
    let server = answering(403, json!({ "error": "You are not currently allowed to access this resource" }));
    let fault = server.host.run(|| testing::read::<Exported>("naas://jobs/failed")).expect_err("a fault");
    assert_eq!(fault.code, "denied");
    assert!(fault.message.starts_with("NAAS HTTP 403: You are not currently allowed"), "{fault}");
}
