//! Misbehaviour on demand.

use std::time::{Duration, Instant};

use fleet_sim::faults::{Fault, Matcher};
use fleet_sim::nerveshub::known;
use futures_util::StreamExt;
use reqwest::Method;

use crate::client::{Api, device, hub};

#[tokio::test]
async fn a_fault_hits_what_it_matches_as_often_as_it_says() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    hub.fault(Matcher::path("/api/orgs").method(Method::GET).times(2), Fault::Unavailable { retry_after: 7 });
    for _ in 0..2 {
        let answer = view.get("/api/orgs").await;
        assert_eq!((answer.status.as_u16(), &answer.headers["retry-after"]), (503, &"7".parse().unwrap()));
    }
    view.get("/api/orgs").await.data();
    view.get("/api/users/me").await.data();

    hub.fault(Matcher::starting_with("/api/users"), Fault::MalformedJson);
    hub.fault(Matcher::ending_with("/me").once(), Fault::Unavailable { retry_after: 1 });
    assert_eq!(view.get("/api/users/me").await.status, 503, "the newest wins");
    let malformed = view.get("/api/users/me").await;
    assert_eq!(malformed.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&malformed.text).is_err());
    hub.clear_faults();
    view.get("/api/users/me").await.data();
}

#[tokio::test]
async fn a_delay_comes_before_the_backends_own_answer() {
    let hub = hub().await;
    hub.fault(Matcher::any(), Fault::Delay(Duration::from_millis(150)));
    let began = Instant::now();
    Api::of(&hub, known::VIEW).get("/api/users/me").await.data();
    assert!(began.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_huge_body_is_valid_json_of_at_least_that_size() {
    let hub = hub().await;
    hub.fault(Matcher::any(), Fault::HugeBody { bytes: 3_000_000 });
    let answer = Api::of(&hub, known::VIEW).get("/api/users/me").await;
    assert!(answer.text.len() >= 3_000_000);
    assert!(!answer.headers.contains_key("content-length"));
    assert!(answer.data().is_string());
}

#[tokio::test]
async fn a_dropped_connection_has_no_answer_and_no_effect_unless_dropped_after() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let reboot = format!("{}/reboot", device(known::KIOSK, known::CONNECTED));
    hub.fault(Matcher::any().once(), Fault::Drop);
    assert!(manage.request(Method::POST, &reboot).send().await.is_err());
    assert!(hub.state().events().is_empty());
    assert_eq!(hub.requests()[0].status, None);

    hub.fault(Matcher::any().once(), Fault::DropAfter);
    assert!(manage.request(Method::POST, &reboot).send().await.is_err());
    assert_eq!(hub.state().events().len(), 1);
}

#[tokio::test]
async fn a_cut_body_ends_before_its_promised_length() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    hub.fault(Matcher::any(), Fault::CutBody);
    let response = view.request(Method::GET, "/api/users/me").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.text().await.is_err());
}

#[tokio::test]
async fn a_trickle_starts_and_does_not_end() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    hub.fault(Matcher::any(), Fault::Trickle { every: Duration::from_millis(10) });
    let response = view.request(Method::GET, "/api/users/me").send().await.unwrap();
    let bytes: Vec<_> = response.bytes_stream().take(5).collect().await;
    assert_eq!(bytes.len(), 5);
    assert!(bytes.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_redirect_an_echo_and_any_reply_can_be_had() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let to = "http://169.254.169.254/latest/meta-data".to_owned();
    hub.fault(Matcher::any().once(), Fault::Redirect { status: 307, to: to.clone() });
    let redirect = view.get("/api/users/me").await;
    assert_eq!(
        (redirect.status.as_u16(), redirect.headers["location"].to_str().unwrap()),
        (307, to.as_str())
    );

    hub.fault(Matcher::any().once(), Fault::EchoHeaders);
    let echo = view.get("/api/users/me").await.data();
    assert_eq!(echo["headers"]["authorization"][0], format!("Bearer {}", hub.token(known::VIEW)));

    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    hub.fault(
        Matcher::any().once(),
        Fault::Reply { status: 502, headers, body: b"<h1>Bad Gateway</h1>".to_vec() },
    );
    let reply = view.get("/api/users/me").await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (502, "<h1>Bad Gateway</h1>"));
}
