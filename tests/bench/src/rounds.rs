//! A B A B: both sides take turns, so that whatever drifts on the machine drifts under both.

use std::time::Duration;

use anyhow::{Result, bail};
use serde::Serialize;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Effort {
    pub quick: bool,
    /// Of figures that run for a time.
    pub rounds: usize,
    /// Of one side in one round.
    #[serde(skip)]
    pub length: Duration,
    /// Calls of one side in one round, of figures that count calls.
    pub calls: usize,
    /// Processes started of each side.
    pub starts: usize,
}

impl Effort {
    /// Enough for figures that are written down.
    pub const FULL: Self =
        Self { quick: false, rounds: 9, length: Duration::from_secs(3), calls: 20_000, starts: 31 };
    /// Enough to see that everything runs.
    pub const QUICK: Self =
        Self { quick: true, rounds: 2, length: Duration::from_millis(400), calls: 1_000, starts: 3 };
}

/// What one turn of one side gave: one number for each thing measured, or why the turn does not count.
pub type Turn = Result<Vec<f64>, String>;

/// All rounds that counted.
pub struct Rounds {
    /// By side, by thing measured, by round.
    pub values: Vec<Vec<Vec<f64>>>,
    pub invalid: usize,
}

impl Rounds {
    /// One side's numbers of one thing.
    pub fn of(&self, side: usize, thing: usize) -> Vec<f64> {
        self.values[side][thing].clone()
    }
}

/// Runs each side in turn until so many rounds counted. The first round warms up and is thrown away. A round in which
/// any side got a wrong answer does not count; with more of those than of others the figure is worth nothing.
pub async fn alternate(
    rounds: usize,
    sides: usize,
    things: usize,
    mut turn: impl AsyncFnMut(usize) -> Turn,
) -> Result<Rounds> {
    let mut kept = Rounds { values: vec![vec![Vec::new(); things]; sides], invalid: 0 };
    let mut counted = 0;
    let mut warm = false;
    while counted < rounds {
        let mut round = Vec::new();
        let mut wrong = None;
        for side in 0..sides {
            match turn(side).await {
                Ok(values) => round.push(values),
                Err(why) => wrong = Some(why),
            }
        }
        if let Some(why) = wrong {
            kept.invalid += 1;
            eprintln!("  a round does not count: {why}");
            if kept.invalid > rounds {
                bail!("too many rounds with wrong answers, the last because: {why}");
            }
            continue;
        }
        if !warm {
            warm = true;
            continue;
        }
        for (side, values) in round.into_iter().enumerate() {
            for (thing, value) in values.into_iter().enumerate() {
                kept.values[side][thing].push(value);
            }
        }
        counted += 1;
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sides_take_turns_and_the_first_round_is_thrown_away() {
        let mut turns = Vec::new();
        let rounds = alternate(2, 2, 1, async |side| {
            turns.push(side);
            Ok(vec![turns.len() as f64])
        })
        .await
        .expect("all right");
        assert_eq!(turns, [0, 1, 0, 1, 0, 1]);
        assert_eq!((rounds.of(0, 0), rounds.of(1, 0)), (vec![3.0, 5.0], vec![4.0, 6.0]));
    }

    #[tokio::test]
    async fn a_round_with_a_wrong_answer_counts_for_neither_side() {
        let mut turns = 0;
        let rounds = alternate(2, 2, 1, async |_| {
            turns += 1;
            if turns == 4 { Err("wrong".to_owned()) } else { Ok(vec![f64::from(turns)]) }
        })
        .await
        .expect("enough rounds");
        assert_eq!((rounds.of(0, 0), rounds.of(1, 0), rounds.invalid), (vec![5.0, 7.0], vec![6.0, 8.0], 1));
    }

    #[tokio::test]
    async fn a_side_that_is_always_wrong_ends_the_figure() {
        assert!(alternate(2, 1, 1, async |_| Err("wrong".to_owned())).await.is_err());
    }
}
