//! Sizes, times and counts that a request is held to.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use fleetgate_http::HttpOptions;
use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use crate::upstream::{Upstream, gzip, read_head};
use crate::world::{Answers, Watched, World, request, with_body};

/// What a body that fails on the way ends with.
async fn body_error(body: WasiBody) -> Error {
    match body.collect().await {
        Ok(body) => panic!("the body ended well, with {} bytes", body.to_bytes().len()),
        Err(error) => error,
    }
}

async fn streaming(bytes: usize) -> Upstream {
    Upstream::serve(Router::new().fallback(move || async move {
        let pieces = stream::iter((0..bytes / 1024).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1024])));
        Response::new(Body::from_stream(pieces))
    }))
    .await
}

#[tokio::test]
async fn a_body_ends_at_the_limit() {
    let upstream = streaming(65 << 10).await;
    let world = World::new(&upstream.grant());
    let binding = world.bind();
    let got = world.call().response(65 << 10).to(&binding).get("http://api.upstream/a").await.unwrap();
    assert_eq!(got.body.len(), 65 << 10, "a body at the limit passes");
    let caller = world.call().response((65 << 10) - 1).to(&binding);
    let response = caller.head(request("GET", "http://api.upstream/a")).await.unwrap();
    let error = body_error(response.into_body()).await;
    assert!(matches!(error, Error::HttpResponseBodySize(Some(66559))), "{error:?}");
}

#[tokio::test]
async fn a_body_that_says_that_it_is_too_long_is_not_read() {
    let upstream = Upstream::saying("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n").await;
    let world = World::new(&upstream.grant());
    let error = world.call().to(&world.bind()).error(request("GET", "http://api.upstream/a")).await;
    assert!(matches!(error, Error::HttpResponseBodySize(Some(1_048_577))), "{error:?}");
}

/// Gzip of very many zeros, in members of 1 MiB that take a kilobyte each: the whole is never in memory.
async fn bomb(mebibytes: usize) -> Vec<u8> {
    gzip(&vec![0; 1 << 20]).await.repeat(mebibytes)
}

async fn compressed(coding: &'static str, bytes: Vec<u8>) -> Upstream {
    Upstream::serve(Router::new().fallback(move || {
        let bytes = bytes.clone();
        async move { Response::builder().header("content-encoding", coding).body(Body::from(bytes)).unwrap() }
    }))
    .await
}

#[tokio::test]
async fn a_little_that_unpacks_to_a_gigabyte_is_stopped() {
    let upstream = compressed("gzip", bomb(1024).await).await;
    let world = World::new(&upstream.grant());
    let binding = world.bind();
    // By the limit on bodies, or by the ratio where the limit is far away.
    for limit in [1 << 20, 2 << 30] {
        let caller = world.call().response(limit).to(&binding);
        let response = caller.head(request("GET", "http://api.upstream/a")).await.unwrap();
        let mut body = response.into_body();
        let mut read = 0;
        let error = loop {
            match body.frame().await.expect("it does not end well") {
                Ok(frame) => read += frame.into_data().unwrap().len() as u64,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::HttpResponseBodySize(_)), "{error:?}");
        assert!(read <= limit.min(128 << 20), "{read} bytes came through");
    }
}

#[tokio::test]
async fn honest_compression_is_unpacked_whatever_it_is() {
    use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
    let text: String = (0..20_000).map(|n| format!("line {n}\n")).collect();
    async fn read(mut encoder: impl tokio::io::AsyncRead + Unpin) -> Vec<u8> {
        let mut packed = Vec::new();
        encoder.read_to_end(&mut packed).await.unwrap();
        packed
    }
    for (coding, packed) in [
        ("gzip", read(GzipEncoder::new(text.as_bytes())).await),
        ("x-gzip", read(GzipEncoder::new(text.as_bytes())).await),
        ("GZip", read(GzipEncoder::new(text.as_bytes())).await),
        ("deflate", read(ZlibEncoder::new(text.as_bytes())).await),
        ("br", read(BrotliEncoder::new(text.as_bytes())).await),
        ("zstd", read(ZstdEncoder::new(text.as_bytes())).await),
        ("identity", text.clone().into_bytes()),
    ] {
        let upstream = compressed(coding, packed).await;
        let world = World::new(&upstream.grant());
        let caller = world.call().to(&world.bind());
        for _ in 0..2 {
            let got = caller.get("http://api.upstream/a").await.unwrap();
            assert_eq!(got.text(), text, "{coding}");
            assert_eq!(got.header("content-encoding"), "", "{coding}");
        }
        assert_eq!(upstream.accepted(), 1, "{coding}: the connection is free after the last byte");
        let head = caller.send(request("HEAD", "http://api.upstream/a")).await.unwrap();
        assert_eq!((head.status, head.body.len()), (200, 0), "{coding}");
    }
}

#[tokio::test]
async fn what_cannot_be_unpacked_cannot_be_read() {
    for (coding, said) in
        [("compress", "compress"), ("gzip, br", "several codings"), ("gzip, gzip", "several codings")]
    {
        let upstream = compressed(coding, b"CANARY".to_vec()).await;
        let world = World::new(&upstream.grant());
        let error = world.call().to(&world.bind()).error(request("GET", "http://api.upstream/a")).await;
        assert_eq!(format!("{error:?}"), format!("HttpResponseContentCoding(Some({said:?}))"));
    }
    let mut cut = bomb(1).await;
    cut.truncate(500);
    for (coding, bytes) in
        [("gzip", b"this is no gzip".to_vec()), ("gzip", cut), ("zstd", b"this is no zstd".to_vec())]
    {
        let upstream = compressed(coding, bytes).await;
        let world = World::new(&upstream.grant());
        let response =
            world.call().to(&world.bind()).head(request("GET", "http://api.upstream/a")).await.unwrap();
        let error = body_error(response.into_body()).await;
        assert_eq!(format!("{error:?}"), format!("HttpResponseContentCoding(Some({coding:?}))"));
    }
}

#[tokio::test]
async fn a_flood_of_headers_is_stopped() {
    let long = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(70_000));
    let many: String = (0..300).map(|n| format!("x-{n}: 1\r\n")).collect();
    let many = format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 0\r\n\r\n");
    for answer in [long, many] {
        let upstream = Upstream::saying(answer).await;
        let world = World::new(&upstream.grant());
        let error = world.call().to(&world.bind()).error(request("GET", "http://api.upstream/a")).await;
        assert!(matches!(error, Error::HttpResponseHeaderSectionSize(_)), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_an_error() {
    for answer in [
        "SSH-2.0-OpenSSH_9\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/9.9 200\r\n\r\n",
    ] {
        let upstream = Upstream::saying(answer).await;
        let world = World::new(&upstream.grant());
        let error = world.call().to(&world.bind()).error(request("GET", "http://api.upstream/a")).await;
        assert_eq!(format!("{error:?}"), "HttpProtocolError", "{answer}");
    }
}

#[tokio::test]
async fn a_seventeenth_request_at_once_is_refused() {
    let upstream = streaming(4 << 10).await;
    let world = World::new(&upstream.grant());
    let binding = world.bind();
    let caller = world.call().to(&binding);
    let mut held = Vec::new();
    for _ in 0..16 {
        held.push(caller.head(request("GET", "http://api.upstream/a")).await.unwrap());
    }
    let error = caller.error(request("GET", "http://api.upstream/a")).await;
    assert!(matches!(error, Error::ConnectionLimitReached), "{error:?}");
    assert!(
        caller.call.used.refused()[0].contains("16 requests of this call"),
        "{:?}",
        caller.call.used.refused()
    );
    world.call().to(&binding).get("http://api.upstream/a").await.unwrap();
    held.pop().unwrap().into_body().collect().await.unwrap();
    caller.get("http://api.upstream/a").await.unwrap();
    held.clear();
    caller.get("http://api.upstream/a").await.unwrap();
}

fn streamed(pieces: usize, size: usize) -> http::Request<WasiBody> {
    let pieces = stream::iter(0..pieces).then(move |_| async move {
        tokio::task::yield_now().await;
        Ok(Frame::data(Bytes::from(vec![b'x'; size])))
    });
    let body = StreamBody::new(pieces).boxed_unsync();
    http::Request::builder().method("POST").uri("http://api.upstream/a").body(body).unwrap()
}

#[tokio::test]
async fn a_request_body_ends_at_its_limit() {
    let upstream = Upstream::echo().await;
    let options = HttpOptions { request_body: 100_000, ..Default::default() };
    let world = World::with(options, &upstream.grant());
    let caller = world.call().to(&world.bind());
    caller.send(with_body("POST", "http://api.upstream/a", vec![b'x'; 100_000])).await.unwrap();
    caller.send(streamed(25, 4_000)).await.unwrap();
    for sent in [with_body("POST", "http://api.upstream/a", vec![b'x'; 100_001]), streamed(26, 4_000)] {
        let error = caller.error(sent).await;
        assert!(matches!(error, Error::HttpRequestBodySize(Some(100_000))), "{error:?}");
    }
}

#[tokio::test]
async fn a_body_that_the_guest_gives_up_is_not_sent_as_if_it_were_whole() {
    let upstream = Upstream::echo().await;
    let world = World::new(&upstream.grant());
    let caller = world.call().to(&world.bind());
    let pieces = stream::iter([Ok(Frame::data(Bytes::from_static(b"half"))), Err(Error::HttpProtocolError)]);
    let body = StreamBody::new(pieces).boxed_unsync();
    let sent = http::Request::builder().method("POST").uri("http://api.upstream/a").body(body).unwrap();
    let error = caller.error(sent).await;
    assert!(matches!(error, Error::HttpProtocolError), "{error:?}");
    assert_eq!(upstream.requests(), 0);
}

/// Accepts, reads the request and says nothing, or only the beginning.
async fn silent(beginning: &'static str) -> Upstream {
    Upstream::raw(move |mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        // Until the other side closes.
        let _ = stream.read(&mut [0; 16]).await;
    })
    .await
}

/// Over soon, and not before a connection stands and a request is sent.
const SOON: Duration = Duration::from_secs(1);

const HALF: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";

#[tokio::test]
async fn a_slow_upstream_ends_at_the_deadline_of_the_call() {
    let upstream = silent("").await;
    let world = World::new(&upstream.grant());
    let caller = world.call().timeout(SOON).to(&world.bind());
    let error = caller.error(request("GET", "http://api.upstream/a")).await;
    assert!(matches!(error, Error::HttpResponseTimeout), "{error:?}");
    upstream.closed(1).await;
    let upstream = silent(HALF).await;
    let world = World::new(&upstream.grant());
    let caller = world.call().timeout(SOON).to(&world.bind());
    let response = caller.head(request("GET", "http://api.upstream/a")).await.unwrap();
    assert!(matches!(body_error(response.into_body()).await, Error::HttpResponseTimeout));
    upstream.closed(1).await;
}

#[tokio::test]
async fn a_grants_timeout_is_shorter_than_the_call() {
    let upstream = silent(HALF).await;
    let world = World::new(&(upstream.grant() + "\ntimeout = \"1s\""));
    let caller = world.call().to(&world.bind());
    let response = caller.head(request("GET", "http://api.upstream/a")).await.unwrap();
    assert!(matches!(body_error(response.into_body()).await, Error::HttpResponseTimeout));
}

#[tokio::test]
async fn a_guest_may_be_less_patient() {
    let upstream = silent("").await;
    let world = World::new(&upstream.grant());
    let caller = world.call().to(&world.bind());
    let short = Some(Duration::from_millis(50));
    let options = RequestOptions { first_byte_timeout: short, ..RequestOptions::default() };
    let failure = caller.session.send(request("GET", "http://api.upstream/a"), options).await.unwrap_err();
    assert!(matches!(failure.into_guest(), Error::HttpResponseTimeout));
    let upstream = silent(HALF).await;
    let world = World::new(&upstream.grant());
    let caller = world.call().to(&world.bind());
    let options = RequestOptions { between_bytes_timeout: short, ..RequestOptions::default() };
    let response = caller.session.send(request("GET", "http://api.upstream/a"), options).await.unwrap();
    assert!(matches!(body_error(response.into_body()).await, Error::ConnectionReadTimeout));
}

#[tokio::test]
async fn cancelling_ends_a_wait_at_once_and_closes_the_connection() {
    for beginning in ["", HALF] {
        let upstream = silent(beginning).await;
        let world = World::new(&upstream.grant());
        let caller = world.call().to(&world.bind());
        let cancel = caller.call.cancel.clone();
        let work = async {
            match caller.head(request("GET", "http://api.upstream/a")).await {
                Ok(response) => body_error(response.into_body()).await,
                Err(failure) => failure.into_guest(),
            }
        };
        let cancelling = async {
            while upstream.accepted() == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            cancel.cancel();
            pending().await
        };
        let error = tokio::select! { error = work => error, () = cancelling => unreachable!() };
        assert_eq!(format!("{error:?}"), "InternalError(Some(\"the call was cancelled\"))");
        upstream.closed(1).await;
    }
}

#[tokio::test]
async fn what_was_sent_and_cut_short_is_in_the_record() {
    let upstream = silent("").await;
    let world = World::new(&upstream.grant());
    let binding = world.bind();
    let sent = || with_body("POST", "http://api.upstream/reboot", "now");
    let noted = ["http.api POST /reboot sent, no answer"];

    let caller = world.call().timeout(SOON).to(&binding);
    caller.error(sent()).await;
    assert_eq!(caller.call.used.used(), noted, "by the deadline");

    let caller = world.call().to(&binding);
    let first_byte_timeout = Some(SOON);
    let options = RequestOptions { first_byte_timeout, ..RequestOptions::default() };
    caller.session.send(sent(), options).await.unwrap_err();
    assert_eq!(caller.call.used.used(), noted, "by the guest's own patience");

    let caller = world.call().to(&binding);
    let begun = async {
        while caller.call.used.used().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        outcome = caller.head(sent()) => panic!("{outcome:?}"),
        () = begun => {}
    }
    assert_eq!(caller.call.used.used(), noted, "by going away");
}

#[tokio::test]
async fn what_was_never_sent_is_not_in_the_record_as_sent() {
    let dialer = Arc::new(Watched { dead: Some([93, 184, 216, 34].into()), ..Watched::default() });
    let resolver = Answers::new(&[&["93.184.216.34"]]);
    let options = HttpOptions { resolver, dialer: dialer.clone(), ..HttpOptions::default() };
    let world = World::with(options, "url = \"https://nobody.example.com\"");
    let caller = world.call().timeout(SOON).to(&world.bind());
    caller.error(with_body("POST", "http://api.upstream/reboot", "now")).await;
    assert_eq!(dialer.addresses.lock().unwrap().len(), 1, "it was under way");
    let used = caller.call.used.used();
    assert!(used.iter().all(|line| !line.contains("sent")), "{used:?}");
}

#[tokio::test]
async fn a_deadline_that_cancels_the_call_is_still_a_timeout() {
    for beginning in ["", HALF] {
        let upstream = silent(beginning).await;
        let world = World::new(&upstream.grant());
        let caller = world.call().timeout(SOON).to(&world.bind());
        let cancel = caller.call.cancel.clone();
        let deadline = tokio::time::Instant::from_std(caller.call.deadline);
        tokio::spawn(async move {
            tokio::time::sleep_until(deadline).await;
            cancel.cancel();
        });
        let error = match caller.head(request("GET", "http://api.upstream/a")).await {
            Ok(response) => body_error(response.into_body()).await,
            Err(failure) => failure.into_guest(),
        };
        assert!(matches!(error, Error::HttpResponseTimeout), "{error:?}");
    }
}

#[tokio::test]
async fn a_cancelled_call_may_still_clean_up() {
    let upstream = Upstream::echo().await;
    let world = World::new(&upstream.grant());
    let caller = world.call().timeout(Duration::ZERO).to(&world.bind());
    caller.call.cancel.cancel();
    caller.send(request("DELETE", "http://api.upstream/lock")).await.unwrap();
}

#[tokio::test]
async fn an_upstream_that_goes_away_is_an_error() {
    let upstream = Upstream::saying_once("").await;
    let world = World::new(&upstream.grant());
    let error = world.call().to(&world.bind()).error(request("GET", "http://api.upstream/a")).await;
    assert!(matches!(error, Error::ConnectionTerminated), "{error:?}");
    for half in [HALF, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf"] {
        let upstream = Upstream::saying_once(half).await;
        let world = World::new(&upstream.grant());
        let response =
            world.call().to(&world.bind()).head(request("GET", "http://api.upstream/a")).await.unwrap();
        let error = body_error(response.into_body()).await;
        assert!(matches!(error, Error::HttpResponseIncomplete), "{error:?}");
    }
}
