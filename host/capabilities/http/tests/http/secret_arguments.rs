//! Secret arguments of a call in requests: where they may go, and what comes back of them.

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::upstream::{Upstream, echo};
use crate::world::{ALL, Caller, World, request, with_body};

const SECRET: &str = "c4n4ry/\"p4ss\"\\wörd";
const ENABLE: &str = "3n4ble-c4n4ry";
const ASKS: &str = "from_call = { body = [\"/password\", \"/enable\"], basic = true }";

/// What an upstream got: its `Authorization` and its body.
type Seen = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// Keeps what it gets, and echoes it.
async fn keeping() -> (Upstream, Seen) {
    let seen = Seen::default();
    let sees = Arc::clone(&seen);
    let routes = Router::new().fallback(move |request: Request| {
        let sees = Arc::clone(&sees);
        async move {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 4 << 20).await.unwrap();
            let field = |name: &str| head.headers.get(name).map_or("", |value| value.to_str().unwrap());
            assert!(field("fleetgate-basic").is_empty(), "it is the host's own");
            let length = field("content-length");
            assert!(length.is_empty() || length == body.len().to_string(), "{length} of {}", body.len());
            sees.lock().unwrap().push((field("authorization").to_owned(), body.to_vec()));
            echo(Request::from_parts(head, body.into())).await
        }
    });
    (Upstream::serve(routes).await, seen)
}

fn world(upstream: &Upstream, grant: &str) -> World {
    let asks = format!("{ALL}\n{ASKS}");
    World::empty().want("api", &asks, Some(&format!("{}\n{grant}", upstream.grant())))
}

fn json_to(url: &str, body: &str) -> http::Request<WasiBody> {
    let mut sent = with_body("POST", url, body.to_owned());
    sent.headers_mut().insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
    sent
}

fn caller(world: &World) -> (Caller, [String; 2]) {
    let (call, placeholders) = world.call().with_secrets([SECRET, ENABLE]);
    (call.to(&world.bind()), placeholders)
}

#[tokio::test]
async fn a_placeholder_in_a_json_body_becomes_the_value_at_the_granted_pointers() {
    let (upstream, seen) = keeping().await;
    let world = world(&upstream, ASKS);
    let (caller, [password, enable]) = caller(&world);
    // The rest stays as it was written.
    let body = format!(r#"{{ "n": 1.50,  "password":"{password}", "enable": "{enable}", "host": "sw1" }}"#);
    let got = caller.send(json_to("http://api.upstream/jobs", &body)).await.unwrap();
    let expected = format!(
        r#"{{ "n": 1.50,  "password":{}, "enable": "{ENABLE}", "host": "sw1" }}"#,
        Value::from(SECRET)
    );
    assert_eq!(String::from_utf8(seen.lock().unwrap()[0].1.clone()).unwrap(), expected);
    let shown = got.everything();
    assert!(shown.contains("[masked]") && !shown.contains("c4n4ry"), "{shown}");
    assert!(!format!("{:?}{:?}", caller.call.used.used(), caller.call.used.refused()).contains("c4n4ry"));
}

#[tokio::test]
async fn a_body_that_comes_in_pieces_is_filled_and_one_that_is_too_large_is_refused() {
    let (upstream, seen) = keeping().await;
    let world = world(&upstream, ASKS);
    let (caller, [password, _]) = caller(&world);
    let text = json!({ "fill": "x".repeat(200_000), "password": password }).to_string();
    let pieces: Vec<_> =
        text.as_bytes().chunks(7_001).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    let mut sent = json_to("http://api.upstream/jobs", "");
    *sent.body_mut() = StreamBody::new(stream::iter(pieces)).boxed_unsync();
    caller.send(sent).await.unwrap();
    let body: Value = serde_json::from_slice(&seen.lock().unwrap()[0].1).unwrap();
    assert_eq!(body["password"], SECRET);
    let large = json!({ "fill": "x".repeat(2 << 20), "password": password }).to_string();
    let error = caller.error(json_to("http://api.upstream/jobs", &large)).await;
    assert!(matches!(error, Error::HttpRequestBodySize(Some(size)) if size == 1 << 20), "{error:?}");
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test]
async fn a_placeholder_anywhere_else_refuses_the_request() {
    let (upstream, _) = keeping().await;
    let world = world(&upstream, ASKS);
    let (caller, [password, enable]) = caller(&world);
    let (_, [others, _]) = world.call().with_secrets([SECRET, ENABLE]);
    let url = "http://api.upstream/jobs";
    let plain = |body: String| with_body("POST", url, body);
    let mut in_field = request("GET", url);
    in_field.headers_mut().insert("x-key", HeaderValue::from_str(&password).unwrap());
    for (sent, said) in [
        (request("GET", &format!("{url}?p={password}")), "in the URL"),
        (request("GET", &format!("{url}/{password}")), "in the URL"),
        (in_field, "in the header field x-key"),
        (json_to(url, &json!({ "comment": password }).to_string()), "in the body at /comment"),
        (
            json_to(url, &json!({ "deep": [{ "password": password }] }).to_string()),
            "in the body at /deep/0/password",
        ),
        (json_to(url, &json!({ "password": format!("x{password}") }).to_string()), "in the body"),
        (json_to(url, &format!(r#"{{"password":"{password}","comment":"{password}"}}"#)), "more than once"),
        // Parsers differ in which of two equal keys they take.
        (json_to(url, &format!(r#"{{"password":"{password}","password":"{password}"}}"#)), "more than once"),
        (
            json_to(url, &format!(r#"{{"x":"{password}","x":0,"password":"\u0066{}"}}"#, &password[1..])),
            "cannot be replaced",
        ),
        (json_to(url, &json!({ "password": others }).to_string()), "stands for nothing in this call"),
        (json_to(url, &format!("not JSON {enable}")), "in the body"),
        (plain(json!({ "password": password }).to_string()), "in the body at /password"),
        (plain(format!("password={password}")), "in the body"),
    ] {
        let refused = caller.refused(sent).await;
        assert!(refused.contains("placeholder") && refused.contains(said), "{said}: {refused}");
    }
    assert_eq!(upstream.requests(), 0);
    // A text that only begins like one is a text.
    caller.send(json_to(url, r#"{"comment":"fleetgate-secret-x"}"#)).await.unwrap();
}

#[tokio::test]
async fn without_the_grants_word_no_value_leaves_and_the_record_says_which_line_would_do() {
    let (upstream, seen) = keeping().await;
    for (grant, sent_body, allow) in [
        ("", "/password", "from_call = { body = [\"/password\"] }"),
        (
            "from_call = { body = [\"/enable\"] }",
            "/password",
            "from_call = { body = [\"/enable\", \"/password\"] }",
        ),
    ] {
        let world = world(&upstream, grant);
        let (caller, [password, _]) = caller(&world);
        let body = json!({ "password": password }).to_string();
        let refused = caller.refused(json_to("http://api.upstream/jobs", &body)).await;
        assert!(refused.contains(sent_body) && refused.contains(allow), "{refused}");
        let mut sent = request("GET", "http://api.upstream/jobs");
        let field = HeaderValue::from_str(&format!("netops:{password}")).unwrap();
        sent.headers_mut().insert("fleetgate-basic", field);
        let refused = caller.refused(sent).await;
        assert!(refused.contains("basic = true"), "{refused}");
    }
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn basic_is_made_of_a_name_and_a_placeholder_instead_of_the_grants_credential() {
    let (upstream, seen) = keeping().await;
    let grant = format!("{ASKS}\ncredential = {{ bearer = \"key\" }}");
    let world = world(&upstream, &grant).secret("key", "the-grants-0wn-c4n4ry");
    let (caller, [password, _]) = caller(&world);
    let mut sent = request("GET", "http://api.upstream/jobs/7");
    let field = HeaderValue::from_bytes(format!("jürgen:{password}").as_bytes()).unwrap();
    sent.headers_mut().insert("fleetgate-basic", field);
    let got = caller.send(sent).await.unwrap();
    let pair = STANDARD.encode(format!("jürgen:{SECRET}"));
    assert_eq!(seen.lock().unwrap()[0].0, format!("Basic {pair}"));
    let shown = got.everything();
    assert!(!shown.contains(&pair) && !shown.contains("c4n4ry"), "{shown}");
    // The next request has the grant's own again.
    caller.get("http://api.upstream/jobs/7").await.unwrap();
    assert_eq!(seen.lock().unwrap()[1].0, "Bearer the-grants-0wn-c4n4ry");
}

#[tokio::test]
async fn basic_of_anything_but_a_name_and_a_placeholder_is_refused() {
    let (upstream, seen) = keeping().await;
    let world = world(&upstream, ASKS);
    let (caller, [password, _]) = caller(&world);
    let (_, [others, _]) = world.call().with_secrets([SECRET, ENABLE]);
    for (field, said) in [
        ("netops:hunter2".to_owned(), "no secret argument of this call"),
        (format!("netops:{others}"), "no secret argument of this call"),
        (format!("net:ops:{password}"), "not user:placeholder"),
        (password.clone(), "not user:placeholder"),
        (String::new(), "not user:placeholder"),
    ] {
        let mut sent = request("GET", "http://api.upstream/jobs");
        sent.headers_mut().insert("fleetgate-basic", HeaderValue::from_str(&field).unwrap());
        let refused = caller.refused(sent).await;
        assert!(refused.contains(said) && !refused.contains("hunter2"), "{field}: {refused}");
    }
    // In a call without secret arguments as well.
    let plain = world.call().to(&world.bind());
    let mut sent = request("GET", "http://api.upstream/jobs");
    sent.headers_mut()
        .insert("fleetgate-basic", HeaderValue::from_str(&format!("netops:{password}")).unwrap());
    plain.refused(sent).await;
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_upstream_that_keeps_what_it_was_told_tells_the_guest_nothing_in_a_later_request() {
    let upstream = Upstream::serve(Router::new().fallback(|| async {
        let told = [SECRET.to_owned(), STANDARD.encode(format!("x{SECRET}")), ENABLE.replace('-', "%2D")];
        Response::builder().header("x-kept", ENABLE).body(told.join("\n")).unwrap()
    }))
    .await;
    let world = world(&upstream, ASKS);
    let (caller, _) = caller(&world);
    let mut sent = request("GET", "http://api.upstream/kept");
    sent.headers_mut().insert("range", HeaderValue::from_static("bytes=0-3"));
    let shown = caller.send(sent).await.unwrap().everything();
    assert!(shown.contains("[masked]") && !shown.contains("c4n4ry"), "{shown}");
    assert!(!shown.contains(&STANDARD.encode("c4n4ry")[..6]), "{shown}");
}

#[tokio::test]
async fn no_redirect_takes_a_value_elsewhere() {
    let (other, elsewhere) = keeping().await;
    let to = other.url();
    let redirecting = Upstream::serve(Router::new().fallback(move |request: Request| {
        let to = to.clone();
        async move {
            let same = request.uri().path().starts_with("/same");
            let location = if same { "/to".to_owned() } else { format!("{to}/to") };
            if request.uri().path() == "/to" {
                return echo(request).await;
            }
            Response::builder().status(307).header("location", location).body("moved".into()).unwrap()
        }
    }))
    .await;
    let asks = format!("{ALL}\n{ASKS}");
    let world = World::empty()
        .want("api", &asks, Some(&format!("{}\nredirects = true\n{ASKS}", redirecting.grant())))
        .want("other", &asks, Some(&format!("{}\n{ASKS}", other.grant())));
    let (caller, [password, _]) = caller(&world);
    let body = json!({ "password": password }).to_string();
    let got = caller.send(json_to("http://api.upstream/away", &body)).await.unwrap();
    assert_eq!((got.status, elsewhere.lock().unwrap().len()), (307, 0), "the guest gets the redirect itself");
    let got = caller.send(json_to("http://api.upstream/same", &body)).await.unwrap();
    assert!(got.text().starts_with("POST /to\n") && got.text().contains("[masked]"), "{}", got.text());
    // Basic is left behind, as the grant's own credential is.
    let mut sent = request("GET", "http://api.upstream/away");
    sent.headers_mut().insert("fleetgate-basic", HeaderValue::from_str(&format!("a:{password}")).unwrap());
    assert_eq!(caller.send(sent).await.unwrap().status, 200);
    assert_eq!(elsewhere.lock().unwrap()[0].0, "");
}

#[tokio::test]
async fn a_call_without_secret_arguments_is_not_looked_through() {
    let (upstream, seen) = keeping().await;
    let world = world(&upstream, ASKS);
    let caller = world.call().to(&world.bind());
    let body = r#"{"password":"fleetgate-secret-abcdefghjkmnpqrstuvwxyz023"}"#;
    let got = caller.send(json_to("http://api.upstream/jobs", body)).await.unwrap();
    assert!(got.text().ends_with(body), "{}", got.text());
    assert_eq!(seen.lock().unwrap()[0].1, body.as_bytes());
}
