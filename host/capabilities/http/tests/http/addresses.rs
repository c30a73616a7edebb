//! The second layer: where a name leads to.

use std::sync::Arc;
use std::time::Duration;

use fleetgate_http::testing::{Origin, Scheme};
use fleetgate_http::{Failure, HttpOptions};
use wasmtime_wasi_http::Error;

use crate::spellings::{SPELLINGS, literal};
use crate::upstream::Upstream;
use crate::world::{Answers, Watched, World, request};

#[tokio::test]
async fn no_guest_reaches_an_address_by_any_spelling() {
    let dialled = Arc::new(Watched::default());
    let options = HttpOptions { dialer: dialled.clone(), ..HttpOptions::default() };
    let world = World::with(options, "url = \"https://api.example.com\"");
    let binding = world.bind();
    for (spelling, class) in SPELLINGS {
        let caller = world.call().to(&binding);
        // A URI takes ASCII alone; what else a guest may write never becomes a request.
        if spelling.is_ascii() && !spelling.contains('%') {
            for scheme in ["http", "https"] {
                let why = caller.refused(request("GET", &format!("{scheme}://{spelling}/latest"))).await;
                assert!(why.contains(class.name()), "{spelling}: {why}");
            }
        }
    }
    assert!(dialled.addresses.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_to_a_closed_address_is_refused() {
    for (spelling, class) in SPELLINGS {
        let address = literal(spelling).to_string();
        let dialled = Arc::new(Watched::default());
        let options = HttpOptions {
            resolver: Answers::new(&[&[&address]]),
            dialer: dialled.clone(),
            ..HttpOptions::default()
        };
        let world = World::with(options, "url = \"https://api.example.com\"");
        let caller = world.call().to(&world.bind());
        let why = caller.refused(request("GET", "http://api.upstream/")).await;
        assert!(why.contains(class.name()), "{spelling}: {why}");
        assert!(dialled.addresses.lock().unwrap().is_empty(), "{spelling}");
    }
}

#[tokio::test]
async fn one_closed_address_among_open_ones_refuses_the_name() {
    let dialled = Arc::new(Watched::default());
    let options = HttpOptions {
        resolver: Answers::new(&[&["93.184.216.34", "2606:2800:220:1::1", "10.0.0.1"]]),
        dialer: dialled.clone(),
        ..HttpOptions::default()
    };
    let world = World::with(options, "url = \"https://api.example.com\"");
    let caller = world.call().to(&world.bind());
    let why = caller.refused(request("GET", "http://api.upstream/")).await;
    assert!(why.contains("[plugins.lab.grant.http.api] networks = [… \"10.0.0.1/32\"]"), "{why}");
    assert!(dialled.addresses.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_name_that_alternates_never_reaches_loopback() {
    let upstream = Upstream::echo().await;
    let dialled = Arc::new(Watched::default());
    let options = HttpOptions {
        resolver: Answers::new(&[&["93.184.216.34"], &["127.0.0.1"]]),
        dialer: dialled.clone(),
        ..HttpOptions::default()
    };
    let grant = format!("url = \"http://rebind.example.com:{}\"\nplaintext = true", upstream.port());
    let world = World::with(options, &grant);
    let caller = world.call().to(&world.bind());
    let (mut refused, mut unanswered) = (0, 0);
    for _ in 0..1_000 {
        match caller.get("http://api.upstream/").await.unwrap_err() {
            Failure::Refused(_) => refused += 1,
            Failure::Connect(_) => unanswered += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((refused, unanswered), (500, 500));
    assert_eq!(upstream.accepted(), 0);
    let dialled = dialled.addresses.lock().unwrap();
    assert!(dialled.iter().all(|address| address.ip().to_string() == "93.184.216.34"));
    assert_eq!(dialled.len(), 500, "each name was looked up once for its connection");
}

#[tokio::test]
async fn addresses_are_tried_in_order() {
    let upstream = Upstream::echo().await;
    let options =
        HttpOptions { resolver: Answers::new(&[&["127.0.0.9", "127.0.0.1"]]), ..HttpOptions::default() };
    let port = upstream.port();
    let grant = format!(
        "url = \"http://lab.example.com:{port}\"\nplaintext = true\nnetworks = [\"127.0.0.9:{port}\", \"127.0.0.1:{port}\"]"
    );
    let world = World::with(options, &grant);
    let got = world.call().to(&world.bind()).get("http://api.upstream/").await.unwrap();
    assert!(got.text().contains(&format!("host: lab.example.com:{port}\n")), "{}", got.text());
}

#[tokio::test]
async fn a_dead_address_leaves_time_for_the_next_one() {
    let upstream = Upstream::echo().await;
    let dead = "93.184.216.34";
    let dialled = Arc::new(Watched {
        instead: Some(upstream.address),
        dead: Some(dead.parse().unwrap()),
        ..Watched::default()
    });
    let options = |answers: &[&str]| HttpOptions {
        resolver: Answers::new(&[answers]),
        dialer: dialled.clone(),
        connect_timeout: Duration::from_secs(2),
        ..HttpOptions::default()
    };
    let grant = "url = \"http://api.example.com\"\nplaintext = true";
    let world = World::with(options(&[dead, "1.1.1.1"]), grant);
    world.call().to(&world.bind()).get("http://api.upstream/").await.unwrap();
    let world = World::with(options(&[dead]), grant);
    let error = world.call().to(&world.bind()).error(request("GET", "http://api.upstream/")).await;
    assert!(matches!(error, Error::ConnectionTimeout), "{error:?}");
}

#[tokio::test]
async fn a_network_in_the_grant_opens_private_addresses_and_no_metadata() {
    let upstream = Upstream::echo().await;
    for (address, open) in [
        ("10.2.3.4", true),
        ("10.3.0.1", false),
        ("100.64.1.1", true),
        ("100.100.100.200", false),
        ("fd00:1::1", true),
        ("fd00:ec2::254", false),
        ("::ffff:10.2.3.4", true),
        ("::ffff:8.8.8.8", false),
        ("127.0.0.1", false),
        ("169.254.169.254", false),
    ] {
        let dialled = Arc::new(Watched { instead: Some(upstream.address), ..Watched::default() });
        let options = HttpOptions {
            resolver: Answers::new(&[&[address]]),
            dialer: dialled.clone(),
            ..HttpOptions::default()
        };
        let grant = "url = \"http://naas.example.com\"\nplaintext = true\n\
                     networks = [\"10.2.0.0/16\", \"100.64.0.0/10\", \"fd00::/8\"]";
        let world = World::with(options, grant);
        let caller = world.call().to(&world.bind());
        if open {
            caller.get("http://api.upstream/").await.unwrap();
        } else {
            caller.refused(request("GET", "http://api.upstream/")).await;
            assert!(dialled.addresses.lock().unwrap().is_empty(), "{address}");
        }
    }
}

#[tokio::test]
async fn a_grant_for_a_literal_address_allows_that_address_and_port() {
    let upstream = Upstream::echo().await;
    let other = Upstream::echo().await;
    let world = World::new(&format!("url = \"http://0x7f.1:{}\"", upstream.port()));
    let caller = world.call().to(&world.bind());
    caller.get("http://api.upstream/").await.unwrap();
    caller.refused(request("GET", &format!("http://127.0.0.1:{}/", other.port()))).await;
    assert_eq!(other.accepted(), 0);
}

#[tokio::test]
async fn localhost_is_this_machine_whatever_a_resolver_says() {
    let upstream = Upstream::echo().await;
    let options = HttpOptions { resolver: Answers::new(&[&["10.0.0.1"]]), ..HttpOptions::default() };
    let grant = format!("url = \"http://LocalHost.:{}\"", upstream.port());
    let world = World::with(options, &grant);
    let got = world.call().to(&world.bind()).get("http://api.upstream/").await.unwrap();
    assert!(got.text().contains(&format!("host: localhost:{}\n", upstream.port())), "{}", got.text());
}

#[tokio::test]
async fn a_credential_does_not_cross_the_internet_without_tls() {
    let upstream = Upstream::echo().await;
    let build = |address: &str| {
        let dialled = Arc::new(Watched { instead: Some(upstream.address), ..Watched::default() });
        let options = HttpOptions {
            resolver: Answers::new(&[&[address]]),
            dialer: dialled.clone(),
            ..HttpOptions::default()
        };
        let grant = "url = \"http://naas.example.com\"\nplaintext = true\nnetworks = [\"10.0.0.0/8\"]\n\
                     credential = { bearer = \"key\" }";
        (World::with(options, grant).secret("key", "s3cr3t-t0k3n"), dialled)
    };
    let (world, dialled) = build("93.184.216.34");
    let why = world.call().to(&world.bind()).refused(request("GET", "http://api.upstream/")).await;
    assert!(why.contains("without TLS") && why.contains("url = \"https://…\""), "{why}");
    assert!(dialled.addresses.lock().unwrap().is_empty());
    let (world, _) = build("10.1.2.3");
    world.call().to(&world.bind()).get("http://api.upstream/").await.unwrap();
}

#[test]
fn odd_authorities_are_no_hosts() {
    for authority in [
        "",
        ":80",
        "a b",
        "a:b",
        "a:",
        "a:0",
        "a:65536",
        "a:+80",
        "a:80:80",
        "[::1",
        "::1",
        "[::1]80",
        "[::1]:",
        "[fe80::1%25eth0]",
        "user@host",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "a%00b",
        "a%2fb",
        "..",
        ".",
        "a..b",
        "-.%",
        "1.2.3.4.5",
        "256.1.1.1",
        "[1.2.3.4]",
        "ho\u{0}st",
        "[::ffff:1.2.3]",
    ] {
        assert_eq!(Origin::parse(Scheme::Http, authority), None, "{authority:?}");
    }
    let name = |text: &str| Origin::parse(Scheme::Https, text).unwrap().authority();
    assert_eq!(name("Example.COM."), "example.com");
    assert_eq!(name("b\u{fc}cher.example"), "xn--bcher-kva.example");
    assert_eq!(name("ｅｘａｍｐｌｅ.com:443"), "example.com");
    assert_eq!(name("[2001:DB8:0:0::1]:8443"), "[2001:db8::1]:8443");
}
