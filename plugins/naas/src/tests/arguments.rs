//! What is refused before anything is sent, in both modes.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Harness, Response};

use super::played::{ID, Played, admin, finished, show_with};
use crate::direct;

fn server() -> Played {
    Played::jobs(admin(), [finished(json!({}))])
}

fn refused(with: Value) -> Fault {
    let server = Played::new(admin(), |_| Response::status(500));
    let fault = server.fault("send_config", show_with(with));
    assert_eq!(fault.code, "invalid-arguments");
    assert!(server.requests().is_empty());
    fault
}

fn field(with: Value) -> String {
    refused(with).field.expect("a field")
}

#[test]
fn a_host_is_an_address_or_a_name() {
    for host in ["192.0.2.1", "2001:db8::1", "core1", "core-1.example.com", "9.example", "a.b"] {
        server().data("send_command", show_with(json!({ "host": host })));
    }
    let long = format!("{}.example", "a".repeat(64));
    let longer = vec!["a".repeat(63); 4].join(".");
    for host in [
        "",
        " ",
        "a b",
        "a_b",
        "-a",
        "a-",
        "a..b",
        ".a",
        "a.",
        "a/b",
        "a:22",
        "[::1]",
        "a;b",
        "a\n",
        "192.0.2.256",
        "10.1",
        "ä",
        "a@b",
        "http://a",
        &long,
        &longer,
    ] {
        assert_eq!(field(json!({ "host": host })), "/host", "{host:?}");
    }
}

#[test]
fn a_command_is_one_line_that_says_something() {
    assert_eq!(field(json!({ "commands": [] })), "/commands");
    for odd in ["", " ", "\t", "a\nb", "a\r", "a\tb", "\u{15}reload", "a\u{1b}[A", "\u{85}"] {
        assert_eq!(field(json!({ "commands": ["show clock", odd] })), "/commands/1", "{odd:?}");
    }
    server().data("send_command", show_with(json!({ "commands": ["show run | include ^hostname", "ä"] })));
}

#[test]
fn a_port_is_a_number_that_there_is() {
    for port in [json!(0), json!(65536), json!(-1), json!("22"), json!(22.5)] {
        assert_eq!(field(json!({ "port": port })), "/port", "{port}");
    }
    server().data("send_command", show_with(json!({ "port": 65535 })));
}

#[test]
fn tags_are_ten_short_words_at_most() {
    let eleven: serde_json::Map<_, _> = (0..11).map(|n| (format!("k{n}"), json!("v"))).collect();
    let long = "x".repeat(65);
    for tags in [
        Value::Object(eleven),
        json!({ "": "v" }),
        json!({ "k": "" }),
        json!({ "k": "a b" }),
        json!({ "k.x": "v" }),
        json!({ "k": long }),
        json!({ "k": "v/w" }),
    ] {
        assert_eq!(field(json!({ "tags": tags })), "/tags");
    }
    assert_eq!(field(json!({ "tags": { "k": 7 } })), "/tags/k");
    server().data("send_command", show_with(json!({ "tags": { "site:a_1-b": "x".repeat(64) } })));
}

#[test]
fn logins_are_not_blank() {
    for (key, value) in
        [("username", " "), ("username", "a:b"), ("username", "a\n"), ("password", ""), ("enable", "")]
    {
        assert_eq!(field(json!({ (key): value })), format!("/{key}"), "{value:?}");
    }
}

#[test]
fn an_argument_that_there_is_not_is_refused() {
    assert_eq!(field(json!({ "device_type": "cisco_ios" })), "/device_type");
    let fault = server().fault("send_command", show_with(json!({ "commit": true })));
    assert_eq!(fault.field.as_deref(), Some("/commit"));
    assert_eq!(field(json!({ "commit": "yes" })), "/commit");
}

#[test]
fn a_server_decides_about_platforms_as_long_as_they_are_words() {
    for platform in ["cisco_ios", "autodetect", "f5_tmsh", "something_new"] {
        server().data("send_command", show_with(json!({ "platform": platform })));
    }
    for platform in ["", " ", "cisco ios", "a/b", "a\n"] {
        assert_eq!(field(json!({ "platform": platform })), "/platform", "{platform:?}");
    }
}

#[test]
fn without_a_server_an_unknown_platform_is_answered_with_those_that_there_are() {
    let direct = Played { host: Harness::new().binding("naas").granted("ssh.devices") };
    for platform in ["cisco_iso", "", "CISCO_IOS"] {
        let fault = direct.fault("send_command", show_with(json!({ "platform": platform })));
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/platform")));
        for known in direct::PLATFORMS {
            assert!(fault.message.contains(known), "{fault}");
        }
        assert!(fault.message.contains("autodetect"), "{fault}");
    }
    assert!(direct.host.submitted().is_empty());
}

#[test]
fn no_job_id_can_leave_its_segment() {
    let server = Played::new(admin(), |_| Response::status(500));
    let long = "a".repeat(129);
    for id in ["", ".", "..", "../jobs", "a/b", "a%2fb", "a;b", "a b", "a?b", "ä", long.as_str()] {
        for tool in ["get_job_result", "cancel_job"] {
            let fault = server.fault(tool, json!({ "job_id": id }));
            assert_eq!(
                (fault.code.as_str(), fault.field.as_deref()),
                ("invalid-arguments", Some("/job_id")),
                "{id:?}"
            );
        }
    }
    assert!(server.requests().is_empty());
    Played::jobs(admin(), [finished(json!({}))]).data("get_job_result", json!({ "job_id": ID }));
}
