//! P2: one client, one call after the other.

use anyhow::Result;

use crate::figure::{Better, Figure, Samples, percentile};
use crate::installation::Installation;
use crate::load::{Bounds, Target};
use crate::program;
use crate::rounds::{Effort, alternate};

pub async fn measure(effort: Effort) -> Result<Vec<Figure>> {
    let installation = Installation::of(&["hello"])?;
    let fleetgate = installation.serve().await?;
    let native = program::native().await?;
    let sides = [Target::greeting(&fleetgate.url, "hello_greet")?, Target::greeting(&native.url, "greet")?];
    // By count, so that both sides' percentiles stand on as many calls; the time only ends a round that drags.
    let bounds = Bounds { length: effort.length * 4, calls: effort.calls };
    let rounds = alternate(effort.rounds, sides.len(), 2, async |side| {
        let mut load = sides[side].load(1, bounds).await.map_err(|error| format!("{error:#}"))?;
        match load.wrong {
            Some(wrong) => Err(wrong),
            None => Ok(vec![percentile(&mut load.latencies, 0.5), percentile(&mut load.latencies, 0.99)]),
        }
    })
    .await?;
    let samples = |side: usize, thing, name| Samples { name, values: rounds.of(side, thing) };
    let figure = Figure {
        id: "P2",
        what: "HTTP, 1 client, p50",
        unit: "µs",
        better: Better::Less,
        ours: samples(0, 0, "fleetgate"),
        theirs: samples(1, 0, "rmcp"),
        bar: Some(1.10),
        stretch: Some(0.95),
        invalid_rounds: rounds.invalid,
    };
    let tail = Figure {
        what: "the same, p99",
        ours: samples(0, 1, "fleetgate"),
        theirs: samples(1, 1, "rmcp"),
        bar: None,
        stretch: None,
        ..figure.clone()
    };
    Ok(vec![figure, tail])
}
