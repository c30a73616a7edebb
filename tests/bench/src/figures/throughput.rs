//! P1: as many calls as 64 clients can make, and what each of them cost the server.

use anyhow::Result;

use crate::figure::{Better, Figure, Samples};
use crate::installation::Installation;
use crate::load::{Bounds, Target};
use crate::program::{self, Program};
use crate::rounds::{Effort, alternate};

const CLIENTS: usize = 64;

pub async fn measure(effort: Effort) -> Result<Vec<Figure>> {
    let installation = Installation::of(&["hello"])?;
    let fleetgate = installation.serve().await?;
    let native = program::native().await?;
    let default_url = native.url.replace("/mcp", "/default");
    let sides: [(&Program, Target); 3] = [
        (&fleetgate, Target::greeting(&fleetgate.url, "hello_greet")?),
        (&native, Target::greeting(&native.url, "greet")?),
        (&native, Target::greeting(&default_url, "greet")?),
    ];
    let bounds = Bounds { length: effort.length, calls: usize::MAX };
    let rounds = alternate(effort.rounds, sides.len(), 2, async |side| {
        let (program, target) = &sides[side];
        let before = program.cpu_time();
        let load = target.load(CLIENTS, bounds).await.map_err(|error| format!("{error:#}"))?;
        let spent = program.cpu_time().zip(before).map(|(after, before)| after - before);
        match load.wrong {
            Some(wrong) => Err(wrong),
            None => {
                let calls = load.latencies.len() as f64;
                let per_call = spent.map_or(f64::NAN, |spent| spent.as_secs_f64() * 1e6 / calls);
                Ok(vec![load.rate(), per_call])
            }
        }
    })
    .await?;
    let samples = |side: usize, thing, name| Samples { name, values: rounds.of(side, thing) };
    let figure = Figure {
        id: "P1",
        what: "HTTP, 64 clients, whole pipeline",
        unit: "calls/s",
        better: Better::More,
        ours: samples(0, 0, "fleetgate"),
        theirs: samples(1, 0, "rmcp"),
        bar: Some(1.0),
        stretch: Some(1.5),
        invalid_rounds: rounds.invalid,
    };
    let with_streams = Figure {
        what: "the same, rmcp with its default event streams",
        theirs: samples(2, 0, "rmcp, default"),
        bar: None,
        stretch: None,
        ..figure.clone()
    };
    let cpu = Figure {
        what: "the server's CPU for each of these calls",
        unit: "µs",
        better: Better::Less,
        ours: samples(0, 1, "fleetgate"),
        theirs: samples(1, 1, "rmcp"),
        bar: None,
        stretch: None,
        ..figure.clone()
    };
    Ok(vec![figure, with_streams, cpu])
}
