//! What can go wrong with a device has a code each, nothing hangs, and nothing is left open.

use std::time::Duration;

use fleet_sim::devices::{Fault, Platform, Setup};
use fleetgate_e2e::{Answer, LOGIN, Lab, on, with};
use serde_json::{Value, json};

fn ios() -> Setup {
    Setup::new(Platform::CiscoIos).privileged(true)
}

/// The job's result, of a tool that failed with this code.
#[track_caller]
fn failed(answer: &Answer, code: &str, retryable: bool) -> Value {
    assert_eq!(answer.result()["isError"], true, "{answer:?}");
    let result = answer.result()["structuredContent"].clone();
    assert_eq!(
        (&result["error_code"], &result["error_retryable"]),
        (&json!(code), &json!(retryable)),
        "{result}"
    );
    assert!(answer.text().contains(code), "{}", answer.text());
    let all = answer.message.to_string();
    assert!(!all.contains("netops-password") && !all.contains("enable-password"), "{all}");
    result
}

async fn show(lab: &Lab) -> Answer {
    lab.call("send_command", on(lab.device(), &["show clock"])).await
}

#[tokio::test]
async fn each_way_not_to_be_connected_has_its_code() {
    for (setup, code, retryable) in [
        (ios().fault(Fault::RefusesConnections), "CONNECTION_TIMEOUT", true),
        (ios().login("netops", "another-password"), "AUTH_FAILURE", false),
        (ios().fault(Fault::OtherHostKey), "HOST_KEY", false),
        (ios().fault(Fault::LegacyAlgorithms), "SSH_ERROR", false),
        (ios().fault(Fault::NoSession), "SSH_ERROR", false),
    ] {
        let lab = Lab::of([setup.clone()]).await;
        failed(&show(&lab).await, code, retryable);
        lab.until("it is left alone", |devices| devices.all()[0].counts().sessions == 0).await;
    }
}

#[tokio::test]
async fn a_device_that_says_nothing_is_given_up() {
    let grant = format!("{LOGIN}connect_timeout = \"2s\"\n");
    let lab = Lab::granted([ios().fault(Fault::Silent)], &grant, "").await;
    failed(&show(&lab).await, "CONNECTION_TIMEOUT", true);
}

#[tokio::test]
async fn a_device_whose_key_nobody_vouches_for_gets_no_password() {
    let grant = LOGIN.replace("\"known_hosts\"", "\"known_nowhere\"");
    let lab = Lab::granted([ios()], &grant, "").await;
    failed(&show(&lab).await, "HOST_KEY", false);
    assert_eq!((lab.device().counts().logins, lab.device().counts().refused), (0, 0));
}

#[tokio::test]
async fn what_is_not_granted_is_denied() {
    let grant = format!("{LOGIN}commands = [\"show *\", \"terminal *\"]\n");
    let lab = Lab::granted([ios()], &grant, "").await;
    let elsewhere = with(on(lab.device(), &["show clock"]), json!({"host": "192.0.2.7"}));
    failed(&lab.call("send_command", elsewhere).await, "DENIED", false);
    for command in ["reload", "show clock; reload", "show clock | redirect flash:x", "show `reload`"] {
        let answer = lab.call("send_command", on(lab.device(), &["show clock", command])).await;
        failed(&answer, "DENIED", false);
    }
    for command in ["show clock\nreload", "show\tclock", "show \u{15}reload", "show \u{1b}[A"] {
        let answer = lab.call("send_command", on(lab.device(), &[command])).await;
        assert!(!answer.succeeded(), "{command:?}: {answer:?}");
    }
    failed(&lab.configure(lab.device(), &["hostname canary"], json!({})).await, "DENIED", false);
    assert!(!lab.device().lines().iter().any(|line| line.contains("reload") || line.contains("hostname")));
}

#[tokio::test]
async fn a_device_that_drops_the_connection_in_the_middle_is_told_from_one_that_is_silent() {
    let lab = Lab::granted([ios().fault(Fault::DropsDuring("show version".into()))], LOGIN, "").await;
    let answer = lab.call("send_command", on(lab.device(), &["show clock", "show version"])).await;
    let result = failed(&answer, "CONNECTION_LOST", true);
    assert!(result["error"].as_str().expect("text").contains("command 2 of 2"), "{result}");

    let settings = "[plugins.naas.config]\nread_timeout = \"2s\"\n";
    let lab = Lab::granted([ios().fault(Fault::HangsDuring("show version".into()))], LOGIN, settings).await;
    let answer = lab.call("send_command", on(lab.device(), &["show version"])).await;
    failed(&answer, "READ_TIMEOUT", true);
    lab.until("the session is closed", |devices| devices.all()[0].counts().sessions == 0).await;
}

#[tokio::test]
async fn a_prompt_that_is_never_seen_is_not_waited_for_forever() {
    let lab = Lab::of([ios().fault(Fault::NoPrompt)]).await;
    failed(&show(&lab).await, "READ_TIMEOUT", true);
    lab.until("the session is closed", |devices| devices.all()[0].counts().sessions == 0).await;
}

#[tokio::test]
async fn a_slow_device_is_read_to_its_end() {
    let slow = Fault::SlowOutput { bytes: 7, pause: Duration::from_millis(20) };
    let lab = Lab::of([ios().fault(slow)]).await;
    let results = lab.show(lab.device(), &["show version", "show clock"]).await;
    assert!(results["show version"].as_str().expect("text").contains("edge-r1"), "{results}");
    assert!(!results["show clock"].as_str().expect("text").contains('\n'), "{results}");
}

#[tokio::test]
async fn a_line_that_is_refused_half_way_says_which_lines_stay() {
    let lab = Lab::of([ios()]).await;
    let lines = ["snmp-server location canary-one", "bogus canary-two", "snmp-server contact canary-three"];
    let answer = lab.configure(lab.device(), &lines, json!({"save_config": true})).await;
    let result = failed(&answer, "CONFIG_REJECTED", false);
    let expected = json!({"applied": [lines[0]], "rejected": lines[1], "not_sent": [lines[2]]});
    assert_eq!(result["progress"], expected);
    let error = result["error"].as_str().expect("text");
    assert!(error.starts_with("Invalid input detected at command: bogus canary-two"), "{error}");
    let running = lab.device().running_config();
    assert!(running.contains("canary-one") && !running.contains("canary-three"), "{running}");
    assert!(!lab.device().startup_config().contains("canary-one"), "it was not saved");
    assert_eq!(lab.device().lines().last().map(String::as_str), Some("end"));
}

#[tokio::test]
async fn output_of_fifty_megabytes_is_cut_and_what_comes_next_is_whole() {
    let flood = Fault::Floods { command: "show tech-support".into(), bytes: 50 << 20 };
    let lab = Lab::of([ios().fault(flood)]).await;
    let answer = lab.call("send_command", on(lab.device(), &["show tech-support", "show version"])).await;
    let result = answer.structured();
    let flood = result["results"]["show tech-support"].as_str().expect("text");
    assert!((1 << 20..=2 << 20).contains(&flood.len()), "{}", flood.len());
    assert!(result["warnings"].to_string().contains("cut after"), "{}", result["warnings"]);
    assert!(result["results"]["show version"].as_str().expect("text").contains("edge-r1"));
    lab.until("the session is closed", |devices| devices.all()[0].counts().sessions == 0).await;
}
