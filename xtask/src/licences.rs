//! The licences of all dependencies, checked from what cargo has on disk.
//!
//! Advisories cannot be checked offline: their database is a repository of its own. `deny.toml` holds the same list
//! for `cargo deny check`, which fetches it.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use spdx::{Expression, ParseMode};
use xshell::{Shell, cmd};

/// What may be linked into the host and shipped with it.
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Fails and names each dependency whose licence is not allowed.
pub fn check(shell: &Shell) -> Result<()> {
    let metadata = cmd!(shell, "cargo metadata --locked --format-version 1").quiet().read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut refused = Vec::new();
    for package in packages {
        let (name, version) = (&package["name"], &package["version"]);
        match package["license"].as_str() {
            None => refused.push(format!("{name} {version} names no licence")),
            Some(licence) if !allowed(licence)? => {
                refused.push(format!("{name} {version} is under {licence}"))
            }
            Some(_) => {}
        }
    }
    if !refused.is_empty() {
        bail!("not allowed by xtask/src/licences.rs:\n  {}", refused.join("\n  "));
    }
    println!("{} packages, all under an allowed licence", packages.len());
    Ok(())
}

fn allowed(licence: &str) -> Result<bool> {
    let expression =
        Expression::parse_mode(licence, ParseMode::LAX).with_context(|| format!("licence {licence}"))?;
    Ok(expression.evaluate(|wanted| {
        // The exception only permits more than the licence itself.
        wanted.license.id().is_some_and(|id| ALLOWED.contains(&id.name))
    }))
}
