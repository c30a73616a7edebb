//! Passwords that calls bring: what they may hold, and how often they are tried.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetgate_ssh::{LoginArguments, SshOptions};

use crate::device::{ENABLE, PASSWORD, Router, USER};
use crate::world::{Placeholders, World, call};

fn world(router: &Router, arguments: &[(&str, &str)]) -> World {
    let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let options = SshOptions {
        arguments: Arc::new(Placeholders(BTreeMap::from_iter(arguments))),
        ..SshOptions::default()
    };
    let grant =
        format!("targets = [\"{}\"]\nknown_hosts = \"known_hosts\"\nfrom_call = true", router.address);
    let world = World::with(options, &grant);
    world.write("known_hosts", &router.known_hosts());
    world
}

fn login(user: &str, password: &str, enable: Option<&str>) -> LoginArguments {
    LoginArguments {
        user: Some(user.into()),
        password: Some(password.into()),
        enable: enable.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_secret_argument_types_no_commands() {
    let router = Router::start().await;
    let long = "x".repeat(1025);
    let odd = [
        ("lines", "x\nreload in 1\ny"),
        ("return", "x\rreload"),
        ("interrupt", "x\u{3}reload"),
        ("suspend", "\u{1a}"),
        ("escape", "\u{1b}[A"),
        ("tab", "x\t"),
        ("nul", "x\0"),
        ("next-line", "x\u{85}reload"),
        ("bidi", "x\u{202e}"),
        ("long", &long),
    ];
    let fine = [("password", PASSWORD), ("enable", ENABLE)];
    let caller = call().to(&world(&router, &[&odd[..], &fine[..]].concat()).bind());
    for (name, value) in odd {
        for login in [login(USER, "password", Some(name)), login(USER, name, Some("enable"))] {
            let failure = caller.connect_as(router.address, login).await.err().unwrap();
            assert_eq!(failure.guest().code, "invalid", "{name}");
            assert!(!failure.to_string().contains(value), "{failure}");
        }
    }
    assert_eq!(router.accepted(), 0, "nothing of it was sent");
    caller.connect_as(router.address, login(USER, "password", Some("enable"))).await.unwrap();
}

#[tokio::test]
async fn a_granted_password_with_a_key_in_it_is_not_typed() {
    let router = Router::start().await;
    let world = router.world().secret("enable", "en4ble\u{3}reload");
    let shell = call().to(&world.bind()).shell(router.address).await;
    shell.until("R1>").await;
    shell.line("enable", "Password: ").await;
    assert_eq!(shell.0.send_secret("enable").await.unwrap_err().guest().code, "credential");
    assert_eq!(router.count("key 3"), 0);
}

#[tokio::test]
async fn passwords_are_not_tried_one_after_the_other() {
    let router = Router::start().await;
    let names: Vec<_> = (0..6).map(|number| format!("guess-{number}")).collect();
    let mut arguments: Vec<_> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    arguments.push(("right", PASSWORD));
    let binding = world(&router, &arguments).bind();
    let caller = call().to(&binding);
    // Kept, and not to be compared with.
    caller.connect_as(router.address, login(USER, "right", None)).await.unwrap();
    let mut failures = Vec::new();
    for name in &names {
        // Each in a call of its own.
        let failure = call().to(&binding).connect_as(router.address, login(USER, name, None)).await;
        failures.push(failure.err().unwrap().guest());
    }
    assert!(failures.iter().all(|failure| failure.code == "auth-failed"), "{failures:?}");
    assert_eq!((router.count("login by password: wrong"), router.accepted()), (3, 4));
    assert!(failures[3].message.contains("no other is tried now"), "{}", failures[3].message);
    assert!(failures[3].retryable && !failures[2].retryable);
    let failure = caller.connect_as(router.address, login(USER, "right", None)).await.err().unwrap();
    assert_eq!(failure.guest().code, "auth-failed", "also the right one, also where a connection is kept");
    assert!(caller.refused().contains("refused several passwords"), "{}", caller.refused());
    // Another user has nothing to do with it.
    let failure = caller.connect_as(router.address, login("admin", "guess-0", None)).await.err().unwrap();
    assert!(failure.guest().message.contains("refuses the password of admin"));
}
