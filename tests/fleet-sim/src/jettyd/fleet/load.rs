//! A fleet that talks: every device publishes at a steady rate, and counts what the broker has acknowledged.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Map, json};
use tokio::time::MissedTickBehavior;

use super::{Device, Fleet};

/// How much each device says.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Messages of each device.
    pub messages: u32,
    /// From one to the next.
    pub every: Duration,
}

impl Load {
    /// The metric that numbers a device's messages, from 0.
    pub const SEQUENCE: &str = "load.sequence";
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Messages that the broker has acknowledged.
    pub acknowledged: u64,
    /// Messages that it has not, in time or at all.
    pub lost: u64,
    /// The longest that an acknowledgement took.
    pub slowest: Duration,
}

impl Fleet {
    /// Lets every device that is there publish telemetry; returns when the last message was acknowledged. The devices
    /// begin one after the other within the first interval, so that they speak evenly.
    pub async fn load(&self, load: Load) -> Loaded {
        let there: Vec<_> = self.devices.iter().filter(|device| device.is_connected()).collect();
        let share = load.every.div_f64(there.len().max(1) as f64);
        let begins = (0..).map(|number| share * number);
        let all = there.iter().zip(begins).map(|(device, begin)| talk((*device).clone(), begin, load));
        let mut whole = Loaded::default();
        // As tasks, so that they use every core.
        for one in join_all(all.map(tokio::spawn)).await.into_iter().flatten() {
            whole.acknowledged += one.acknowledged;
            whole.lost += one.lost;
            whole.slowest = whole.slowest.max(one.slowest);
        }
        whole
    }
}

async fn talk(device: Device, begin: Duration, load: Load) -> Loaded {
    tokio::time::sleep(begin).await;
    let mut interval = tokio::time::interval(load.every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut loaded = Loaded::default();
    // No two messages of a device are of the same second, and none is of the future, however fast they come.
    let ahead = f64::from(load.messages) * (1.0 - load.every.as_secs_f64());
    let first = Timestamp::now().as_second() - ahead.max(0.0).ceil() as i64;
    for number in 0..load.messages {
        interval.tick().await;
        let readings = Map::from_iter([
            (Load::SEQUENCE.to_owned(), json!(number)),
            ("air.temperature".to_owned(), json!(20.0 + f64::from(number % 50) / 10.0)),
        ]);
        let started = Instant::now();
        match device.report_of(Some(first + i64::from(number)), readings).await {
            Ok(()) => loaded.acknowledged += 1,
            Err(_) => loaded.lost += 1,
        }
        loaded.slowest = loaded.slowest.max(started.elapsed());
    }
    loaded
}
