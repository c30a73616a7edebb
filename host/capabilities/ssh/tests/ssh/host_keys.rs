//! Who a device is.

use crate::sshd::{Sshd, keygen};
use crate::world::{World, call, until};

#[tokio::test]
async fn a_device_that_nobody_vouches_for_gets_no_password() {
    let server = Sshd::start().await;
    let world = server.world();
    world.write("known_hosts", "# nobody yet\n");
    let caller = call().to(&world.bind());
    let failure = caller.fails(server.address).await;
    assert_eq!((failure.code, failure.retryable, failure.sent), ("host-key-unknown", false, false));
    assert!(!failure.message.contains("SHA256"), "{}", failure.message);
    let why = caller.refused();
    assert!(why.contains("ssh-ed25519 SHA256:"), "{why}");
    // The operator is told the line that would allow it.
    let line = why.split("add this line to known_hosts: ").nth(1).unwrap();
    assert_eq!(line, server.known_hosts().trim());
    until("the server knows", || async { server.said().contains("Connection closed by") }).await;
    assert!(!server.said().contains("Accepted"), "{}", server.said());
    world.write("known_hosts", line);
    caller.connect(server.address).await.unwrap();
}

#[tokio::test]
async fn a_changed_key_is_always_refused() {
    let server = Sshd::start().await;
    for lines in ["", "trust_on_first_use = true"] {
        let world = server.world_with(lines);
        keygen(&server.path("other"), "ed25519", "");
        let other = std::fs::read_to_string(server.path("other.pub")).unwrap();
        std::fs::remove_file(server.path("other")).unwrap();
        world.write("known_hosts", &format!("[127.0.0.1]:{} {other}", server.address.port()));
        let caller = call().to(&world.bind());
        let failure = caller.fails(server.address).await;
        assert_eq!((failure.code, failure.retryable), ("host-key-changed", false), "{lines}");
        assert!(caller.refused().contains("known_hosts:1"), "{}", caller.refused());
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused() {
    let server = Sshd::start().await;
    let world = server.world_with("trust_on_first_use = true");
    let key = server.known_hosts();
    world.write("known_hosts", &format!("{key}@revoked * {}", key.split_once(' ').unwrap().1));
    let failure = call().to(&world.bind()).fails(server.address).await;
    assert_eq!(failure.code, "host-key-changed");
    assert!(failure.message.contains("revoked"), "{}", failure.message);
}

#[tokio::test]
async fn an_unknown_device_is_trusted_once_where_the_grant_says_so() {
    let server = Sshd::start().await;
    let grant = server.grant().replace("known_hosts = \"known_hosts\"", "trust_on_first_use = true");
    let world = World::new(&grant).secret("key", &server.user_key());
    let binding = world.bind();
    call().to(&binding).exec(server.address, "true").await.unwrap();
    let remembered = std::fs::read_to_string(world.path("state/ssh_known_hosts")).unwrap();
    assert_eq!(remembered.trim(), server.known_hosts().trim());
    drop(binding);
    // Another day, another binding: the device is known, and its double is not taken for it.
    call().to(&world.bind()).exec(server.address, "true").await.unwrap();
    let double = server.with_another_key().await;
    let caller = call().to(&world.bind());
    let failure = caller.fails(double.address).await;
    assert_eq!(failure.code, "host-key-changed");
    assert!(caller.refused().contains("state/ssh_known_hosts:1"), "{}", caller.refused());
    assert!(!double.said().contains("Accepted"), "{}", double.said());
    assert_eq!(std::fs::read_to_string(world.path("state/ssh_known_hosts")).unwrap(), remembered);
}

#[tokio::test]
async fn a_device_that_is_vouched_for_in_another_way_is_not_trusted_at_its_first_use() {
    let server = Sshd::start().await;
    let world = server.world_with("trust_on_first_use = true");
    let name = format!("[127.0.0.1]:{}", server.address.port());
    let key = server.known_hosts();
    let authority = format!("@cert-authority {name} {}", key.split_once(' ').unwrap().1);
    for line in [format!("{name} ssh-dss AAAAB3NzaC1kc3MAAACB\n"), authority] {
        world.write("known_hosts", &line);
        let caller = call().to(&world.bind());
        assert_eq!(caller.fails(server.address).await.code, "host-key-unknown", "{line}");
        assert!(
            caller.refused().contains("known_hosts:1 about the device cannot be used"),
            "{}",
            caller.refused()
        );
        assert!(caller.refused().contains(&format!("add this line to known_hosts: {}", key.trim())));
        assert!(!world.path("state/ssh_known_hosts").exists());
    }
    assert!(!server.said().contains("Accepted"), "{}", server.said());
}

#[tokio::test]
async fn a_device_with_several_keys_shows_the_one_that_is_known() {
    let directory = tempfile::tempdir().unwrap();
    keygen(&directory.path().join("rsa"), "rsa", "");
    let server = Sshd::with(&format!("HostKey {}", directory.path().join("rsa").display())).await;
    let rsa = std::fs::read_to_string(directory.path().join("rsa.pub")).unwrap();
    let world = server.world();
    world.write("known_hosts", &format!("[127.0.0.1]:{} {rsa}", server.address.port()));
    call().to(&world.bind()).exec(server.address, "true").await.unwrap();
}

#[tokio::test]
async fn a_file_that_others_can_write_vouches_for_nobody() {
    use std::os::unix::fs::PermissionsExt;
    let server = Sshd::start().await;
    let world = server.world();
    let binding = world.bind();
    let open = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(world.path("known_hosts"), open).unwrap();
    let caller = call().to(&binding);
    assert_eq!(caller.fails(server.address).await.code, "host-key-unknown");
    assert!(caller.refused().contains("can be written by others"), "{}", caller.refused());
    assert!(world.problem().contains("chmod go-w"), "and it is said at load");
}
