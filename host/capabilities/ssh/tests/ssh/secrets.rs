//! Passwords that are typed: only where a device asks for them, and never seen again.

use fleetgate_ssh::Failure;

use crate::device::{ENABLE, PASSWORD, Router, Setup};
use crate::world::call;

#[tokio::test]
async fn a_password_is_typed_where_the_device_asks_for_it_and_nowhere_else() {
    let router = Router::start().await;
    let caller = call().to(&router.world().bind());
    let shell = caller.shell(router.address).await;
    let refused = |failure: Failure| {
        assert_eq!((failure.guest().code, failure.guest().sent), ("echo", false));
        assert!(!failure.to_string().contains(ENABLE));
    };
    refused(shell.0.send_secret("enable").await.unwrap_err());
    shell.until("R1>").await;
    refused(shell.0.send_secret("enable").await.unwrap_err());
    shell.line("enable", "Password: ").await;
    shell.0.send_secret("enable").await.unwrap();
    shell.until("R1#").await;
    refused(shell.0.send_secret("enable").await.unwrap_err());
    assert_eq!(router.count("password right"), 1);
    assert!(!router.heard().iter().any(|heard| heard.contains(ENABLE)), "as a line: {:?}", router.heard());
    let used = caller.call.used.used().join("\n");
    assert!(used.contains(&format!("ssh.devices secret {} enable typed", router.address)), "{used}");
    assert!(!used.contains(ENABLE) && !used.contains(PASSWORD), "{used}");
}

#[tokio::test]
async fn a_question_that_was_answered_is_no_question_any_more() {
    let router = Router::start().await;
    let shell = call().to(&router.world().bind()).shell(router.address).await;
    shell.until("R1>").await;
    shell.line("enable", "Password: ").await;
    shell.0.send_line("wrong").await.unwrap();
    assert_eq!(shell.0.send_secret("enable").await.unwrap_err().guest().code, "echo");
    shell.until("R1>").await;
    assert_eq!(router.count("password wrong"), 1);
}

#[tokio::test]
async fn the_logins_password_can_be_typed_too_and_others_cannot() {
    let router = Router::start().await;
    let caller = call().to(&router.world().bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    shell.line("enable", "Password: ").await;
    for name in ["key", "", "Enable", "known_hosts", "../enable", &"x".repeat(1000)] {
        assert_eq!(shell.0.send_secret(name).await.unwrap_err().guest().code, "denied", "{name}");
    }
    shell.0.send_secret("password").await.unwrap();
    assert!(shell.until("R1>").await.contains("Access denied"), "it is the other one");
}

#[tokio::test]
async fn what_a_device_prints_of_its_passwords_is_masked_however_it_comes() {
    let router = Router::start().await;
    let caller = call().to(&router.world().bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    let said = shell.line("show running-config", "R1>").await;
    assert!(said.contains("enable password [masked]\r\nusername netops password 0 [masked]\r\n"), "{said}");
    let said = shell.line(&format!("slowly <{ENABLE}> and more"), "R1>").await;
    assert!(!said.contains(ENABLE) && said.contains("<[masked]> and more"), "{said}");
    let output = caller.exec(router.address, "show running-config").await.unwrap();
    let said = crate::world::text(&output.stdout);
    assert!(said.contains("[masked]") && !said.contains(ENABLE) && !said.contains(PASSWORD), "{said}");
    // Cut in the middle of one, nothing of it is left at the end.
    let most = said.find("[masked]").unwrap() as u64 + 6;
    let device = caller.connect(router.address).await.unwrap();
    let output = device.exec("show running-config", None, Some(most)).await.unwrap();
    assert!(output.cut);
    assert_eq!(crate::world::text(&output.stdout), "enable password ");
}

#[tokio::test]
async fn a_terminal_that_shows_nothing_takes_a_password() {
    let router = Router::with(Setup { echo: false, ..Setup::default() }).await;
    let shell = call().to(&router.world().bind()).shell(router.address).await;
    shell.until("R1>").await;
    shell.line("show version", "R1>").await;
    crate::world::until("silence", || async { shell.0.send_secret("enable").await.is_ok() }).await;
}

#[tokio::test]
async fn a_password_that_cannot_be_masked_is_not_typed() {
    let router = Router::start().await;
    let world = router.world().secret("enable", "abc");
    let shell = call().to(&world.bind()).shell(router.address).await;
    shell.until("R1>").await;
    shell.line("enable", "Password: ").await;
    let failure = shell.0.send_secret("enable").await.unwrap_err().guest();
    assert_eq!((failure.code, failure.message.as_str()), ("credential", "the credential cannot be had now"));
}
