//! Connections: kept across calls, capped, encrypted, and gone with their binding.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use bytes::Bytes;
use fleetgate_core::address::Resolver;
use fleetgate_http::HttpOptions;
use http::HeaderValue;
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;
use wasmtime_wasi_http::{Error, RequestOptions};

use crate::upstream::{Authority, Upstream, read_head};
use crate::world::{Answers, Watched, World, request, with_body};

#[tokio::test]
async fn a_connection_is_used_again_by_the_next_call() {
    let upstream = Upstream::echo().await;
    let world = World::new(&upstream.grant());
    let binding = world.bind();
    for _ in 0..50 {
        world.call().to(&binding).send(with_body("POST", "http://api.upstream/a", "body")).await.unwrap();
    }
    assert_eq!((upstream.requests(), upstream.accepted()), (50, 1));
}

#[tokio::test]
async fn an_answer_that_was_not_read_to_its_end_costs_its_connection() {
    let upstream = Upstream::saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
    let world = World::new(&upstream.grant());
    let binding = world.bind();
    let caller = world.call().to(&binding);
    drop(caller.head(request("GET", "http://api.upstream/a")).await.unwrap());
    upstream.closed(1).await;
    drop(caller.head(request("GET", "http://api.upstream/a")).await.unwrap());
    assert_eq!(upstream.accepted(), 2);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_is_replaced() {
    let upstream = Upstream::raw(|mut stream| async move {
        // Says nothing about closing, and closes.
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        let _ = stream.shutdown().await;
    })
    .await;
    let world = World::new(&upstream.grant());
    let caller = world.call().to(&world.bind());
    for _ in 0..20 {
        let got = caller.send(with_body("POST", "http://api.upstream/a", "once")).await.unwrap();
        assert_eq!(got.text(), "ok");
    }
    assert_eq!(upstream.accepted(), 20);
}

#[tokio::test]
async fn connections_end_with_their_binding() {
    let upstream = Upstream::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let world = World::new(&upstream.grant());
    let binding = world.bind();
    world.call().to(&binding).get("http://api.upstream/a").await.unwrap();
    drop(binding);
    upstream.closed(1).await;
}

#[tokio::test]
async fn an_unused_connection_is_closed_after_a_while() {
    let upstream = Upstream::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let options = HttpOptions { idle_timeout: Duration::from_millis(50), ..HttpOptions::default() };
    let world = World::with(options, &upstream.grant());
    let binding = world.bind();
    world.call().to(&binding).get("http://api.upstream/a").await.unwrap();
    upstream.closed(1).await;
    world.call().to(&binding).get("http://api.upstream/a").await.unwrap();
    upstream.closed(2).await;
}

/// Counts the requests that are being answered at the same time.
async fn crowded() -> (Upstream, Arc<AtomicUsize>) {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&most);
    let routes = Router::new().fallback(move || {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            "fine"
        }
    });
    (Upstream::serve(routes).await, counted)
}

#[tokio::test]
async fn a_grant_has_no_more_connections_than_it_says() {
    let (upstream, most) = crowded().await;
    let world = World::new(&(upstream.grant() + "\nconnections = 3"));
    let binding = world.bind();
    let callers: Vec<_> = (0..10).map(|_| world.call().to(&binding)).collect();
    let all = callers.iter().flat_map(|caller| (0..10).map(move |_| caller.get("http://api.upstream/a")));
    for got in futures_util::future::join_all(all).await {
        assert_eq!(got.unwrap().text(), "fine");
    }
    assert_eq!((most.load(Ordering::SeqCst), upstream.accepted()), (3, 3));
}

#[tokio::test]
async fn waiting_for_a_connection_ends_with_the_patience_of_the_guest() {
    let upstream = Upstream::saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
    let world = World::new(&(upstream.grant() + "\nconnections = 1"));
    let caller = world.call().to(&world.bind());
    let held = caller.head(request("GET", "http://api.upstream/a")).await.unwrap();
    let options =
        RequestOptions { connect_timeout: Some(Duration::from_millis(50)), ..RequestOptions::default() };
    let failure = caller.session.send(request("GET", "http://api.upstream/a"), options).await.unwrap_err();
    assert!(matches!(failure.into_guest(), Error::ConnectionTimeout));
    drop(held);
    caller.head(request("GET", "http://api.upstream/a")).await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_to_one_host_gives_way_to_another_host() {
    let (authority, one, two) = two_hosts().await;
    let options = HttpOptions {
        resolver: Answers::new(&[&["93.184.216.34"]]),
        dialer: Arc::new(ByPort { one: one.address, two: two.address }),
        ..HttpOptions::default()
    };
    let asked = "paths = [\"/**\"]\nhosts = [\"one.example.com:1001\", \"one.example.com:1002\"]";
    let world = World::over(options).want("fixed", asked, Some("connections = 1\nca = \"ca.pem\""));
    world.write("ca.pem", &authority.pem());
    let caller = world.call().to(&world.bind());
    for _ in 0..3 {
        caller.get("https://one.example.com:1001/a").await.unwrap();
        caller.get("https://one.example.com:1002/a").await.unwrap();
    }
    assert_eq!((one.accepted(), two.accepted()), (3, 3));
}

struct ByPort {
    one: std::net::SocketAddr,
    two: std::net::SocketAddr,
}

impl fleetgate_core::address::Dialer for ByPort {
    fn dial(
        &self,
        address: std::net::SocketAddr,
    ) -> futures_util::future::BoxFuture<'_, std::io::Result<tokio::net::TcpStream>> {
        let to = if address.port() == 1001 { self.one } else { self.two };
        Box::pin(tokio::net::TcpStream::connect(to))
    }
}

async fn two_hosts() -> (Authority, Upstream, Upstream) {
    let authority = Authority::new();
    let routes = || Router::new().fallback(any(|| async { "fine" }));
    let one = Upstream::encrypted(routes(), authority.server("one.example.com")).await;
    let two = Upstream::encrypted(routes(), authority.server("one.example.com")).await;
    (authority, one, two)
}

fn encrypted_world(upstream: &Upstream, more: &str) -> World {
    World::new(&format!("url = \"https://localhost:{}\"\n{more}", upstream.port()))
}

#[tokio::test]
async fn an_authority_of_the_grants_own_is_trusted_and_no_other() {
    let authority = Authority::new();
    let routes = Router::new().fallback(any(|| async { "fine" }));
    let upstream = Upstream::encrypted(routes, authority.server("localhost")).await;
    let world = encrypted_world(&upstream, "ca = \"ca.pem\"");
    world.write("ca.pem", &authority.pem());
    let got = world.call().to(&world.bind()).get("http://api.upstream/a").await.unwrap();
    assert_eq!(got.text(), "fine");
    let world = encrypted_world(&upstream, "ca = \"ca.pem\"");
    world.write("ca.pem", &Authority::new().pem());
    let error = world.call().to(&world.bind()).error(request("GET", "http://api.upstream/a")).await;
    assert!(matches!(error, Error::TlsCertificateError), "{error:?}");
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let routes = Router::new().fallback(any(|| async { "fine" }));
    let upstream = Upstream::encrypted(routes, authority.server("other.example")).await;
    let world = encrypted_world(&upstream, "ca = \"ca.pem\"");
    world.write("ca.pem", &authority.pem());
    let error = world.call().to(&world.bind()).error(request("GET", "http://api.upstream/a")).await;
    assert!(matches!(error, Error::TlsCertificateError), "{error:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_no_https_server() {
    let upstream = Upstream::echo().await;
    let world = encrypted_world(&upstream, "ca = \"ca.pem\"");
    world.write("ca.pem", &Authority::new().pem());
    let error = world.call().to(&world.bind()).error(request("GET", "http://api.upstream/a")).await;
    assert!(matches!(error, Error::TlsProtocolError), "{error:?}");
    assert_eq!(upstream.requests(), 0);
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let authority = Authority::new();
    let routes = || Router::new().fallback(any(|| async { "fine" }));
    let upstream = Upstream::encrypted(routes(), authority.server_for_known_clients("localhost")).await;
    let (certificate, key) = authority.issue("client");
    let more = "ca = \"ca.pem\"\nclient_cert = \"client.pem\"\nclient_key = \"key\"";
    let grant = format!("url = \"https://localhost:{}\"\n{more}", upstream.port());
    let world = World::new(&grant).secret("key", &key.serialize_pem());
    world.write("ca.pem", &authority.pem());
    world.write("client.pem", &certificate.pem());
    world.call().to(&world.bind()).get("http://api.upstream/a").await.unwrap();
    let world = encrypted_world(&upstream, "ca = \"ca.pem\"");
    world.write("ca.pem", &authority.pem());
    let failure = world.call().to(&world.bind()).get("http://api.upstream/a").await.unwrap_err();
    // In TLS 1.3 the client may be done before the server looks.
    let error = failure.into_guest();
    assert!(matches!(error, Error::TlsAlertReceived { .. } | Error::ConnectionTerminated), "{error:?}");
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test]
async fn http2_is_spoken_where_both_sides_can_and_one_connection_serves_all() {
    let authority = Authority::new();
    let mut config = authority.server("localhost");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tls = TlsAcceptor::from(Arc::new(config));
    let upstream = Upstream::raw(move |stream| {
        let tls = tls.clone();
        async move {
            let stream = tls.accept(stream).await.unwrap();
            let service = service_fn(|request: http::Request<hyper::body::Incoming>| async move {
                let text = format!("{:?} {} {:?}", request.version(), request.uri(), request.headers());
                let body = request.into_body().collect().await.unwrap();
                assert!(body.trailers().is_none(), "a request's trailers stay in the host");
                let body = body.to_bytes();
                Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(
                    [text.as_bytes(), &body].concat(),
                ))))
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await;
    let grant = format!(
        "url = \"https://localhost:{}/base\"\nca = \"ca.pem\"\ncredential = {{ bearer = \"key\" }}",
        upstream.port()
    );
    let world = World::new(&grant).secret("key", "s3cr3t-t0k3n");
    world.write("ca.pem", &authority.pem());
    let binding = world.bind();
    let caller = world.call().to(&binding);
    let got = caller.send(with_body("POST", "http://api.upstream/a?b=c", "the body")).await.unwrap();
    let text = got.text();
    let expected = format!("HTTP/2.0 https://localhost:{}/base/a?b=c", upstream.port());
    assert!(text.starts_with(&expected) && text.ends_with("the body"), "{text}");
    assert!(!text.contains("\"host\"") && !text.contains("s3cr3t"), "{text}");
    let trailers = http::HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::from_static("x"))]);
    let frames = [Frame::data(Bytes::from_static(b"with trailers")), Frame::trailers(trailers)];
    let body = StreamBody::new(futures_util::stream::iter(frames.map(Ok))).boxed_unsync();
    let sent = http::Request::builder().method("POST").uri("http://api.upstream/a").body(body).unwrap();
    assert!(caller.send(sent).await.unwrap().text().ends_with("with trailers"));
    let all = (0..10).map(|_| caller.get("http://api.upstream/a"));
    for got in futures_util::future::join_all(all).await {
        got.unwrap();
    }
    assert_eq!(upstream.accepted(), 1);
    drop((binding, caller));
    upstream.closed(1).await;
}

#[tokio::test]
async fn who_does_not_answer_is_told_apart() {
    // A port that is taken, so that nobody else gets it, and at which nobody listens.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let world = World::new(&format!("url = \"http://{}\"", taken.local_addr().unwrap()));
    let caller = world.call().to(&world.bind());
    let error = caller.error(request("GET", "http://api.upstream/a")).await;
    assert!(matches!(error, Error::ConnectionRefused), "{error:?}");
    assert!(caller.call.used.used()[0].starts_with("http.api GET /a failed: no connection to 127.0.0.1"));
    let resolvers: [Arc<dyn Resolver>; 2] = [Answers::new(&[&[]]), Arc::new(Watched::default())];
    for resolver in resolvers {
        let options = HttpOptions { resolver, ..HttpOptions::default() };
        let world = World::with(options, "url = \"https://nobody.example.com\"");
        let error = world.call().to(&world.bind()).error(request("GET", "http://api.upstream/a")).await;
        assert!(matches!(error, Error::DnsError { .. }), "{error:?}");
    }
    let options = HttpOptions {
        resolver: Answers::new(&[&["93.184.216.34"]]),
        dialer: Arc::new(Watched::default()),
        ..HttpOptions::default()
    };
    let world = World::with(options, "url = \"https://nobody.example.com\"");
    let error = world.call().to(&world.bind()).error(request("GET", "http://api.upstream/a")).await;
    assert!(matches!(error, Error::ConnectionRefused), "{error:?}");
}
