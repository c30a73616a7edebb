//! The socket beside the file: where it is, and who may speak through it.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

const NAME: &str = "state.sock";
/// Addresses of sockets are short (108 bytes on Linux, 104 elsewhere), paths are not.
const LONGEST: usize = 100;

/// A path to the socket that is short enough, for as long as this lives.
struct Place {
    path: PathBuf,
    /// What the short path leads through.
    _directory: Option<fs::File>,
}

impl Place {
    fn of(directory: &Path) -> io::Result<Self> {
        let path = directory.join(NAME);
        if path.as_os_str().len() <= LONGEST {
            return Ok(Self { path, _directory: None });
        }
        if !cfg!(target_os = "linux") {
            let long = format!(
                "{} is too long a path for a socket: give [serve] state a shorter one",
                path.display()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, long));
        }
        use std::os::fd::AsRawFd;
        let opened = fs::File::open(directory)?;
        let path = Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string()).join(NAME);
        Ok(Self { path, _directory: Some(opened) })
    }
}

/// Listens, in the place of whoever did before and is gone. Only who has the lock may ask for it.
pub(super) fn listen(directory: &Path) -> io::Result<UnixListener> {
    let place = Place::of(directory)?;
    remove(directory)?;
    let listener = UnixListener::bind(&place.path)?;
    fs::set_permissions(&place.path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Removes the socket, and nothing that is none.
pub(super) fn remove(directory: &Path) -> io::Result<()> {
    let path = directory.join(NAME);
    match fs::symlink_metadata(&path) {
        Ok(meta) if meta.file_type().is_socket() => fs::remove_file(&path),
        Ok(_) => Err(io::Error::other(format!("{} is no socket: move it away", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Connects to who listens.
pub(super) async fn connect(directory: &Path) -> io::Result<UnixStream> {
    let place = Place::of(directory)?;
    UnixStream::connect(&place.path).await
}

/// Whether the other end is this user or root.
pub(super) fn is_ours(stream: &UnixStream) -> io::Result<bool> {
    let uid = stream.peer_cred()?.uid();
    Ok(uid == rustix::process::geteuid().as_raw() || uid == 0)
}
