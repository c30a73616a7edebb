//! P10: one honest client calls on while four clients call a tool that only burns CPU. And how late such a tool is
//! ended.

use std::time::Duration;

use anyhow::Result;

use crate::figure::{Better, Figure, Samples, percentile};
use crate::installation::Installation;
use crate::load::{Bounds, Target};
use crate::rounds::{Effort, Turn, alternate};

/// Clients that call the endless tool.
const HOSTILE: usize = 4;
/// What the operator gives each of their calls: the deadline ends it, not the CPU budget.
const DEADLINE: Duration = Duration::from_secs(1);
const LIMITS: &str = "[plugins.hostile.limits]\ntimeout = \"1s\"\nmax_timeout = \"1s\"\ncpu = \"30s\"\n";

pub async fn measure(effort: Effort) -> Result<Vec<Figure>> {
    let installation = Installation::with(&["hello", "hostile"], LIMITS)?;
    let host = installation.serve().await?;
    let honest = Target::greeting(&host.url, "hello_greet")?;
    let endless = Target::endless(&host.url, "hostile_spin")?;
    // Long enough for several endless calls, and for calls enough that one in a hundred is many.
    let bounds = Bounds { length: effort.length.max(DEADLINE), calls: usize::MAX };
    let rounds = alternate(effort.rounds, 2, 3, async |side| {
        let hostile =
            async { if side == 0 { endless.load(HOSTILE, bounds).await.map(Some) } else { Ok(None) } };
        let (calls, attack) = tokio::join!(honest.load(1, bounds), hostile);
        turn(calls, attack)
    })
    .await?;
    let samples = |side: usize, thing, name| Samples { name, values: rounds.of(side, thing) };
    let figure = Figure {
        id: "P10",
        what: "an honest client's p99 beside 4 endless calls",
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
    let overshoot = Figure {
        what: "the last endless call's end, after its deadline",
        unit: "ms",
        ours: samples(0, 2, "ended after"),
        theirs: Samples { name: "deadline", values: vec![DEADLINE.as_secs_f64() * 1e3; effort.rounds] },
        bar: None,
        stretch: None,
        ..figure.clone()
    };
    Ok(vec![figure, middle, overshoot])
}

/// The honest client's p99 and p50, and the longest endless call in milliseconds.
fn turn(calls: Result<crate::load::Load>, attack: Result<Option<crate::load::Load>>) -> Turn {
    let said = |error: anyhow::Error| format!("{error:#}");
    let (mut calls, attack) = (calls.map_err(said)?, attack.map_err(said)?.unwrap_or_default());
    if let Some(wrong) = calls.wrong.or(attack.wrong) {
        return Err(wrong);
    }
    let longest = attack.latencies.iter().copied().fold(0.0, f64::max) / 1e3;
    Ok(vec![percentile(&mut calls.latencies, 0.99), percentile(&mut calls.latencies, 0.5), longest])
}
