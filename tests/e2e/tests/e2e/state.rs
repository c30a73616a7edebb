//! A guest that attacks what the real host remembers. That it remembers is told in `remembering`.

mod bounds;
mod parts;

use fleetgate_e2e::{Answer, Installation, Modern, Server};
use serde_json::{Value, json};

const BINDING: &str = "hostile-state";

/// A host with the attacking plugin.
struct Attacked {
    installation: Installation,
    server: Server,
}

impl Attacked {
    /// With these lines in the grants of its own bucket and of the shared one.
    fn new(own: &str, shared: &str) -> Self {
        Self::serving(&config(own, shared), &[])
    }

    fn serving(config: &str, more: &[&str]) -> Self {
        let installation = Installation::new();
        installation.install(BINDING);
        installation.config(config);
        let server = Server::start_with(&installation, more);
        Self { installation, server }
    }

    fn client(&self) -> Modern {
        self.server.client_of(BINDING)
    }

    /// Does these acts, and gives what came of each.
    async fn acts(&self, bucket: &str, acts: Value) -> Vec<Value> {
        done(self.client().call("act", json!({ "bucket": bucket, "acts": acts })).await.structured())
    }

    /// What the operator is told of a call.
    fn why(&self, answer: &Answer) -> String {
        self.installation.why(&answer.reference()).all()
    }
}

fn config(own: &str, shared: &str) -> String {
    format!(
        "[serve]\n\n[plugins.{BINDING}.grant.keyvalue.own]\n{own}\n\n\
         [plugins.{BINDING}.grant.keyvalue.shared]\n{shared}\n"
    )
}

fn set(key: &str, value: &str) -> Value {
    json!({ "set": { "key": key, "value": value } })
}

/// What came of each act.
fn done(told: &Value) -> Vec<Value> {
    told["acts"].as_array().unwrap_or_else(|| panic!("no acts: {told}")).clone()
}

/// The failure's code, or none.
fn code(told: &Value) -> Option<&str> {
    told["error"]["code"].as_str()
}

/// The host's resident memory, in bytes.
pub(crate) fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kib << 10
}
