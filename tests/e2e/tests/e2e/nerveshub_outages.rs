//! What the nerveshub plugin's tools say when NervesHub is slow, broken, busy or gone.

use std::time::Duration;

use fleet_sim::faults::{Fault, Matcher};
use fleet_sim::nerveshub::{Seed, known};
use fleetgate_e2e::{Fleet, kiosk};
use serde_json::json;

use crate::nerveshub_failures::{changes, is, product, told};

#[tokio::test]
async fn answers_that_make_no_sense_are_the_upstreams_and_stay_small() {
    let fleet = Fleet::grown(Seed::default(), known::MANAGE, "[limits]\nresponse = \"64KiB\"\n").await;
    let reply = |status, body: String| Fault::Reply {
        status,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: body.into_bytes(),
    };
    for (fault, said) in [
        (Fault::MalformedJson, "not as expected"),
        (reply(200, "<html>Welcome to the hotel's network</html>".to_owned()), "not as expected"),
        (reply(200, "{}".to_owned()), "under `data`"),
        (reply(200, r#"{"data": {"name": "no identifier"}}"#.to_owned()), "identifier"),
        (reply(500, format!("<html>{}</html>", "oops ".repeat(10_000))), "status 500"),
        (Fault::HugeBody { bytes: 4 << 20 }, ""),
        (Fault::CutBody, ""),
        (
            Fault::Redirect { status: 302, to: "http://169.254.169.254/latest/meta-data/".to_owned() },
            "redirect",
        ),
    ] {
        fleet.hub.clear_faults();
        fleet.hub.forget_requests();
        fleet.hub.fault(Matcher::any(), fault.clone());
        let answer = fleet.call("get_device", kiosk(known::CONNECTED)).await;
        let (code, retryable) = told(&answer);
        let cut = matches!(fault, Fault::CutBody);
        assert!(code == "upstream" || cut && code == "unavailable", "{fault:?}: {answer:?}");
        assert_eq!(
            retryable,
            cut || matches!(fault, Fault::Reply { status: 500, .. }),
            "{fault:?}: {answer:?}"
        );
        assert!(answer.text().contains(said), "{fault:?}: {}", answer.text());
    }
    fleet.hub.clear_faults();
    assert!(
        fleet.call("get_device", kiosk(known::CONNECTED)).await.succeeded(),
        "and all is well after that"
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read_to_its_end() {
    let fleet = Fleet::grown(Seed::default(), known::MANAGE, "[limits]\nresponse = \"64KiB\"\n").await;
    // 1 GiB would take longer than anybody waits, and more memory than the plugin has.
    fleet.hub.fault(Matcher::any(), Fault::HugeBody { bytes: 1 << 30 });
    for (tool, arguments) in [("list_devices", product()), ("whoami", json!({}))] {
        is(&fleet.call(tool, arguments).await, "upstream", false);
    }
}

#[tokio::test]
async fn a_busy_hub_says_when_to_come_back_except_for_what_must_not_be_repeated() {
    let fleet = Fleet::of(known::MANAGE).await;
    let before = fleet.snapshot();
    fleet.hub.fault(Matcher::any(), Fault::Unavailable { retry_after: 7 });
    let answer = fleet.call("list_devices", product()).await;
    is(&answer, "upstream", true);
    assert_eq!(answer.fault()["retryAfterMs"], 7_000);
    assert_eq!(answer.fault()["details"]["status"], 503);
    fleet.hub.clear_faults();
    // The look succeeds, and the change gets no clear answer.
    for (tool, arguments) in changes(&fleet, known::CONNECTED) {
        fleet.hub.clear_faults();
        for method in ["POST", "PUT", "DELETE"] {
            let method = method.parse().expect("a method");
            fleet.hub.fault(Matcher::any().method(method), Fault::Unavailable { retry_after: 7 });
        }
        let repeatable = tool == "set_device_tags" || tool == "clear_penalty_box";
        is(&fleet.call(tool, arguments).await, "upstream", repeatable);
    }
    assert_eq!(fleet.snapshot(), before);
}

#[tokio::test]
async fn a_dropped_connection_may_be_tried_again_where_that_does_no_harm() {
    let fleet = Fleet::of(known::MANAGE).await;
    fleet.hub.fault(Matcher::any(), Fault::Drop);
    is(&fleet.call("list_devices", product()).await, "unavailable", true);
    fleet.hub.clear_faults();
    for (tool, arguments) in changes(&fleet, known::CONNECTED) {
        fleet.hub.clear_faults();
        for method in ["POST", "PUT", "DELETE"] {
            fleet.hub.fault(Matcher::any().method(method.parse().expect("a method")), Fault::DropAfter);
        }
        fleet.hub.forget_requests();
        let answer = fleet.call(tool, arguments).await;
        let repeatable = tool == "set_device_tags" || tool == "clear_penalty_box";
        is(&answer, "unavailable", repeatable);
        assert_eq!(answer.text().contains("not known whether"), !repeatable, "{tool}: {}", answer.text());
        assert_eq!(fleet.changes().len(), 1, "{tool} was sent once: {:?}", fleet.changes());
    }
}

#[tokio::test]
async fn a_hub_that_cannot_be_reached_is_unavailable() {
    let mut fleet = Fleet::of(known::MANAGE).await;
    let elsewhere = fleet_sim::nerveshub::Hub::start(Seed::default()).await;
    std::mem::replace(&mut fleet.hub, elsewhere).stop().await;
    for (tool, arguments) in [("list_devices", product()), ("reboot_device", kiosk(known::CONNECTED))] {
        is(&fleet.call(tool, arguments).await, "unavailable", true);
    }
    assert_eq!(fleet.arrived(), [""; 0]);
}

#[tokio::test]
async fn a_slow_hub_ends_the_call_at_its_deadline_and_a_change_may_have_happened() {
    let fleet =
        Fleet::grown(Seed::default(), known::MANAGE, "[limits]\ntimeout = \"5s\"\nmax_timeout = \"5s\"\n")
            .await;
    fleet.hub.fault(Matcher::any(), Fault::Delay(Duration::from_secs(600)));
    is(&fleet.call("list_devices", product()).await, "timeout", true);
    fleet.hub.clear_faults();
    fleet.hub.fault(Matcher::any(), Fault::Trickle { every: Duration::from_millis(50) });
    is(&fleet.call("list_devices", product()).await, "timeout", true);
    fleet.hub.clear_faults();
    fleet.hub.fault(Matcher::ending_with("/reboot"), Fault::Delay(Duration::from_secs(600)));
    is(&fleet.call("reboot_device", kiosk(known::CONNECTED)).await, "timeout", false);
    fleet.hub.clear_faults();
    assert!(
        fleet.call("reboot_device", kiosk(known::CONNECTED)).await.succeeded(),
        "and all is well after that"
    );
}
