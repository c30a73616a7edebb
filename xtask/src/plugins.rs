//! Guests: built for `wasm32-wasip2`, packed with their manifest, written where tests and the demo look for them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{machine, root, target, templates};

/// A guest crate: its package, and the folder that holds its `plugin.toml`.
struct Guest {
    package: String,
    folder: PathBuf,
}

/// Where guest crates lie, and where their plugins go: those that are shipped apart from those that only tests use.
const FOLDERS: [(&str, &str); 4] = [
    ("plugins", "plugins"),
    ("tests/hello", "test-plugins"),
    ("tests/hostile", "test-plugins"),
    ("tests/conformance", "test-plugins"),
];

/// Builds and packs every plugin; gives the folder of the shipped ones. What this shell builds afterwards has the
/// plugins' templates too.
pub fn build(shell: &Shell) -> Result<PathBuf> {
    machine::wasm_target(shell)?;
    let fleetgate = machine::host(shell)?;
    templates::provide(shell)?;
    let mut packages = Vec::new();
    let mut wanted = Vec::new();
    for (from, to) in FOLDERS {
        let out = target().join(to);
        shell.create_dir(&out)?;
        for guest in guests(&root().join(from))? {
            packages.extend(["--package".to_owned(), guest.package.clone()]);
            wanted.push((guest, out.clone()));
        }
    }
    cmd!(shell, "cargo build --quiet --locked --target wasm32-wasip2 --profile plugin {packages...}")
        .run()?;
    for (guest, out) in wanted {
        pack(shell, &fleetgate, &guest, &out)?;
    }
    Ok(target().join(FOLDERS[0].1))
}

/// Where [`build`] leaves a plugin that only tests use.
pub fn for_tests(id: &str) -> PathBuf {
    target().join("test-plugins").join(format!("{id}.wasm"))
}

/// The folder itself, or every folder in it, if there is a `plugin.toml`.
fn guests(folder: &Path) -> Result<Vec<Guest>> {
    let inside = std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut guests = Vec::new();
    for folder in std::iter::once(folder.to_owned()).chain(inside) {
        if !folder.join("plugin.toml").exists() {
            continue;
        }
        let cargo = std::fs::read_to_string(folder.join("Cargo.toml"))?;
        let package = cargo
            .lines()
            .find_map(|line| line.strip_prefix("name = "))
            .map(|name| name.trim().trim_matches('"').to_owned())
            .with_context(|| format!("{} names no package", folder.join("Cargo.toml").display()))?;
        guests.push(Guest { package, folder });
    }
    guests.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(guests)
}

fn pack(shell: &Shell, fleetgate: &Path, guest: &Guest, out: &Path) -> Result<()> {
    let manifest = guest.folder.join("plugin.toml");
    let text = std::fs::read_to_string(&manifest)?;
    let id = text
        .lines()
        .find_map(|line| line.strip_prefix("id = "))
        .map(|id| id.trim().trim_matches('"').to_owned())
        .with_context(|| format!("{} has no id", manifest.display()))?;
    // A library's file is named after the library, which is the package unless Cargo.toml says otherwise.
    let library = std::fs::read_to_string(guest.folder.join("Cargo.toml"))?
        .split("[lib]")
        .nth(1)
        .and_then(|lib| lib.lines().find_map(|line| line.strip_prefix("name = ")).map(str::to_owned))
        .map_or_else(|| guest.package.replace('-', "_"), |name| name.trim().trim_matches('"').to_owned());
    let component = target().join("wasm32-wasip2/plugin").join(format!("{library}.wasm"));
    let packed = out.join(format!("{id}.wasm"));
    cmd!(shell, "{fleetgate} pack {component} {manifest} -o {packed}").quiet().ignore_stdout().run()?;
    println!("packed {}", packed.display());
    Ok(())
}
