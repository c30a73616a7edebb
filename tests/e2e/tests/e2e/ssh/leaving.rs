//! Guests that are gone while a device is in the middle of something.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Lab, to, until};
use crate::sshd::Sshd;

/// Arguments of `leave`: a guest that types `cat`, and leaves the host a file to make.
fn leave(sshd: &Sshd, how: &str) -> Value {
    let left = format!("touch {}", sshd.path(how).display());
    to(sshd, json!({"line": "echo be\"\"gun", "until": "begun\r\n", "left": left, "how": how}))
}

/// Waits until the host typed what was left, and everything on the device is closed.
async fn is_left(lab: &Lab, sshd: &Sshd, how: &str) {
    until(&format!("after {how}: what was left is typed"), || async { sshd.path(how).exists() }).await;
    until(&format!("after {how}: every session is closed"), || async { sshd.children().is_empty() }).await;
    assert!(
        lab.exec(sshd, "true").await.structured()["error"].is_null(),
        "after {how}: the next call is served"
    );
}

#[tokio::test]
async fn whatever_becomes_of_a_guest_the_host_types_what_it_left_and_closes() {
    let sshd = Sshd::start().await;
    let lab = Lab::of(&sshd, "idle = \"50ms\"");
    for how in ["panic", "read", "spin", "sleep", "forget"] {
        let answer = lab.client().call("leave", leave(&sshd, how)).await;
        assert_eq!(answer.succeeded(), how == "forget", "{how}: {answer:?}");
        is_left(&lab, &sshd, how).await;
        let why = lab.why(&answer);
        assert!(why.contains(&format!("on-close {} \"touch ", sshd.address)), "{how}: {why}");
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing_open() {
    let sshd = Sshd::start().await;
    let lab = Lab::of(&sshd, "idle = \"50ms\"");
    for how in ["read", "spin", "sleep"] {
        let (client, arguments) = (lab.client(), leave(&sshd, how));
        let call = tokio::spawn(async move { client.call("leave_late", arguments).await });
        until("it is at work", || async { !sshd.children().is_empty() }).await;
        // Until the terminal is open and the line typed.
        tokio::time::sleep(Duration::from_secs(1)).await;
        call.abort();
        is_left(&lab, &sshd, how).await;
        std::fs::remove_file(sshd.path(how)).expect("what was left");
    }
}
