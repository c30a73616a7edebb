//! Devices over SSH, by way of the real host and a guest that attacks. The devices are OpenSSH's own servers; where it is
//! about passwords and prompts, simulated routers.

mod attacks;
mod granted;
mod leaving;
mod passwords;
mod scale;

use std::time::{Duration, Instant};

use fleetgate_e2e::{Answer, Installation, Modern, PATIENCE, Server};
use serde_json::{Value, json};

use crate::sshd::Sshd;

const BINDING: &str = "hostile-devices";

/// A host with the attacking plugin, and what it was granted.
struct Lab {
    installation: Installation,
    server: Server,
}

impl Lab {
    /// With a grant, and secrets and files beside it.
    fn new(grant: &str, files: &[(&str, &str)]) -> Self {
        let installation = Installation::new();
        installation.install(BINDING);
        for (name, content) in files {
            installation.secret(name, content);
        }
        installation.config(&config(grant));
        let server = Server::start(&installation);
        Self { installation, server }
    }

    /// With one real server granted, and these lines in its grant.
    fn of(sshd: &Sshd, lines: &str) -> Self {
        let files = [("key", sshd.user_key()), ("known_hosts", sshd.known_hosts())];
        let files = files.each_ref().map(|(name, content)| (*name, content.as_str()));
        Self::new(&format!("{}\n{lines}", sshd.grant()), &files)
    }

    fn client(&self) -> Modern {
        self.server.client_of(BINDING)
    }

    async fn exec(&self, sshd: &Sshd, command: &str) -> Answer {
        self.client().call("exec", to(sshd, json!({ "command": command }))).await
    }

    async fn talk(&self, sshd: &Sshd, acts: Value) -> Value {
        self.client().call("talk", to(sshd, json!({ "acts": acts }))).await.structured().clone()
    }

    /// What the operator is told of a call.
    fn why(&self, answer: &Answer) -> String {
        self.installation.why(&answer.reference()).all()
    }
}

/// `fleetgate.toml` with this grant.
fn config(grant: &str) -> String {
    let secrets: Vec<_> = ["key", "password", "enable", "jump-key"]
        .into_iter()
        .filter(|name| grant.contains(&format!("\"{name}\"")))
        .map(|name| format!("{name} = {{ file = \"{name}\" }}\n"))
        .collect();
    format!("[secrets]\n{}\n[plugins.{BINDING}.grant.ssh.devices]\n{grant}\n", secrets.concat())
}

/// Arguments with a server as the target.
fn to(sshd: &Sshd, mut arguments: Value) -> Value {
    arguments["host"] = json!(sshd.address.ip());
    arguments["port"] = json!(sshd.address.port());
    arguments
}

/// The failure's code, or none.
fn code(told: &Value) -> Option<&str> {
    told["error"]["code"].as_str()
}

/// Waits until something is so.
async fn until<F: Future<Output = bool>>(what: &str, is: impl Fn() -> F) {
    let begin = Instant::now();
    while !is().await {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
