//! Files that appear whole or not at all, and that everybody may read.

use std::path::Path;

use crate::failure::Failure;

/// Writes one.
pub fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fleetgate_core::whole_file::replace(file, bytes, 0o644)
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", file.display())))
}
