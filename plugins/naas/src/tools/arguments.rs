//! The arguments of the send tools, and the way from them to a [`DeviceJob`].
//!
//! The limits are those of NAAS (tags, host, port); in direct mode they are no others, so that a call that works in one
//! mode is not refused in the other for how it is written.

use std::collections::BTreeMap;
use std::net::IpAddr;

use fleetgate_sdk::prelude::*;

use crate::direct;
use crate::job::{DeviceJob, Kind};
use crate::mode::Mode;

/// RFC 1123, section 2.1.
const LONGEST_HOST: usize = 253;
const LONGEST_LABEL: usize = 63;
const MOST_COMMANDS: usize = 10_000;
const MOST_TAGS: usize = 10;

fn ssh_port() -> u16 {
    22
}

/// Commands for a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendCommand {
    /// Name or IP address of the device.
    #[schemars(length(min = 1, max = 253))]
    pub host: String,
    /// The device's platform, as Netmiko calls it: `cisco_ios`, `cisco_nxos`, `arista_eos`, `juniper_junos`, …, or
    /// `autodetect`.
    #[schemars(length(min = 1, max = 64))]
    pub platform: String,
    /// The commands, one in each item, in the order in which they are sent.
    #[schemars(length(min = 1, max = 10_000), inner(length(min = 1, max = 8192), regex(pattern = r"\S")))]
    pub commands: Vec<String>,
    /// Login name, where the server has none of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub username: Option<String>,
    /// Password of that login.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub password: Option<String>,
    /// Password of the privileged level (`enable`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub enable: Option<String>,
    /// SSH port.
    #[serde(default = "ssh_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// Labels to find the job by: at most 10, letters, digits, `_`, `-` and `:` in keys and values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 10))]
    pub tags: Option<BTreeMap<String, String>>,
}

/// Configuration for a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendConfig {
    /// Name or IP address of the device.
    #[schemars(length(min = 1, max = 253))]
    pub host: String,
    /// The device's platform, as Netmiko calls it: `cisco_ios`, `cisco_nxos`, `arista_eos`, `juniper_junos`, …, or
    /// `autodetect`.
    #[schemars(length(min = 1, max = 64))]
    pub platform: String,
    /// The lines of configuration, one in each item, without those that enter and leave configuration mode.
    #[schemars(length(min = 1, max = 10_000), inner(length(min = 1, max = 8192), regex(pattern = r"\S")))]
    pub commands: Vec<String>,
    /// Login name, where the server has none of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub username: Option<String>,
    /// Password of that login.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub password: Option<String>,
    /// Password of the privileged level (`enable`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub enable: Option<String>,
    /// SSH port.
    #[serde(default = "ssh_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// Commit the change, on platforms that have that (Junos, IOS XR, PAN-OS). Others do not need it.
    #[serde(default)]
    pub commit: bool,
    /// Save the running configuration as the one that the device starts with.
    #[serde(default)]
    pub save_config: bool,
    /// Labels to find the job by: at most 10, letters, digits, `_`, `-` and `:` in keys and values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 10))]
    pub tags: Option<BTreeMap<String, String>>,
}

impl SendCommand {
    /// The job, if all of it can be.
    pub fn check(self, kind: Kind, mode: Mode) -> Result<DeviceJob, Fault> {
        let Self { host, platform, commands, username, password, enable, port, tags } = self;
        check(
            DeviceJob {
                host,
                platform,
                commands,
                username,
                password,
                enable,
                port,
                tags,
                commit: false,
                save_config: false,
                kind,
            },
            mode,
        )
    }
}

impl SendConfig {
    /// The job, if all of it can be.
    pub fn check(self, mode: Mode) -> Result<DeviceJob, Fault> {
        let Self { host, platform, commands, username, password, enable, port, commit, save_config, tags } =
            self;
        let kind = Kind::Config;
        check(
            DeviceJob {
                host,
                platform,
                commands,
                username,
                password,
                enable,
                port,
                tags,
                commit,
                save_config,
                kind,
            },
            mode,
        )
    }
}

fn check(job: DeviceJob, mode: Mode) -> Result<DeviceJob, Fault> {
    check_host(&job.host)?;
    check_platform(&job.platform, mode)?;
    check_commands(&job.commands)?;
    if job.port == 0 {
        return Err(Fault::invalid("/port", "Ports are 1 to 65535."));
    }
    if let Some(username) = &job.username
        && (username.trim().is_empty() || username.contains(':') || has_control(username))
    {
        let message = "A login name is not blank and has neither a colon nor control characters.";
        return Err(Fault::invalid("/username", message));
    }
    for (field, secret) in [("/password", &job.password), ("/enable", &job.enable)] {
        if secret.as_deref() == Some("") {
            return Err(Fault::invalid(field, "It is empty; leave it out if there is none."));
        }
    }
    check_tags(job.tags.as_ref())?;
    Ok(job)
}

/// An address, or a name by RFC 1123.
fn check_host(host: &str) -> Result<(), Fault> {
    if host.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    let label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A last label of digits alone is an address, or a mistyped one.
    let last = host.rsplit('.').next().unwrap_or_default();
    let a_name = host.len() <= LONGEST_HOST
        && host.split('.').all(label)
        && !last.bytes().all(|byte| byte.is_ascii_digit());
    if a_name {
        return Ok(());
    }
    Err(Fault::invalid(
        "/host",
        "The host is an IP address or a name: labels of letters, digits and hyphens, joined by dots, at most 253 \
         characters. The port is an argument of its own.",
    ))
}

/// With a NAAS server the server decides. Here it is known what there is.
fn check_platform(platform: &str, mode: Mode) -> Result<(), Fault> {
    let spelled = (1..=64).contains(&platform.len())
        && platform.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if spelled && (mode == Mode::Api || direct::is_platform(platform)) {
        return Ok(());
    }
    let message = match mode {
        Mode::Api => {
            "A platform is a Netmiko device type: letters, digits and underscores, like `cisco_ios`."
                .to_owned()
        }
        Mode::Direct => {
            let shown: String = platform.chars().filter(|c| !c.is_control()).take(64).collect();
            format!(
                "The platform `{shown}` is not known here. There are {}, and autodetect.",
                direct::PLATFORMS.join(", ")
            )
        }
    };
    Err(Fault::invalid("/platform", message))
}

/// A line end would be a second command, one that no pattern of a grant was compared with.
fn check_commands(commands: &[String]) -> Result<(), Fault> {
    if commands.is_empty() || commands.len() > MOST_COMMANDS {
        let message = format!("Give 1 to {MOST_COMMANDS} commands; there are {}.", commands.len());
        return Err(Fault::invalid("/commands", message));
    }
    for (at, command) in commands.iter().enumerate() {
        let field = format!("/commands/{at}");
        if command.trim().is_empty() {
            return Err(Fault::invalid(field, "This command is blank."));
        }
        if has_control(command) {
            let message =
                "This command has a line end or another control character. Give one command in each item.";
            return Err(Fault::invalid(field, message));
        }
    }
    Ok(())
}

fn check_tags(tags: Option<&BTreeMap<String, String>>) -> Result<(), Fault> {
    let Some(tags) = tags else { return Ok(()) };
    if tags.len() > MOST_TAGS {
        let message = format!("A job has at most {MOST_TAGS} tags; these are {}.", tags.len());
        return Err(Fault::invalid("/tags", message));
    }
    let fits = |text: &str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-:".contains(&byte))
    };
    match tags.iter().find(|(key, value)| !fits(key) || !fits(value)) {
        None => Ok(()),
        Some(_) => Err(Fault::invalid(
            "/tags",
            "Keys and values of tags have 1 to 64 letters, digits, `_`, `-` or `:`.",
        )),
    }
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}
