//! From a manifest's text to a [`Manifest`].

use std::sync::Arc;

use super::entries::{Context, InCode};
use super::{Manifest, RequestedLimits, about, capabilities, config, entries, roles, session};
use crate::asking;
use crate::capability::Capabilities;
use crate::diagnostic::{Diagnostic, Diagnostics, Document, TableReader};
use crate::units::format_size;

/// The most bytes that a manifest may have.
pub const MAX_BYTES: usize = 256 * 1024;

/// The most entries of a section. Real plugins have a tenth; the roles' order and the comparison with the approved
/// version take time that grows with the square.
const MOST_ENTRIES: [(&str, usize); 5] =
    [("roles", 64), ("config", 256), ("tools", 512), ("resources", 512), ("prompts", 512)];

/// Reads a manifest. Everything that is wrong is said at once.
pub fn parse(document: &Arc<Document>, capabilities: &Capabilities) -> Result<Manifest, Diagnostics> {
    parse_source(document, capabilities, &|_, _| false)
}

/// Reads a `plugin.toml`, where an entry may leave out `requires` if the plugin's code has it.
pub(crate) fn parse_source(
    document: &Arc<Document>,
    known: &Capabilities,
    requires_in_code: &InCode<'_>,
) -> Result<Manifest, Diagnostics> {
    if document.text.len() > MAX_BYTES {
        let message = format!("the manifest has {} bytes", document.text.len());
        let help = format!("at most {} are read", format_size(MAX_BYTES as u64));
        return Err(Diagnostic::whole_file(document, message, help).into());
    }
    document.read(|root| {
        for (section, most) in MOST_ENTRIES {
            within(root, section, most)?;
        }
        let plugin = about::about(root);
        let roles = roles::roles(root);
        let config = config::config(root);
        let (mut requests, mut requested) = capabilities::requests(root, &config, known);
        let asks = asking::requests(root, known);
        requested.extend(asks.keys().cloned());
        requests.extend(asks);
        let limits = limits(root);
        let session = session::session(root);
        let context =
            Context { roles: &roles, requests: &requests, requested, capabilities: known, requires_in_code };
        let tools = entries::tools(root, &context);
        let resources = entries::resources(root, &context);
        let prompts = entries::prompts(root, &context);
        root.finish();
        Some(Manifest {
            plugin: plugin?,
            roles,
            config,
            capabilities: requests,
            limits,
            session,
            tools,
            resources,
            prompts,
            text: Arc::clone(&document.text),
        })
    })
}

/// Refuses a section with more entries than these, before they are read.
fn within(root: &mut TableReader<'_>, section: &str, most: usize) -> Option<()> {
    let Some(mut table) = root.table(section) else { return Some(()) };
    table.leave_rest();
    let entries = table.keys().count();
    if entries > most {
        root.error_at(section, format!("{entries} entries are too many"), format!("at most {most} are read"));
        return None;
    }
    Some(())
}

fn limits(root: &mut TableReader<'_>) -> RequestedLimits {
    let Some(mut table) = root.table("limits") else { return RequestedLimits::default() };
    let limits = RequestedLimits {
        memory: table.size("memory"),
        cpu: table.duration("cpu"),
        concurrency: table.integer_within("concurrency", 1, 1024).map(|calls| calls as u32),
    };
    if limits.memory == Some(0) {
        table.error_at("memory", "no plugin runs without memory", "write a size, like \"64MiB\"");
    }
    if limits.cpu.is_some_and(|cpu| cpu.is_zero()) {
        table.error_at("cpu", "no plugin runs without time", "write a duration, like \"2s\"");
    }
    table.finish();
    limits
}
