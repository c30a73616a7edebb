//! Devices that say back what they were told.

use russh::MethodKind;

use crate::device::{PASSWORD, Router, Setup};
use crate::world::{call, until};

fn reflecting() -> Setup {
    Setup { reflects: true, ..Setup::default() }
}

#[tokio::test]
async fn a_password_comes_back_masked_in_banner_last_words_and_signals() {
    let router = Router::with(reflecting()).await;
    let world = router.world();
    let binding = world.bind();
    let caller = call().to(&binding);
    let mut said = Vec::new();
    let device = caller.connect(router.address).await.unwrap();
    let output = device.exec("crash", None, None).await.unwrap();
    said.push(output.exit_signal.unwrap());
    let failure = device.exec("reboot", None, None).await.unwrap_err();
    assert_eq!(failure.guest().code, "dropped");
    said.push(failure.guest().message);
    // The next connection is told what the last one said.
    let device = caller.connect(router.address).await.unwrap();
    said.push(device.banner().unwrap().to_owned());
    let shell = crate::world::Typing(device.open_shell(Default::default()).await.unwrap());
    shell.until("R1>").await;
    shell.0.send_line("reboot").await.unwrap();
    said.push(shell.rest().await.unwrap_err().guest().message);
    for said in &said {
        assert!(said.contains("[masked]") && !said.contains(&PASSWORD[..6]), "{said}");
    }
    let record = [caller.call.used.used(), caller.call.used.refused()].concat().join("\n");
    assert!(record.contains("ended by") && !record.contains(&PASSWORD[..6]), "{record}");
    until("nothing is open", || async { router.open() == 0 }).await;
}

#[tokio::test]
async fn a_question_that_repeats_the_password_is_masked() {
    let methods = vec![MethodKind::KeyboardInteractive];
    let router = Router::with(Setup { methods, ..reflecting() }).await;
    let caller = call().to(&router.world().bind());
    let failure = caller.fails(router.address).await;
    assert_eq!(failure.code, "auth-method");
    assert!(failure.message.contains("[masked] - sure?"), "{}", failure.message);
    let record = [caller.call.used.used(), caller.call.used.refused()].concat().join("\n");
    assert!(!record.contains(&PASSWORD[..6]), "{record}");
}
