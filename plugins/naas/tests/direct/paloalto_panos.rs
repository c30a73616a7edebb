//! PAN-OS: one candidate for all administrators, of which only the own changes are touched.

use fleetgate_sdk::ssh::{Key, Step};
use fleetgate_sdk::testing::Device;

use crate::{committing, configure, failed, on, text};

fn panos() -> Device {
    Device::new()
        .echoes()
        .says("Last login: Mon Nov 16\r\n\r\nNumber of failed attempts since last successful login: 0\r\n\r\nadmin@PA-VM> ")
        .expects("")
        .says("admin@PA-VM> ")
        .expects("set cli scripting-mode on")
        .says("admin@PA-VM> ")
        .expects("set cli terminal width 500")
        .says("admin@PA-VM> ")
        .expects("set cli pager off")
        .says("admin@PA-VM> ")
        .expects("configure")
        .says("Entering configuration mode\r\n[edit]                                                      \r\nadmin@PA-VM# ")
}

#[test]
fn panos_waits_for_its_commit() {
    let device = panos()
        .expects("set deviceconfig system location Berlin")
        .says("\r\n[edit]\r\nadmin@PA-VM# ")
        .expects("commit partial admin admin")
        .says("\r\nCommit job 5 is in progress. Use Ctrl+C to return to command prompt\r\n...")
        .pauses(std::time::Duration::from_secs(90))
        .says("55%")
        .pauses(std::time::Duration::from_secs(90))
        .says("98%.....100%\r\nConfiguration committed successfully\r\n\r\n[edit]\r\nadmin@PA-VM# ")
        .expects("exit")
        .says("Exiting configuration mode\r\nadmin@PA-VM> ");
    let (result, _) = on(device, &committing("paloalto_panos", &["set deviceconfig system location Berlin"]));
    assert!(text(&result, "config_set_output").contains("Configuration committed successfully"));
}

#[test]
fn panos_takes_back_the_own_changes_alone() {
    let device = panos()
        .expects("set deviceconfig system location Berlin")
        .says("\r\n[edit]\r\nadmin@PA-VM# ")
        .expects("revert config partial admin admin")
        .says("\r\nConfig reverted\r\n\r\n[edit]\r\nadmin@PA-VM# ")
        .expects("exit")
        .says("Exiting configuration mode\r\nadmin@PA-VM> ");
    let (result, _) = on(device, &configure("paloalto_panos", &["set deviceconfig system location Berlin"]));
    assert_eq!(result.error, None);
    assert!(!result.warnings.iter().any(|warning| warning.contains("other administrators")), "{result:?}");
}

#[test]
fn panos_that_knows_no_own_changes_or_is_not_allowed_to_has_the_others_go_with_them_and_says_so() {
    let old = || panos().expects("set tag blue").says("\r\n[edit]\r\nadmin@PA-VM# ");
    let unknown =
        |device: Device, line: &str| device.expects(line).says("Invalid syntax.\r\n[edit]\r\nadmin@PA-VM# ");
    let granted = |line: &str| !line.contains("partial");
    for (device, commit) in [
        (unknown(old(), "revert config partial admin admin").expects("revert config"), false),
        (old().allows(granted).expects("revert config"), false),
        (unknown(old(), "commit partial admin admin").expects("commit"), true),
        (old().allows(granted).expects("commit"), true),
    ] {
        let device = device
            .says("...100%\r\nConfiguration committed successfully\r\n[edit]\r\nadmin@PA-VM# ")
            .expects("exit")
            .says("admin@PA-VM> ");
        let mut job = configure("paloalto_panos", &["set tag blue"]);
        job.commit = commit;
        let (result, _) = on(device, &job);
        assert_eq!(result.error, None);
        assert!(result.warnings[0].contains("other administrators"), "{:?}", result.warnings);
    }
}

#[test]
fn changes_that_panos_does_not_take_back_are_said_to_wait_and_the_others_are_left_alone() {
    let device = panos()
        .expects("set tag blue")
        .says("\r\n[edit]\r\nadmin@PA-VM# ")
        .expects("revert config partial admin admin")
        .says("Server error : changes of others depend on these\r\n[edit]\r\nadmin@PA-VM# ")
        .expects("exit")
        .says("admin@PA-VM> ");
    let (result, _) = on(device, &configure("paloalto_panos", &["set tag blue"]));
    let error = failed(&result, "SSH_ERROR", false);
    assert!(error.contains("wait in the candidate") && error.contains("Server error"), "{error}");
}

#[test]
fn a_session_on_panos_that_ends_in_the_middle_takes_the_own_changes_back() {
    let device = || panos().expects("set tag blue").expects_key(Key::CtrlC);
    for (device, line) in [
        (device(), "revert config partial admin admin"),
        (device().allows(|line| !line.contains("partial")), "revert config"),
    ] {
        let (result, visit) = on(device, &configure("paloalto_panos", &["set tag blue"]));
        failed(&result, "READ_TIMEOUT", true);
        assert_eq!(visit.left, [Step::Key(Key::CtrlC), Step::Line(line.into()), Step::Line("exit".into())]);
    }
}

#[test]
fn a_commit_that_panos_does_not_confirm_has_failed() {
    let device = panos()
        .expects("set network interface ethernet ethernet1/1 layer3")
        .says("\r\n[edit]\r\nadmin@PA-VM# ")
        .expects("commit partial admin admin")
        .says("Commit job 6 is in progress.\r\n..100%\r\nValidation Error:\r\n vsys1 -> zone untrust is missing\r\n[edit]\r\nadmin@PA-VM# ")
        .expects("revert config partial admin admin")
        .says("\r\n[edit]\r\nadmin@PA-VM# ")
        .expects("exit")
        .says("admin@PA-VM> ");
    let lines = ["set network interface ethernet ethernet1/1 layer3"];
    let (result, _) = on(device, &committing("paloalto_panos", &lines));
    assert!(failed(&result, "CONFIG_REJECTED", false).contains("zone untrust"));
}
