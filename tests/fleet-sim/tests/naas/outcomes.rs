//! How jobs end: results, the table of error codes row by row, and crashes.

use fleet_sim::naas::known;
use serde_json::{Value, json};

use crate::client::{Api, server, show, with};

/// What all jobs that did not crash look like, besides the given.
#[track_caller]
fn finished(result: &Value, more: Value) {
    let expected = with(
        json!({
            "job_id": result["job_id"], "status": "finished", "results": null, "error": null, "error_code": null,
            "error_retryable": null, "detected_platform": null, "tags": null, "app": "naas", "version": "2.1.0",
        }),
        more,
    );
    assert_eq!(result, &expected);
}

#[tokio::test]
async fn results_are_the_texts_by_command() {
    let server = server().await;
    let tags = json!({"tags": {"env": "lab"}});
    let body = with(show(known::IOS, "show clock"), tags);
    let result = Api::of(&server, known::OPERATOR).run("/v2/send-command", &body).await;
    let results = json!({"show clock": "*11:54:03.018 UTC Sat Apr 16 2022"});
    finished(&result, json!({"results": results, "tags": {"env": "lab"}}));
}

#[tokio::test]
async fn structured_results_are_rows_or_the_raw_text_without_a_template() {
    let server = server().await;
    let commands = ["show clock", "show ip interface brief", "show vlan brief", "show version"];
    let body = with(show(known::IOS, ""), json!({"commands": commands}));
    let result = Api::of(&server, known::OPERATOR).run("/v2/send-command-structured", &body).await;
    let results = &result["results"];
    assert_eq!(results["show clock"][0]["dayweek"], "Sat");
    assert_eq!(
        results["show ip interface brief"][1],
        json!({"interface": "Vlan20", "ip_address": known::IOS_ADDRESS, "status": "up", "proto": "up"})
    );
    assert_eq!(results["show vlan brief"][1]["interfaces"], json!(["Gi1/0/1", "Gi1/0/2", "Gi1/0/3"]));
    assert!(results["show version"].as_str().unwrap().contains("Cisco IOS Software"));
}

#[tokio::test]
async fn a_configuration_is_answered_with_its_transcript() {
    let server = server().await;
    let lines = json!({"commands": ["interface GigabitEthernet1/0/4", "description desk 4"]});
    let body = with(show(known::IOS, ""), lines);
    let result = Api::of(&server, known::OPERATOR).run("/v2/send-config", &body).await;
    let transcript = "configure terminal\nEnter configuration commands, one per line.  End with CNTL/Z.\n\
                      access-sw-01(config)#interface GigabitEthernet1/0/4\n\
                      access-sw-01(config-if)#description desk 4\naccess-sw-01(config-if)#end\naccess-sw-01#";
    finished(&result, json!({"results": {"config_set_output": transcript}}));
}

#[tokio::test]
async fn autodetection_tells_the_platform_it_found() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    for (host, platform) in [
        (known::IOS, "cisco_ios"),
        (known::NXOS, "cisco_nxos"),
        (known::XR, "cisco_xr"),
        (known::EOS, "arista_eos"),
        (known::JUNOS, "juniper_junos"),
        (known::LINUX, "linux"),
        (known::PROCURVE, "hp_procurve"),
        (known::MIKROTIK, "mikrotik_routeros"),
        (known::FORTINET, "fortinet"),
        (known::PANOS, "paloalto_panos"),
    ] {
        let body = with(show(host, "show version"), json!({"platform": "autodetect"}));
        let result = api.run("/v2/send-command", &body).await;
        assert_eq!(result["detected_platform"], platform, "{host}");
    }
}

#[tokio::test]
async fn a_devices_error_is_a_finished_job_with_error_code_and_retryable() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    for (host, path, more, code, retryable, starts, contains) in [
        (
            known::UNREACHABLE,
            "send-command",
            json!({"port": 16999}),
            "CONNECTION_TIMEOUT",
            true,
            "TCP connection to device failed.\n\nCommon causes",
            "\n\nDevice settings: cisco_ios access-sw-90:16999\n\n",
        ),
        (
            "no-such-device.example",
            "send-command",
            json!({}),
            "CONNECTION_TIMEOUT",
            true,
            "TCP connection",
            "",
        ),
        (
            known::SILENT,
            "send-command",
            json!({}),
            "CONNECTION_TIMEOUT",
            true,
            "Paramiko: 'No existing session' error: try increasing 'conn_timeout' to 15 seconds or larger.",
            "",
        ),
        (
            known::LOCKED,
            "send-command",
            json!({}),
            "AUTH_FAILURE",
            false,
            "Authentication to device failed.\n\nCommon causes",
            "Authentication failed.",
        ),
        (
            known::UNPRIVILEGED,
            "send-config",
            json!({}),
            "SSH_ERROR",
            true,
            "Unknown SSH error connecting to device access-sw-93: Failed to enter configuration mode.",
            "",
        ),
        (
            known::BROKEN,
            "send-command",
            json!({}),
            "SSH_ERROR",
            true,
            "Unknown SSH error connecting to device",
            "",
        ),
        (
            known::IOS,
            "send-config",
            json!({"commands": ["interface Vlan30", "bogus", "shutdown"]}),
            "CONFIG_REJECTED",
            false,
            "Invalid input detected at command: bogus, matched error: % Invalid",
            "",
        ),
        (
            known::READ_ONLY,
            "send-config",
            json!({"commands": ["interface Vlan30"]}),
            "CONFIG_REJECTED",
            false,
            "Invalid input detected at command: interface Vlan30, matched error: % Error",
            "",
        ),
        (
            known::MYSTERY,
            "send-command",
            json!({"platform": "autodetect"}),
            "AUTODETECT_FAILED",
            false,
            "Platform autodetect failed: ",
            "",
        ),
    ] {
        let body = with(show(host, "show clock"), more);
        let result = api.run(&format!("/v2/{path}"), &body).await;
        let error = result["error"].as_str().unwrap_or_else(|| panic!("an error: {result}"));
        assert!(error.starts_with(starts) && error.contains(contains), "{host}: {error}");
        let expected = json!({"error": error, "error_code": code, "error_retryable": retryable});
        finished(&result, expected);
        assert!(!result.to_string().contains(known::PASSWORD));
    }
}

#[tokio::test]
async fn an_unprivileged_login_still_shows() {
    let server = server().await;
    let body = show(known::UNPRIVILEGED, "show clock");
    let result = Api::of(&server, known::OPERATOR).run("/v2/send-command", &body).await;
    assert_eq!(result["error"], json!(null));
}

#[tokio::test]
async fn a_crash_a_slow_command_and_a_slow_job_fail_with_a_traceback() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    let seven: Vec<String> = (0..7).map(|n| format!("show {n}")).collect();
    for (host, more, exception) in [
        (known::CRASHES, json!({}), "KeyError: "),
        (known::TOO_SLOW, json!({}), "netmiko.exceptions.ReadTimeout: "),
        (known::MYSTERY, json!({}), "netmiko.exceptions.ReadTimeout: "),
        (
            known::SLOW,
            json!({"commands": seven}),
            "rq.timeouts.JobTimeoutException: Task exceeded maximum timeout value (120 seconds)",
        ),
    ] {
        let result = api.run("/v2/send-command", &with(show(host, "show clock"), more)).await;
        let error = result["error"].as_str().unwrap_or_else(|| panic!("an error: {result}"));
        assert!(error.starts_with("Traceback (most recent call last):\n"), "{error}");
        assert!(error.contains(exception), "{error}");
        let expected = json!({
            "status": "failed", "error": error, "error_code": "UNKNOWN", "error_retryable": false,
        });
        finished(&result, expected);
    }
}

#[tokio::test]
async fn a_command_may_take_as_long_as_its_read_timeout_says() {
    let server = server().await;
    let body = with(show(known::TOO_SLOW, "show clock"), json!({"read_timeout": 60}));
    let result = Api::of(&server, known::OPERATOR).run("/v2/send-command", &body).await;
    assert_eq!((&result["status"], &result["error"]), (&json!("finished"), &json!(null)));
}
