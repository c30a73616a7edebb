//! Files of the crate that is being compiled.

use std::path::{Path, PathBuf};

/// The directory of its `Cargo.toml`.
pub(crate) fn root() -> Result<PathBuf, String> {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .ok_or_else(|| "the crate must be built with cargo, which says where it is".to_owned())
}

/// Where a file or directory lies that is named relative to `Cargo.toml`. It must be inside.
pub(crate) fn inside(path: &str) -> Result<PathBuf, String> {
    let relative = Path::new(path);
    let plain = relative.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if path.is_empty() || !plain {
        return Err(format!("{path:?} is not a path below the crate's directory, like \"assets/lamp.svg\""));
    }
    Ok(root()?.join(relative))
}

/// A file's absolute path and contents.
pub(crate) fn read(path: &str) -> Result<(String, Vec<u8>), String> {
    let absolute = inside(path)?;
    let bytes = std::fs::read(&absolute)
        .map_err(|error| format!("{} cannot be read: {error}", absolute.display()))?;
    Ok((text(&absolute)?, bytes))
}

/// A path as it stands in code.
pub(crate) fn text(path: &Path) -> Result<String, String> {
    path.to_str().map(str::to_owned).ok_or_else(|| format!("{} is not UTF-8 text", path.display()))
}
