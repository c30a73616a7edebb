//! What was measured, as a table for people and as JSON for programs.

use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};

use crate::figure::{Better, Figure, Samples, Verdict, median, range};
use crate::machine::Machine;
use crate::rounds::Effort;

/// One row for each figure.
pub fn table(machine: &Machine, effort: Effort, figures: &[Figure]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["", "what", "A", "B", "A / B", "bar", "stretch", "", "rounds"]);
    for figure in figures {
        table.add_row([
            figure.id.to_owned(),
            format!("{} [{}]", figure.what, figure.unit),
            side(&figure.ours),
            side(&figure.theirs),
            ratio(figure),
            limit(figure, figure.bar),
            limit(figure, figure.stretch),
            verdict(figure.verdict()).to_owned(),
            rounds(figure),
        ]);
    }
    for column in 5..=6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let trust =
        if effort.quick { "\nQuick rounds: to see that everything runs, not to be quoted." } else { "" };
    format!(
        "{table}\nMedians, and min..max over the rounds; A and B took turns. {}, {} cores, {}; load {:.2} before.{trust}",
        machine.processor, machine.cores, machine.kernel, machine.load_before,
    )
}

fn side(samples: &Samples) -> String {
    let (low, high) = range(&samples.values);
    format!("{}\n{}\n{}..{}", samples.name, short(median(&samples.values)), short(low), short(high))
}

fn ratio(figure: &Figure) -> String {
    let (low, high) = figure.spread();
    format!("{:.2}\n{low:.2}..{high:.2}", figure.ratio())
}

fn limit(figure: &Figure, limit: Option<f64>) -> String {
    let sign = if figure.better == Better::More { "≥" } else { "≤" };
    limit.map_or_else(String::new, |limit| format!("{sign} {limit:.2}"))
}

fn rounds(figure: &Figure) -> String {
    match figure.invalid_rounds {
        0 => figure.rounds().to_string(),
        invalid => format!("{}\n{invalid} invalid", figure.rounds()),
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Stretch => "stretch reached",
        Verdict::Bar => "bar reached",
        Verdict::Missed => "below the bar",
        Verdict::NotJudged => "",
    }
}

/// Three digits that count.
fn short(value: f64) -> String {
    match value.abs() {
        big if big >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Everything, each round's numbers included.
pub fn json(machine: &Machine, effort: Effort, figures: &[Figure]) -> Result<String> {
    let figures = figures.iter().map(figure).collect::<Result<Vec<_>>>()?;
    Ok(serde_json::to_string_pretty(&json!({ "machine": machine, "effort": effort, "figures": figures }))?)
}

fn figure(figure: &Figure) -> Result<Value> {
    let (low, high) = figure.spread();
    let mut value = serde_json::to_value(figure)?;
    value["ratio"] = json!({ "of_medians": figure.ratio(), "min": low, "max": high });
    value["verdict"] = serde_json::to_value(figure.verdict())?;
    value["rounds"] = figure.rounds().into();
    for (key, samples) in [("ours", &figure.ours), ("theirs", &figure.theirs)] {
        let (low, high) = range(&samples.values);
        value[key]["median"] = median(&samples.values).into();
        value[key]["min"] = low.into();
        value[key]["max"] = high.into();
    }
    Ok(value)
}
