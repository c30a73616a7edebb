//! Several templates for one command.

use serde_json::{Value, json};

use super::super::table::Joined;
use super::super::textfsm::{Cell, Item, Table};

fn table(header: &[&str], rows: &[&[&str]]) -> Table {
    let text = |text: &&str| Cell::Text((*text).to_owned());
    Table {
        header: header.iter().map(|name| (*name).to_owned()).collect(),
        rows: rows.iter().map(|row| row.iter().map(text).collect()).collect(),
    }
}

fn joined(tables: Vec<(Table, &[&str])>) -> Result<Value, String> {
    let mut joined = Joined::default();
    for (table, keys) in tables {
        joined
            .add(table, keys.iter().map(|key| (*key).to_owned()).collect())
            .map_err(|error| error.to_string())?;
    }
    Ok(json!(joined.into_rows()))
}

#[test]
fn rows_with_equal_keys_become_one() {
    let first = table(&["SLOT", "TYPE"], &[&["1", "a"], &["2", "b"], &["3", "c"]]);
    let second = table(&["SLOT", "STATE"], &[&["3", "down"], &["1", "up"], &["1", "never"], &["4", "up"]]);
    assert_eq!(
        joined(vec![(first, &["SLOT"]), (second, &["SLOT"])]),
        Ok(json!([
            {"slot": "1", "type": "a", "state": "up"},
            {"slot": "2", "type": "b", "state": ""},
            {"slot": "3", "type": "c", "state": "down"},
        ]))
    );
}

#[test]
fn rows_without_keys_are_joined_by_number() {
    let first = table(&["A"], &[&["1"], &["2"]]);
    let second = table(&["B", "A"], &[&["x", "9"]]);
    assert_eq!(
        joined(vec![(first, &[]), (second, &[])]),
        Ok(json!([{"a": "1", "b": "x"}, {"a": "2", "b": ""}]))
    );
}

#[test]
fn a_key_that_one_of_them_does_not_have_is_named() {
    let first = table(&["SLOT"], &[&["1"]]);
    let second = table(&["MODULE"], &[&["1"]]);
    assert_eq!(
        joined(vec![(first, &["SLOT"]), (second, &[])]),
        Err("the templates for this command cannot be joined: one of them has no value SLOT".to_owned())
    );
}

#[test]
fn a_match_without_a_text_is_the_word_that_netmiko_gives() {
    let items = vec![Item::Text(Some("1".to_owned())), Item::Text(None)];
    let table = Table { header: vec!["A".to_owned()], rows: vec![vec![Cell::List(items)]] };
    assert_eq!(joined(vec![(table, &[])]), Ok(json!([{"a": ["1", "None"]}])));
}
