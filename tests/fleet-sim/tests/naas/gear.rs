//! The devices: what they print, what they take, and what stays.

use fleet_sim::naas::model::Device;
use fleet_sim::naas::{Running, known};
use serde_json::{Value, json};

use crate::client::{Api, server, show, with};

fn lines(host: &str, platform: &str, lines: &[&str]) -> Value {
    with(show(host, ""), json!({"platform": platform, "commands": lines}))
}

async fn config(server: &Running, body: Value, more: Value) -> (Value, Device) {
    let result = Api::of(server, known::OPERATOR).run("/v2/send-config", &with(body.clone(), more)).await;
    (result, server.state().device(body["host"].as_str().unwrap()).unwrap())
}

#[tokio::test]
async fn there_are_a_few_dozen_devices_and_none_is_called_like_another() {
    let server = server().await;
    let devices = server.state().devices();
    assert!(devices.len() >= 36, "{}", devices.len());
    for key in [|device: &Device| device.name.clone(), |device: &Device| device.address.clone()] {
        let names: std::collections::BTreeSet<String> = devices.iter().map(key).collect();
        assert_eq!(names.len(), devices.len());
    }
    assert_eq!(server.state().device(known::IOS_ADDRESS).unwrap().name, known::IOS);
}

#[tokio::test]
async fn every_platform_answers_its_common_commands_and_refuses_others_in_its_own_words() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    for (host, platform, command, contains, complaint) in [
        (known::IOS, "cisco_ios", "show version", "access-sw-01 uptime is", "% Invalid input detected"),
        (known::NXOS, "cisco_nxos", "show version", "Device name: dc-leaf-01", "% Invalid command"),
        (known::XR, "cisco_xr", "show version", "Cisco IOS XR Software", "% Invalid input detected"),
        (known::EOS, "arista_eos", "show version", "Arista DCS-7280SR3", "% Invalid input"),
        (known::JUNOS, "juniper_junos", "show version", "Hostname: edge-rtr-01", "unknown command."),
        (known::LINUX, "linux", "uname -a", "Linux jump-01 ", "-bash: nonsense: command not found"),
        (known::PROCURVE, "hp_procurve", "show system", "closet-sw-01", "Invalid input: nonsense"),
        (known::MIKROTIK, "mikrotik_routeros", "/system identity print", "branch-rtr-01", "bad command name"),
        (known::FORTINET, "fortinet", "get system status", "Hostname: fw-branch-01", "Command fail."),
        (
            known::PANOS,
            "paloalto_panos",
            "show system info",
            "hostname: fw-dc-01",
            "Unknown command: nonsense",
        ),
    ] {
        let body = lines(host, platform, &[command, "nonsense"]);
        let result = api.run("/v2/send-command", &body).await;
        let text = |command: &str| result["results"][command].as_str().unwrap().to_owned();
        assert!(text(command).contains(contains), "{}", text(command));
        assert!(!text(command).contains('{') || host == known::PANOS, "{}", text(command));
        assert!(text("nonsense").contains(complaint), "{}", text("nonsense"));
    }
}

#[tokio::test]
async fn the_commands_of_the_troubleshooting_prompt_are_all_answered() {
    let server = server().await;
    let commands =
        ["show version", "show interfaces status", "show logging last 50", "show processes cpu history"];
    let body = lines(known::IOS, "cisco_ios", &commands);
    let result = Api::of(&server, known::OPERATOR).run("/v2/send-command", &body).await;
    for command in commands {
        let text = result["results"][command].as_str().unwrap();
        assert!(text.lines().count() > 5 && !text.contains("% Invalid"), "{text}");
    }
}

#[tokio::test]
async fn what_is_configured_shows_and_is_saved_when_asked() {
    let server = server().await;
    let body = || lines(known::IOS, "cisco_ios", &["hostname renamed", "ntp server 192.0.2.1"]);
    let (_, device) = config(&server, body(), json!({})).await;
    assert_eq!((device.config.len(), device.saved), (2, false));
    let (_, device) = config(&server, body(), json!({"save_config": true})).await;
    assert!(device.saved);
    let shown = show(known::IOS, "show running-config");
    let result = Api::of(&server, known::OPERATOR).run("/v2/send-command", &shown).await;
    let text = result["results"]["show running-config"].as_str().unwrap();
    assert!(text.contains("hostname renamed\n!") && text.contains("ntp server 192.0.2.1\n"), "{text}");
}

#[tokio::test]
async fn lines_before_a_rejected_one_stay_and_those_after_are_not_sent() {
    let server = server().await;
    let body = lines(known::EOS, "arista_eos", &["vlan 30", "bogus", "vlan 40"]);
    let (result, device) = config(&server, body, json!({"save_config": true})).await;
    assert_eq!(result["error_code"], "CONFIG_REJECTED");
    assert_eq!((device.config, device.saved), (vec!["vlan 30".to_owned()], false));
}

#[tokio::test]
async fn complaints_outside_the_pattern_are_passed_over() {
    let server = server().await;
    for (host, platform, good, says) in [
        (
            known::MIKROTIK,
            "mikrotik_routeros",
            "/ip address add address=192.0.2.1/24",
            "bad command name bogus",
        ),
        (known::FORTINET, "fortinet", "config system global", "Command fail. Return code 1"),
        (known::JUNOS, "juniper_junos", "set system host-name renamed", "unknown command."),
    ] {
        let (result, device) = config(&server, lines(host, platform, &["bogus", good]), json!({})).await;
        let transcript = result["results"]["config_set_output"].as_str().unwrap();
        assert!(transcript.contains(says) && transcript.contains(good), "{transcript}");
        let kept = [device.config, device.candidate].concat();
        assert_eq!(kept, [good]);
    }
    for (host, platform, line, found) in [
        (known::JUNOS, "juniper_junos", "set bogus", "syntax error"),
        (known::PROCURVE, "hp_procurve", "bogus", "Invalid input"),
        (known::NXOS, "cisco_nxos", "bogus", "% Invalid"),
        (known::XR, "cisco_xr", "bogus", "% Invalid"),
    ] {
        let (result, _) = config(&server, lines(host, platform, &[line]), json!({})).await;
        let error = format!("Invalid input detected at command: {line}, matched error: {found}");
        assert_eq!(result["error"], error);
    }
}

#[tokio::test]
async fn without_a_commit_xr_forgets_and_junos_and_panos_keep_it_pending() {
    let server = server().await;
    let line = |host| if host == known::XR { "hostname renamed" } else { "set system host-name renamed" };
    for (host, platform) in
        [(known::XR, "cisco_xr"), (known::JUNOS, "juniper_junos"), (known::PANOS, "paloalto_panos")]
    {
        let body = || lines(host, platform, &[line(host)]);
        let (result, device) = config(&server, body(), json!({"save_config": true})).await;
        assert_eq!(result["error"], json!(null));
        let pending = if host == known::XR { vec![] } else { vec![line(host)] };
        assert_eq!(
            (device.config.len(), device.candidate),
            (0, pending.iter().map(|&l| l.to_owned()).collect())
        );
        let (_, device) = config(&server, body(), json!({"commit": true})).await;
        let expected = if host == known::XR { 1 } else { 2 };
        assert_eq!((device.config.len(), device.candidate.len()), (expected, 0), "{host}");
    }
}

#[tokio::test]
async fn committing_and_saving_where_there_is_no_such_thing_changes_nothing() {
    let server = server().await;
    for (host, platform, line) in [
        (known::LINUX, "linux", "sysctl -w net.ipv4.ip_forward=1"),
        (known::FORTINET, "fortinet", "config system global"),
        (known::IOS, "cisco_ios", "ntp server 192.0.2.1"),
    ] {
        let more = json!({"commit": true, "save_config": true});
        let (result, device) = config(&server, lines(host, platform, &[line]), more).await;
        assert_eq!((&result["error"], device.config), (&json!(null), vec![line.to_owned()]));
    }
}
