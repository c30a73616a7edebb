//! Tables as JSON, as Netmiko gives them.

use fleetgate_sdk::Value;
use serde_json::Map;

use super::textfsm::{Cell, Item, Table};

/// What several templates for one command made of its output: the first one's rows, with the columns that the others
/// add. Rows belong together where their keys are equal, or by number where no template has keys.
#[derive(Debug, Default)]
pub(super) struct Joined {
    table: Option<Table>,
    keys: Vec<String>,
}

/// Templates that do not go together.
#[derive(Debug, thiserror::Error)]
pub(super) enum JoinError {
    #[error("the templates for this command cannot be joined: one of them has no value {0}")]
    Key(String),
}

impl Joined {
    /// Adds the table of a further template.
    pub(super) fn add(&mut self, table: Table, keys: Vec<String>) -> Result<(), JoinError> {
        if self.keys.is_empty() {
            self.keys = keys;
        }
        let Some(first) = &mut self.table else {
            self.table = Some(table);
            return Ok(());
        };
        let column = |table: &Table, name: &String| table.header.iter().position(|other| other == name);
        let mut pairs = Vec::new();
        for key in &self.keys {
            let pair = column(first, key).zip(column(&table, key));
            pairs.push(pair.ok_or_else(|| JoinError::Key(key.clone()))?);
        }
        let new: Vec<usize> =
            (0..table.header.len()).filter(|index| !first.header.contains(&table.header[*index])).collect();
        for (number, row) in first.rows.iter_mut().enumerate() {
            let same = |other: &&Vec<Cell>| pairs.iter().all(|(mine, theirs)| row[*mine] == other[*theirs]);
            let other = if pairs.is_empty() { table.rows.get(number) } else { table.rows.iter().find(same) };
            let cell =
                |index: &usize| other.map_or_else(|| Cell::Text(String::new()), |row| row[*index].clone());
            row.extend(new.iter().map(cell).collect::<Vec<_>>());
        }
        first.header.extend(new.iter().map(|index| table.header[*index].clone()));
        Ok(())
    }

    /// The rows as objects with their keys in lower case.
    pub(super) fn into_rows(self) -> Vec<Map<String, Value>> {
        let Some(table) = self.table else { return Vec::new() };
        let keys: Vec<String> = table.header.iter().map(|name| name.to_lowercase()).collect();
        let object = |row: Vec<Cell>| keys.iter().cloned().zip(row.into_iter().map(json)).collect();
        table.rows.into_iter().map(object).collect()
    }
}

fn json(cell: Cell) -> Value {
    match cell {
        Cell::Text(text) => text.into(),
        Cell::List(items) => items.into_iter().map(item).collect(),
    }
}

fn item(item: Item) -> Value {
    match item {
        // A match without a text is this word in Netmiko's results.
        Item::Text(text) => text.unwrap_or_else(|| "None".to_owned()).into(),
        Item::Groups(groups) => {
            Value::Object(groups.into_iter().map(|(name, text)| (name, text.into())).collect())
        }
    }
}
