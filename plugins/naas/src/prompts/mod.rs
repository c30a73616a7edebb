//! The prompts: what a person starts from.

use fleetgate_sdk::prelude::*;

use crate::direct;

/// Commands on one device.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ShowCommands {
    /// Name or IP address of the device.
    pub host: String,
    /// The device's platform: cisco_ios, arista_eos, …
    pub platform: String,
    /// The commands, separated by commas.
    pub commands: String,
}

/// Runs show commands on a device and reports what it says.
#[prompt(requires = "operator", title = "Show commands")]
pub fn show_commands(args: ShowCommands) -> Result<String, Fault> {
    let ShowCommands { host, platform, .. } = &args;
    let commands = listed(&args.commands)?;
    Ok(format!(
        "Run the following commands on {host} ({platform}):\n\n{}\n\nCall the tool send_command once, with host \
         \"{host}\", platform \"{platform}\" and the list of commands {}. Then report the output of each command. If the \
         tool fails, say what its error_code means and whether trying again may help.",
        bullets(&commands),
        json!(commands)
    ))
}

/// A change of configuration on one device.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ConfigPush {
    /// Name or IP address of the device.
    pub host: String,
    /// The device's platform: cisco_ios, arista_eos, …
    pub platform: String,
    /// The lines of configuration, separated by commas.
    pub commands: String,
    /// yes: make the change survive a reboot. Default: no.
    pub save: Option<String>,
}

/// Pushes configuration to a device, and looks before and after.
#[prompt(requires = "operator", title = "Push configuration")]
pub fn config_push(args: ConfigPush) -> Result<String, Fault> {
    let ConfigPush { host, platform, .. } = &args;
    let commands = listed(&args.commands)?;
    let save = is_yes(args.save.as_deref())?;
    let commit = if ["juniper_junos", "cisco_xr", "paloalto_panos"].contains(&platform.as_str()) {
        ", commit true"
    } else {
        ""
    };
    Ok(format!(
        "Push this configuration to {host} ({platform}):\n\n{}\n\nGo through these steps, and stop where one fails:\n\n\
         1. Capture the configuration as it is: call send_command with host \"{host}\", platform \"{platform}\" and the \
         command `show running-config`, or what this platform has instead.\n\
         2. Apply the change: call send_config with host \"{host}\", platform \"{platform}\", commands {}, save_config \
         {save}{commit}. If it fails with CONFIG_REJECTED, the lines before the refused one stay applied: say which.\n\
         3. Verify: call send_command with show commands that show what was to change.\n\
         4. Report what changed, compared with step 1, and whether the change succeeded.",
        bullets(&commands),
        json!(commands)
    ))
}

/// A device.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Troubleshoot {
    /// Name or IP address of the device.
    pub host: String,
    /// The device's platform: cisco_ios, arista_eos, …
    pub platform: String,
}

/// Looks at a device's version, interfaces, log and CPU, and sums up what it finds.
#[prompt(requires = "operator", title = "Troubleshoot a device")]
pub fn troubleshoot_device(args: Troubleshoot) -> Result<String, Fault> {
    let Troubleshoot { host, platform } = &args;
    Ok(format!(
        "Troubleshoot the network device {host} ({platform}). Run these commands in this order with the tool \
         send_command (host \"{host}\", platform \"{platform}\"):\n\n\
         1. `show version`: model, software, uptime, why it last restarted\n\
         2. `show interfaces status`: ports that are down, disabled or have errors\n\
         3. `show logging last 50`: recent errors and warnings\n\
         4. `show processes cpu history`: load, now and before\n\n\
         Where the platform has another command for the same, use that one. Then summarise the state of the device, and \
         flag every issue with how serious it is and what to do about it."
    ))
}

/// What stands between the commas.
fn listed(commands: &str) -> Result<Vec<&str>, Fault> {
    let commands: Vec<_> = commands.split(',').map(str::trim).filter(|command| !command.is_empty()).collect();
    if commands.is_empty() {
        return Err(Fault::invalid(
            "/commands",
            "Name at least one command; several are separated by commas.",
        ));
    }
    Ok(commands)
}

fn bullets(commands: &[&str]) -> String {
    commands.iter().map(|command| format!("- `{command}`")).collect::<Vec<_>>().join("\n")
}

fn is_yes(save: Option<&str>) -> Result<bool, Fault> {
    match save.map(|save| save.trim().to_lowercase()).as_deref() {
        Some("yes" | "true" | "1") => Ok(true),
        None | Some("" | "no" | "false" | "0") => Ok(false),
        Some(_) => Err(Fault::invalid("/save", "Say yes or no.")),
    }
}

/// The platforms that there are without a server. A server may know more.
#[complete(prompt = show_commands, argument = "platform")]
pub fn platforms_of_show_commands(value: &str) -> Completion {
    platforms(value)
}

/// The same.
#[complete(prompt = config_push, argument = "platform")]
pub fn platforms_of_config_push(value: &str) -> Completion {
    platforms(value)
}

/// The same.
#[complete(prompt = troubleshoot_device, argument = "platform")]
pub fn platforms_of_troubleshoot_device(value: &str) -> Completion {
    platforms(value)
}

/// Yes or no.
#[complete(prompt = config_push, argument = "save")]
pub fn save_or_not(value: &str) -> Completion {
    Completion::matching(["no", "yes"], value)
}

fn platforms(value: &str) -> Completion {
    Completion::matching(direct::PLATFORMS, value)
}
