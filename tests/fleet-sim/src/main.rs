//! `fleet-sim BACKEND`: serves a simulated fleet backend until it is told to stop.
//!
//! Prints one line of JSON when it listens: `{"backend":"nerveshub","url":"http://…","tokens":{"view":"nhu_…",…}}`.
//! `naas` says besides what makes API keys, and the login of its devices; `devices` has no URL, and says how each of
//! its devices is reached, and their host keys; `jettyd-fleet` gives the URL of its broker, and a login there.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use fleet_sim::broker::{self, Broker};
use fleet_sim::devices::{Device, Devices, Platform, Setup};
use fleet_sim::jettyd::api::{self, Jettyd};
use fleet_sim::jettyd::fleet::{self, Fleet};
use fleet_sim::naas::{self, Naas};
use fleet_sim::nerveshub::{Hub, Seed};
use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Simulated fleet backends for tests and the demo.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    backend: Backend,
}

#[derive(Subcommand)]
enum Backend {
    /// The NervesHub REST API, with some 480 devices in three orgs.
    Nerveshub {
        /// Where to listen; port 0 is any free one.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// The number the fleet grows from; one number is one fleet.
        #[arg(long, default_value_t = Seed::default().number)]
        seed: u64,
    },
    /// The NAAS v2 REST API, with some forty network devices behind it.
    Naas {
        /// Where to listen; port 0 is any free one.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Which server to be where the documents and the source differ.
        #[arg(long, value_enum, default_value_t = Behaviour::AsDocumented)]
        behaviour: Behaviour,
    },
    /// The jettyd REST API, with some forty sensors and actuators.
    Jettyd {
        /// Where to listen; port 0 is any free one.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// jettyd's devices on a real MQTT broker (mosquitto, which must be installed), on a free port of 127.0.0.1.
    JettydFleet {
        /// Devices besides those with names of their own.
        #[arg(long, default_value_t = 20)]
        plain: usize,
        /// None of those with names of their own.
        #[arg(long)]
        without_known: bool,
        /// Seconds between two reports of a device; 0: none.
        #[arg(long, default_value_t = 5.0)]
        every: f64,
        /// Take loads on stdin: `MESSAGES SECONDS` lets every device publish so many messages, one each so many
        /// seconds. What the broker has acknowledged is a line of JSON then.
        #[arg(long)]
        loads: bool,
    },
    /// Network devices: a terminal over SSH each, on free ports of 127.0.0.1.
    Devices {
        /// A device's platform, like cisco_ios; may be repeated. One of each if absent.
        #[arg(long = "platform")]
        platforms: Vec<Platform>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Behaviour {
    AsDocumented,
    StrictUpstream,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    // Before the line is printed, so that whoever reads it can already stop us in good order.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for ctrl-c")?;
    match cli.backend {
        Backend::Nerveshub { listen, seed } => {
            let seed = Seed { number: seed, ..Seed::default() };
            let hub =
                Hub::listen(listen, seed).await.with_context(|| format!("cannot listen on {listen}"))?;
            announce(&json!({"backend": "nerveshub", "url": hub.url(), "tokens": hub.tokens()}))?;
            told_to_stop(&mut terminate, &mut interrupt).await;
            hub.stop().await;
        }
        Backend::Naas { listen, behaviour } => {
            let behaviour = match behaviour {
                Behaviour::AsDocumented => naas::Behaviour::AsDocumented,
                Behaviour::StrictUpstream => naas::Behaviour::StrictUpstream,
            };
            let seed = naas::Seed { behaviour, ..naas::Seed::default() };
            let server =
                Naas::listen(listen, seed).await.with_context(|| format!("cannot listen on {listen}"))?;
            announce(&json!({
                "backend": "naas",
                "url": server.url(),
                "tokens": server.tokens(),
                "admin_secret": naas::known::ADMIN_SECRET,
                "login": {"username": naas::known::USER, "password": naas::known::PASSWORD},
            }))?;
            told_to_stop(&mut terminate, &mut interrupt).await;
            server.stop().await;
        }
        Backend::Jettyd { listen } => {
            let platform = Jettyd::listen(listen, api::Seed::default())
                .await
                .with_context(|| format!("cannot listen on {listen}"))?;
            announce(&json!({"backend": "jettyd", "url": platform.url(), "tokens": platform.tokens()}))?;
            told_to_stop(&mut terminate, &mut interrupt).await;
            platform.stop().await;
        }
        Backend::JettydFleet { plain, without_known, every, loads } => {
            let every = Duration::try_from_secs_f64(every).context("--every must be a time in seconds")?;
            let mut setup = fleet::Setup::plain(plain);
            if !without_known {
                setup = fleet::Setup::known().and(setup);
            }
            setup.every = Some(every).filter(|every| !every.is_zero());
            let settings = broker::Setup { accounts: Fleet::accounts(&setup), ..broker::Setup::default() };
            let broker = Broker::start(settings).context("cannot start the broker")?;
            let fleet = Fleet::start(broker.address(), setup).await.map_err(anyhow::Error::msg)?;
            announce(&json!({
                "backend": "jettyd-fleet",
                "url": broker.url(),
                "tenant": fleet.tenant(),
                "login": {"username": fleet::USER, "password": fleet::PASSWORD},
                "devices": fleet.devices().iter().map(fleet::Device::id).collect::<Vec<_>>(),
            }))?;
            tokio::select! {
                () = told_to_stop(&mut terminate, &mut interrupt) => {}
                done = take_loads(&fleet), if loads => done?,
            }
        }
        Backend::Devices { platforms } => {
            let platforms = if platforms.is_empty() { Platform::ALL.to_vec() } else { platforms };
            let devices = Devices::start(platforms.into_iter().map(Setup::new)).await;
            let devices = devices.context("cannot start the devices")?;
            let known_hosts: String = devices.all().iter().map(Device::known_hosts).collect();
            announce(&json!({
                "backend": "devices",
                "devices": devices.all().iter().map(about).collect::<Vec<_>>(),
                "known_hosts": known_hosts,
            }))?;
            told_to_stop(&mut terminate, &mut interrupt).await;
        }
    }
    Ok(())
}

/// Until stdin ends.
async fn take_loads(fleet: &Fleet) -> anyhow::Result<()> {
    // A thread of its own: the runtime would wait at its end for a read that nobody answers.
    let (send, mut lines) = tokio::sync::mpsc::channel(1);
    std::thread::spawn(move || {
        let lines = std::io::stdin().lines().map_while(Result::ok);
        lines.take_while(|line| send.blocking_send(line.clone()).is_ok()).for_each(drop);
    });
    while let Some(line) = lines.recv().await {
        let load = line.split_once(' ').and_then(|(messages, seconds)| {
            let every = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
            Some(fleet::Load { messages: messages.parse().ok()?, every })
        });
        let load = load.with_context(|| format!("{line:?} is no load: write MESSAGES SECONDS"))?;
        let loaded = fleet.load(load).await;
        announce(&json!({
            "acknowledged": loaded.acknowledged,
            "lost": loaded.lost,
            "slowest_ms": loaded.slowest.as_millis() as u64,
        }))?;
    }
    Ok(())
}

async fn told_to_stop(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn about(device: &Device) -> Value {
    json!({
        "name": device.hostname(),
        "platform": device.platform().name(),
        "port": device.port(),
        "login": {
            "username": device.user(),
            "password": device.password(),
            "enable": device.enable(),
        },
    })
}

fn announce(line: &Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("cannot write to stdout")
}
