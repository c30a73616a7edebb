//! Devices driven over SSH by the plugin itself, where `ssh.devices` is granted.
//!
//! A job goes straight through: [`session`] connects, answers what the device asks first, meets its prompt, and makes
//! the terminal fit; [`commands`] or [`configuring`] types the lines and reads the answers. What differs between devices
//! stands in [`platform`] and `platforms/`. Linux, which runs commands without a terminal, has a way of its own.
//!
//! - [`screen`] turns what a device writes into the text that a person would see.
//! - [`prompt`] and [`asking`] tell what a device waits for.
//! - [`terminal`] types and reads until then, with a limit on bytes and on silence.
//! - [`autodetect`] finds out which platform a device is.
//! - `syslog` tells messages of the device's own from answers.
//! - [`failure`] is why it did not work, in the words and codes of NAAS.

pub mod asking;
pub mod autodetect;
pub mod commands;
pub mod configuring;
mod echo;
pub mod failure;
pub mod linux;
pub mod login;
pub mod platform;
mod platforms;
pub mod prompt;
pub mod screen;
pub mod session;
mod syslog;
pub mod terminal;

use configuring::Configured;
use failure::Failure;
use fleetgate_sdk::prelude::*;
use session::Session;

use crate::job::{DeviceJob, ErrorCode, JobResult, Kind};

/// The platforms that this mode drives.
pub const PLATFORMS: [&str; 10] = [
    "arista_eos",
    "cisco_ios",
    "cisco_nxos",
    "cisco_xr",
    "fortinet",
    "hp_procurve",
    "juniper_junos",
    "linux",
    "mikrotik_routeros",
    "paloalto_panos",
];

/// Whether a job may name this platform.
#[must_use]
pub fn is_platform(name: &str) -> bool {
    PLATFORMS.contains(&name) || name == autodetect::NAME
}

/// Does what the job says. What the device refuses is in the result.
#[must_use]
pub fn run(job: &DeviceJob) -> JobResult {
    let mut warnings = Vec::new();
    let mut detected_platform = None;
    let result = match check(job).and_then(|()| found(job, &mut detected_platform, &mut warnings)) {
        Ok(done) => done,
        Err(failure) => failure.into_result(job),
    };
    JobResult { warnings, detected_platform, ..result }
}

/// What cannot be typed is refused before anything is connected.
fn check(job: &DeviceJob) -> Result<(), Failure> {
    let invalid = |why: String| Err(Failure::new(ErrorCode::InvalidJob, why));
    if !is_platform(&job.platform) {
        return invalid(format!(
            "{} is not a platform that is driven over SSH. These are: {}, and autodetect.",
            failure::quoted(&job.platform),
            PLATFORMS.join(", ")
        ));
    }
    if job.commands.is_empty() {
        return invalid("There is no command.".to_owned());
    }
    for (at, command) in job.commands.iter().enumerate() {
        if command.trim().is_empty() {
            return invalid(format!("Command {} is blank.", at + 1));
        }
        if command.chars().any(char::is_control) {
            return invalid(format!(
                "Command {} holds a line end or another control character: give each line as a command of its own.",
                at + 1
            ));
        }
    }
    Ok(())
}

/// Finds out first which platform it is, where the job does not say.
fn found(
    job: &DeviceJob,
    detected: &mut Option<String>,
    warnings: &mut Vec<String>,
) -> Result<JobResult, Failure> {
    if job.platform != autodetect::NAME {
        return drive(job, warnings);
    }
    let platform = autodetect::platform(job, warnings)?;
    *detected = Some(platform.to_owned());
    drive(&DeviceJob { platform: platform.to_owned(), ..job.clone() }, warnings)
}

fn drive(job: &DeviceJob, warnings: &mut Vec<String>) -> Result<JobResult, Failure> {
    let config = job.kind == Kind::Config;
    let Some(platform) = platform::find(&job.platform) else {
        return match config {
            true => linux::configure(job, warnings).map(|done| configured(job, done)),
            false => linux::run(job, warnings).map(|results| JobResult::finished(job, results.into())),
        };
    };
    let mut session = Session::open(job, platform)?;
    if config {
        return configuring::run(&mut session, warnings).map(|done| configured(job, done));
    }
    if let Some(why) = &session.unprivileged {
        warnings.push(format!("The commands ran at the user's level: {why}."));
    }
    commands::run(&mut session, warnings).map(|results| JobResult::finished(job, results.into()))
}

/// The result of a configuration. One that ended early says what took effect, to people and to programs.
fn configured(job: &DeviceJob, done: Configured) -> JobResult {
    let Some(failure) = done.failure else {
        return JobResult::finished(job, json!({ "config_set_output": done.transcript }));
    };
    JobResult { progress: done.progress, ..failure.into_result(job) }
}
