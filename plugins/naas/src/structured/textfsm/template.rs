//! A template's text: values, an empty line, and states with their rules.

use std::collections::HashMap;

use super::RunError;
use super::error::{Problem, TemplateError};
use super::lines::is_space;
use super::pattern::Alphabet;
use super::rule::{LineAction, Rule, is_operator};
use super::value::{MAX_NAME, Value, ValueOption};

/// The longest template, in bytes. The longest published one has 10 KiB.
pub(super) const MAX_TEMPLATE: usize = 128 << 10;

/// A template that was checked, for one text.
#[derive(Debug)]
pub struct Template {
    pub(super) values: Vec<Value>,
    pub(super) states: HashMap<String, Vec<Rule>>,
}

impl Template {
    /// Reads and checks a template.
    ///
    /// # Errors
    /// The line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_TEMPLATE {
            return Err(TemplateError::TooLong { bytes: text.len(), limit: MAX_TEMPLATE });
        }
        let mut lines = text.lines().map(|line| line.trim_end_matches(is_space)).zip(1..);
        let values = read_values(&mut lines)?;
        let mut template = Self { values, states: HashMap::new() };
        let mut names = Vec::new();
        while let Some((name, line)) = lines.find(|(text, _)| !text.is_empty() && !is_comment(text)) {
            template.check_state_name(name, line)?;
            let rules = read_rules(&mut lines, &template.values)?;
            if let Some(reserved) = ["End", "EOF"].into_iter().find(|reserved| *reserved == name)
                && !rules.is_empty()
            {
                return Err(Problem::ReservedState(reserved).at(line));
            }
            template.states.insert(name.to_owned(), rules);
            names.push(name);
        }
        if !template.states.contains_key("Start") {
            return Err(TemplateError::NoStart);
        }
        template.check_destinations(&names)?;
        Ok(template)
    }

    /// Compiles every rule, which reading a text does only for those that a line meets: for a template that nobody
    /// has tried yet.
    ///
    /// # Errors
    /// The first rule that the engine does not take.
    pub fn compile(&self, alphabet: Alphabet) -> Result<(), RunError> {
        let mut rules: Vec<&Rule> = self.states.values().flatten().collect();
        rules.sort_by_key(|rule| rule.line);
        rules.into_iter().try_for_each(|rule| rule.compiled(alphabet, &self.values).map(drop))
    }

    /// The names of the values, in their order.
    #[must_use]
    pub fn header(&self) -> Vec<String> {
        self.values.iter().map(|value| value.name.clone()).collect()
    }

    /// The names of the values that are `Key`.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let keys = self.values.iter().filter(|value| value.has(ValueOption::Key));
        keys.map(|value| value.name.clone()).collect()
    }

    fn check_state_name(&self, name: &str, line: usize) -> Result<(), TemplateError> {
        let word = name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !word || name.len() > MAX_NAME || is_operator(name) {
            return Err(Problem::StateName(name.to_owned()).at(line));
        }
        if self.states.contains_key(name) {
            return Err(Problem::DuplicateState(name.to_owned()).at(line));
        }
        Ok(())
    }

    fn check_destinations(&self, names: &[&str]) -> Result<(), TemplateError> {
        for rule in names.iter().flat_map(|name| &self.states[*name]) {
            let Some(next) = rule.next.as_deref().filter(|_| rule.line_action != LineAction::Error) else {
                continue;
            };
            if !matches!(next, "End" | "EOF") && !self.states.contains_key(next) {
                return Err(Problem::UnknownState(next.to_owned()).at(rule.line));
            }
        }
        Ok(())
    }
}

fn is_comment(line: &str) -> bool {
    line.trim_start_matches(is_space).starts_with('#')
}

fn read_values<'t>(lines: &mut impl Iterator<Item = (&'t str, usize)>) -> Result<Vec<Value>, TemplateError> {
    let mut values: Vec<Value> = Vec::new();
    for (text, line) in lines.by_ref() {
        if text.is_empty() {
            break;
        }
        if is_comment(text) {
            continue;
        }
        if !text.starts_with("Value ") {
            return Err(Problem::NotAValue.at(line));
        }
        let value = Value::parse(text, line).map_err(|problem| problem.at(line))?;
        if values.iter().any(|other| other.name == value.name) {
            return Err(Problem::DuplicateValue(value.name).at(line));
        }
        values.push(value);
    }
    Ok(values)
}

fn read_rules<'t>(
    lines: &mut impl Iterator<Item = (&'t str, usize)>,
    values: &[Value],
) -> Result<Vec<Rule>, TemplateError> {
    let mut rules = Vec::new();
    for (text, line) in lines.by_ref() {
        if text.is_empty() {
            break;
        }
        if is_comment(text) {
            continue;
        }
        if ![" ^", "  ^", "\t^"].iter().any(|start| text.starts_with(start)) {
            return Err(Problem::RuleStart.at(line));
        }
        rules.push(Rule::parse(text, line, values).map_err(|problem| problem.at(line))?);
    }
    Ok(rules)
}
