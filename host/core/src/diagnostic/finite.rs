//! Numbers in tables that are read later. NaN is no setting, and is not even equal to itself: a table with one would
//! look changed at every look.

use toml::Spanned;
use toml::de::DeValue;

use super::TableReader;

impl TableReader<'_> {
    /// Says so for each number in this table, however deep, that is infinite or not a number.
    pub fn finite_numbers(&mut self) {
        let keys: Vec<_> = self.keys().collect();
        for key in keys {
            if let Some(value) = self.value(key) {
                self.finite(value);
            }
        }
    }

    fn finite(&self, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Float(float) if !float.as_str().parse().is_ok_and(f64::is_finite) => {
                self.error_at(value, "the number is too large or not a number", "write a finite number");
            }
            DeValue::Array(items) => items.iter().for_each(|item| self.finite(item)),
            DeValue::Table(table) => table.values().for_each(|item| self.finite(item)),
            _ => {}
        }
    }
}
