//! Where a name leads to.

use std::sync::Arc;

use fleetgate_core::address::Connector;

use crate::device::{PASSWORD, Router, USER};
use crate::spellings::{SPELLINGS, literal};
use crate::world::{Answers, Watched, World, call};

fn world(answers: &[&[&str]], watched: &Arc<Watched>, lines: &str) -> World {
    let connector = Connector { resolver: Answers::new(answers), dialer: watched.clone() };
    let grant = format!(
        "targets = [\"**.example.com:1-65535\"]\nknown_hosts = \"known_hosts\"\n\
         credential = {{ user = \"{USER}\", password = \"password\" }}\n{lines}"
    );
    let world = World::with(connector, &grant).secret("password", PASSWORD);
    world.write("known_hosts", "");
    world
}

#[tokio::test]
async fn a_name_that_leads_to_a_closed_address_is_refused() {
    for (spelling, class) in SPELLINGS {
        let (address, watched) = (literal(spelling).to_string(), Arc::new(Watched::default()));
        let caller = call().to(&world(&[&[&address]], &watched, "").bind());
        let failure = caller.connect_to("r1.example.com", 22).await.err().unwrap().guest();
        assert_eq!(failure.code, "denied", "{spelling}");
        assert!(!failure.message.contains(&address), "{spelling}: {}", failure.message);
        assert!(caller.refused().contains(class.name()), "{spelling}: {}", caller.refused());
        assert!(watched.addresses.lock().unwrap().is_empty(), "{spelling}");
    }
}

#[tokio::test]
async fn no_guest_reaches_an_address_by_any_spelling() {
    let watched = Arc::new(Watched::default());
    let binding = world(&[&["10.0.0.1"]], &watched, "").bind();
    for (spelling, _) in SPELLINGS {
        for host in [*spelling, spelling.trim_matches(['[', ']'])] {
            let failure = call().to(&binding).connect_to(host, 22).await.err().unwrap().guest();
            assert!(["denied", "invalid"].contains(&failure.code), "{spelling}: {}", failure.code);
        }
    }
    assert!(watched.addresses.lock().unwrap().is_empty());
}

#[tokio::test]
async fn one_closed_address_among_open_ones_refuses_the_name() {
    let watched = Arc::new(Watched::default());
    let world = world(&[&["93.184.216.34", "10.0.0.1"]], &watched, "");
    let caller = call().to(&world.bind());
    assert_eq!(caller.connect_to("r1.example.com", 22).await.err().unwrap().guest().code, "denied");
    let why = caller.refused();
    assert!(why.contains("[plugins.lab.grant.ssh.devices] networks = [… \"10.0.0.1/32\"]"), "{why}");
    assert!(watched.addresses.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_name_that_alternates_never_reaches_loopback() {
    let router = Router::start().await;
    let watched = Arc::new(Watched::default());
    let world = world(&[&["93.184.216.34"], &["127.0.0.1"]], &watched, "");
    let caller = call().to(&world.bind());
    let (mut denied, mut refused) = (0, 0);
    for _ in 0..1_000 {
        match caller.connect_to("rebind.example.com", router.address.port()).await.err().unwrap().guest().code
        {
            "denied" => denied += 1,
            "refused" => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((denied, refused, router.accepted()), (500, 500, 0));
    let dialled = watched.addresses.lock().unwrap();
    assert_eq!(dialled.len(), 500, "each name was looked up once for its connection");
    assert!(dialled.iter().all(|address| address.ip().to_string() == "93.184.216.34"));
}

#[tokio::test]
async fn a_network_in_the_grant_opens_private_addresses_and_no_metadata() {
    for (address, open) in [
        ("10.2.3.4", true),
        ("10.3.0.1", false),
        ("100.64.1.1", true),
        ("100.100.100.200", false),
        ("127.0.0.1", false),
        ("169.254.169.254", false),
    ] {
        let watched = Arc::new(Watched::default());
        let world = world(&[&[address]], &watched, "networks = [\"10.2.0.0/16\", \"100.64.0.0/10\"]");
        let failure = call().to(&world.bind()).connect_to("r1.example.com", 22).await.err().unwrap();
        assert_eq!(failure.guest().code, if open { "refused" } else { "denied" }, "{address}");
        assert_eq!(watched.addresses.lock().unwrap().len(), usize::from(open), "{address}");
    }
}

#[tokio::test]
async fn a_network_among_the_targets_is_open_by_address_and_opens_nothing_else() {
    let watched = Arc::new(Watched::default());
    let connector = Connector { resolver: Answers::new(&[&["10.1.2.3"]]), dialer: watched.clone() };
    let grant = "targets = [\"10.1.0.0/16:22\", \"*.example.com:22\"]\ntrust_on_first_use = true\n\
                 credential = { user = \"netops\", password = \"password\" }";
    let world = World::with(connector, grant).secret("password", PASSWORD);
    let caller = call().to(&world.bind());
    assert_eq!(caller.connect_to("10.1.2.3", 22).await.err().unwrap().guest().code, "refused");
    assert_eq!(caller.connect_to("r1.example.com", 22).await.err().unwrap().guest().code, "denied");
    assert_eq!(watched.addresses.lock().unwrap().len(), 1);
}
