//! Reading a text with a template.

use std::time::Duration;

use super::pattern::Alphabet;
use super::record::Records;
use super::rule::{LineAction, RecordAction, Rule};
use super::{Budget, RunError, Table, Template, lines};

/// The longest line, in bytes. A line is read by many rules, and the longest real ones have some KiB.
pub(super) const MAX_LINE: usize = 32 << 10;

impl Template {
    /// Reads `text`, one text for one template: what is compiled on the way is for this text's alphabet.
    ///
    /// # Errors
    /// A line that the template says it does not know, and every bound (see [`RunError`]).
    pub fn read(self, text: &str, budget: &mut Budget) -> Result<Table, RunError> {
        let alphabet = Alphabet::of(text);
        let mut running = budget.start();
        let mut records = Records::new(&self.values, alphabet)?;
        let start = self.states.get("Start").map(Vec::as_slice).unwrap_or_default();
        let mut state = start;
        let mut ended = None;
        for (line, number) in lines::lines(text).zip(1..) {
            if line.len() > MAX_LINE {
                return Err(RunError::LongLine { line: number, bytes: line.len(), limit: MAX_LINE });
            }
            let mut next = None;
            let mut longest = Duration::ZERO;
            for rule in state {
                longest += rule.longest(line.len());
                if !self.apply(rule, line, number, alphabet, &mut records)? {
                    continue;
                }
                if rule.line_action == LineAction::Next {
                    next = rule.next.as_deref();
                    break;
                }
            }
            running.spend(longest)?;
            match next {
                Some(end @ ("End" | "EOF")) => {
                    ended = Some(end);
                    break;
                }
                Some(name) => state = self.states.get(name).map(Vec::as_slice).unwrap_or_default(),
                None => {}
            }
        }
        // The end of the text is the end of the last record, unless the template has an empty state EOF.
        if ended != Some("End") && !self.states.contains_key("EOF") {
            records.record()?;
        }
        let rows = records.finish();
        Ok(Table { header: self.header(), rows })
    }

    /// Gives whether the rule matched.
    fn apply(
        &self,
        rule: &Rule,
        line: &str,
        number: usize,
        alphabet: Alphabet,
        records: &mut Records<'_>,
    ) -> Result<bool, RunError> {
        let compiled = rule.compiled(alphabet, &self.values)?;
        let stuck = |_| RunError::Backtracking { rule: rule.line, line: number };
        let Some(captures) = compiled.regex.captures(line).map_err(stuck)? else { return Ok(false) };
        for (group, value) in &compiled.values {
            records.assign(*value, captures.get(*group).map(|part| part.as_str()))?;
        }
        match rule.record_action {
            RecordAction::Keep => {}
            RecordAction::Record => records.record()?,
            RecordAction::Clear => records.clear(),
            RecordAction::ClearAll => records.clear_all(),
        }
        if rule.line_action == LineAction::Error {
            let message = rule.next.as_deref().map(|message| message.trim_matches('"').to_owned());
            return Err(RunError::Unknown { rule: rule.line, line: number, message });
        }
        Ok(true)
    }
}
