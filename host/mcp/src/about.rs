//! Who answers, what it can do, and what a model should know before it starts.

use fleetgate_core::catalog::Scope;
use rmcp::model::{
    ExtensionCapabilities, Implementation, JsonObject, PromptsCapability, ResourcesCapability,
    ServerCapabilities, ServerConfig, TASKS_EXTENSION_ID, ToolsCapability,
};
use serde_json::json;

use crate::skills;
use crate::view::{About, Features, View};

/// The longest instructions, in bytes. Clients put them into every conversation.
const MAX_INSTRUCTIONS: usize = 8 * 1024;

/// Name and version of this server.
pub(crate) fn implementation() -> Implementation {
    Implementation::new("fleetgate", env!("CARGO_PKG_VERSION")).with_title("Fleetgate")
}

/// What is declared is what is served: tools everywhere, and log messages of running calls; the rest where a plugin
/// of the endpoint has it.
fn capabilities(features: Features) -> ServerCapabilities {
    let mut declared = ServerCapabilities::default();
    declared.logging = Some(JsonObject::new());
    let mut tools = ToolsCapability::default();
    tools.list_changed = Some(true);
    declared.tools = Some(tools);
    if features.prompts {
        let mut prompts = PromptsCapability::default();
        prompts.list_changed = Some(true);
        declared.prompts = Some(prompts);
    }
    if features.resources {
        let mut resources = ResourcesCapability::default();
        (resources.subscribe, resources.list_changed) = (Some(true), Some(true));
        declared.resources = Some(resources);
    }
    if features.completions {
        declared.completions = Some(JsonObject::new());
    }
    let extensions = extensions(features);
    declared.extensions = Some(extensions).filter(|extensions| !extensions.is_empty());
    declared
}

fn extensions(features: Features) -> ExtensionCapabilities {
    let mut extensions = ExtensionCapabilities::new();
    if features.skills {
        let settings = JsonObject::from_iter([("directoryRead".to_owned(), json!(true))]);
        extensions.insert(skills::EXTENSION.to_owned(), settings);
    }
    extensions
}

/// Says that calls may become tasks. To modern clients alone: the extension is not defined for older versions
/// (SEP-2663, "Backward Compatibility").
pub(crate) fn declare_tasks(config: &mut ServerConfig) {
    let extensions = config.capabilities.extensions.get_or_insert_default();
    extensions.insert(TASKS_EXTENSION_ID.to_owned(), JsonObject::new());
}

/// What rmcp wants to know at every request.
pub(crate) fn bare(features: Features) -> ServerConfig {
    ServerConfig::new(capabilities(features)).with_server_info(implementation())
}

/// The answer to `initialize` and, but for its shape, to `server/discover`.
pub(crate) fn config(view: &dyn View, scope: &Scope) -> ServerConfig {
    let about = view.about(scope);
    let features = view.features(scope);
    let mut config = bare(features);
    if let (Scope::Binding(_), [only]) = (scope, about.as_slice()) {
        config.server_info.title = Some(format!("Fleetgate: {}", titled(only)));
    }
    config.instructions = instructions(scope, &about, features);
    config
}

fn instructions(scope: &Scope, about: &[About], features: Features) -> Option<String> {
    if about.is_empty() {
        return None;
    }
    let mut text = match scope {
        Scope::Shared => {
            let mut named = vec!["Tools are named <binding>_<tool>"];
            named.extend(features.prompts.then_some("prompts <binding>_<prompt>"));
            named.extend(features.resources.then_some("URIs of resources begin with <binding>+"));
            format!("{}. The bindings are:\n", named.join(", "))
        }
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
