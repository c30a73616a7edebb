//! list_scripts, run_script.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Response;

use super::{DEVICE, PRODUCT, Played, device, error, fault_of, ok};

fn list(extra: Value) -> Value {
    let mut arguments = json!({ "org": "acme", "product": "kiosk" });
    for (key, value) in extra.as_object().expect("arguments") {
        arguments[key] = value.clone();
    }
    arguments
}

fn run(extra: Value) -> Value {
    let mut arguments = list(extra);
    arguments["identifier"] = json!("sn-1");
    arguments
}

/// A device on which every script gets this answer.
fn answering(answer: Response) -> Played {
    Played::new(
        move |request| if request.method() == "POST" { answer.clone() } else { ok(device(json!({}))) },
    )
}

#[test]
fn scripts_are_listed_with_ids_of_either_kind() {
    let server = Played::new(|_| {
        let scripts = json!([
            { "id": 12, "name": "Clean Disk", "tags": ["cleanup"] }, { "id": "13", "name": "Dmesg", "tags": null }
        ]);
        let pagination = json!({ "page_number": 1, "page_size": 25, "total_entries": 2, "total_pages": 1 });
        Response::json(200, json!({ "data": scripts, "pagination": pagination }))
    });
    let answer = server.call("list_scripts", list(json!({}))).unwrap();
    let expected = json!([
        { "id": "12", "name": "Clean Disk", "tags": ["cleanup"] }, { "id": "13", "name": "Dmesg", "tags": [] }
    ]);
    assert_eq!(answer["scripts"], expected);
    assert_eq!(answer["pagination"]["total_entries"], 2);
    assert_eq!(server.asked(), [format!("GET {PRODUCT}/scripts")]);
}

#[test]
fn script_filters_and_pages_are_sent() {
    let server = Played::new(|_| ok(json!([])));
    let filters = json!({ "name": "disk", "tags": ["a", "b"], "search": "x" });
    server.call("list_scripts", list(json!({ "filters": filters, "page": 3, "page_size": 50 }))).unwrap();
    let request = &server.requests()[0];
    let expected = [
        ("filters[name]", "disk"),
        ("filters[tags]", "a,b"),
        ("filters[search]", "x"),
        ("pagination[page]", "3"),
        ("pagination[page_size]", "50"),
    ];
    for (key, value) in expected {
        assert_eq!(request.query(key).as_deref(), Some(value), "{key}");
    }
}

#[test]
fn wrong_script_filters_are_refused_and_nothing_is_sent() {
    let wrong = [
        (json!({ "filters": { "name": "" } }), "/filters/name"),
        (json!({ "filters": { "search": "a\nb" } }), "/filters/search"),
        (json!({ "filters": { "tags": ["a b"] } }), "/filters/tags/0"),
        (json!({ "filters": { "text": "rm" } }), "/filters/text"),
        (json!({ "page": 0 }), "/page"),
        (json!({ "page_size": 101 }), "/page_size"),
    ];
    for (arguments, field) in wrong {
        let server = Played::new(|_| panic!("something was sent"));
        let fault = fault_of(server.call("list_scripts", list(arguments.clone())));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some(field)),
            "{arguments}"
        );
    }
}

#[test]
fn a_script_is_run_by_name_and_its_output_comes_back() {
    let server = answering(Response::text(200, "freed 12 MB\n:ok"));
    let answer =
        server.call("run_script", run(json!({ "script": "Clean Disk", "timeout_ms": 3000 }))).unwrap();
    let expected = json!({
        "identifier": "sn-1", "script": "Clean Disk", "output": "freed 12 MB\n:ok", "output_bytes": 15,
        "truncated": false
    });
    assert_eq!(answer, expected);
    assert_eq!(server.asked(), [format!("GET {DEVICE}"), format!("POST {DEVICE}/scripts/Clean%20Disk")]);
    let request = &server.requests()[1];
    assert_eq!(request.query("timeout").as_deref(), Some("3000"));
    assert!(request.body().is_empty());
    assert_eq!(request.timeout(), Some(Duration::from_millis(3000 + 5000)), "longer than the script itself");
}

#[test]
fn a_script_is_run_by_id_and_waits_15_seconds_unless_told_otherwise() {
    for id in [json!(12), json!("12")] {
        let server = answering(Response::text(200, ""));
        let answer = server.call("run_script", run(json!({ "script": id }))).unwrap();
        assert_eq!((&answer["script"], &answer["output"]), (&json!("12"), &json!("")));
        assert_eq!(server.asked()[1], format!("POST {DEVICE}/scripts/12"));
        assert_eq!(server.requests()[1].query("timeout").as_deref(), Some("15000"));
    }
}

#[test]
fn a_long_output_is_cut_and_says_so_and_a_binary_one_is_made_readable() {
    let server = answering(Response::text(200, "z".repeat(300_000)));
    let answer = server.call("run_script", run(json!({ "script": 12 }))).unwrap();
    assert_eq!(answer["output"].as_str().unwrap().len(), 256 * 1024);
    assert_eq!((&answer["output_bytes"], &answer["truncated"]), (&json!(300_000), &json!(true)));
    let server = answering(Response::status(200).body(vec![b'a', 0xff, b'b']));
    assert_eq!(server.call("run_script", run(json!({ "script": 12 }))).unwrap()["output"], "a\u{fffd}b");
}

#[test]
fn wrong_arguments_are_refused_before_the_device_is_even_looked_at() {
    let wrong = [
        (json!({ "script": 12, "timeout_ms": 0 }), "/timeout_ms"),
        (json!({ "script": 12, "timeout_ms": 15_001 }), "/timeout_ms"),
        (json!({ "script": 12, "timeout_ms": "5" }), "/timeout_ms"),
        (json!({ "script": 0 }), "/script"),
        (json!({ "script": -1 }), "/script"),
        (json!({ "script": 1.5 }), "/script"),
        (json!({ "script": " " }), "/script"),
        (json!({ "script": null }), "/script"),
        (json!({ "script": ["a"] }), "/script"),
    ];
    for (arguments, field) in wrong {
        let server = Played::new(|_| panic!("something was sent"));
        let fault = fault_of(server.call("run_script", run(arguments.clone())));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some(field)),
            "{arguments}"
        );
    }
}

#[test]
fn a_name_with_a_percent_sign_is_a_name() {
    let server = answering(Response::text(200, "ok"));
    server.call("run_script", run(json!({ "script": "CPU % of 5 s" }))).unwrap();
    assert_eq!(server.requests()[1].segments().last().unwrap(), "CPU % of 5 s");
}

#[test]
fn a_script_that_does_not_exist_is_unknown() {
    let fault = fault_of(answering(error(404)).call("run_script", run(json!({ "script": "Nope" }))));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/script")));
    assert!(fault.message.contains("script `Nope`"), "{fault}");
}

#[test]
fn no_output_in_time_is_explained_and_not_retried() {
    let fault =
        fault_of(answering(error(403)).call("run_script", run(json!({ "script": 12, "timeout_ms": 900 }))));
    assert_eq!((fault.code.as_str(), fault.retryable), ("no-answer", false));
    for word in ["went offline", "longer than 900 ms", "15 s", "may have run"] {
        assert!(fault.message.contains(word), "{word}: {fault}");
    }
    let details = fault.details.unwrap();
    assert_eq!((&details["status"], &details["timeout_ms"]), (&json!(403), &json!(900)));
}
