//! Where secrets are read from, and from where not.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use fleetgate_core::settings::{SecretSource, Secrets};
use tempfile::TempDir;

fn one(source: SecretSource) -> Secrets {
    Secrets::new("/", BTreeMap::from([("key".to_owned(), source)]))
}

fn file(mode: u32, content: &[u8]) -> (TempDir, Secrets) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    write(&path, mode, content);
    (directory, one(SecretSource::File(path)))
}

fn write(path: &Path, mode: u32, content: &[u8]) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[track_caller]
fn refused(secrets: &Secrets, pieces: &[&str]) {
    let error = secrets.read("key").unwrap_err();
    let said = format!("{error} ({})", error.help);
    for piece in pieces {
        assert!(said.contains(piece), "{piece:?} is not in {said}");
    }
    assert!(said.contains("\"key\""), "{said}");
}

#[test]
fn a_secret_is_read_from_a_file_without_its_line_feed() {
    for content in ["hunter2", "hunter2\n", "hunter2\r\n"] {
        let (_directory, secrets) = file(0o600, content.as_bytes());
        assert_eq!(secrets.read("key").unwrap().expose(), "hunter2");
    }
    let (_directory, secrets) = file(0o640, b" two\nlines \n\n");
    assert_eq!(secrets.read("key").unwrap().expose(), " two\nlines \n");
}

#[test]
fn a_secret_is_read_anew_each_time() {
    let (directory, secrets) = file(0o600, b"old");
    assert_eq!(secrets.read("key").unwrap().expose(), "old");
    write(&directory.path().join("secret"), 0o600, b"new");
    assert_eq!(secrets.read("key").unwrap().expose(), "new");
}

#[test]
fn a_secret_that_everybody_can_read_is_refused() {
    let (_directory, secrets) = file(0o644, b"hunter2");
    refused(&secrets, &["can be read by everybody (mode 0644)", "chmod o-r"]);
}

#[test]
fn a_secret_that_others_can_write_is_refused() {
    for mode in [0o620, 0o602] {
        let (_directory, secrets) = file(mode, b"hunter2");
        refused(&secrets, &["can be written by others", "chmod go-w"]);
    }
}

#[test]
fn a_secret_behind_a_link_is_checked_where_it_is() {
    let (directory, _) = file(0o644, b"hunter2");
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(directory.path().join("secret"), &link).unwrap();
    refused(&one(SecretSource::File(link.clone())), &["can be read by everybody"]);
    write(&directory.path().join("secret"), 0o400, b"hunter2");
    assert_eq!(one(SecretSource::File(link)).read("key").unwrap().expose(), "hunter2");
}

#[test]
fn a_secret_that_cannot_be_a_secret_is_refused() {
    refused(&one(SecretSource::File("/nowhere/at/all".into())), &["there is no such file"]);
    let (_kept, secrets) = file(0o600, b"\n");
    refused(&secrets, &["it is empty"]);
    let (_kept, secrets) = file(0o600, &[0xff, 0xfe]);
    refused(&secrets, &["not UTF-8 text"]);
    let (_kept, secrets) = file(0o600, &vec![b'x'; 65 * 1024]);
    refused(&secrets, &["at most 64KiB"]);
    let directory = tempfile::tempdir().unwrap();
    refused(&one(SecretSource::File(directory.path().to_owned())), &["is not a regular file"]);
}

#[test]
fn a_secret_comes_from_systemds_directory_whoever_may_read_there() {
    let directory = tempfile::tempdir().unwrap();
    write(&directory.path().join("lab-key"), 0o444, b"hunter2");
    let secrets = one(SecretSource::Systemd("lab-key".into()));
    let here = secrets.clone().with_credentials_directory(Some(directory.path().canonicalize().unwrap()));
    assert_eq!(here.read("key").unwrap().expose(), "hunter2");
    refused(
        &secrets.with_credentials_directory(None),
        &["$CREDENTIALS_DIRECTORY is not set", "LoadCredential=lab-key"],
    );
}

#[test]
fn a_secret_comes_from_the_environment() {
    let secrets = one(SecretSource::Env("CARGO_PKG_NAME".into()));
    assert_eq!(secrets.read("key").unwrap().expose(), "fleetgate-core");
    let secrets = one(SecretSource::Env("FLEETGATE_TEST_NEVER_SET".into()));
    refused(&secrets, &["FLEETGATE_TEST_NEVER_SET is not set"]);
}

#[test]
fn a_secret_of_an_unknown_name_is_refused_with_the_nearest() {
    let error = one(SecretSource::Env("X".into())).read("kez").unwrap_err();
    assert_eq!(error.help, "did you mean \"key\"?");
}

#[test]
fn a_secret_is_never_printed() {
    let (_directory, secrets) = file(0o600, b"hunter2");
    let secret = secrets.read("key").unwrap();
    assert!(!format!("{secret:?} {secrets:?}").contains("hunter2"));
}
