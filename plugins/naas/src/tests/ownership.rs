//! One identity at the server, many callers here.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Response;

use super::played::{ID, Played, finished, operator, show};

const OTHER: &str = "11111111-2222-4333-8444-555555555555";

fn listed() -> Response {
    let job =
        |id: &str| json!({ "job_id": id, "status": "finished", "created_at": "2026-11-20T09:34:04+00:00" });
    let pagination = json!({ "page": 1, "per_page": 100, "total": 2, "pages": 1 });
    Response::json(200, json!({ "jobs": [job(OTHER), job(ID)], "pagination": pagination }))
}

fn server() -> Played {
    Played::new(operator(), |request| match (request.method(), request.path()) {
        ("POST", _) => super::played::taken(ID),
        ("DELETE", _) => Response::status(204),
        (_, "/v2/jobs") => listed(),
        (_, "/v2/jobs/failed") => Response::json(
            200,
            json!({ "jobs": [{ "job_id": OTHER, "host": "h", "port": 22 }, { "job_id": ID }], "total": 2 }),
        ),
        _ => finished(json!({ "show clock": "12:00" })),
    })
}

#[test]
fn a_job_that_was_not_handed_to_the_caller_is_unknown_and_the_server_is_not_asked() {
    let server = server();
    server.data("send_command", show());
    let before = server.requests().len();
    for tool in ["get_job_result", "cancel_job"] {
        let fault = server.fault(tool, json!({ "job_id": OTHER }));
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/job_id")));
    }
    assert_eq!(server.requests().len(), before);
}

#[test]
fn a_job_that_was_handed_to_the_caller_is_the_callers() {
    let server = server();
    server.data("send_command", show());
    assert_eq!(server.data("get_job_result", json!({ "job_id": ID }))["status"], "finished");
    assert!(server.text("cancel_job", json!({ "job_id": ID })).ends_with(" cancelled."));
}

#[test]
fn what_is_noted_is_the_id_for_a_day_and_nothing_else() {
    let server = server();
    server.data("send_command", show());
    let [note] = &server.host.submitted()[..] else { panic!("one note") };
    assert_eq!(note.tool, "get_job_result");
    assert_eq!(note.arguments, json!({ "job_id": ID }));
    assert_eq!(note.options, Some(json!({ "ttlMs": 86_400_000, "attributes": { "naas_job_id": ID } })));
}

#[test]
fn the_job_that_only_notes_an_id_asks_the_server_nothing() {
    let server = Played::new(operator().job("job-1"), |_| Response::status(500));
    assert_eq!(server.data("get_job_result", json!({ "job_id": ID }))["job_id"], ID);
    assert!(server.requests().is_empty());
}

#[test]
fn lists_hold_the_callers_own_jobs() {
    let server = server();
    assert_eq!(server.data("list_jobs", json!({}))["jobs"], json!([]));
    assert!(server.requests().is_empty(), "who has no jobs needs no list");
    server.data("send_command", show());
    for list in [server.data("list_jobs", json!({})), server.read("naas://jobs")] {
        let ids: Vec<_> =
            list["jobs"].as_array().expect("jobs").iter().map(|job| job["job_id"].clone()).collect();
        assert_eq!(ids, [json!(ID)]);
        assert_eq!(list["pagination"], json!({ "page": 1, "per_page": 20, "total": 1, "pages": 1 }));
    }
    let failed = server.read("naas://jobs/failed");
    assert_eq!((&failed["total"], &failed["jobs"][0]["job_id"]), (&json!(1), &json!(ID)));
}

#[test]
fn an_admin_sees_all_jobs_and_so_does_everybody_where_they_are_shared() {
    for host in [super::played::admin(), operator().config("shared_jobs", true)] {
        let server = Played {
            host: host.respond(|request| match (request.method(), request.path()) {
                ("DELETE", _) => Response::status(204),
                (_, "/v2/jobs") => listed(),
                ("POST", _) => super::played::taken(ID),
                _ => finished(json!({})),
            }),
        };
        assert_eq!(server.data("list_jobs", json!({}))["jobs"].as_array().map(Vec::len), Some(2));
        assert_eq!(server.data("get_job_result", json!({ "job_id": OTHER }))["status"], "finished");
        assert!(server.text("cancel_job", json!({ "job_id": OTHER })).ends_with(" cancelled."));
        server.data("send_command", show());
        assert!(server.host.submitted().is_empty(), "nothing needs to be noted");
    }
}

#[test]
fn a_host_that_keeps_no_notes_gives_the_result_and_says_so() {
    let server =
        Played::new(operator().refuse_jobs(Fault::unavailable("This host keeps no jobs.")), |request| {
            match request.method() {
                "POST" => super::played::taken(ID),
                _ => finished(json!({ "show clock": "12:00" })),
            }
        });
    let job = server.data("send_command", show());
    assert_eq!(job["results"]["show clock"], "12:00");
    assert!(job["warnings"][0].as_str().is_some_and(|warning| warning.contains(ID)), "{job}");
}
