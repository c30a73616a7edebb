//! Passwords that are typed: only where a device asks for them, and never seen again.

use std::time::Duration;

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
async fn the_logins_password_is_typed_where_the_grant_says_so_and_others_never_are() {
    let router = Router::start().await;
    let caller = call().to(&router.world().bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    shell.line("enable", "Password: ").await;
    assert_eq!(shell.0.send_secret("password").await.unwrap_err().guest().code, "denied");
    assert!(caller.refused().contains("type_password = true"), "{}", caller.refused());
    let caller = call().to(&router.world_with("type_password = true").bind());
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
async fn a_device_that_asks_for_nothing_gets_no_password_whatever_it_shows() {
    for echo in [true, false] {
        let router = Router::with(Setup { echo, ..Setup::default() }).await;
        let shell = call().to(&router.world().bind()).shell(router.address).await;
        // What comes meanwhile has nothing of the line in it: the prompt left before the line arrived.
        for line in ["show clock", "enabled"] {
            shell.0.send_line(line).await.unwrap();
            shell.until("R1>").await;
            shell.0.send_key("space").await.unwrap();
            tokio::time::sleep(Duration::from_millis(1200)).await;
            assert_eq!(shell.0.send_secret("enable").await.unwrap_err().guest().code, "echo");
        }
        // Nor does one that needs none, since it is enabled already.
        let shell = call().to(&router.world().bind()).shell(router.address).await;
        shell.until("R1>").await;
        for _ in 0..2 {
            shell.0.send_line("enable").await.unwrap();
            shell.until("Password: ").await;
            shell.0.send_line("").await.unwrap();
            shell.until("R1>").await;
            assert_eq!(shell.0.send_secret("enable").await.unwrap_err().guest().code, "echo");
        }
        assert!(!router.heard().iter().any(|heard| heard.contains(ENABLE)), "{:?}", router.heard());
        assert_eq!(router.count("password right"), 0);
    }
}

#[tokio::test]
async fn a_question_that_a_guest_brought_about_gets_no_password() {
    let router = Router::start().await;
    let world = router.world_with("type_password = true");
    let caller = call().to(&world.bind());
    for question in ["Password: ", "Destination filename [password]? "] {
        let shell = caller.shell(router.address).await;
        shell.until("R1>").await;
        shell.line(&format!("ask {question}"), question).await;
        for name in ["enable", "password"] {
            let failure = shell.0.send_secret(name).await.unwrap_err().guest();
            assert_eq!((failure.code, failure.sent), ("echo", false), "{question}");
            assert!(failure.message.contains("nothing was typed before it"), "{}", failure.message);
        }
    }
    // After `enable`, but not as the answer to it.
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    shell.line("enable", "Password: ").await;
    shell.0.send_key("enter").await.unwrap();
    shell.until("R1>").await;
    shell.0.send_key("n").await.unwrap();
    shell.line("enable", "R1>").await;
    shell.line("ask Password: ", "Password: ").await;
    assert_eq!(shell.0.send_secret("enable").await.unwrap_err().guest().code, "echo");
    assert_eq!(router.count("line nenable"), 1, "{:?}", router.heard());
    assert_eq!(router.count("password right"), 0);
}

#[tokio::test]
async fn a_device_that_asks_for_a_name_first_gets_the_password_after_it() {
    let router = Router::with(Setup { asks_for_name: true, ..Setup::default() }).await;
    let shell = call().to(&router.world().bind()).shell(router.address).await;
    shell.until("R1>").await;
    shell.line("enable", "Username: ").await;
    assert_eq!(shell.0.send_secret("enable").await.unwrap_err().guest().code, "echo");
    shell.line("netops", "Password: ").await;
    shell.0.send_secret("enable").await.unwrap();
    shell.until("R1#").await;
    // A name that nobody asked for is a line like any other.
    let router = Router::start().await;
    let shell = call().to(&router.world().bind()).shell(router.address).await;
    shell.until("R1>").await;
    shell.line("enable", "Password: ").await;
    shell.line("netops", "R1>").await;
    shell.line("ask Password: ", "Password: ").await;
    assert_eq!(shell.0.send_secret("enable").await.unwrap_err().guest().code, "echo");
}

#[tokio::test]
async fn a_grant_says_after_which_lines_passwords_are_typed() {
    let router = Router::start().await;
    let world = router.world_with("password_after = [\"ask *\"]");
    let caller = call().to(&world.bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    shell.line("enable", "Password: ").await;
    assert_eq!(shell.0.send_secret("enable").await.unwrap_err().guest().code, "echo");
    shell.line("", "R1>").await;
    shell.line("ask Password: ", "Password: ").await;
    shell.0.send_secret("enable").await.unwrap();
    let nowhere = router.world_with("password_after = []");
    let shell = call().to(&nowhere.bind()).shell(router.address).await;
    shell.until("R1>").await;
    shell.line("enable", "Password: ").await;
    assert_eq!(shell.0.send_secret("enable").await.unwrap_err().guest().code, "echo");
}

#[tokio::test]
async fn a_device_that_shows_passwords_shows_them_to_nobody() {
    for between in ["", "\r\n", " \r", "\u{1b}[K", "\u{8}\u{1b}[1C"] {
        let router = Router::with(Setup { shows_passwords: Some(between), ..Setup::default() }).await;
        let shell = call().to(&router.world().bind()).shell(router.address).await;
        shell.until("R1>").await;
        shell.line("enable", "Password: ").await;
        shell.0.send_secret("enable").await.unwrap();
        let said = shell.until("R1#").await;
        assert!(said.contains("[masked]"), "{between:?}: {said}");
        for piece in ENABLE.as_bytes().windows(4) {
            let piece = std::str::from_utf8(piece).unwrap();
            assert!(!said.contains(piece), "{between:?}: {said}");
        }
    }
}

#[tokio::test]
async fn a_pause_within_a_password_does_not_show_its_end() {
    let router = Router::start().await;
    let shell = call().to(&router.world().bind()).shell(router.address).await;
    shell.until("R1>").await;
    for at in [3, 10] {
        let (first, others) = ENABLE.split_at(at);
        let said = shell.line(&format!("halting <{first}|{others}>"), "R1>").await;
        let said = said.split_once("\r\n").unwrap().1;
        assert!(said.contains("[masked]>") && !said.contains(&ENABLE[at..at + 4]), "{said}");
    }
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
