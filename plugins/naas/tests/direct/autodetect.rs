//! A platform that the call does not name.

use std::time::Duration;

use fleet_sim::devices::{Platform, Setup};
use fleetgate_sdk::ssh::{Key, SshError};
use fleetgate_sdk::testing::{Device, Reply, Typed};
use naas::direct::{PLATFORMS, run};

use crate::simulated::simulated;
use crate::{configure, failed, lab, on, show, text};

/// A command that the simulated device of a platform knows, and something of its answer.
fn known(platform: Platform) -> (&'static str, &'static str) {
    match platform {
        Platform::HpProcurve => ("show system", "Software revision"),
        Platform::Fortinet => ("get system status", "FortiGate"),
        Platform::PaloaltoPanos => ("show system info", "model: PA-220"),
        Platform::MikrotikRouteros => ("/system/resource/print", "RB4011"),
        Platform::Linux => ("uname -s", "Linux"),
        _ => ("show version", ""),
    }
}

#[test]
fn every_simulated_device_is_found_out_and_driven_as_what_it_is() {
    for platform in Platform::ALL {
        let (command, shows) = known(platform);
        let device = simulated(Setup::new(platform), &[("uname -s", "Linux\n")]);
        let (result, visit) = on(device, &show("autodetect", &[command]));
        let said = text(&result, command);
        assert!(!said.is_empty() && said.contains(shows), "{platform}: {said}");
        assert_eq!(result.detected_platform.as_deref(), Some(platform.name()), "{:?}", visit.lines());
        assert!(visit.left.is_empty(), "{platform}: {:?}", visit.left);
    }
}

/// A device with this greeting and prompt, which answers these commands and refuses the others.
fn device(
    greeting: &str,
    prompt: &'static str,
    refusal: &'static str,
    answers: &'static [(&str, &str)],
) -> Device {
    Device::new().echoes().says(format!("{greeting}{prompt}")).replies(move |typed| {
        let said = match typed {
            Typed::Line(line) => {
                answers.iter().find(|(known, _)| known == line).map_or(refusal, |(_, said)| said)
            }
            _ => "",
        };
        Reply::new().says(format!("{said}{prompt}"))
    })
}

const IOS: &str = "Cisco IOS Software, C3560CX Software, Version 15.2(7)E3\r\n";
const INVALID: &str = "          ^\r\n% Invalid input detected at '^' marker.\r\n\r\n";

#[test]
fn banners_that_look_like_prompts_or_name_other_vendors_decide_nothing() {
    let banner = "##########\r\n# JUNOS, FortiGate, Cisco IOS XR Software #\r\n[admin@gw] >\r\nfirewall #\r\nR9#\r\n\
                  --- JUNOS 20.4R3.8 built 2021-06-22\r\n\r\n";
    let answers = &[("show version", IOS), ("show clock", "12:00\r\n")];
    let (result, _) = on(device(banner, "R1#", INVALID, answers), &show("autodetect", &["show clock"]));
    assert_eq!(text(&result, "show clock"), "12:00");
    assert_eq!(result.detected_platform.as_deref(), Some("cisco_ios"));
    assert_eq!(result.warnings, Vec::<String>::new());
}

#[test]
fn the_first_line_that_shows_anything_wins() {
    let answers = &[
        ("show version", "Arista DCS-7050\r\n description: to\r\nCisco IOS Software\r\n"),
        ("show clock", "x\r\n"),
    ];
    let (result, _) = on(device("", "leaf1#", INVALID, answers), &show("autodetect", &["show clock"]));
    assert_eq!(result.detected_platform.as_deref(), Some("arista_eos"));
}

#[test]
fn a_prompt_says_what_is_asked_first() {
    let (_, visit) = on(device("", "FGT-1 # ", "", &[]), &show("autodetect", &["get system arp"]));
    assert_eq!(visit.lines()[0], "get system status");
    let (_, visit) =
        on(device("", "ann@web1:~$ ", "bash: command not found\r\n", &[]), &show("autodetect", &["id"]));
    assert_eq!(visit.lines()[0], "uname -a");
}

#[test]
fn a_device_that_nobody_knows_is_refused_and_nothing_else_was_typed() {
    let known = device(
        "Welcome\r\n",
        "ASA> ",
        "ERROR: % Invalid input detected\r\n",
        &[("show version", "Cisco Adaptive Security Appliance Software Version 9.8(2)\r\n")],
    );
    let (result, visit) = on(known, &configure("autodetect", &["interface Vlan1", "shutdown"]));
    let error = failed(&result, "AUTODETECT_FAILED", false);
    assert!(error.starts_with("Platform autodetect failed: ") && error.contains("\"ASA>\""), "{error}");
    assert_eq!(result.detected_platform, None);
    assert_eq!(
        visit.lines(),
        ["show version", "uname -a", "show system info", "get system status", "/system resource print"]
    );
}

#[test]
fn probes_that_are_not_granted_are_left_out_and_the_error_names_them() {
    let granted = |line: &str| line.starts_with("get ") || line == "/system resource print";
    let (result, visit) =
        on(device("", "R1#", INVALID, &[]).allows(granted), &show("autodetect", &["get x"]));
    let error = failed(&result, "AUTODETECT_FAILED", false);
    for line in ["\"show version\"", "\"show system info\"", "\"uname -a\""] {
        assert!(error.contains(line), "{error}");
    }
    assert!(error.contains("in `commands`") && !error.contains("get system status"), "{error}");
    assert_eq!(visit.lines(), ["get system status", "/system resource print"]);
}

#[test]
fn a_device_whose_greeting_fits_its_prompt_is_taken_at_its_word_where_nothing_may_be_asked() {
    let greeting = "\r\n  MikroTik RouterOS 7.11.2 (c) 1999-2023       https://www.mikrotik.com/\r\n\r\n";
    let answers = &[("/log print", "one\r\n")];
    let granted = |line: &str| line == "/log print";
    let (result, _) = on(
        device(greeting, "[admin@gw] > ", "bad command name\r\n", answers).allows(granted),
        &show("autodetect", &["/log print"]),
    );
    assert_eq!(text(&result, "/log print"), "one");
    assert_eq!(result.detected_platform.as_deref(), Some("mikrotik_routeros"));
    assert!(result.warnings[0].contains("by its greeting and its prompt alone"), "{:?}", result.warnings);
    // A greeting that does not fit the prompt is worth nothing.
    let (result, _) =
        on(device(greeting, "R1#", INVALID, &[]).allows(|_| false), &show("autodetect", &["x"]));
    failed(&result, "AUTODETECT_FAILED", false);
}

#[test]
fn a_device_without_a_prompt_is_refused_with_its_last_words() {
    let mute = Device::new().says("Maintenance. Please come back later.\r\n").replies(|_| Reply::new());
    let (result, _) = on(mute, &show("autodetect", &["show clock"]));
    assert!(failed(&result, "AUTODETECT_FAILED", false).contains("Please come back later."));
}

#[test]
fn a_device_that_never_ends_its_answer_costs_a_bounded_time() {
    // A word every few seconds, for ever.
    let endless = || {
        Device::new().says("R1#").replies(|typed| match typed {
            Typed::Line(_) => {
                (0..10_000).fold(Reply::new(), |reply, _| reply.says("x").pauses(Duration::from_secs(9)))
            }
            Typed::Key(Key::Enter) => Reply::new().says("\r\nR1#"),
            Typed::Key(_) | Typed::Secret(_) | Typed::Bytes(_) => Reply::new(),
        })
    };
    let host = lab(endless());
    let result = host.run(|| run(&show("autodetect", &["show clock"])));
    assert!(failed(&result, "AUTODETECT_FAILED", false).contains("in time"));
    assert!(host.slept() < Duration::from_secs(120), "{:?}", host.slept());
    // More than is read is stopped, and the next thing is asked.
    let flood = Device::new().echoes().says("R1#").replies(|typed| match typed {
        Typed::Line(line) if line == "show version" => {
            Reply::new().says("junk of a device\r\n".repeat(10_000))
        }
        Typed::Line(line) if line == "uname -a" => Reply::new().says("Linux r1 5.10\r\nR1#"),
        _ => Reply::new().says("\r\nR1#"),
    });
    let (result, _) = on(flood.answers("id", Default::default()), &show("autodetect", &["id"]));
    assert_eq!(result.detected_platform.as_deref(), Some("linux"));
}

#[test]
fn what_connecting_fails_with_stays_what_it_is() {
    for (ssh, code) in
        [("auth-failed", "AUTH_FAILURE"), ("host-key-changed", "HOST_KEY"), ("denied", "DENIED")]
    {
        let (result, _) =
            on(Device::refusing(SshError::new(ssh, "this happened")), &show("autodetect", &["show clock"]));
        failed(&result, code, false);
    }
    let (result, _) =
        on(Device::new().says("R1#").replies(|_| Reply::new().drops()), &show("autodetect", &["x"]));
    failed(&result, "CONNECTION_LOST", true);
}

#[test]
fn a_configuration_says_what_it_was_pushed_to() {
    let device = simulated(Setup::new(Platform::AristaEos).privileged(true), &[]);
    let (result, _) = on(device, &configure("autodetect", &["vlan 77"]));
    assert_eq!((result.error, result.detected_platform.as_deref()), (None, Some("arista_eos")));
    assert!(!PLATFORMS.contains(&"autodetect"));
}
