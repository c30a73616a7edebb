//! Who answers, what it can do, and what a model should know before it starts.

use fleetgate_core::catalog::Scope;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};

use crate::view::{About, View};

/// The longest instructions, in bytes. Clients put them into every conversation.
const MAX_INSTRUCTIONS: usize = 8 * 1024;

/// Name and version of this server.
pub(crate) fn implementation() -> Implementation {
    Implementation::new("fleetgate", env!("CARGO_PKG_VERSION")).with_title("Fleetgate")
}

/// What is declared is what is served: tools, with notice of changes; and log messages of running calls.
#[expect(
    deprecated,
    reason = "clients of before 2026-07-28 are served, and newer ones may still ask for logs"
)]
fn capabilities() -> ServerCapabilities {
    ServerCapabilities::builder().enable_tools().enable_tool_list_changed().enable_logging().build()
}

/// What is the same on every endpoint and at every moment.
pub(crate) fn bare() -> ServerConfig {
    ServerConfig::new(capabilities()).with_server_info(implementation())
}

/// The answer to `initialize` and, but for its shape, to `server/discover`.
pub(crate) fn config(view: &dyn View, scope: &Scope) -> ServerConfig {
    let about = view.about(scope);
    let mut config = bare();
    if let (Scope::Binding(_), [only]) = (scope, about.as_slice()) {
        config.server_info.title = Some(format!("Fleetgate: {}", titled(only)));
    }
    config.instructions = instructions(scope, &about);
    config
}

fn instructions(scope: &Scope, about: &[About]) -> Option<String> {
    if about.is_empty() {
        return None;
    }
    let mut text = match scope {
        Scope::Shared => "Tools are named <binding>_<tool>. The bindings are:\n".to_owned(),
        Scope::Binding(_) => String::new(),
    };
    for (position, one) in about.iter().enumerate() {
        let line = match scope {
            Scope::Shared => format!("- {}: {}. {}\n", one.binding, titled(one), one.description),
            Scope::Binding(_) => format!("{}. {}\n", titled(one), one.description),
        };
        if text.len() + line.len() > MAX_INSTRUCTIONS {
            text.push_str(&format!("- and {} more\n", about.len() - position));
            break;
        }
        text.push_str(&line);
    }
    Some(text.trim_end().to_owned())
}

fn titled(about: &About) -> String {
    match &about.label {
        Some(label) => format!("[{label}] {}", about.title),
        None => about.title.clone(),
    }
}
