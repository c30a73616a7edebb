//! list_jobs with a server.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Response;

use super::played::{ID, Played, admin, finished, operator, show, taken};

fn entry(id: impl ToString) -> Value {
    json!({
        "job_id": id.to_string(), "status": "finished", "created_at": "2026-11-20T09:34:04.372367+00:00",
        "ended_at": "2026-11-20T09:34:05.381498+00:00", "tags": { "env": "lab" }
    })
}

#[test]
fn a_page_is_the_servers_without_its_name_and_version() {
    let server = Played::new(admin(), |_| {
        let pagination = json!({ "page": 1, "per_page": 2, "total": 6, "pages": 3 });
        Response::json(
            200,
            json!({ "jobs": [entry(ID)], "pagination": pagination, "app": "naas", "version": "2" }),
        )
    });
    let list = server.data("list_jobs", json!({ "page": 1, "per_page": 2, "status": "finished" }));
    let pagination = json!({ "page": 1, "per_page": 2, "total": 6, "pages": 3 });
    assert_eq!(list, json!({ "jobs": [entry(ID)], "pagination": pagination }));
    let request = &server.requests()[0];
    assert_eq!(request.query_string(), "page=1&per_page=2&status=finished");
}

#[test]
fn without_arguments_the_first_twenty_are_asked_for() {
    let server = Played::new(admin(), |_| Response::json(200, json!({ "jobs": [] })));
    let list = server.data("list_jobs", json!({}));
    assert_eq!(server.requests()[0].query_string(), "page=1&per_page=20");
    assert_eq!(list["pagination"], json!({ "page": 1, "per_page": 20, "total": 0, "pages": 0 }));
}

#[test]
fn pages_and_states_that_cannot_be_are_refused() {
    let server = Played::new(admin(), |_| Response::status(500));
    for (arguments, field) in [
        (json!({ "page": 0 }), "/page"),
        (json!({ "per_page": 0 }), "/per_page"),
        (json!({ "per_page": 101 }), "/per_page"),
        (json!({ "status": "canceled" }), "/status"),
        (json!({ "context": "x" }), "/context"),
    ] {
        let fault = server.fault("list_jobs", arguments);
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some(field)));
    }
    assert!(server.requests().is_empty());
}

#[test]
fn entries_that_make_no_sense_cost_themselves_alone() {
    let jobs = json!([7, null, {}, { "job_id": null }, { "job_id": "a", "tags": 3 }]);
    let server =
        Played::new(admin(), move |_| Response::json(200, json!({ "jobs": jobs, "pagination": "x" })));
    let list = server.data("list_jobs", json!({}));
    assert_eq!(list["jobs"].as_array().map(Vec::len), Some(1));
    let server = Played::new(admin(), |_| Response::json(200, json!({ "jobs": {} })));
    assert_eq!(server.fault("list_jobs", json!({})).code, "upstream");
}

#[test]
fn the_callers_own_jobs_are_found_among_many_and_paged_anew() {
    let submitted = super::played::counter();
    let server = Played::new(operator(), move |request| match (request.method(), request.path()) {
        ("POST", _) => {
            submitted.set(submitted.get() + 1);
            taken(&format!("own-{}", submitted.get()))
        }
        (_, "/v2/jobs") => {
            let page: u32 = request.query("page").expect("a page").parse().expect("a number");
            let mut jobs: Vec<_> = (0..99).map(|n| entry(format!("other-{page}-{n}"))).collect();
            jobs.push(entry(format!("own-{page}")));
            let pagination = json!({ "page": page, "per_page": 100, "total": 500, "pages": 5 });
            Response::json(200, json!({ "jobs": jobs, "pagination": pagination }))
        }
        _ => finished(json!({})),
    });
    for _ in 0..3 {
        server.data("send_command", show());
    }
    let before = server.requests().len();
    let list = server.data("list_jobs", json!({ "page": 2, "per_page": 2 }));
    assert_eq!(list["jobs"], json!([entry("own-3")]));
    assert_eq!(list["pagination"], json!({ "page": 2, "per_page": 2, "total": 3, "pages": 2 }));
    assert_eq!(server.requests().len() - before, 3, "no page is asked for after the last own job was found");
}
