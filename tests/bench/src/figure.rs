//! A figure: two sides measured in alternating rounds, and the ratio of their medians.

use serde::Serialize;

/// What one side gave, one number for each valid round.
#[derive(Debug, Clone, Serialize)]
pub struct Samples {
    pub name: &'static str,
    pub values: Vec<f64>,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    More,
    Less,
}

/// Ours over theirs, with what we want it to be.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub id: &'static str,
    pub what: &'static str,
    pub unit: &'static str,
    pub better: Better,
    pub ours: Samples,
    pub theirs: Samples,
    /// None: told beside the others, not judged.
    pub bar: Option<f64>,
    pub stretch: Option<f64>,
    /// Rounds that did not count, because an answer was wrong.
    pub invalid_rounds: usize,
}

/// How a figure stands to its bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Stretch,
    Bar,
    Missed,
    NotJudged,
}

impl Figure {
    /// Median over median.
    pub fn ratio(&self) -> f64 {
        median(&self.ours.values) / median(&self.theirs.values)
    }

    /// Smallest and largest ratio of the two halves of one round.
    pub fn spread(&self) -> (f64, f64) {
        let ratios: Vec<_> = self.ours.values.iter().zip(&self.theirs.values).map(|(a, b)| a / b).collect();
        range(&ratios)
    }

    /// Rounds that counted.
    pub fn rounds(&self) -> usize {
        self.ours.values.len().min(self.theirs.values.len())
    }

    pub fn verdict(&self) -> Verdict {
        let Some(bar) = self.bar else { return Verdict::NotJudged };
        let reaches = |limit: f64| match self.better {
            Better::More => self.ratio() >= limit,
            Better::Less => self.ratio() <= limit,
        };
        match self.stretch {
            Some(stretch) if reaches(stretch) => Verdict::Stretch,
            _ if reaches(bar) => Verdict::Bar,
            _ => Verdict::Missed,
        }
    }
}

/// The middle, or the mean of the two in the middle. NaN of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// The value that this share of all (0 to 1) does not exceed. Sorts. NaN of nothing.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// Smallest and largest.
pub fn range(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(better: Better, ours: &[f64], theirs: &[f64]) -> Figure {
        Figure {
            id: "P0",
            what: "",
            unit: "",
            better,
            ours: Samples { name: "a", values: ours.to_vec() },
            theirs: Samples { name: "b", values: theirs.to_vec() },
            bar: Some(1.0),
            stretch: Some(if better == Better::More { 1.5 } else { 0.5 }),
            invalid_rounds: 0,
        }
    }

    #[test]
    fn the_median_does_not_care_about_order_or_outliers() {
        assert_eq!(median(&[9.0, 1.0, 1000.0]), 9.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut values, 0.99), 99.0);
        assert_eq!(percentile(&mut values, 0.5), 50.0);
        assert_eq!(percentile(&mut [7.0], 0.99), 7.0);
    }

    #[test]
    fn the_ratio_is_of_medians_and_its_spread_is_of_rounds() {
        let figure = figure(Better::More, &[10.0, 20.0, 30.0], &[10.0, 10.0, 10.0]);
        assert_eq!((figure.ratio(), figure.spread(), figure.rounds()), (2.0, (1.0, 3.0), 3));
    }

    #[test]
    fn more_is_better_or_less_is_better() {
        assert_eq!(figure(Better::More, &[1.6], &[1.0]).verdict(), Verdict::Stretch);
        assert_eq!(figure(Better::More, &[1.2], &[1.0]).verdict(), Verdict::Bar);
        assert_eq!(figure(Better::More, &[0.9], &[1.0]).verdict(), Verdict::Missed);
        assert_eq!(figure(Better::Less, &[0.4], &[1.0]).verdict(), Verdict::Stretch);
        assert_eq!(figure(Better::Less, &[1.2], &[1.0]).verdict(), Verdict::Missed);
    }
}
