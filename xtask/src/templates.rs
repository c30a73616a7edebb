//! The templates that `plugins/naas` packs: the ntc-templates package, as `plugins/naas/requirements.txt` pins it, with
//! the digest of the one file that is taken. pip installs it into a folder of its own under `target`; nothing of it is
//! run.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::{root, target};

/// What `plugins/naas/build.rs` reads: the folder that the package was installed into. Whoever sets it decides, and
/// sets it empty for a plugin without templates.
const FOLDER: &str = "FLEETGATE_NTC_TEMPLATES";

/// A copy of the pinned requirement, written when installing is done.
const INSTALLED: &str = ".installed-requirements.txt";

/// Sets [`FOLDER`] for what is built from here on. Without pip, or the network, the plugin is built without templates,
/// and both this and the plugin say so.
pub fn provide(shell: &Shell) {
    if std::env::var_os(FOLDER).is_some() {
        return;
    }
    let folder = target().join("ntc-templates");
    match install(shell, &root().join("plugins/naas/requirements.txt"), &folder) {
        Ok(()) => shell.set_var(FOLDER, folder),
        Err(error) => {
            println!(
                "plugins/naas is built without the ntc-templates, so it parses only what your own templates are for:"
            );
            println!("  {error:#}");
        }
    }
}

fn install(shell: &Shell, pinned: &Path, folder: &Path) -> Result<()> {
    let wanted = std::fs::read(pinned).with_context(|| format!("cannot read {}", pinned.display()))?;
    if std::fs::read(folder.join(INSTALLED)).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    shell.remove_path(folder)?;
    let options = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"];
    let strict = ["--no-deps", "--no-compile", "--only-binary", ":all:", "--require-hashes"];
    let pip = cmd!(
        shell,
        "python3 -m pip install {options...} {strict...} --target {folder} --requirement {pinned}"
    );
    let output = pip.quiet().ignore_status().output().context("python3 is missing")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
        bail!("pip could not install {}: {last}", pinned.display());
    }
    std::fs::write(folder.join(INSTALLED), wanted)?;
    Ok(())
}
