//! From `fleetgate.toml` to [`Settings`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::limits::LimitsTable;
use super::serve::{held_roles, serve};
use super::{Binding, Limits, Settings, binding, jobs, secrets};
use crate::diagnostic::{Diagnostic, Diagnostics, Document, TableReader, quoted};
use crate::manifest::grammar;
use crate::ownership::{self, Rules};
use crate::principal::HeldRole;

/// The most bytes that `fleetgate.toml` may have.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a `fleetgate.toml`; refuses one that others can write.
pub fn load(path: &Path) -> Result<Settings, Diagnostics> {
    let whole = |message: String, help: String| {
        Diagnostics::from(Diagnostic::whole_file(&Arc::new(Document::new(path, "")), message, help))
    };
    let rules = Rules { follow_links: true, public: true, sticky_directory: true, max_bytes: MAX_BYTES };
    let bytes =
        ownership::read(path, &rules).map_err(|refused| whole(refused.to_string(), refused.help()))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| whole("the file is not UTF-8 text".into(), "save it as UTF-8".into()))?;
    let absolute = std::path::absolute(path)
        .map_err(|error| whole(error.to_string(), "write an absolute path".into()))?;
    let directory = absolute.parent().unwrap_or(Path::new("/"));
    parse(&Arc::new(Document::new(path, text)), directory)
}

/// Reads settings whose relative paths start from `directory`, which should be absolute. Everything that is wrong
/// is said at once.
pub fn parse(document: &Arc<Document>, directory: &Path) -> Result<Settings, Diagnostics> {
    document.read(|root| {
        let serve = serve(root, directory);
        let secrets = secrets::secrets(root, directory);
        let limits = LimitsTable::read(root, Limits::default()).over(Limits::default());
        let jobs = jobs::jobs(root);
        let bindings = bindings(root, limits);
        let groups = groups(root);
        root.finish();
        Some(Settings {
            serve,
            secrets,
            limits,
            jobs,
            bindings,
            groups,
            directory: directory.to_owned(),
            document: Arc::clone(document),
        })
    })
}

fn bindings(root: &mut TableReader<'_>, limits: Limits) -> BTreeMap<String, Arc<Binding>> {
    let mut bindings = BTreeMap::new();
    for (name, mut table) in root.tables("plugins") {
        if let Some(binding) = binding::binding(&name, &mut table, limits) {
            bindings.insert(name.into_inner(), Arc::new(binding));
        }
        table.finish();
    }
    bindings
}

fn groups(root: &mut TableReader<'_>) -> BTreeMap<String, Vec<HeldRole>> {
    let Some(mut table) = root.table("groups") else { return BTreeMap::new() };
    let names: Vec<String> = table.keys().map(str::to_owned).collect();
    names
        .into_iter()
        .map(|name| {
            if !grammar::is_key(&name) {
                table.error_at_name(
                    &name,
                    format!("{} is not a name for a group", quoted(&name)),
                    grammar::KEY,
                );
            }
            let roles = held_roles(&mut table, &name);
            (name, roles)
        })
        .collect()
}
