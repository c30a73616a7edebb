//! Where a broker's name may lead.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use fleetgate_core::address::Connector;

use crate::mosquitto::Mosquitto;
use crate::world::{Answers, Watched, World, call, granting};

/// A world whose broker's name has these addresses, and what was dialled.
fn world(answers: &[&[&str]], grant: &str) -> (World, Arc<Watched>) {
    let watched = Arc::new(Watched::default());
    let connector = Connector { resolver: Answers::new(answers), dialer: Arc::clone(&watched) as _ };
    (World::with(connector, grant), watched)
}

fn plain(port: u16, lines: &str) -> String {
    format!("{}\nplaintext = true\n{lines}", granting(&format!("mqtt://broker.example.com:{port}")))
}

#[tokio::test]
async fn a_name_that_leads_to_a_closed_address_is_refused_with_the_line_that_opens_it() {
    for (address, line) in [
        ("10.1.2.3", Some("networks = [… \"10.1.2.3/32\"]")),
        ("127.0.0.1", Some("networks = [… \"127.0.0.1:1883\"]")),
        ("169.254.169.254", Some("networks = [… \"169.254.169.254:1883\"]")),
        ("::ffff:127.0.0.1", None),
        ("fd00:ec2::254", Some("networks = [… \"[fd00:ec2::254]:1883\"]")),
        ("0.0.0.0", None),
    ] {
        let (world, watched) = world(&[&[address]], &plain(1883, ""));
        let binding = world.bind();
        let caller = call().to(&binding);
        let failure = caller.fails("a").await;
        assert_eq!((failure.code, failure.message.as_str()), ("denied", "this is not granted"), "{address}");
        assert!(caller.refused().contains("leads to an address that is not granted"), "{}", caller.refused());
        if let Some(line) = line {
            assert!(caller.refused().contains(line), "{}", caller.refused());
        }
        assert!(watched.addresses.lock().unwrap().is_empty(), "{address} was dialled");
    }
}

#[tokio::test]
async fn one_closed_address_among_several_refuses_the_name() {
    let (world, watched) = world(&[&["192.0.2.7", "10.0.0.1"]], &plain(1883, ""));
    let binding = world.bind();
    assert_eq!(call().to(&binding).fails("a").await.code, "denied");
    assert!(watched.addresses.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_opened_address_is_the_one_that_is_dialled() {
    let broker = Mosquitto::start().await;
    let port = broker.address.port();
    let (world, watched) =
        world(&[&["127.0.0.1"]], &plain(port, &format!("networks = [\"127.0.0.1:{port}\"]")));
    let binding = world.bind();
    call().to(&binding).publish("a", "x").await.unwrap();
    assert_eq!(*watched.addresses.lock().unwrap(), [broker.address]);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_never_leads_inside() {
    let rogue = crate::rogue::Rogue::start(|mut peer| async move { peer.ignore().await }).await;
    let port = rogue.address.port();
    let (world, watched) =
        world(&[&["1.1.1.1"], &["127.0.0.1"]], &plain(port, "connect_timeout = \"200ms\""));
    for _ in 0..40 {
        // A new binding each time: one asks a broker that it did not reach only once in a second.
        let binding = world.bind();
        let caller = call().to(&binding);
        assert!(["denied", "unreachable"].contains(&caller.fails("a").await.code));
    }
    assert_eq!(rogue.connections.load(Ordering::SeqCst), 0);
    assert!(watched.addresses.lock().unwrap().iter().all(|address| !address.ip().is_loopback()));
}

#[tokio::test]
async fn a_credential_does_not_go_to_a_public_address_without_tls() {
    let grant = plain(1883, "credential = { user = \"fleet\", password = \"password\" }");
    let (world, watched) = world(&[&["1.1.1.1"]], &grant);
    let world = world.secret("password", "s3cr3t");
    let binding = world.bind();
    let caller = call().to(&binding);
    assert_eq!(caller.fails("a").await.code, "denied");
    assert!(caller.refused().contains("a credential is not sent there without TLS"), "{}", caller.refused());
    assert!(watched.addresses.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_broker_that_names_another_is_not_followed() {
    let other = crate::rogue::Rogue::start(|mut peer| async move { peer.ignore().await }).await;
    let reference = other.address.to_string();
    let rogue = crate::rogue::Rogue::start(move |mut peer| {
        let reference = reference.clone();
        async move {
            // CONNACK of MQTT 5: use another server (0x9c), and which.
            let mut properties = vec![0x1c];
            properties.extend_from_slice(&u16::try_from(reference.len()).unwrap().to_be_bytes());
            properties.extend_from_slice(reference.as_bytes());
            let mut packet = vec![0x20, u8::try_from(properties.len() + 3).unwrap(), 0, 0x9c];
            packet.push(u8::try_from(properties.len()).unwrap());
            packet.extend_from_slice(&properties);
            peer.say(&packet).await;
            peer.ignore().await;
        }
    })
    .await;
    let world = World::new(&format!("{}\nversion = \"5\"", granting(&rogue.url())));
    let binding = world.bind();
    let caller = call().to(&binding);
    let failure = caller.fails("a").await;
    assert_eq!((failure.code, failure.message.as_str()), ("unreachable", "the broker has moved"));
    assert!(caller.refused().contains("it names another server, and only the granted one is used"));
    assert_eq!(other.connections.load(Ordering::SeqCst), 0);
}
