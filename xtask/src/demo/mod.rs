//! A fleet to try: simulated backends, the host, and the plugins between them.

mod backends;
mod settings;
mod tryout;

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::Args;
use xshell::Shell;

use self::backends::{Backends, Device};
use crate::running::{Running, text};
use crate::{machine, plugins, target};

/// How to run the demo.
#[derive(Args)]
pub struct Options {
    /// Where the host listens; port 0 is any free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Call a tool, print its answer, and stop
    #[arg(long)]
    once: bool,
}

impl Options {
    /// What `cargo xtask test` runs.
    pub fn once() -> Self {
        Self { listen: "127.0.0.1:0".into(), once: true }
    }
}

/// Starts everything, and ends everything with this process.
pub fn run(shell: &Shell, options: &Options) -> Result<()> {
    let fleetgate = machine::host(shell)?;
    let built = plugins::build(shell)?;
    let folder = target().join("demo");
    shell.remove_path(&folder)?;
    shell.create_dir(folder.join("plugins"))?;
    for plugin in ["nerveshub.wasm", "naas.wasm", "jettyd.wasm"] {
        shell.copy_file(built.join(plugin), folder.join("plugins").join(plugin))?;
    }

    let backends = Backends::start()?;
    let config = settings::write(&folder, &backends)?;
    let mut host = Running::start(
        Command::new(&fleetgate)
            .args(["serve", "--json", "--listen", &options.listen, "--config"])
            .arg(&config),
    )?;
    let url = text(&host.said["url"])?;

    let (lab, _) = backends.lab()?;
    let straight = backends.broker()?.is_some();
    if options.once {
        return tryout::try_each(&url, &lab, straight);
    }
    println!("{}", welcome(&url, &lab, straight, &config, &fleetgate));
    // Ctrl-C reaches the children too; whichever ends first ends the demo.
    host.child.wait()?;
    Ok(())
}

fn welcome(url: &str, lab: &[Device], straight: bool, config: &Path, fleetgate: &Path) -> String {
    let (config, fleetgate) = (config.display(), fleetgate.display());
    let devices: String = lab
        .iter()
        .map(|device| {
            let Device { name, platform, port } = device;
            format!("    {platform:<16} 127.0.0.1, port {port:<6} {name}\n")
        })
        .collect();
    let direct = lab.first().map(tryout::direct).unwrap_or_default();
    let (sensor, command) = (tryout::sensor(), tryout::command());
    let broker = if straight {
        format!("{url}/jettyd-lab   the same kind of devices straight through an MQTT broker")
    } else {
        "(jettyd-lab, straight through an MQTT broker, needs mosquitto: apt-get install mosquitto)".to_owned()
    };
    // The binding that is there in either case.
    let lab_of_sensors = if straight { "jettyd-lab" } else { "jettyd" };
    format!(
        r#"
Fleetgate serves simulated fleets.

  every binding    {url}
  one of them      {url}/nerveshub    devices of a NervesHub
                   {url}/naas         network gear behind a NAAS server
                   {url}/naas-lab     network gear straight over SSH
                   {url}/jettyd       sensors and actuators behind jettyd's API
                   {broker}

The lab's devices:
{devices}
Point an MCP client at it:
  claude mcp add --transport http fleet {url}
  npx @modelcontextprotocol/inspector --cli {url} --transport http --method tools/list

Ask for example:
  "Which kiosk devices of acme are offline? Tag them for inspection."
  "Which ports of access-sw-01 (cisco_ios, in production) are not connected?"
  "Push 'ntp server 192.0.2.1' to every device of the lab that is a Cisco, and save it."
  "How warm is it in greenhouse-1, and how was it last night? Open its valve for five minutes."

Or from the shell:
  {fleetgate} call --config {config} nerveshub list_orgs
  {fleetgate} call --config {config} naas send_command \
    '{{"host":"access-sw-01","platform":"cisco_ios","commands":["show interfaces status"]}}'
  {fleetgate} call --config {config} naas-lab send_command \
    '{direct}'
  {fleetgate} call --config {config} {lab_of_sensors} read_sensor '{sensor}'
  {fleetgate} call --config {config} {lab_of_sensors} send_command '{command}'
  {fleetgate} check --config {config}
  {fleetgate} audit find --config {config} --tool send_command

Ctrl-C ends all of it."#
    )
}
