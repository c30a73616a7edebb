//! Redirects: each hop is a request of its own.

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use crate::upstream::{Upstream, echo};
use crate::world::{ALL, World, request, with_body};

/// Redirects `/to?status,location` and echoes everything else.
async fn redirecting() -> Upstream {
    Upstream::serve(Router::new().fallback(|request: Request| async {
        match request.uri().query().filter(|_| request.uri().path() == "/to").map(str::to_owned) {
            Some(query) => {
                let (status, location) = query.split_once(',').unwrap();
                let status: u16 = status.parse().unwrap();
                Response::builder().status(status).header("location", location).body("moved".into()).unwrap()
            }
            None => echo(request).await,
        }
    }))
    .await
}

fn following(upstream: &Upstream) -> World {
    World::new(&(upstream.grant() + "\nredirects = true"))
}

#[tokio::test]
async fn a_redirect_is_not_followed_unless_the_grant_says_so() {
    let upstream = redirecting().await;
    let world = World::new(&upstream.grant());
    let got = world.call().to(&world.bind()).get("http://api.upstream/to?302,/a").await.unwrap();
    assert_eq!((got.status, got.header("location")), (302, "/a"));
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test]
async fn redirects_are_followed_as_their_status_says() {
    let upstream = redirecting().await;
    let world = following(&upstream);
    let caller = world.call().to(&world.bind());
    for (method, status, becomes) in [
        ("GET", 301, "GET"),
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("PUT", 302, "PUT"),
        ("PUT", 303, "GET"),
        ("POST", 307, "POST"),
        ("PATCH", 308, "PATCH"),
    ] {
        let mut sent = with_body(method, &format!("http://api.upstream/to?{status},/a"), "the body");
        sent.headers_mut().insert("content-type", HeaderValue::from_static("text/plain"));
        let text = caller.send(sent).await.unwrap().text();
        assert!(text.starts_with(&format!("{becomes} /a\n")), "{method} {status}: {text}");
        let kept = becomes == method;
        assert_eq!(text.ends_with("the body"), kept, "{method} {status}: {text}");
        assert_eq!(text.contains("content-type"), kept, "{method} {status}: {text}");
    }
    assert_eq!(upstream.accepted(), 1, "the connection is used again for every hop");
}

#[tokio::test]
async fn a_sixth_hop_is_one_too_many() {
    let upstream = redirecting().await;
    let world = following(&upstream);
    let caller = world.call().to(&world.bind());
    let nested = |hops: usize| (1..hops).fold("/a".to_owned(), |inner, _| format!("/to?302,{inner}"));
    let got = caller.get(&format!("http://api.upstream/to?302,{}", nested(5))).await.unwrap();
    assert_eq!(got.status, 200);
    let error = caller.error(request("GET", &format!("http://api.upstream/to?302,{}", nested(6)))).await;
    assert_eq!(format!("{error:?}"), "LoopDetected");
}

#[tokio::test]
async fn a_redirect_to_an_ungranted_host_is_refused() {
    let upstream = redirecting().await;
    let other = Upstream::echo().await;
    let world = following(&upstream).want("files", ALL, None);
    let caller = world.call().to(&world.bind());
    for location in [
        format!("http://127.0.0.1:{}/a", other.port()),
        format!("//127.0.0.1:{}/a", other.port()),
        format!("https://127.0.0.1:{}/a", upstream.port()),
        format!("http://user@127.0.0.1:{}/a", upstream.port()),
        "http://169.254.169.254/latest/meta-data".into(),
        "http://[fd00:ec2::254]/latest/meta-data".into(),
        "http://0xa9fea9fe/latest/meta-data".into(),
        "https://evil.example/".into(),
        "http://api.upstream/a".into(),
        "http://files.upstream/a".into(),
        "ftp://evil.example/".into(),
        "data:,x".into(),
    ] {
        let why = caller.refused(request("GET", &format!("http://api.upstream/to?302,{location}"))).await;
        assert!(why.contains("http.api redirected"), "{location}: {why}");
    }
    assert_eq!(other.accepted(), 0);
}

#[tokio::test]
async fn a_redirect_to_an_ungranted_path_or_method_is_refused() {
    let upstream = redirecting().await;
    let grant = upstream.grant() + "\nredirects = true\nmethods = [\"POST\"]\npaths = [\"/to\", \"/a\"]";
    let world = World::new(&grant);
    let caller = world.call().to(&world.bind());
    let why = caller.refused(request("POST", "http://api.upstream/to?307,/b")).await;
    assert!(why.contains("the grant allows /to, /a only"), "{why}");
    let why = caller.refused(request("POST", "http://api.upstream/to?302,/a")).await;
    assert!(why.contains("GET /a: the grant allows POST only"), "{why}");
    let why = caller.refused(request("POST", "http://api.upstream/to?307,/a%252fb")).await;
    assert!(why.contains("encoded twice"), "{why}");
    caller.send(request("POST", "http://api.upstream/to?307,/x/../a")).await.unwrap();
}

#[tokio::test]
async fn nothing_meant_for_one_origin_goes_to_another_or_comes_back() {
    let upstream = redirecting().await;
    let other = redirecting().await;
    let grant = upstream.grant() + "\nredirects = true\ncredential = { bearer = \"key\" }";
    let others = other.grant() + "\ncredential = { header = \"X-Other-Key\", secret = \"other\" }";
    let world = World::empty()
        .secret("key", "first-s3cr3t")
        .secret("other", "other-s3cr3t")
        .want("api", ALL, Some(&grant))
        .want("other", ALL, Some(&others));
    let caller = world.call().to(&world.bind());
    let sent = |url: &str| {
        let mut sent = request("GET", url);
        sent.headers_mut().insert("x-plugin-token", HeaderValue::from_static("the guest's"));
        sent.headers_mut().insert("accept", HeaderValue::from_static("text/plain"));
        sent
    };
    let stays = caller.send(sent("http://api.upstream/to?302,/a")).await.unwrap().text();
    assert!(stays.contains("authorization: Bearer [masked]") && stays.contains("x-plugin-token"), "{stays}");
    let leaves =
        caller.send(sent(&format!("http://api.upstream/to?302,{}/a", other.url()))).await.unwrap().text();
    assert!(!leaves.contains("authorization") && !leaves.contains("x-plugin-token"), "{leaves}");
    assert!(
        !leaves.contains("x-other-key"),
        "the redirecting upstream does not act with another one's credential"
    );
    assert!(leaves.contains("accept: text/plain"), "{leaves}");
    let back = format!("http://api.upstream/to?302,{}/to?302,{}/a", other.url(), upstream.url());
    let returns = caller.send(sent(&back)).await.unwrap().text();
    assert!(!returns.contains("authorization") && !returns.contains("x-plugin-token"), "{returns}");
}

#[tokio::test]
async fn a_location_that_holds_the_credential_is_not_followed() {
    let upstream = redirecting().await;
    let other = Upstream::echo().await;
    let grant = upstream.grant() + "\nredirects = true\ncredential = { bearer = \"key\" }";
    let world = World::new(&grant).secret("key", "first-s3cr3t").want("o", ALL, Some(&other.grant()));
    let caller = world.call().to(&world.bind());
    let url = format!("http://api.upstream/to?302,{}/a?token=first-s3cr3t", other.url());
    let got = caller.get(&url).await.unwrap();
    assert_eq!(got.status, 302);
    assert_eq!(got.header("location"), format!("{}/a?token=[masked]", other.url()));
    assert_eq!(other.accepted(), 0);
}

#[tokio::test]
async fn a_body_that_streamed_by_is_not_sent_twice_and_the_guest_gets_the_redirect() {
    let upstream = Upstream::serve(Router::new().fallback(|request: Request| async {
        let _ = axum::body::to_bytes(request.into_body(), usize::MAX).await;
        Response::builder().status(307).header("location", "/a").body(axum::body::Body::empty()).unwrap()
    }))
    .await;
    let world = following(&upstream);
    let caller = world.call().to(&world.bind());
    let pieces = stream::iter((0..40).map(|_| Ok(Frame::data(Bytes::from(vec![b'x'; 4096])))));
    let body = StreamBody::new(pieces).boxed_unsync();
    let sent = http::Request::builder().method("POST").uri("http://api.upstream/to").body(body).unwrap();
    let got = caller.send(sent).await.unwrap();
    assert_eq!((got.status, got.header("location")), (307, "/a"));
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test]
async fn a_location_that_leads_nowhere_is_the_guests_to_read() {
    for location in [&b"https://"[..], b"http://[::1", b"file:///etc/passwd", b"/caf\xe9"] {
        let head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ";
        let upstream = Upstream::saying([head, location, b"\r\n\r\n"].concat()).await;
        let world = following(&upstream);
        let got = world.call().to(&world.bind()).get("http://api.upstream/b").await.unwrap();
        assert_eq!((got.status, got.headers["location"].as_bytes()), (302, location));
    }
}
