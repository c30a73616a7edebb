//! Devices that are driven over SSH, played as their vendors' gear behaves.

mod autodetect;
mod bounds;
mod cisco_ios;
mod failures;
mod linux;
mod messages;
mod painting;
mod paloalto_panos;
mod places;
mod platforms;
mod simulated;
mod two_stages;

use fleetgate_sdk::testing::{Device, Harness};
use naas::direct::run;
use naas::job::{DeviceJob, JobResult, Kind};

/// A job on `r1`.
fn job(platform: &str, kind: Kind, commands: &[&str]) -> DeviceJob {
    DeviceJob {
        host: "r1".into(),
        platform: platform.into(),
        commands: commands.iter().map(|&line| line.into()).collect(),
        username: None,
        password: None,
        enable: None,
        port: 22,
        tags: None,
        commit: false,
        save_config: false,
        kind,
    }
}

fn show(platform: &str, commands: &[&str]) -> DeviceJob {
    job(platform, Kind::Command, commands)
}

fn configure(platform: &str, lines: &[&str]) -> DeviceJob {
    job(platform, Kind::Config, lines)
}

fn committing(platform: &str, lines: &[&str]) -> DeviceJob {
    DeviceJob { commit: true, ..configure(platform, lines) }
}

/// A device of the Cisco kind at its prompt, with everything about the terminal said.
fn at_prompt(prompt: &str) -> Device {
    let device = Device::new().echoes().says(prompt).expects("").says(prompt);
    device.expects("terminal width 511").says(prompt).expects("terminal length 0").says(prompt)
}

fn lab(device: Device) -> Harness {
    Harness::new().granted("ssh.devices").device("r1", device).deadline(std::time::Duration::from_secs(600))
}

/// Runs a job on this device, and says what it did there.
fn on(device: Device, job: &DeviceJob) -> (JobResult, fleetgate_sdk::testing::Visit) {
    let host = lab(device);
    let result = host.run(|| run(job));
    let visit = host.visits().pop().unwrap_or_default();
    assert_eq!(visit.open, 0, "a terminal is left open");
    (result, visit)
}

#[track_caller]
fn text(result: &JobResult, command: &str) -> String {
    assert_eq!(result.error, None);
    let results = result.results.as_ref().expect("results");
    results[command].as_str().unwrap_or_else(|| panic!("{results}")).to_owned()
}

#[track_caller]
fn failed(result: &JobResult, code: &str, retryable: bool) -> String {
    assert_eq!(result.error_code.as_deref(), Some(code), "{result:?}");
    assert_eq!((result.error_retryable, &result.results), (Some(retryable), &None));
    assert_eq!(result.status, "finished");
    result.error.clone().expect("an error")
}
