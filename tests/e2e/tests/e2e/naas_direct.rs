//! The naas plugin drives devices of ten platforms over SSH, without a NAAS server.

use fleet_sim::devices::{Platform, Setup, What};
use fleetgate_e2e::{LOGIN, Lab, on, with};
use serde_json::json;

/// A device at whose working level the login lands: ProCurve's `enable` asks for a name in between, after which no
/// password is typed.
fn setup(platform: Platform) -> Setup {
    match platform {
        Platform::HpProcurve => Setup::new(platform).privileged(true),
        _ => Setup::new(platform),
    }
}

/// A command whose output holds the device's name.
fn named(platform: Platform) -> &'static str {
    match platform {
        Platform::Linux => "hostname",
        Platform::HpProcurve | Platform::AristaEos | Platform::CiscoXr => "show running-config",
        Platform::MikrotikRouteros => "/system identity print",
        Platform::Fortinet => "get system status",
        Platform::PaloaltoPanos => "show system info",
        _ => "show version",
    }
}

/// Lines of configuration, and what of them the device shows afterwards.
fn lines(platform: Platform) -> (&'static [&'static str], &'static str) {
    match platform {
        Platform::CiscoIos | Platform::AristaEos => {
            (&["interface Loopback7", "description canary-e2e"], "canary-e2e")
        }
        Platform::CiscoNxos => (&["interface loopback7", "description canary-e2e"], "canary-e2e"),
        Platform::CiscoXr => (&["interface Loopback7", "description canary-e2e"], "canary-e2e"),
        Platform::JuniperJunos => (&["set snmp location canary-e2e"], "canary-e2e"),
        Platform::Linux => (&["echo canary-e2e > /etc/motd"], "canary-e2e"),
        Platform::HpProcurve => (&["vlan 77", "name canary-e2e"], "canary-e2e"),
        Platform::MikrotikRouteros => (&["/system identity set name=canary-e2e"], "canary-e2e"),
        Platform::Fortinet => (&["config system global", "set hostname canary-e2e", "end"], "canary-e2e"),
        Platform::PaloaltoPanos => (&["set deviceconfig system hostname canary-e2e"], "canary-e2e"),
    }
}

#[tokio::test]
async fn a_command_gives_its_output_on_every_platform_and_the_session_is_closed() {
    let lab = Lab::of(Platform::ALL.map(setup)).await;
    for device in lab.devices.all() {
        let platform = device.platform();
        let command = named(platform);
        let answer = lab.call("send_command", on(device, &[command])).await;
        let result = answer.structured();
        let output = result["results"][command].as_str().expect("text");
        assert!(output.contains(device.hostname()), "{platform}: {output}");
        let prompts = ["#", ">", "[edit]", "{master", "--More", command];
        let last = output.lines().last().expect("a line");
        assert!(!prompts.contains(&last.trim()), "{platform}: {output}");
        assert!(!output.contains('\r') && !output.contains('\u{1b}'), "{platform}: {output:?}");
        assert_eq!((&result["status"], &result["error"]), (&json!("finished"), &json!(null)));
    }
    lab.until("every session is closed", |devices| {
        devices.all().iter().all(|device| device.counts().sessions == 0)
    })
    .await;
}

#[tokio::test]
async fn a_platform_that_is_not_named_is_found_out() {
    let lab = Lab::of(Platform::ALL.map(setup)).await;
    for device in lab.devices.all() {
        let platform = device.platform();
        let command = named(platform);
        let asked = with(on(device, &[command]), json!({"platform": "autodetect"}));
        let answer = lab.call("send_command", asked).await;
        let result = answer.structured();
        assert_eq!(result["detected_platform"], platform.name(), "{result}");
        let output = result["results"][command].as_str().expect("text");
        assert!(output.contains(device.hostname()), "{platform}: {output}");
    }
}

#[tokio::test]
async fn lines_take_effect_on_every_platform_and_every_mode_is_left() {
    let lab = Lab::of(Platform::ALL.map(setup)).await;
    for device in lab.devices.all() {
        let platform = device.platform();
        let (lines, shown) = lines(platform);
        assert!(!device.running_config().contains(shown), "{platform}");
        let answer = lab.configure(device, lines, json!({"commit": true, "save_config": true})).await;
        let result = answer.structured();
        let transcript = result["results"]["config_set_output"].as_str().expect("a transcript");
        assert!(transcript.contains(lines[0]), "{platform}: {transcript}");
        assert!(
            device.running_config().contains(shown),
            "{platform}: {}\n{transcript}",
            device.running_config()
        );
        assert_eq!(device.pending(), None, "{platform}");
        if matches!(
            platform,
            Platform::CiscoIos | Platform::CiscoNxos | Platform::AristaEos | Platform::HpProcurve
        ) {
            assert!(device.startup_config().contains(shown), "{platform}: {transcript}");
        }
    }
}

#[tokio::test]
async fn what_is_not_committed_leaves_no_trace() {
    let two_stages = [Platform::CiscoXr, Platform::JuniperJunos, Platform::PaloaltoPanos];
    let lab = Lab::of(two_stages.map(Setup::new)).await;
    for device in lab.devices.all() {
        let (lines, shown) = lines(device.platform());
        let answer = lab.configure(device, lines, json!({})).await;
        let warnings = answer.structured()["warnings"].to_string();
        assert!(warnings.contains("Nothing took effect"), "{}: {warnings}", device.platform());
        assert!(!device.running_config().contains(shown), "{}", device.platform());
        assert_eq!(device.pending(), None, "{}", device.platform());
    }
}

#[tokio::test]
async fn the_host_types_the_enable_password_and_nobody_else_sees_it() {
    let lab =
        Lab::of([Setup::new(Platform::CiscoIos).enable(Some("enable-password")).privileged(false)]).await;
    let results = lab.show(lab.device(), &["show running-config"]).await;
    assert!(results["show running-config"].as_str().expect("text").contains("hostname"), "{results}");
    let secrets: Vec<_> = lab
        .device()
        .journal()
        .into_iter()
        .filter_map(|entry| match entry.what {
            What::Secret { line, .. } => Some(line),
            _ => None,
        })
        .collect();
    assert_eq!(secrets, ["enable-password"]);
    let audit = lab.installation.run_well(&["audit", "tail"]).all();
    for place in [&lab.server.log(), &audit, &results.to_string()] {
        assert!(!place.contains("enable-password") && !place.contains("netops-password"), "{place}");
    }
}

#[tokio::test]
async fn a_login_of_the_callers_own_reaches_the_device_through_a_job_and_stands_nowhere() {
    let (password, enable) = ("canary-of-the-login", "canary-of-enable");
    let device = Setup::new(Platform::CiscoIos).login("ann", password).enable(Some(enable));
    let lab = Lab::granted([device], "from_call = true\nknown_hosts = \"known_hosts\"\n", "").await;
    let login = json!({"username": "ann", "password": password, "enable": enable});
    let answer = lab.call("send_command", with(on(lab.device(), &["show running-config"]), login)).await;
    let result = answer.structured();
    assert!(
        result["results"]["show running-config"].as_str().expect("text").contains("hostname"),
        "{result}"
    );
    let kept = lab.call("get_job_result", json!({"job_id": result["job_id"]})).await;
    let jobs = lab.installation.run_well(&["jobs", "list", "--json"]).all();
    let audit = lab.installation.run_well(&["audit", "find", "--json"]).all();
    for place in [&answer.message.to_string(), &kept.message.to_string(), &jobs, &audit, &lab.server.log()] {
        assert!(!place.contains("canary-of"), "{place}");
    }
    // Without it, the grant has no login of its own.
    let answer = lab.call("send_command", on(lab.device(), &["show clock"])).await;
    assert_eq!(answer.result()["structuredContent"]["error_code"], "AUTH_FAILURE", "{answer:?}");
}

#[tokio::test]
async fn pages_are_turned_where_the_grant_allows_nothing_but_show() {
    let grant = format!("{LOGIN}commands = [\"show *\"]\n");
    let lab = Lab::granted([Setup::new(Platform::CiscoIos).privileged(true)], &grant, "").await;
    let results = lab.show(lab.device(), &["show running-config", "show version"]).await;
    let running = results["show running-config"].as_str().expect("text");
    assert!(running.trim_end().ends_with("end") && !running.contains("--More--"), "{running}");
    assert!(results["show version"].as_str().expect("text").contains("edge-r1"));
    assert!(lab.device().lines().iter().all(|line| line.is_empty() || line.starts_with("show ")));
}

#[tokio::test]
async fn structured_output_has_rows() {
    let lab = Lab::of([Setup::new(Platform::CiscoIos).privileged(true)]).await;
    let answer = lab.call("send_command_structured", on(lab.device(), &["show version"])).await;
    let rows = &answer.structured()["results"]["show version"];
    // Without the templates, which come with the build, it is text.
    let hostname = rows[0]["hostname"].as_str().or(rows.as_str()).expect("rows or text");
    assert!(hostname.contains("edge-r1"), "{rows}");
}

#[tokio::test]
async fn the_result_is_kept_as_a_job_with_its_tags() {
    let lab = Lab::of([Setup::new(Platform::CiscoIos).privileged(true)]).await;
    let tagged = with(on(lab.device(), &["show clock"]), json!({"tags": {"env": "lab"}}));
    let done = lab.call("send_command", tagged).await;
    let id = done.structured()["job_id"].as_str().expect("an id").to_owned();
    let kept = lab.call("get_job_result", json!({ "job_id": id })).await;
    assert_eq!(kept.structured()["results"], done.structured()["results"]);
    assert_eq!(kept.structured()["tags"], json!({"env": "lab"}));
    let listed = lab.call("list_jobs", json!({})).await;
    assert_eq!(listed.structured()["jobs"][0]["job_id"], json!(id));
}

#[tokio::test]
async fn cancelling_a_job_ends_its_session_and_leaves_the_configuration_mode() {
    let lab = Lab::of([Setup::new(Platform::CiscoIos).privileged(true)]).await;
    let lines: Vec<_> = (0..2000)
        .map(|number| format!("access-list 10 permit 10.1.{}.{}", number / 200, number % 200 + 1))
        .collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let client = lab.server.client_of("naas");
    let arguments = on(lab.device(), &lines);
    let pushing = tokio::spawn(async move { client.call("send_config", arguments).await });
    lab.until("lines arrive", |devices| devices.all()[0].lines().len() > 20).await;
    let jobs = lab.call("list_jobs", json!({"status": "started"})).await;
    let id = jobs.structured()["jobs"][0]["job_id"].as_str().expect("a job").to_owned();
    assert_eq!(lab.call("cancel_job", json!({ "job_id": id })).await.text(), format!("Job {id} cancelled."));

    lab.until("the session is closed", |devices| devices.all()[0].counts().sessions == 0).await;
    let journal = lab.device().journal();
    let mut typed = journal.iter().rev().map(|entry| &entry.what);
    let left = typed.find(|what| matches!(what, What::Line { .. })).expect("a line");
    assert!(matches!(left, What::Line { line, .. } if line == "end"), "{left:?}");
    assert!(lab.device().lines().len() < lines.len(), "it was stopped");
    let answer = pushing.await.expect("the call ended");
    assert!(!answer.succeeded(), "{answer:?}");
    let kept = lab.call("get_job_result", json!({ "job_id": id })).await;
    assert_eq!(kept.structured()["status"], "canceled");
}
