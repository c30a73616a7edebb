//! What goes wrong on the way, each with its code.

use std::borrow::Cow;
use std::time::Duration;

use russh::{Preferred, cipher, kex, mac};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::device::{Router, Setup};
use crate::sshd::{Nobody, Sshd};
use crate::world::{World, call, until};

fn world(port: u16) -> World {
    let grant = format!(
        "targets = [\"127.0.0.1:{port}\"]\ntrust_on_first_use = true\nconnect_timeout = \"2s\"\n\
         credential = {{ user = \"netops\", password = \"password\" }}"
    );
    World::new(&grant).secret("password", "p4ssw0rd")
}

/// Somebody who takes connections and says this.
async fn says(words: &'static [u8], then_closes: bool) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(words).await.unwrap();
            if !then_closes {
                kept.push(stream);
            }
        }
    });
    address
}

#[tokio::test]
async fn nobody_there_is_a_refused_connection() {
    let nobody = Nobody::anywhere();
    let port = nobody.port();
    let failure = call().to(&world(port).bind()).connect_to("127.0.0.1", port).await.err().unwrap().guest();
    assert_eq!((failure.code, failure.retryable, failure.sent), ("refused", true, false));
}

#[tokio::test]
async fn somebody_who_says_nothing_is_a_banner_timeout() {
    for words in [&b""[..], b"hello\r\n", b"SSH"] {
        let address = says(words, false).await;
        let failure = call().to(&world(address.port()).bind()).fails(address).await;
        assert_eq!((failure.code, failure.retryable), ("banner-timeout", true), "{words:?}");
    }
}

#[tokio::test]
async fn a_server_that_stalls_after_its_banner_is_given_up() {
    let address = says(b"SSH-2.0-stalls\r\n", false).await;
    let failure = call().to(&world(address.port()).bind()).fails(address).await;
    assert_eq!((failure.code, failure.retryable), ("timeout", true));
    assert!(failure.message.contains("the key exchange"), "{}", failure.message);
}

#[tokio::test]
async fn what_is_no_ssh_server_is_named_so() {
    for words in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"SSH-2.0-x\r\nthis is no packet at all"] {
        let address = says(words, true).await;
        let failure = call().to(&world(address.port()).bind()).fails(address).await;
        assert!(["protocol", "dropped"].contains(&failure.code), "{}: {}", failure.code, failure.message);
    }
    let long: &'static [u8] = Box::leak(vec![b'x'; 4096].into_boxed_slice());
    let address = says(long, false).await;
    let failure = call().to(&world(address.port()).bind()).fails(address).await;
    assert_eq!(failure.code, "protocol", "{}", failure.message);
}

#[tokio::test]
async fn an_old_device_is_told_what_would_help() {
    let old = |kex, cipher, mac| Preferred {
        kex: Cow::Owned(vec![kex]),
        cipher: Cow::Owned(vec![cipher]),
        mac: Cow::Owned(vec![mac]),
        ..Preferred::default()
    };
    for (preferred, kind, name) in [
        (
            old(kex::DH_G14_SHA1, cipher::AES_128_CTR, mac::HMAC_SHA256),
            "key exchange",
            "diffie-hellman-group14-sha1",
        ),
        (
            old(kex::DH_G1_SHA1, cipher::AES_128_CTR, mac::HMAC_SHA256),
            "key exchange",
            "diffie-hellman-group1-sha1",
        ),
        (old(kex::CURVE25519, cipher::AES_128_CBC, mac::HMAC_SHA256), "cipher", "aes128-cbc"),
        (old(kex::CURVE25519, cipher::TRIPLE_DES_CBC, mac::HMAC_SHA256), "cipher", "3des-cbc"),
        (old(kex::CURVE25519, cipher::AES_128_CTR, mac::HMAC_SHA1), "MAC", "hmac-sha1"),
    ] {
        let router = Router::with(Setup { preferred, ..Setup::default() }).await;
        let caller = call().to(&router.world().bind());
        let failure = caller.fails(router.address).await;
        assert_eq!((failure.code, failure.retryable), ("kex-mismatch", false), "{name}");
        assert_eq!(failure.details.as_ref().unwrap()["offered"][0], name);
        assert_eq!(failure.details.unwrap()["kind"], kind);
        assert!(caller.refused().contains(&format!("legacy = [… {name:?}]")), "{}", caller.refused());
        let world = router.world_with(&format!("legacy = [{name:?}]"));
        call().to(&world.bind()).exec(router.address, "show version").await.unwrap();
    }
}

#[tokio::test]
async fn a_server_of_today_is_reached_without_anything_old() {
    let server = Sshd::with("LogLevel DEBUG1").await;
    call().to(&server.world().bind()).exec(server.address, "true").await.unwrap();
    let agreement = "kex: client->server cipher:";
    until("the server said what was agreed", || async { server.said().contains(agreement) }).await;
    let said = server.said();
    let agreed = |what: &str| said.lines().find(|line| line.contains(what)).unwrap_or_default().to_owned();
    assert!(!agreed("kex: algorithm:").contains("sha1"), "{said}");
    assert!(!agreed(agreement).contains("cbc"), "{said}");
    assert!(agreed(agreement).contains("compression: none"), "{said}");
    // An old server refuses as much.
    let old = Sshd::with("KexAlgorithms diffie-hellman-group14-sha1\nHostKeyAlgorithms ssh-ed25519").await;
    let caller = call().to(&old.world().bind());
    assert_eq!(caller.fails(old.address).await.code, "kex-mismatch");
    call()
        .to(&old.world_with("legacy = [\"diffie-hellman-group14-sha1\"]").bind())
        .exec(old.address, "true")
        .await
        .unwrap();
}

#[tokio::test]
async fn an_rsa_key_over_sha1_is_taken_only_where_the_grant_says_so() {
    let directory = tempfile::tempdir().unwrap();
    crate::sshd::keygen(&directory.path().join("rsa"), "rsa", "");
    let server =
        Sshd::with(&format!("HostKey {}\nHostKeyAlgorithms ssh-rsa", directory.path().join("rsa").display()))
            .await;
    let rsa = std::fs::read_to_string(directory.path().join("rsa.pub")).unwrap();
    let known = format!("[127.0.0.1]:{} {rsa}", server.address.port());
    let world = server.world();
    world.write("known_hosts", &known);
    let caller = call().to(&world.bind());
    assert_eq!(caller.fails(server.address).await.code, "kex-mismatch");
    assert!(caller.refused().contains("legacy = [… \"ssh-rsa\"]"), "{}", caller.refused());
    let world = server.world_with("legacy = [\"ssh-rsa\"]");
    world.write("known_hosts", &known);
    call().to(&world.bind()).exec(server.address, "true").await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_killed_in_the_middle_of_a_command_says_that_it_had_begun() {
    let server = Sshd::start().await;
    let caller = call().to(&server.world().bind());
    let device = caller.connect(server.address).await.unwrap();
    let began = server.path("began");
    let command = format!("touch {}; sleep 60", began.display());
    let running = tokio::spawn({
        let device = device.clone();
        async move { device.exec(&command, None, None).await }
    });
    until("it runs", || async { began.exists() }).await;
    server.kill_sessions();
    let failure = running.await.unwrap().unwrap_err().guest();
    assert_eq!((failure.code, failure.retryable, failure.sent), ("dropped", true, true));
    assert!(failure.message.contains("may have taken effect"), "{}", failure.message);
    assert!(caller.call.used.used()[1].ends_with("failed: dropped"), "{:?}", caller.call.used.used());
}

#[tokio::test]
async fn a_device_that_reboots_in_the_middle_of_a_terminal_is_dropped() {
    let router = Router::start().await;
    let caller = call().to(&router.world().bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    shell.0.send_line("reboot").await.unwrap();
    let failure = shell.rest().await.unwrap_err().guest();
    assert_eq!((failure.code, failure.sent), ("dropped", true));
    let failure = shell.0.send_line("show version").await.unwrap_err().guest();
    assert_eq!((failure.code, failure.sent), ("dropped", false));
    let failure = caller.exec(router.address, "reboot").await.unwrap_err().guest();
    assert_eq!((failure.code, failure.sent), ("dropped", true));
    caller.exec(router.address, "show version").await.unwrap();
}

#[tokio::test]
async fn a_device_that_says_good_bye_between_two_calls_is_logged_in_to_again() {
    let router = Router::start().await;
    let binding = router.world().bind();
    call().to(&binding).exec(router.address, "show version").await.unwrap();
    router.hang_up();
    until("it is gone", || async { router.live() == 0 }).await;
    call().to(&binding).exec(router.address, "show version").await.unwrap();
    assert_eq!(router.accepted(), 2);
}

#[tokio::test]
async fn a_server_that_stops_and_starts_again_is_found_again() {
    let server = Sshd::start().await;
    let binding = server.world_with("connect_timeout = \"2s\"").bind();
    call().to(&binding).exec(server.address, "true").await.unwrap();
    let server = server.again().await;
    call().to(&binding).exec(server.address, "true").await.unwrap();
    let address = server.address;
    let _nobody = Nobody::after(server).await;
    let failure = call().to(&binding).exec(address, "true").await.unwrap_err().guest();
    assert_eq!((failure.code, failure.retryable), ("refused", true), "{}", failure.message);
}

#[tokio::test]
async fn a_name_without_an_address_is_unresolved() {
    let grant = "targets = [\"*.invalid:22\"]\ntrust_on_first_use = true\n\
                 credential = { user = \"netops\", password = \"password\" }";
    let world = World::new(grant).secret("password", "p4ssw0rd");
    let caller = call().timeout(Duration::from_secs(10)).to(&world.bind());
    let failure = caller.connect_to("r1.invalid", 22).await.err().unwrap().guest();
    assert_eq!((failure.code, failure.retryable), ("unresolved", true));
}
