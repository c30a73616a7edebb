//! P11: one client calls on while a thousand devices publish a message a second each, which the host keeps and a plugin
//! stores. Over all rounds that is a minute of them. At the end every message must be stored, each once.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::devices::{Devices, Said};
use crate::figure::{Better, Figure, Samples, percentile};
use crate::installation::Installation;
use crate::load::{Bounds, Load, Target, ask};
use crate::rounds::{Effort, Turn, alternate};

/// Devices, with a message a second each.
const DEVICES: usize = 1_000;
/// Messages of a device in one turn, so that ten turns are a minute.
const MESSAGES: u32 = 6;
/// The metric that numbers a device's messages.
const NUMBER: &str = "load.sequence";
/// How long what was said may take to be stored. Only to end what hangs.
const PATIENCE: Duration = Duration::from_secs(120);

pub async fn measure(effort: Effort) -> Result<Vec<Figure>> {
    let mut devices = Devices::start(DEVICES).await?;
    let reader = ["jettyd:telemetry:read"];
    let installation = Installation::for_callers(&reader, &["hello", "jettyd"], &grants(&devices.said))?;
    installation.secret("broker", &devices.said.login.password)?;
    let host = installation.serve().await?;
    let honest = Target::greeting(&host.url, "hello_greet")?;
    let messages = if effort.quick { 1 } else { MESSAGES };
    let bounds = Bounds { length: Duration::from_secs(u64::from(messages)), calls: usize::MAX };
    let ids = heard_before(&host.url, &mut devices).await?;
    let mut said = 0;
    let mut memory = Vec::new();
    let rounds = alternate(effort.rounds, 2, 2, async |side| {
        if side == 1 {
            return turn(honest.load(1, bounds).await);
        }
        let (calls, talked) = tokio::join!(honest.load(1, bounds), devices.talk(messages));
        let talked = talked.map_err(|error| format!("{error:#}"))?;
        if talked.lost > 0 || talked.acknowledged != u64::from(messages) * DEVICES as u64 {
            return Err(format!("the broker took {} messages, and {} not", talked.acknowledged, talked.lost));
        }
        said += messages;
        // What is still under way must not fall into the other side's turn.
        stored(&host.url, ids.iter().step_by(50), said).await.map_err(|error| format!("{error:#}"))?;
        memory.extend(host.resident());
        turn(calls)
    })
    .await?;
    stored(&host.url, ids.iter(), said).await?;
    eprintln!("  {} messages of {DEVICES} devices are stored, each once", u64::from(said) * DEVICES as u64);

    let samples = |side: usize, thing, name| Samples { name, values: rounds.of(side, thing) };
    let figure = Figure {
        id: "P11",
        what: "a client's p99 beside 1,000 messages a second",
        unit: "µs",
        better: Better::Less,
        ours: samples(0, 0, "beside them"),
        theirs: samples(1, 0, "alone"),
        bar: Some(2.0),
        stretch: Some(1.2),
        invalid_rounds: rounds.invalid,
    };
    let middle = Figure {
        what: "the same, p50",
        ours: samples(0, 1, "beside them"),
        theirs: samples(1, 1, "alone"),
        bar: None,
        stretch: None,
        ..figure.clone()
    };
    let (first, last) = (memory.first().copied(), memory.last().copied());
    let resident = Figure {
        what: "the host's resident memory after all of them",
        unit: "MiB",
        ours: Samples { name: "after the last", values: last.into_iter().collect() },
        theirs: Samples { name: "after the first", values: first.into_iter().collect() },
        bar: Some(1.25),
        stretch: Some(1.1),
        ..figure.clone()
    };
    Ok(vec![figure, middle, resident])
}

fn grants(said: &Said) -> String {
    let Said { url, tenant, login, .. } = said;
    let user = &login.username;
    format!(
        r#"
[plugins.jettyd.config]
tenant_id = "{tenant}"

[plugins.jettyd.grant.mqtt.broker]
url = "{url}"
credential = {{ user = "{user}", password = "broker" }}
subscribe = ["jettyd/{tenant}/+/telemetry", "jettyd/{tenant}/+/status"]

[plugins.jettyd.grant.events.telemetry]
from = {{ "mqtt.broker" = {{ subscribe = ["jettyd/{tenant}/+/telemetry", "jettyd/{tenant}/+/status"] }} }}

[plugins.jettyd.grant.keyvalue.history]
quota = "256MiB"

[secrets]
broker = {{ file = "broker" }}
"#
    )
}

/// Lets the devices talk until the host has heard each of them: nobody keeps what is said before it listens. Gives how many
/// messages are stored of each by then.
async fn heard_before(url: &str, devices: &mut Devices) -> Result<Vec<(String, usize)>> {
    let hearing = async {
        loop {
            devices.talk(1).await?;
            tokio::time::sleep(Duration::from_secs(2)).await;
            let mut heard = Vec::new();
            for device in &devices.said.devices {
                // One that was never heard is refused.
                let Ok(points) = points(url, device).await else { break };
                heard.push((device.clone(), points));
            }
            if heard.len() == devices.said.devices.len() {
                return Ok(heard);
            }
        }
    };
    tokio::time::timeout(PATIENCE, hearing).await?
}

/// Waits until each of these devices has so many messages more in its history, and fails where one has too many.
async fn stored<'a>(
    url: &str,
    devices: impl Iterator<Item = &'a (String, usize)>,
    messages: u32,
) -> Result<()> {
    let waiting = async {
        for (device, before) in devices {
            let expected = before + messages as usize;
            loop {
                let points = points(url, device).await?;
                ensure!(points <= expected, "{device} has {points} messages, and said {expected}");
                if points == expected {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, waiting).await?
}

/// Messages of a device that are stored.
async fn points(url: &str, device: &str) -> Result<usize> {
    let asked = json!({"device_id": device, "sensor_key": NUMBER, "from": "2026-01-01T00:00:00Z"});
    let answer = ask(url, "jettyd_get_history", &asked).await?;
    Ok(answer["points"].as_array().map_or(0, Vec::len))
}

/// The client's p99 and p50.
fn turn(calls: Result<Load>) -> Turn {
    let mut calls = calls.map_err(|error| format!("{error:#}"))?;
    match calls.wrong {
        Some(wrong) => Err(wrong),
        None => Ok(vec![percentile(&mut calls.latencies, 0.99), percentile(&mut calls.latencies, 0.5)]),
    }
}
