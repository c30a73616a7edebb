//! P4: fresh calls on two workers of one engine, and on one. Beside it, what a second core brings to plain arithmetic
//! on this machine: no sandbox can bring more.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use fleetgate_core::sandbox::Allocator;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::figure::{Better, Figure, Samples};
use crate::guest::Greeter;
use crate::rounds::{Effort, alternate};

/// Calls under way on each worker: enough that stealing keeps both busy.
const TASKS: usize = 4;

pub async fn measure(effort: Effort) -> Result<Vec<Figure>> {
    let greeter = Arc::new(Greeter::new(Allocator::Pooling).await?);
    let rounds = alternate(effort.rounds, 2, 2, async |side| {
        let (greeter, workers) = (greeter.clone(), 2 - side);
        let turn =
            move || Ok(vec![sandboxed(&greeter, workers, effort.length)?, plain(workers, effort.length / 4)]);
        tokio::task::spawn_blocking(turn).await.unwrap_or_else(|panic| Err(panic.to_string()))
    })
    .await?;
    let samples = |side: usize, thing, name| Samples { name, values: rounds.of(side, thing) };
    let figure = Figure {
        id: "P4",
        what: "fresh calls on two cores, and on one",
        unit: "calls/s",
        better: Better::More,
        ours: samples(0, 0, "two cores"),
        theirs: samples(1, 0, "one core"),
        bar: Some(1.6),
        stretch: Some(1.85),
        invalid_rounds: rounds.invalid,
    };
    let control = Figure {
        what: "plain arithmetic on two cores, and on one",
        unit: "M/s",
        ours: samples(0, 1, "two cores"),
        theirs: samples(1, 1, "one core"),
        bar: None,
        stretch: None,
        ..figure.clone()
    };
    Ok(vec![figure, control])
}

/// Calls a second on so many workers.
fn sandboxed(greeter: &Arc<Greeter>, workers: usize, length: Duration) -> Result<f64, String> {
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let start = Instant::now();
    let counts = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..workers * TASKS {
            let greeter = greeter.clone();
            tasks.spawn(async move {
                let mut count = 0u64;
                while start.elapsed() < length {
                    greeter.call().await.map_err(|error| format!("{error:#}"))?;
                    count += 1;
                    // A call that never waits would keep its worker to itself.
                    tokio::task::yield_now().await;
                }
                Ok::<_, String>(count)
            });
        }
        tasks.join_all().await
    });
    let elapsed = start.elapsed();
    let count = counts.into_iter().sum::<Result<u64, String>>()?;
    Ok(count as f64 / elapsed.as_secs_f64())
}

/// Millions of multiplications a second on so many threads.
fn plain(threads: usize, length: Duration) -> f64 {
    const STEP: u64 = 100_000;
    let start = Instant::now();
    let work = || {
        let (mut steps, mut n) = (0u64, 1u64);
        while start.elapsed() < length {
            for _ in 0..STEP {
                n = black_box(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
            }
            steps += 1;
        }
        steps
    };
    let steps: u64 = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_default()).sum()
    });
    (steps * STEP) as f64 / start.elapsed().as_secs_f64() / 1e6
}
