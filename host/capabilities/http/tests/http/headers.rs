//! Which fields cross the guard, in both directions.

use http::HeaderValue;

use crate::upstream::Upstream;
use crate::world::{World, request, with_body};

#[tokio::test]
async fn what_a_guest_may_not_say_does_not_leave_the_host() {
    let upstream = Upstream::echo().await;
    let world = World::new(&upstream.grant());
    let caller = world.call().to(&world.bind());
    let mut sent = request("GET", "http://api.upstream/a");
    for (name, value) in [
        ("authorization", "Bearer CANARY"),
        ("cookie", "session=CANARY"),
        ("proxy-authorization", "Basic CANARY"),
        ("proxy-connection", "CANARY"),
        ("host", "CANARY.example"),
        ("connection", "keep-alive, X-Named, close"),
        ("x-named", "CANARY"),
        ("keep-alive", "CANARY"),
        ("te", "CANARY"),
        ("trailer", "CANARY"),
        ("transfer-encoding", "CANARY"),
        ("upgrade", "CANARY"),
        ("http2-settings", "CANARY"),
        ("expect", "100-continue-CANARY"),
        ("forwarded", "for=CANARY"),
        ("via", "CANARY"),
        ("x-forwarded-for", "CANARY"),
        ("x-forwarded-host", "CANARY"),
        ("x-forwarded-anything", "CANARY"),
        ("x-real-ip", "CANARY"),
        ("x-http-method-override", "CANARY"),
        ("x-http-method", "CANARY"),
        ("x-method-override", "CANARY"),
        ("x-original-url", "/CANARY"),
        ("x-rewrite-url", "/CANARY"),
        ("accept-encoding", "CANARY"),
        ("x-fine", "kept"),
    ] {
        sent.headers_mut().append(name, HeaderValue::from_static(value));
    }
    let got = caller.send(sent).await.unwrap();
    let text = got.text();
    assert!(!text.contains("CANARY"), "{text}");
    assert!(text.contains("x-fine: kept\n") && text.contains("accept-encoding: gzip\n"), "{text}");
}

#[tokio::test]
async fn the_host_field_is_the_granted_host_with_its_port() {
    let upstream = Upstream::echo().await;
    let world = World::new(&upstream.grant());
    let caller = world.call().to(&world.bind());
    let mut sent = request("GET", "http://api.upstream/a");
    sent.headers_mut().append("host", HeaderValue::from_static("one.example"));
    sent.headers_mut().append("host", HeaderValue::from_static("two.example"));
    let text = caller.send(sent).await.unwrap().text();
    assert_eq!(text.matches("host: ").count(), 1, "{text}");
    assert!(text.contains(&format!("host: 127.0.0.1:{}\n", upstream.port())), "{text}");
}

#[tokio::test]
async fn an_upstream_learns_who_asks_unless_the_guest_says() {
    let upstream = Upstream::echo().await;
    let world = World::new(&upstream.grant());
    let caller = world.call().to(&world.bind());
    let text = caller.get("http://api.upstream/a").await.unwrap().text();
    assert!(text.contains("user-agent: fleetgate/"), "{text}");
    let mut sent = request("GET", "http://api.upstream/a");
    sent.headers_mut().insert("user-agent", HeaderValue::from_static("plugin/1"));
    let text = caller.send(sent).await.unwrap().text();
    assert!(text.contains("user-agent: plugin/1\n") && !text.contains("fleetgate"), "{text}");
}

#[tokio::test]
async fn a_short_body_is_sent_with_its_true_length() {
    let upstream = Upstream::echo().await;
    let world = World::new(&upstream.grant());
    let caller = world.call().to(&world.bind());
    let mut sent = with_body("POST", "http://api.upstream/a", "twelve bytes");
    sent.headers_mut().insert("content-length", HeaderValue::from_static("5"));
    let text = caller.send(sent).await.unwrap().text();
    assert!(text.contains("content-length: 12\n") && text.ends_with("\ntwelve bytes"), "{text}");
    let text = caller.get("http://api.upstream/a").await.unwrap().text();
    assert!(!text.contains("transfer-encoding") && !text.contains("content-length"), "{text}");
}

#[tokio::test]
async fn what_was_between_upstream_and_host_stays_there() {
    let upstream = Upstream::saying(
        "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Named\r\nX-Named: CANARY\r\nKeep-Alive: timeout=CANARY\r\n\
         Set-Cookie: session=CANARY\r\nProxy-Authenticate: CANARY\r\nTrailer: X-CANARY\r\nUpgrade: CANARY\r\n\
         X-Fine: kept\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let world = World::new(&upstream.grant());
    let got = world.call().to(&world.bind()).get("http://api.upstream/a").await.unwrap();
    assert!(!got.everything().contains("CANARY"), "{}", got.everything());
    assert_eq!(
        (got.header("x-fine"), got.header("content-length"), got.text().as_str()),
        ("kept", "2", "ok")
    );
}

#[tokio::test]
async fn a_switch_of_protocols_is_refused() {
    let upstream =
        Upstream::saying("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
            .await;
    let world = World::new(&upstream.grant());
    let error = world.call().to(&world.bind()).error(request("GET", "http://api.upstream/a")).await;
    assert_eq!(format!("{error:?}"), "HttpProtocolError");
}

#[tokio::test]
async fn trailers_reach_the_guest() {
    let upstream = Upstream::saying(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n",
    )
    .await;
    let world = World::new(&upstream.grant());
    let got = world.call().to(&world.bind()).get("http://api.upstream/a").await.unwrap();
    assert_eq!(got.trailers.unwrap()["x-sum"], "7");
}
