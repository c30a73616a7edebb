//! The engine, feature by feature. What is expected was compared with Python's textfsm 2.1.0.

mod bounds;
mod patterns;
mod records;
mod refusals;
mod states;

use std::time::Duration;

use super::{Budget, Cell, Item, RunError, Table, Template};

/// What a template makes of a text.
fn read(template: &str, text: &str) -> Result<Table, RunError> {
    let template = Template::parse(template).unwrap_or_else(|error| panic!("{error}"));
    template.read(text, &mut Budget::new(Duration::from_secs(60)))
}

/// The rows, as text: cells are separated by `|`, items of a list by `,`.
fn rows(template: &str, text: &str) -> Vec<String> {
    let table = read(template, text).unwrap_or_else(|error| panic!("{error}"));
    table.rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>().join("|")).collect()
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::List(items) => format!("[{}]", items.iter().map(shown_item).collect::<Vec<_>>().join(",")),
    }
}

fn shown_item(item: &Item) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    match item {
        Item::Text(matched) => text(matched),
        Item::Groups(groups) => groups
            .iter()
            .map(|(name, matched)| format!("{name}={}", text(matched)))
            .collect::<Vec<_>>()
            .join(" "),
    }
}
