//! Files that somebody else could have written.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use fleetgate_core::ownership::{FileRefused, Rules, read};

const STRICT: Rules = Rules { follow_links: false, public: true, sticky_directory: false, max_bytes: 1024 };

#[test]
fn a_file_of_another_user_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "x").unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    // Only root can give a file away; elsewhere a file of another user is the one that is always there.
    if chown(&path, Some(12345), None).is_ok() {
        let refused = read(&path, &STRICT).unwrap_err();
        assert!(matches!(refused, FileRefused::Owner { owner: 12345, .. }), "{refused}");
        assert!(refused.to_string().contains("belongs to another user (uid 12345)"), "{refused}");
        chown(&path, Some(0), None).unwrap();
        chown(directory.path(), Some(12345), None).unwrap();
        let refused = read(&path, &STRICT).unwrap_err();
        assert!(matches!(refused, FileRefused::Owner { owner: 12345, .. }), "{refused}");
    } else {
        assert_eq!(read(&path, &STRICT).unwrap(), b"x");
    }
}

#[test]
fn a_symbolic_link_is_refused_where_none_may_be() {
    let directory = tempfile::tempdir().unwrap();
    let (path, link) = (directory.path().join("file"), directory.path().join("link"));
    fs::write(&path, "x").unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(read(&link, &STRICT), Err(FileRefused::Link { .. })));
    assert_eq!(read(&link, &Rules { follow_links: true, ..STRICT }).unwrap(), b"x");
}

#[test]
fn a_link_into_a_directory_that_others_can_write_is_refused() {
    let (near, far) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (path, link) = (far.path().join("file"), near.path().join("link"));
    fs::write(&path, "x").unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    fs::set_permissions(far.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let refused = read(&link, &Rules { follow_links: true, ..STRICT }).unwrap_err();
    assert!(
        matches!(&refused, FileRefused::Writable { path, .. } if *path == far.path().canonicalize().unwrap()),
        "{refused}"
    );
}

#[test]
fn a_sticky_directory_will_do_only_where_it_may() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "x").unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o1777)).unwrap();
    assert!(matches!(read(&path, &STRICT), Err(FileRefused::Writable { .. })));
    assert_eq!(read(&path, &Rules { sticky_directory: true, ..STRICT }).unwrap(), b"x");
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert!(matches!(read(&path, &STRICT), Err(FileRefused::NotAFile { .. })));
}

#[test]
fn a_file_over_its_cap_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, [0; 1024]).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(read(&path, &STRICT).unwrap().len(), 1024);
    fs::write(&path, [0; 1025]).unwrap();
    let refused = read(&path, &STRICT).unwrap_err();
    assert!(refused.to_string().contains("has 1025 bytes, and at most 1KiB are read"), "{refused}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_whose_bytes_are_not_those_that_its_length_says_is_refused_for_now() {
    // The kernel says 0 bytes and gives some: what a file looks like that is being written.
    let refused = read("/proc/self/status".as_ref(), &Rules { max_bytes: 1 << 20, ..STRICT }).unwrap_err();
    assert!(matches!(refused, FileRefused::Changing { .. }) && refused.is_passing(), "{refused}");
}
