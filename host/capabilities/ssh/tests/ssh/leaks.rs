//! Passwords and keys appear nowhere: not in what a guest reads, not in errors, not in the log, not in the record.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tracing_subscriber::fmt::MakeWriter;

use crate::device::{ENABLE, PASSWORD, Router};
use crate::sshd::Sshd;
use crate::world::{call, text};

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_canary_appears_anywhere() {
    let log = Log::default();
    // With russh's own words, down to the last one: they come as `log` records.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _ = tracing_subscriber::util::SubscriberInitExt::try_init(subscriber);

    let mut all = String::new();
    let (router, server) = (Router::start().await, Sshd::start().await);
    let world = router.world();
    let caller = call().to(&world.bind());
    for command in ["show running-config", "show version", "nonsense"] {
        let output = caller.exec(router.address, command).await.unwrap();
        all.push_str(&text(&output.stdout));
    }
    let shell = caller.shell(router.address).await;
    all.push_str(&shell.until("R1>").await);
    all.push_str(&shell.line("enable", "Password: ").await);
    shell.0.send_secret("enable").await.unwrap();
    all.push_str(&shell.until("R1#").await);
    all.push_str(&shell.line("show running-config", "R1#").await);
    all.push_str(&shell.line(&format!("show {ENABLE}"), "R1#").await);
    all.push_str(&format!("{:?}", shell.0.send_secret("enable").await.unwrap_err()));
    drop(shell);
    // Wrong ones, and devices that are not who they should be.
    let wrong = router.world().secret("password", "wr0ng-p4ssw0rd-can4ry");
    let refused = call().to(&wrong.bind());
    all.push_str(&format!("{:?}", refused.connect(router.address).await.err().unwrap()));
    let strange = router.world();
    strange.write("known_hosts", "");
    let stranger = call().to(&strange.bind());
    all.push_str(&format!("{:?}", stranger.connect(router.address).await.err().unwrap()));
    let real = server.world();
    let key = server.user_key();
    all.push_str(&text(&call().to(&real.bind()).exec(server.address, "id").await.unwrap().stdout));
    for caller in [&caller, &refused, &stranger] {
        all.push_str(&caller.call.used.used().join("\n"));
        all.push_str(&caller.call.used.refused().join("\n"));
    }
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("SSH refused"), "the log is looked at: {log}");
    all.push_str(&log);
    all.push_str(&server.said());
    let key_line = key.lines().nth(2).unwrap();
    for canary in [PASSWORD, ENABLE, "wr0ng-p4ssw0rd-can4ry", key_line] {
        let encoded = STANDARD.encode(canary);
        for form in [canary, encoded.trim_end_matches('='), &canary.replace('-', "%2D")] {
            assert!(!all.contains(form), "{form} is in what was said");
        }
    }
    assert!(router.count("password right") == 1 && router.count("login by password: right") == 1);
}
