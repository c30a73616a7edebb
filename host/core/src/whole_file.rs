//! Files that appear whole or not at all: whoever reads sees the old one or the new one, also after a crash.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Replaces a file, or makes it, with exactly this mode (`0o600`). The directory must exist. Returns once both are
/// where a power cut cannot undo them.
///
/// # Errors
/// The operating system refuses; then the old file stands as it was.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::Builder::new()
        .prefix(".fleetgate-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(directory)?;
    draft.write_all(bytes)?;
    // Whatever the umask takes away from a new file.
    draft.as_file().set_permissions(Permissions::from_mode(mode))?;
    draft.as_file().sync_all()?;
    draft.persist(path).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}
