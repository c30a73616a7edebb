//! What the host adds, and what of it the guest must never read.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::upstream::{Upstream, gzip};
use crate::world::{ALL, World, request, with_body};

const SECRET: &str = "c4n4ry/Secret+Value=\"1\"";

fn with_credential(upstream: &Upstream, credential: &str) -> World {
    let grant = format!("{}\ncredential = {credential}", upstream.grant());
    World::new(&grant).secret("key", SECRET)
}

#[tokio::test]
async fn each_kind_of_credential_is_added_as_its_upstream_wants_it() {
    let basic = format!("Basic {}", STANDARD.encode(format!("fleet:{SECRET}")));
    for (credential, header, expected) in [
        ("{ bearer = \"key\" }", "authorization", format!("Bearer {SECRET}")),
        ("{ basic = { user = \"fleet\", password = \"key\" } }", "authorization", basic),
        ("{ header = \"X-Api-Key\", secret = \"key\" }", "x-api-key", SECRET.to_owned()),
    ] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sees = Arc::clone(&seen);
        let routes = Router::new().fallback(move |request: axum::extract::Request| {
            sees.lock().unwrap().extend(request.headers().get_all(header).iter().cloned());
            async { "fine" }
        });
        let upstream = Upstream::serve(routes).await;
        let world = with_credential(&upstream, credential);
        let caller = world.call().to(&world.bind());
        let mut sent = request("GET", "http://api.upstream/a");
        sent.headers_mut().append(header, HeaderValue::from_static("the guest's own"));
        caller.send(sent).await.unwrap();
        assert_eq!(*seen.lock().unwrap(), [HeaderValue::from_str(&expected).unwrap()], "{credential}");
    }
}

#[tokio::test]
async fn an_upstream_that_echoes_everything_tells_the_guest_nothing() {
    let upstream = Upstream::echo().await;
    let basic = STANDARD.encode(format!("fleet:{SECRET}"));
    for credential in [
        "{ bearer = \"key\" }",
        "{ basic = { user = \"fleet\", password = \"key\" } }",
        "{ header = \"X-Api-Key\", secret = \"key\" }",
    ] {
        let world = with_credential(&upstream, credential);
        let caller = world.call().to(&world.bind());
        let got = caller.send(with_body("POST", "http://api.upstream/a", "a body")).await.unwrap();
        let seen = got.everything();
        assert!(!seen.contains(SECRET) && !seen.contains(&basic), "{seen}");
        assert!(got.text().contains("[masked]") && got.text().ends_with("a body"), "{seen}");
        assert!(!got.headers.contains_key("content-length"), "it would be the wrong one");
        let said = format!("{:?}{:?}", caller.call.used.used(), caller.call.used.refused());
        assert!(!said.contains("c4n4ry"), "{said}");
    }
}

#[tokio::test]
async fn every_form_is_masked_in_body_and_headers_split_and_compressed() {
    let percent = utf8_percent_encode(SECRET, NON_ALPHANUMERIC).to_string();
    let json = serde_json::to_string(SECRET).unwrap();
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    for form in [
        SECRET.to_owned(),
        STANDARD.encode(SECRET),
        STANDARD_NO_PAD.encode(SECRET),
        URL_SAFE.encode(SECRET),
        URL_SAFE_NO_PAD.encode(SECRET),
        STANDARD.encode(format!("fleet:{SECRET}")),
        // A header field that somebody encodes once more.
        STANDARD.encode(STANDARD.encode(format!("fleet:{SECRET}"))),
        percent.replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d"),
        percent,
        json[1..json.len() - 1].to_owned(),
        hex.to_uppercase(),
        hex,
    ] {
        let text = format!("{{\"before\": 1, \"echo\": \"{form}\", \"after\": 2}}");
        for compressed in [false, true] {
            let bytes = if compressed { gzip(text.as_bytes()).await } else { text.clone().into_bytes() };
            let header = HeaderValue::from_str(&form).unwrap();
            let routes = Router::new().fallback(move || {
                let pieces: Vec<_> =
                    bytes.chunks(3).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
                let mut response = Response::builder().header("x-echo", header.clone());
                if compressed {
                    response = response.header("content-encoding", "gzip");
                }
                let response = response.body(Body::from_stream(futures_util::stream::iter(pieces))).unwrap();
                async { response }
            });
            let upstream = Upstream::serve(routes).await;
            let world = with_credential(&upstream, "{ basic = { user = \"fleet\", password = \"key\" } }");
            let got = world.call().to(&world.bind()).get("http://api.upstream/a").await.unwrap();
            assert_eq!(got.text(), "{\"before\": 1, \"echo\": \"[masked]\", \"after\": 2}", "{form}");
            assert_eq!(got.header("x-echo"), "[masked]", "{form}");
            assert_eq!(got.header("content-encoding"), "");
        }
    }
}

#[tokio::test]
async fn trailers_and_field_names_are_masked() {
    let upstream = Upstream::saying(format!(
        "HTTP/1.1 200 OK\r\nX-abcdef123456: 1\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n\
         2\r\nok\r\n0\r\nx-sum: got {}\r\n\r\n",
        "abcdef123456"
    ))
    .await;
    let grant = upstream.grant() + "\ncredential = { bearer = \"key\" }";
    let world = World::new(&grant).secret("key", "abcdef123456");
    let got = world.call().to(&world.bind()).get("http://api.upstream/a").await.unwrap();
    assert!(!got.everything().contains("abcdef123456"), "{}", got.everything());
    assert_eq!(got.trailers.unwrap()["x-sum"], "got [masked]");
}

#[tokio::test]
async fn a_guest_cannot_have_an_echo_piece_by_piece() {
    let upstream = Upstream::echo().await;
    let world = with_credential(&upstream, "{ bearer = \"key\" }");
    let caller = world.call().to(&world.bind());
    let mut sent = request("GET", "http://api.upstream/a");
    sent.headers_mut().insert("range", HeaderValue::from_static("bytes=0-3"));
    sent.headers_mut().insert("if-range", HeaderValue::from_static("\"tag\""));
    let text = caller.send(sent).await.unwrap().text();
    assert!(!text.contains("range"), "{text}");
}

#[tokio::test]
async fn a_rotated_secret_is_used_without_a_reload_and_masked_as_well() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    let routes = Router::new().fallback(move |request: axum::extract::Request| {
        let value = request.headers()["authorization"].to_str().unwrap().to_owned();
        sees.lock().unwrap().push(value.clone());
        async { value }
    });
    let upstream = Upstream::serve(routes).await;
    let world = with_credential(&upstream, "{ bearer = \"key\" }");
    let caller = world.call().to(&world.bind());
    caller.get("http://api.upstream/a").await.unwrap();
    world.write("key", "another-secret");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let got = caller.get("http://api.upstream/a").await.unwrap();
    assert_eq!(got.text(), "Bearer [masked]");
    assert_eq!(*seen.lock().unwrap(), [format!("Bearer {SECRET}"), "Bearer another-secret".to_owned()]);
}

#[tokio::test]
async fn a_secret_that_is_gone_ends_its_use() {
    let upstream = Upstream::echo().await;
    let world = with_credential(&upstream, "{ bearer = \"key\" }");
    let caller = world.call().to(&world.bind());
    caller.get("http://api.upstream/a").await.unwrap();
    std::fs::remove_file(world.path("key")).unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let error = caller.error(request("GET", "http://api.upstream/a")).await;
    assert_eq!(format!("{error:?}"), "ConfigurationError");
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_is_said_at_load() {
    let upstream = Upstream::echo().await;
    let world = with_credential(&upstream, "{ bearer = \"key\" }");
    std::fs::remove_file(world.path("key")).unwrap();
    let said = world.try_bind().err().unwrap().to_string();
    assert!(said.contains("plugins.lab.grant.http.api") && said.contains("the secret \"key\""), "{said}");
    let world = with_credential(&upstream, "{ bearer = \"key\" }");
    world.write("key", "two\nlines");
    let said = world.try_bind().err().unwrap().to_string();
    assert!(said.contains("a line break") && !said.contains("two"), "{said}");
}

#[tokio::test]
async fn a_credential_goes_to_its_own_origin_alone() {
    let upstream = Upstream::echo().await;
    let other = Upstream::echo().await;
    let grant = upstream.grant() + "\ncredential = { bearer = \"key\" }";
    let world = World::new(&grant).secret("key", SECRET).want("files", ALL, Some(&other.grant()));
    let caller = world.call().to(&world.bind());
    let text = caller.get("http://files.upstream/a").await.unwrap().text();
    assert!(!text.contains("authorization"), "{text}");
    let text = caller.get(&format!("{}/a", other.url())).await.unwrap().text();
    assert!(!text.contains("authorization"), "{text}");
}

/// Collects what is logged on this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_holds_a_secret_a_query_or_a_body_at_any_level() {
    let lines = Lines::default();
    let writer = lines.clone();
    // The host's own lines, and the libraries' as far as an operator can turn them on.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let upstream = Upstream::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let world = with_credential(&upstream, "{ bearer = \"key\" }");
    let caller = world.call().to(&world.bind());
    caller.send(with_body("POST", "http://api.upstream/a?q=QUERY", "BODY")).await.unwrap();
    caller.refused(with_body("POST", "http://other.example/a?q=QUERY", "BODY")).await;
    caller.refused(with_body("OPTIONS", "http://api.upstream/a?q=QUERY", "BODY")).await;
    for _ in 0..50 {
        caller.refused(request("OPTIONS", "http://api.upstream/a")).await;
    }
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let ours: Vec<_> = text.lines().filter(|line| line.contains("fleetgate_")).collect();
    assert_eq!(
        ours.iter().filter(|line| line.contains("request refused")).count(),
        16,
        "no more of one call"
    );
    for canary in ["c4n4ry", "QUERY", "BODY"] {
        let told: Vec<_> = ours.iter().filter(|line| line.contains(canary)).collect();
        assert!(told.is_empty(), "{told:?}");
    }
    assert!(!text.contains("c4n4ry"), "{text}");
}
