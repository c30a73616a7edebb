//! The second layer: where a name leads to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use fleetgate_http::address::{Class, Opening, Policy, classify};
use fleetgate_http::testing::{Host, Origin, Scheme};
use fleetgate_http::{Failure, HttpOptions};
use wasmtime_wasi_http::Error;

use crate::upstream::Upstream;
use crate::world::{ALL, Answers, Dialled, World, request};

/// Spellings of hosts that must never be reached without being named, and what they are.
const SPELLINGS: &[(&str, Class)] = &[
    // This machine.
    ("127.0.0.1", Class::Loopback),
    ("127.1", Class::Loopback),
    ("127.0.1", Class::Loopback),
    ("127.255.255.254", Class::Loopback),
    ("0x7f.1", Class::Loopback),
    ("0x7f.0.0.1", Class::Loopback),
    ("0X7F.0x0.0x0.0x1", Class::Loopback),
    ("0x7f000001", Class::Loopback),
    ("2130706433", Class::Loopback),
    ("017700000001", Class::Loopback),
    ("0177.0.0.1", Class::Loopback),
    ("0177.0.0.01", Class::Loopback),
    ("127.0.0.1.", Class::Loopback),
    ("%31%32%37.0.0.1", Class::Loopback),
    ("127%2e0%2e0%2e1", Class::Loopback),
    ("127。0。0。1", Class::Loopback),
    ("127．0．0．1", Class::Loopback),
    ("１２７.0.0.1", Class::Loopback),
    ("①②⑦.0.0.1", Class::Loopback),
    ("0x7f。1", Class::Loopback),
    ("[::1]", Class::Loopback),
    ("[0:0:0:0:0:0:0:1]", Class::Loopback),
    ("[0000::0001]", Class::Loopback),
    ("[::ffff:127.0.0.1]", Class::Loopback),
    ("[::ffff:7f00:1]", Class::Loopback),
    ("[::FFFF:127.0.0.1]", Class::Loopback),
    ("0.0.0.0", Class::Unspecified),
    ("0", Class::Unspecified),
    ("0x0", Class::Unspecified),
    ("0.1.2.3", Class::Unspecified),
    ("[::]", Class::Unspecified),
    ("[::ffff:0.0.0.0]", Class::Unspecified),
    // Clouds' metadata.
    ("169.254.169.254", Class::Metadata),
    ("0xa9fea9fe", Class::Metadata),
    ("2852039166", Class::Metadata),
    ("169.16689662", Class::Metadata),
    ("0251.0376.0251.0376", Class::Metadata),
    ("[::ffff:169.254.169.254]", Class::Metadata),
    ("[::ffff:a9fe:a9fe]", Class::Metadata),
    ("169.254.170.2", Class::Metadata),
    ("192.0.0.192", Class::Metadata),
    ("100.100.100.200", Class::Metadata),
    ("168.63.129.16", Class::Metadata),
    ("[fd00:ec2::254]", Class::Metadata),
    ("[fd00:0ec2:0:0:0:0:0:0254]", Class::Metadata),
    ("[fd20:ce::254]", Class::Metadata),
    // Near networks.
    ("169.254.0.1", Class::LinkLocal),
    ("[fe80::1]", Class::LinkLocal),
    ("[febf::1]", Class::LinkLocal),
    ("10.0.0.1", Class::Private),
    ("10.1", Class::Private),
    ("012.0.0.1", Class::Private),
    ("167772161", Class::Private),
    ("172.16.0.1", Class::Private),
    ("172.31.255.255", Class::Private),
    ("192.168.0.1", Class::Private),
    ("0xc0.168.1", Class::Private),
    ("[::ffff:10.0.0.1]", Class::Private),
    ("100.64.0.1", Class::SharedSpace),
    ("100.127.255.255", Class::SharedSpace),
    ("[fc00::1]", Class::UniqueLocal),
    ("[fd12:3456::1]", Class::UniqueLocal),
    // Nobody's.
    ("224.0.0.1", Class::Multicast),
    ("239.255.255.250", Class::Multicast),
    ("[ff02::1]", Class::Multicast),
    ("255.255.255.255", Class::Broadcast),
    ("0xffffffff", Class::Broadcast),
    ("240.0.0.1", Class::Reserved),
    ("192.0.0.1", Class::Reserved),
    ("192.88.99.1", Class::Reserved),
    ("192.0.2.1", Class::Documentation),
    ("198.51.100.1", Class::Documentation),
    ("203.0.113.1", Class::Documentation),
    ("[2001:db8::1]", Class::Documentation),
    ("[3fff::1]", Class::Documentation),
    ("198.18.0.1", Class::Benchmark),
    ("198.19.255.255", Class::Benchmark),
    ("[2001:2::1]", Class::Benchmark),
    ("[2001:10::1]", Class::Reserved),
    ("[100::1]", Class::Reserved),
    ("[fec0::1]", Class::Reserved),
    ("[4000::1]", Class::Reserved),
    ("[5f00::1]", Class::Reserved),
    // IPv4 in disguise.
    ("[::127.0.0.1]", Class::Carrier),
    ("[::8.8.8.8]", Class::Carrier),
    ("[64:ff9b::127.0.0.1]", Class::Carrier),
    ("[64:ff9b::a9fe:a9fe]", Class::Carrier),
    ("[64:ff9b:1::10.0.0.1]", Class::Carrier),
    ("[2002:7f00:1::]", Class::Carrier),
    ("[2002:a9fe:a9fe::1]", Class::Carrier),
    ("[2001::1]", Class::Carrier),
    ("[2001:0:53aa:64c:0:0:80ff:fffe]", Class::Carrier),
];

fn literal(spelling: &str) -> IpAddr {
    match Host::parse(spelling) {
        Some(Host::Address(address)) => address,
        other => panic!("{spelling} was read as {other:?}"),
    }
}

#[test]
fn every_spelling_is_the_address_that_it_is() {
    assert!(SPELLINGS.len() >= 60);
    for (spelling, class) in SPELLINGS {
        let address = literal(spelling);
        assert_eq!(classify(address), *class, "{spelling} is {address}");
        let blocked = Policy::default().check(SocketAddr::new(address, 443)).unwrap_err();
        assert_eq!(blocked.class, *class, "{spelling}");
    }
}

#[tokio::test]
async fn no_guest_reaches_an_address_by_any_spelling() {
    let dialled = Arc::new(Dialled::default());
    let options = HttpOptions { dialer: dialled.clone(), ..HttpOptions::default() };
    let world = World::with(options).want("api", ALL, Some("url = \"https://api.example.com\""));
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
        let dialled = Arc::new(Dialled::default());
        let options = HttpOptions {
            resolver: Answers::new(&[&[&address]]),
            dialer: dialled.clone(),
            ..HttpOptions::default()
        };
        let world = World::with(options).want("api", ALL, Some("url = \"https://api.example.com\""));
        let caller = world.call().to(&world.bind());
        let why = caller.refused(request("GET", "http://api.upstream/")).await;
        assert!(why.contains(class.name()), "{spelling}: {why}");
        assert!(dialled.addresses.lock().unwrap().is_empty(), "{spelling}");
    }
}

#[tokio::test]
async fn one_closed_address_among_open_ones_refuses_the_name() {
    let dialled = Arc::new(Dialled::default());
    let options = HttpOptions {
        resolver: Answers::new(&[&["93.184.216.34", "2606:2800:220:1::1", "10.0.0.1"]]),
        dialer: dialled.clone(),
        ..HttpOptions::default()
    };
    let world = World::with(options).want("api", ALL, Some("url = \"https://api.example.com\""));
    let caller = world.call().to(&world.bind());
    let why = caller.refused(request("GET", "http://api.upstream/")).await;
    assert!(why.contains("[plugins.lab.grant.http.api] networks = [… \"10.0.0.1/32\"]"), "{why}");
    assert!(dialled.addresses.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_name_that_alternates_never_reaches_loopback() {
    let upstream = Upstream::echo().await;
    let dialled = Arc::new(Dialled::default());
    let options = HttpOptions {
        resolver: Answers::new(&[&["93.184.216.34"], &["127.0.0.1"]]),
        dialer: dialled.clone(),
        ..HttpOptions::default()
    };
    let grant = format!("url = \"http://rebind.example.com:{}\"\nplaintext = true", upstream.port());
    let world = World::with(options).want("api", ALL, Some(&grant));
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
    let world = World::with(options).want("api", ALL, Some(&grant));
    let got = world.call().to(&world.bind()).get("http://api.upstream/").await.unwrap();
    assert!(got.text().contains(&format!("host: lab.example.com:{port}\n")), "{}", got.text());
}

#[tokio::test]
async fn a_dead_address_leaves_time_for_the_next_one() {
    let upstream = Upstream::echo().await;
    let dead = "93.184.216.34";
    let dialled = Arc::new(Dialled {
        instead: Some(upstream.address),
        dead: Some(dead.parse().unwrap()),
        ..Dialled::default()
    });
    let options = |answers: &[&str]| HttpOptions {
        resolver: Answers::new(&[answers]),
        dialer: dialled.clone(),
        connect_timeout: Duration::from_millis(400),
        ..HttpOptions::default()
    };
    let grant = "url = \"http://api.example.com\"\nplaintext = true";
    let world = World::with(options(&[dead, "1.1.1.1"])).want("api", ALL, Some(grant));
    world.call().to(&world.bind()).get("http://api.upstream/").await.unwrap();
    let world = World::with(options(&[dead])).want("api", ALL, Some(grant));
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
        let dialled = Arc::new(Dialled { instead: Some(upstream.address), ..Dialled::default() });
        let options = HttpOptions {
            resolver: Answers::new(&[&[address]]),
            dialer: dialled.clone(),
            ..HttpOptions::default()
        };
        let grant = "url = \"http://naas.example.com\"\nplaintext = true\n\
                     networks = [\"10.2.0.0/16\", \"100.64.0.0/10\", \"fd00::/8\"]";
        let world = World::with(options).want("api", ALL, Some(grant));
        let caller = world.call().to(&world.bind());
        if open {
            caller.get("http://api.upstream/").await.unwrap();
        } else {
            caller.refused(request("GET", "http://api.upstream/")).await;
            assert!(dialled.addresses.lock().unwrap().is_empty(), "{address}");
        }
    }
}

#[test]
fn loopback_link_local_and_metadata_open_by_exact_address_and_port_alone() {
    for exact in ["127.0.0.1:4000", "[::1]:4000", "169.254.169.254:80", "[fe80::1]:80", "[fd00:ec2::254]:80"]
    {
        let exact: SocketAddr = exact.parse().unwrap();
        let policy = Policy::new([Opening::parse(&exact.to_string()).unwrap()]);
        assert_eq!(policy.check(exact), Ok(exact));
        assert!(policy.check(SocketAddr::new(exact.ip(), exact.port() + 1)).is_err());
        let wide = Policy::new([
            Opening::Network("0.0.0.0/0".parse().unwrap()),
            Opening::Network("::/0".parse().unwrap()),
        ]);
        let blocked = wide.check(exact).unwrap_err();
        assert_eq!(blocked.opening(), Some(Opening::Exact(exact)), "the line to add");
    }
    for text in
        ["127.0.0.0/8", "127.0.0.1", "127.0.0.1/32", "::1", "169.254.0.0/16", "169.254.169.254", "fe80::/10"]
    {
        let error = Opening::parse(text).unwrap_err();
        assert!(error.to_string().contains("which no network opens"), "{text}: {error}");
    }
    for text in ["0.0.0.0", "0.0.0.0:80", "224.0.0.1", "[::]:80", "255.255.255.255", "ff02::1"] {
        let error = Opening::parse(text).unwrap_err();
        assert!(error.to_string().contains("cannot be granted"), "{text}: {error}");
    }
    for text in ["", "lab", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0-10.0.0.9", "10.0.0.1:http"] {
        assert!(Opening::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_carrying_address_is_judged_by_what_it_carries_as_well() {
    let policy =
        Policy::new(["64:ff9b::/96", "2002::/16", "2001::/32"].map(|net| Opening::parse(net).unwrap()));
    let check = |address: &str| {
        policy.check(SocketAddr::new(address.parse().unwrap(), 443)).map_err(|blocked| blocked.class)
    };
    assert!(check("64:ff9b::8.8.8.8").is_ok(), "NAT64 to a public address, where the grant opens it");
    assert_eq!(check("64:ff9b::127.0.0.1"), Err(Class::Loopback));
    assert_eq!(check("64:ff9b::169.254.169.254"), Err(Class::Metadata));
    assert_eq!(check("64:ff9b::10.0.0.1"), Err(Class::Private));
    assert!(check("2002:808:808::1").is_ok());
    assert_eq!(check("2002:7f00:1::1"), Err(Class::Loopback));
    assert_eq!(check("2001:0:808:808:0:0:80ff:fffe"), Err(Class::Loopback), "Teredo's client, inverted");
    assert_eq!(check("64:ff9b:1::8.8.8.8"), Err(Class::Carrier));
}

#[test]
fn public_addresses_are_open() {
    for address in [
        "8.8.8.8",
        "1.1.1.1",
        "93.184.216.34",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "2606:2800:220:1::1",
        "2a00:1450::1",
        "192.0.1.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
    ] {
        let address = SocketAddr::new(address.parse().unwrap(), 443);
        assert_eq!(Policy::default().check(address), Ok(address));
    }
}

#[tokio::test]
async fn a_grant_for_a_literal_address_allows_that_address_and_port() {
    let upstream = Upstream::echo().await;
    let other = Upstream::echo().await;
    let world = World::api(&format!("url = \"http://0x7f.1:{}\"", upstream.port()));
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
    let world = World::with(options).want("api", ALL, Some(&grant));
    let got = world.call().to(&world.bind()).get("http://api.upstream/").await.unwrap();
    assert!(got.text().contains(&format!("host: localhost:{}\n", upstream.port())), "{}", got.text());
}

#[tokio::test]
async fn a_credential_does_not_cross_the_internet_without_tls() {
    let upstream = Upstream::echo().await;
    let build = |address: &str| {
        let dialled = Arc::new(Dialled { instead: Some(upstream.address), ..Dialled::default() });
        let options = HttpOptions {
            resolver: Answers::new(&[&[address]]),
            dialer: dialled.clone(),
            ..HttpOptions::default()
        };
        let grant = "url = \"http://naas.example.com\"\nplaintext = true\nnetworks = [\"10.0.0.0/8\"]\n\
                     credential = { bearer = \"key\" }";
        (World::with(options).secret("key", "s3cr3t-t0k3n").want("api", ALL, Some(grant)), dialled)
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
