//! Passwords that calls bring: what they may hold, and how often they are tried.

use fleetgate_ssh::testing::Terminal;
use fleetgate_ssh::{GuestFailure, LoginArguments};

use crate::device::{ENABLE, PASSWORD, Router, USER};
use crate::world::{Binding, Typing, World, call};

fn world(router: &Router) -> World {
    let grant =
        format!("targets = [\"{}\"]\nknown_hosts = \"known_hosts\"\nfrom_call = true", router.address);
    let world = World::new(&grant);
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
        "x\nreload in 1\ny",
        "x\rreload",
        "x\u{3}reload",
        "\u{1a}",
        "\u{1b}[A",
        "x\t",
        "x\0",
        "x\u{85}reload",
        "x\u{202e}",
        &long,
    ];
    let binding = world(&router).bind();
    for value in odd {
        let (one, [odd, password, enable]) = call().with_secrets([value, PASSWORD, ENABLE]);
        let caller = one.to(&binding);
        for login in [login(USER, &password, Some(&odd)), login(USER, &odd, Some(&enable))] {
            let failure = caller.connect_as(router.address, login).await.err().unwrap();
            assert_eq!(failure.guest().code, "invalid", "{value:?}");
            assert!(!failure.to_string().contains(value), "{failure}");
        }
    }
    assert_eq!(router.accepted(), 0, "nothing of it was sent");
    let (one, [password, enable]) = call().with_secrets([PASSWORD, ENABLE]);
    one.to(&binding).connect_as(router.address, login(USER, &password, Some(&enable))).await.unwrap();
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
    let binding = world(&router).bind();
    let (one, [right, guess]) = call().with_secrets([PASSWORD, "guess-0"]);
    let caller = one.to(&binding);
    // Kept, and not to be compared with.
    caller.connect_as(router.address, login(USER, &right, None)).await.unwrap();
    let mut failures = Vec::new();
    for number in 0..6 {
        // Each in a call of its own.
        let (one, [guess]) = call().with_secrets([format!("guess-{number}").as_str()]);
        let failure = one.to(&binding).connect_as(router.address, login(USER, &guess, None)).await;
        failures.push(failure.err().unwrap().guest());
    }
    assert!(failures.iter().all(|failure| failure.code == "auth-failed"), "{failures:?}");
    assert_eq!((router.count("login by password: wrong"), router.accepted()), (3, 4));
    assert!(failures[3].message.contains("no other is tried now"), "{}", failures[3].message);
    assert!(failures[3].retryable && !failures[2].retryable);
    let failure = caller.connect_as(router.address, login(USER, &right, None)).await.err().unwrap();
    assert_eq!(failure.guest().code, "auth-failed", "also the right one, also where a connection is kept");
    assert!(caller.refused().contains("refused several passwords"), "{}", caller.refused());
    // Another user has nothing to do with it.
    let failure = caller.connect_as(router.address, login("admin", &guess, None)).await.err().unwrap();
    assert!(failure.guest().message.contains("refuses the password of admin"));
}

/// Types a password for `enable` that a call of its own brings.
async fn enables(router: &Router, binding: &Binding, enable: &str) -> Result<String, GuestFailure> {
    let (one, [password, enable]) = call().with_secrets([PASSWORD, enable]);
    let device =
        one.to(binding).connect_as(router.address, login(USER, &password, Some(&enable))).await.unwrap();
    let shell = Typing(device.open_shell(Terminal::default()).await.unwrap());
    shell.until("R1>").await;
    shell.line("enable", "Password: ").await;
    shell.0.send_secret("enable").await.map_err(|failure| failure.guest())?;
    let mut said = String::new();
    while !said.ends_with(['>', '#']) {
        said += &shell.some().await;
    }
    Ok(said)
}

#[tokio::test]
async fn passwords_for_enable_are_not_tried_one_after_the_other() {
    let router = Router::start().await;
    let binding = world(&router).bind();
    for number in 0..3 {
        let said = enables(&router, &binding, &format!("guess-{number}")).await.unwrap();
        assert!(said.contains("Access denied"), "{said}");
    }
    for guess in ["guess-3", "guess-0", ENABLE] {
        let failure = enables(&router, &binding, guess).await.unwrap_err();
        assert_eq!((failure.code, failure.sent, failure.retryable), ("auth-failed", false, true), "{guess}");
        assert!(failure.message.contains("several for enable"), "{}", failure.message);
    }
    assert_eq!((router.count("password wrong"), router.count("password right")), (3, 0));
    // Another device has nothing to do with it.
    let other = Router::start().await;
    enables(&other, &world(&other).bind(), ENABLE).await.unwrap();
}

#[tokio::test]
async fn the_same_wrong_password_for_enable_is_not_typed_for_ever_and_the_right_one_is() {
    let router = Router::start().await;
    let binding = world(&router).bind();
    for _ in 0..3 {
        enables(&router, &binding, "wrong").await.unwrap();
    }
    assert_eq!(enables(&router, &binding, "wrong").await.unwrap_err().code, "auth-failed");
    assert_eq!(router.count("password wrong"), 3);
    let router = Router::start().await;
    let binding = world(&router).bind();
    for _ in 0..12 {
        assert!(enables(&router, &binding, ENABLE).await.unwrap().ends_with("R1#"));
    }
    assert_eq!(router.count("password right"), 12);
}
