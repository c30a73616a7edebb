//! Everything that a device says is bounded.

use fleetgate_sdk::ssh::{Key, Output};
use fleetgate_sdk::testing::{Device, Reply, Typed};
use naas::direct::commands::MOST;

use crate::{failed, on, show, text};

fn flooding(megabytes: usize, back: bool) -> Device {
    let chunk = "0123456789 abcdefghijklmnopqrstuvwxyz\r\n".repeat((1 << 20) / 39);
    Device::new().echoes().says("R1#").replies(move |typed| match typed {
        Typed::Line(line) if line == "show flood" => {
            (0..megabytes).fold(Reply::new(), |reply, _| reply.says(chunk.clone()))
        }
        Typed::Line(line) if line == "show clock" => Reply::new().says("12:00\r\nR1#"),
        Typed::Key(Key::CtrlC) if back => Reply::new().says("^C\r\nR1#"),
        Typed::Key(Key::CtrlC) => Reply::new(),
        _ => Reply::new().says("R1#"),
    })
}

#[test]
fn output_of_fifty_megabytes_is_cut_and_the_result_says_so() {
    for back in [true, false] {
        let (result, visit) = on(flooding(50, back), &show("cisco_ios", &["show flood", "show clock"]));
        let flood = text(&result, "show flood");
        assert!(flood.len() <= MOST && flood.len() > MOST / 2, "{}", flood.len());
        assert!(flood.ends_with("xyz"));
        assert!(
            result.warnings.iter().any(|warning| warning.contains("cut after 2097152 bytes")),
            "{:?}",
            result.warnings
        );
        assert_eq!(text(&result, "show clock"), "12:00", "what comes next is not part of it");
        assert!(visit.typed.contains(&Typed::Key(Key::CtrlC)));
    }
}

#[test]
fn many_long_answers_are_bounded_together() {
    let flood: Vec<_> = (0..12).map(|number| format!("show flood {number}")).collect();
    let chunk = "0123456789 abcdefghijklmnopqrstuvwxyz\r\n".repeat((3 << 20) / 39);
    let device = Device::new().echoes().says("R1#").replies(move |typed| match typed {
        Typed::Line(line) if line.starts_with("show flood") => Reply::new().says(chunk.clone()),
        _ => Reply::new().says("R1#"),
    });
    let commands: Vec<_> = flood.iter().map(String::as_str).collect();
    let (result, _) = on(device, &show("cisco_ios", &commands));
    let all: usize = flood.iter().map(|command| text(&result, command).len()).sum();
    assert!(all < 10 << 20, "{all}");
    assert_eq!(result.warnings.len(), 12);
}

#[test]
fn a_line_without_an_end_is_bounded_too() {
    let device = Device::new().echoes().says("R1#").replies(|typed| match typed {
        Typed::Line(line) if line == "show one-line" => {
            Reply::new().says("x".repeat(3 << 20)).says("\r\nR1#")
        }
        _ => Reply::new().says("R1#"),
    });
    let (result, _) = on(device, &show("cisco_ios", &["show one-line"]));
    assert!(text(&result, "show one-line").len() <= 1 << 16);
}

#[test]
fn a_banner_that_never_ends_is_no_prompt() {
    let banner =
        (0..9).fold(Device::new(), |device, _| device.says("all work and no play\r\n".repeat(50_000)));
    let (result, _) = on(banner.replies(|_| Reply::new()), &show("cisco_ios", &["show clock"]));
    failed(&result, "READ_TIMEOUT", true);
}

#[test]
fn output_of_linux_commands_is_cut_too() {
    let output = Output { stdout: vec![b'x'; 5 << 20], exit_status: Some(0), ..Output::default() };
    let (result, _) = on(Device::new().answers("cat big", output), &show("linux", &["cat big"]));
    assert_eq!(text(&result, "cat big").len(), MOST);
    assert!(result.warnings[0].contains("cut after"));
}
