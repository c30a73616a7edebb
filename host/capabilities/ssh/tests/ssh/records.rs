//! What stands in a call's record of what a guest typed.

use fleetgate_ssh::testing::{Key, Step};

use crate::device::Router;
use crate::world::call;

#[tokio::test]
async fn what_is_left_for_the_end_is_in_the_record() {
    let router = Router::start().await;
    let caller = call().to(&router.world().bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    shell.0.on_close(vec![Step::Key(Key::CtrlZ), Step::Line("username x privilege 15".into())]).unwrap();
    let (used, at) = (caller.call.used.used(), router.address);
    assert!(used.contains(&format!("ssh.devices on-close key {at} ctrl-z left")), "{used:?}");
    assert!(
        used.contains(&format!("ssh.devices on-close {at} \"username x privilege 15\" left")),
        "{used:?}"
    );
}

#[tokio::test]
async fn an_allowed_line_is_in_the_record_whatever_the_device_asks() {
    let router = Router::start().await;
    let lines = "commands = [\"show *\", \"enable\"]";
    let (restricted, free) = (router.world_with(lines), router.world());
    for (world, shown) in [(restricted, "\"show version\""), (free, "\"(not shown)\"")] {
        let caller = call().to(&world.bind());
        let shell = caller.shell(router.address).await;
        shell.until("R1>").await;
        shell.line("enable", "Password: ").await;
        shell.line("show version", "R1>").await;
        let used = caller.call.used.used();
        assert_eq!(used.last().unwrap(), &format!("ssh.devices line {} {shown} typed", router.address));
    }
}

#[tokio::test]
async fn nothing_hides_behind_a_long_beginning_and_one_call_does_not_go_on_for_ever() {
    let router = Router::start().await;
    let caller = call().to(&router.world().bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    let steps = vec![Step::Line("show clock".into()); 8];
    for _ in 0..12 {
        shell.0.on_close(steps.clone()).unwrap();
    }
    shell.line("reload", "R1>").await;
    let used = caller.call.used.used();
    assert_eq!(used.len(), 65, "{used:?}");
    assert_eq!(used.last().unwrap(), &format!("ssh.devices line {} \"reload\" typed", router.address));
    let failure = loop {
        if let Err(failure) = shell.0.on_close(steps.clone()) {
            break failure.guest();
        }
    };
    assert_eq!((failure.code, failure.sent), ("too-much", false));
    assert!(failure.message.contains("10000"), "{}", failure.message);
    assert_eq!(shell.0.send_line("reload").await.unwrap_err().guest().code, "too-much");
    assert_eq!(router.count("line reload"), 1);
}
