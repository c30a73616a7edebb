//! P3: one call in a fresh instance, with slots from the pool and with memory mapped for each call.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use fleetgate_core::sandbox::Allocator;
use tokio::runtime::Builder;

use crate::figure::{Better, Figure, Samples, percentile};
use crate::guest::Greeter;
use crate::rounds::{Effort, Turn, alternate};

pub async fn measure(effort: Effort) -> Result<Vec<Figure>> {
    let pooled =
        Greeter::new(Allocator::Pooling).await.context("the pooling allocator does not work here")?;
    let sides = [Arc::new(pooled), Arc::new(Greeter::new(Allocator::OnDemand).await?)];
    let rounds = alternate(effort.rounds, sides.len(), 2, async |side| {
        let greeter = sides[side].clone();
        let turn = tokio::task::spawn_blocking(move || calls(&greeter, effort.calls)).await;
        turn.unwrap_or_else(|panic| Err(panic.to_string()))
    })
    .await?;
    let samples = |side: usize, thing, name| Samples { name, values: rounds.of(side, thing) };
    let figure = Figure {
        id: "P3",
        what: "sandbox alone: a fresh call, p50",
        unit: "µs",
        better: Better::Less,
        ours: samples(0, 0, "pool"),
        theirs: samples(1, 0, "on demand"),
        bar: Some(0.35),
        stretch: Some(0.25),
        invalid_rounds: rounds.invalid,
    };
    let tail = Figure {
        what: "the same, p99",
        ours: samples(0, 1, "pool"),
        theirs: samples(1, 1, "on demand"),
        bar: None,
        stretch: None,
        ..figure.clone()
    };
    Ok(vec![figure, tail])
}

/// One call after the other on one thread.
fn calls(greeter: &Greeter, count: usize) -> Turn {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let mut latencies = Vec::with_capacity(count);
    runtime.block_on(async {
        for _ in 0..count {
            let start = Instant::now();
            greeter.call().await.map_err(|error| format!("{error:#}"))?;
            latencies.push(start.elapsed().as_secs_f64() * 1e6);
        }
        Ok::<_, String>(())
    })?;
    Ok(vec![percentile(&mut latencies, 0.5), percentile(&mut latencies, 0.99)])
}
