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
/// and both this and the plugin say so. Another file than the pinned one ends the build.
pub fn provide(shell: &Shell) -> Result<()> {
    if std::env::var_os(FOLDER).is_some() {
        return Ok(());
    }
    let folder = target().join("ntc-templates");
    match install(shell, &root().join("plugins/naas/requirements.txt"), &folder)? {
        Outcome::Installed => shell.set_var(FOLDER, folder),
        Outcome::Missing(reason) => {
            println!("the network plugin is built without the ntc-templates: {reason}");
        }
    }
    Ok(())
}

enum Outcome {
    Installed,
    /// And why.
    Missing(String),
}

fn install(shell: &Shell, pinned: &Path, folder: &Path) -> Result<Outcome> {
    let wanted = std::fs::read(pinned).with_context(|| format!("cannot read {}", pinned.display()))?;
    if std::fs::read(folder.join(INSTALLED)).is_ok_and(|there| there == wanted) {
        return Ok(Outcome::Installed);
    }
    shell.remove_path(folder)?;
    let options = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"];
    let strict = ["--no-deps", "--no-compile", "--only-binary", ":all:", "--require-hashes"];
    let pip = cmd!(
        shell,
        "python3 -m pip install {options...} {strict...} --target {folder} --requirement {pinned}"
    );
    let Ok(output) = pip.quiet().ignore_status().output() else {
        let reason = "python3 is missing: install it with pip (Debian: `apt-get install python3-pip`)";
        return Ok(Outcome::Missing(reason.to_owned()));
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("DO NOT MATCH THE HASHES") {
            bail!("ntc-templates is another file than {} pins:\n{said}", pinned.display());
        }
        let first = said.lines().find(|line| line.starts_with("ERROR")).or(said.lines().last());
        let reason = first.unwrap_or("it does not say why");
        return Ok(Outcome::Missing(format!("pip could not install them: {reason}")));
    }
    std::fs::write(folder.join(INSTALLED), wanted)?;
    Ok(Outcome::Installed)
}
