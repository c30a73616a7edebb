//! Guests that are gone while a device is in the middle of something.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Lab, to, until};
use crate::sshd::Sshd;

/// Made when the guest has typed its line, and so has told the host what to type at the end.
fn begun(sshd: &Sshd, how: &str) -> PathBuf {
    sshd.path(&format!("{how}-begun"))
}

/// Arguments of `leave`: a guest that makes a file, and leaves the host another one to make.
fn leave(sshd: &Sshd, how: &str) -> Value {
    let line = format!("touch {}; exec env PS1='ready> ' sh", begun(sshd, how).display());
    let left = format!("touch {}", sshd.path(how).display());
    to(sshd, json!({"line": line, "until": "ready> ", "left": left, "how": how}))
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
        // Those that do not go by themselves are ended after six seconds.
        let tool = if ["panic", "forget"].contains(&how) { "leave_late" } else { "leave" };
        let answer = lab.client().call(tool, leave(&sshd, how)).await;
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
        until("it is at work", || async { begun(&sshd, how).exists() }).await;
        call.abort();
        is_left(&lab, &sshd, how).await;
    }
}
