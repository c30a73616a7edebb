//! A plugin's code under another manifest: how versions are made that differ only in what they ask for.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{plugin, program};

/// The code of a packed plugin of this workspace, packed again with this manifest. Both name the same id.
pub fn repacked(id: &str, manifest: &str) -> Vec<u8> {
    packed(&plugin(id), id, manifest)
}

/// A component, packed with this manifest.
pub fn packed(component: &Path, id: &str, manifest: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (text, file) = (folder.path().join("plugin.toml"), folder.path().join(format!("{id}.wasm")));
    fs::write(&text, manifest).expect("room on the disk");
    let mut command = Command::new(program("fleetgate"));
    command.arg("pack").arg(component).arg(&text).arg("-o").arg(&file);
    let output = command.output().expect("fleetgate starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(&file).expect("what was packed")
}
