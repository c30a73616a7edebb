//! Passwords appear nowhere: not in what a guest reads, not in errors, not in the log, not in the record, not in files.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tracing_subscriber::fmt::MakeWriter;

use crate::mosquitto::Mosquitto;
use crate::world::{AS_FLEET, PASSWORD, call};

const WRONG: &str = "wr0ng-p4ssword";

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
    // With the client libraries' own words, down to the last one: they come as `log` records.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _ = tracing_subscriber::util::SubscriberInitExt::try_init(subscriber);

    let mut broker = Mosquitto::strict("user fleet\ntopic readwrite #\n").await;
    let mut all = String::new();
    for version in ["3.1.1", "5"] {
        for password in [PASSWORD, WRONG] {
            let grant = format!("{AS_FLEET}\nversion = \"{version}\"");
            let world = broker.world_with(&grant).secret("password", password);
            all += &world.read().unwrap().1.unwrap().describe().join("\n");
            let binding = world.bind();
            let caller = call().to(&binding);
            match caller.open(&["a/#"]).await {
                Ok(listening) => {
                    caller.publish("a/b", "x").await.unwrap();
                    broker.again().await;
                    all += &format!("{:?}", listening.read(std::time::Duration::from_secs(5)).await);
                }
                Err(failure) => all += &format!("{failure} {:?}", failure.guest()),
            }
            all += &caller.used().join("\n");
            all += &caller.call.used.refused().join("\n");
        }
    }
    all += &String::from_utf8_lossy(&log.0.lock().unwrap());
    assert!(all.contains("no connection to a broker") || all.contains("MQTT refused"), "the log is seen");
    assert!(all.contains("credential"), "the wrong one was refused");
    for canary in [PASSWORD, WRONG] {
        for form in [canary.to_owned(), STANDARD.encode(canary), format!("{:?}", canary.as_bytes())] {
            assert!(!all.contains(form.trim_matches(['[', ']'])), "{form} appears");
        }
    }
}
