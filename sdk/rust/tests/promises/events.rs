//! What happens when nobody calls.

use fleetgate_sdk::keyvalue::Bucket;
use fleetgate_sdk::mqtt;
use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Broker, Harness, Response};

#[derive(Deserialize)]
struct Telemetry {
    temperature: f64,
}

/// Storing an event twice is storing it once: its id is the key.
#[events]
fn handle(batch: Vec<Event>) -> Vec<Result<(), Fault>> {
    batch.iter().map(keep).collect()
}

fn keep(event: &Event) -> Result<(), Fault> {
    assert_eq!((call::principal(), call::roles()), Default::default());
    let told: Telemetry = event.json()?;
    Bucket::open("keyvalue.history")?.set_json(&event.id, &told.temperature)?;
    if told.temperature > 30.0 {
        mqtt::publish("mqtt.broker", "lab/alarm", event.subject.as_str())?;
    }
    Ok(())
}

/// Says nothing.
#[tool(requires = "any")]
fn nothing() -> Result<(), Fault> {
    Ok(())
}

fleetgate_sdk::export! {
    tools: nothing;
    events: handle;
}

mod silent {
    use super::*;
    fleetgate_sdk::export!(nothing);
}

mod forgetful {
    use super::*;

    #[events]
    fn some(batch: Vec<Event>) -> Vec<Result<(), Fault>> {
        batch.into_iter().skip(1).map(|_| Ok(())).collect()
    }

    fleetgate_sdk::export! { events: some }
}

mod writing {
    use super::*;

    #[events]
    fn tell(batch: Vec<Event>) -> Vec<Result<(), Fault>> {
        let tell = |event: Event| {
            http::upstream("api").get(["rules"]).send()?.ok()?;
            http::upstream("api").post(["alarms"]).json(&event.id).send()?.ok().map(drop)
        };
        batch.into_iter().map(tell).collect()
    }

    fleetgate_sdk::export! { events: tell }
}

mod working {
    use super::*;

    #[events]
    fn work(batch: Vec<Event>) -> Vec<Result<(), Fault>> {
        let submit = |_| fleetgate_sdk::jobs::submit("nothing", &json!({}))?.send().map(drop);
        batch.into_iter().map(submit).collect()
    }

    fleetgate_sdk::export! { events: work }
}

fn event(id: &str, data: &str) -> Event {
    Event::new(id, "events.telemetry", "lab/d1/telemetry", data)
}

fn host() -> Harness {
    Harness::new()
        .principal("ann")
        .roles(["view"])
        .granted("keyvalue.history")
        .shared("keyvalue.history")
        .granted("mqtt.broker")
        .broker("mqtt.broker", Broker::new())
}

#[test]
fn each_event_has_its_answer_and_nobody_calls() {
    let host = host();
    let answers = host.deliver::<Exported>(vec![
        event("e1", r#"{"temperature":20}"#),
        event("e2", "{nan}"),
        event("e3", r#"{"temperature":21}"#),
    ]);
    assert!(answers[0].is_ok() && answers[2].is_ok());
    let malformed = answers[1].as_ref().unwrap_err();
    assert!(malformed.is("malformed") && !malformed.retryable, "it will be the same again");
    let kept = host.run(|| {
        assert_eq!((call::principal().as_str(), call::roles().len()), ("ann", 1));
        Bucket::open("keyvalue.history").unwrap().list("", None, 10).unwrap().entries
    });
    assert_eq!(kept.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["e1", "e3"]);
}

#[test]
fn a_handler_publishes_only_where_the_grant_says_that_it_may() {
    let hot = || vec![event("e1", r#"{"temperature":31}"#)];
    let host = host();
    assert!(host.deliver::<Exported>(hot())[0].as_ref().unwrap_err().is("denied"));
    assert!(host.published().is_empty());
    for may in ["mqtt.other:publish", "mqtt.broker:listen"] {
        let host = self::host().may(may);
        assert!(host.deliver::<Exported>(hot())[0].is_err(), "{may}");
    }
    for may in ["mqtt.broker:publish", "mqtt.broker"] {
        let host = self::host().may(may);
        assert_eq!(host.deliver::<Exported>(hot()), [Ok(())]);
        assert_eq!(host.published()[0].payload, b"lab/d1/telemetry");
    }
    assert!(host.run(|| mqtt::publish("mqtt.broker", "lab/alarm", "")).is_ok(), "a call may");
}

#[test]
fn a_handler_writes_over_http_only_where_the_grant_says_that_it_may() {
    let host = || Harness::new().granted("http.api").respond(|_| Response::json(200, json!({})));
    let denied = host().deliver::<writing::Exported>(vec![event("e1", "")]);
    assert!(denied[0].as_ref().unwrap_err().is("denied"));
    let allowed = host().may("http.api:write");
    assert_eq!(allowed.deliver::<writing::Exported>(vec![event("e1", "")]), [Ok(())]);
    assert_eq!(allowed.requests().len(), 2);
}

#[test]
fn a_handler_has_no_jobs() {
    let host = host();
    let denied = host.deliver::<working::Exported>(vec![event("e1", "")]);
    assert!(denied[0].as_ref().unwrap_err().is("denied"));
    assert!(host.submitted().is_empty());
}

#[test]
fn a_part_of_a_principal_is_none_of_a_handlers() {
    let host = Harness::new().principal("ann").granted("keyvalue.history");
    let answers = host.deliver::<Exported>(vec![event("e1", r#"{"temperature":20}"#)]);
    assert!(answers[0].as_ref().unwrap_err().is("denied"));
}

#[test]
#[should_panic(expected = "answers for each event")]
fn a_handler_that_does_not_answer_for_each_event_fails_the_test() {
    host().deliver::<forgetful::Exported>(vec![event("e1", ""), event("e2", "")]);
}

#[test]
#[should_panic(expected = "answers for each event")]
fn a_plugin_without_a_handler_handles_nothing() {
    host().deliver::<silent::Exported>(vec![event("e1", "")]);
}

#[test]
fn an_event_says_when_it_was_heard_and_whether_it_is_from_before() {
    let mut event = event("e1", "on");
    assert_eq!((event.attempt, event.text().as_str(), event.retained()), (1, "on", false));
    event.time_ms = 1_500;
    event.attributes.insert("retained".into(), json!(true));
    assert!(event.retained());
    let since = event.time().duration_since(std::time::SystemTime::UNIX_EPOCH);
    assert_eq!(since.unwrap().as_millis(), 1_500);
}
