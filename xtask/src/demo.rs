//! A fleet to try: the simulated NervesHub, the host, and one plugin between them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;
use serde_json::json;
use xshell::Shell;

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
    shell.copy_file(built.join("nerveshub.wasm"), folder.join("plugins/nerveshub.wasm"))?;

    let mut fleet = Running::start(Command::new(target().join("debug/fleet-sim")).arg("nerveshub"))?;
    let (backend, token) = (text(&fleet.said["url"])?, text(&fleet.said["tokens"]["admin"])?);
    configure(&folder, &backend, &token)?;
    let config = folder.join("fleetgate.toml");
    let mut host = Running::start(
        Command::new(&fleetgate)
            .args(["serve", "--json", "--listen", &options.listen, "--config"])
            .arg(&config),
    )?;
    let url = text(&host.said["url"])?;

    if options.once {
        return try_it(&url);
    }
    println!("{}", welcome(&url, &backend, &config, &fleetgate));
    // Ctrl-C reaches the children too; whichever ends first ends the demo.
    host.child.wait()?;
    fleet.child.kill().ok();
    Ok(())
}

fn configure(folder: &Path, backend: &str, token: &str) -> Result<()> {
    let secret = folder.join("nerveshub-token");
    std::fs::write(&secret, token)?;
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600))?;
    std::fs::write(
        folder.join("fleetgate.toml"),
        format!(
            r#"# The demo's configuration: one plugin, one simulated fleet.
[serve]
plugins = "plugins"
local_roles = ["nerveshub:manage"]

[secrets]
nerveshub-token = {{ file = "nerveshub-token" }}

[plugins.nerveshub]
label = "DEMO"

[plugins.nerveshub.grant.http.api]
url = "{backend}"
credential = {{ bearer = "nerveshub-token" }}
"#
        ),
    )?;
    Ok(())
}

fn welcome(url: &str, backend: &str, config: &Path, fleetgate: &Path) -> String {
    let (config, fleetgate) = (config.display(), fleetgate.display());
    format!(
        r#"
Fleetgate serves a simulated NervesHub fleet ({backend}).

  every binding    {url}
  this plugin      {url}/nerveshub

Point an MCP client at it:
  claude mcp add --transport http fleet {url}
  npx @modelcontextprotocol/inspector --cli {url} --transport http --method tools/list

Ask for example:
  "Which kiosk devices of acme are offline? Tag them for inspection."

Or from the shell:
  {fleetgate} call --config {config} --role nerveshub:view nerveshub list_orgs
  {fleetgate} check --config {config}
  {fleetgate} audit find --config {config} --tool reboot_device

Ctrl-C ends both."#
    )
}

/// One call as a client of today makes it (protocol version 2026-07-28: no handshake).
fn try_it(url: &str) -> Result<()> {
    let request = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "nerveshub_list_orgs", "arguments": {}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }},
    });
    let answer = ureq::post(url)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "nerveshub_list_orgs")
        .content_type("application/json")
        .send(request.to_string())?
        .body_mut()
        .read_to_string()?;
    ensure!(answer.contains("acme"), "the demo's fleet was not listed: {answer}");
    println!("the demo at {url} lists its organizations");
    Ok(())
}
