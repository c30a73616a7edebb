//! The plugin's log.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Harness;

#[test]
fn every_level_is_written_with_and_without_data() {
    let host = Harness::new();
    host.run(|| {
        log::debug("a");
        log::info("b");
        log::notice("c");
        log::warning("d");
        log::error(String::from("e"));
        log::with(json!({ "n": 1 })).debug("f");
        log::with(json!({ "n": 1 })).info("g");
        log::with(json!({ "n": 1 })).notice("h");
        log::with(json!({ "n": 1 })).warning("i");
        log::with(json!({ "n": 1 })).error("j");
    });
    let logs = host.logs();
    let levels: Vec<_> = logs.iter().map(|line| line.level.as_str()).collect();
    let once = ["debug", "info", "notice", "warning", "error"];
    assert_eq!(levels, [once, once].concat());
    assert_eq!(logs.iter().map(|line| line.message.as_str()).collect::<String>(), "abcdefghij");
    assert!(logs[..5].iter().all(|line| line.data.is_none()));
    assert!(logs[5..].iter().all(|line| line.data == Some(json!({ "n": 1 }))));
}

#[test]
fn without_a_host_a_line_goes_nowhere() {
    log::info("nobody reads this");
}
