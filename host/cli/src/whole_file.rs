//! Files that appear whole or not at all: whoever watches sees the old one or the new one.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::failure::Failure;

/// Writes a file that everybody may read.
pub fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("cannot write {}: {error}", file.display()));
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::Builder::new().prefix(".fleetgate-").tempfile_in(directory).map_err(failed)?;
    draft.write_all(bytes).map_err(failed)?;
    draft.as_file().set_permissions(Permissions::from_mode(0o644)).map_err(failed)?;
    draft.as_file().sync_all().map_err(failed)?;
    draft.persist(file).map_err(|error| failed(error.error))?;
    Ok(())
}
