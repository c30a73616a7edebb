//! What several exports share: JSON that is measured before it is parsed, content, questions, faults.

use serde_json::Value;

use super::generated::fleetgate::plugin::types;
use crate::asking::MAX_REQUESTS;
use crate::domain::{Answers, Content, Fault, InputRequest, Question};
use crate::validate::MAX_SCHEMA;

/// The longest `meta`, `extra` or `details`, as JSON text. Parsed, small values take tens of times their text, and of
/// the host's memory: so the text is measured first.
const MAX_EXTRA: usize = 64 << 10;
/// The same for all of one result together.
const MAX_EXTRAS: usize = 256 << 10;

/// A plugin's JSON that is not JSON, or too long: its own fault, named.
pub(super) fn parse(what: &str, json: String) -> Result<Value, Fault> {
    let most = if what.contains("schema") { MAX_SCHEMA } else { MAX_EXTRA };
    if json.len() > most {
        let length = json.len();
        return Err(Fault::new(
            "limit",
            format!("the plugin returned {what} of {length} bytes; at most {most} are allowed"),
        ));
    }
    serde_json::from_str(&json).map_err(|error| {
        Fault::new("protocol", format!("the plugin returned {what} that is not JSON: {error}"))
    })
}

pub(super) fn parse_optional(what: &str, json: Option<String>) -> Result<Option<Value>, Fault> {
    json.map(|json| parse(what, json)).transpose()
}

/// The `meta` and `extra` of everything that one function returned, before any of it is parsed.
pub(super) fn extras<'a>(all: impl IntoIterator<Item = &'a Option<String>>) -> Result<(), Fault> {
    let extras: usize = all.into_iter().flatten().map(String::len).sum();
    if extras > MAX_EXTRAS {
        return Err(Fault::new(
            "limit",
            format!("the plugin returned {extras} bytes of meta; at most {MAX_EXTRAS} are allowed"),
        ));
    }
    Ok(())
}

/// A list that one function returned.
pub(super) fn at_most<T>(most: usize, what: &str, list: Vec<T>) -> Result<Vec<T>, Fault> {
    if list.len() > most {
        let length = list.len();
        return Err(Fault::new(
            "limit",
            format!("the plugin returned {length} {what}; at most {most} are allowed"),
        ));
    }
    Ok(list)
}

/// What else is wrong with a question, [`crate::asking::check`] says.
pub(super) fn from_question(question: types::Question) -> Result<Question, Fault> {
    let requests = at_most(MAX_REQUESTS, "requests in one question", question.requests)?;
    let requests = requests.into_iter().map(|request| {
        let params = parse("parameters of a question", request.params)?;
        Ok(InputRequest { key: request.key, kind: request.kind, params })
    });
    Ok(Question { requests: requests.collect::<Result<_, Fault>>()?, state: question.state })
}

pub(super) fn from_contents(content: Vec<types::Content>) -> Result<Vec<Content>, Fault> {
    content.into_iter().map(from_content).collect()
}

pub(super) fn from_content(content: types::Content) -> Result<Content, Fault> {
    Ok(Content {
        kind: content.kind,
        text: content.text,
        data: content.data,
        mime_type: content.mime_type,
        uri: content.uri,
        meta: parse_optional("meta of a content block", content.meta)?,
        extra: parse_optional("extra of a content block", content.extra)?,
    })
}

pub(super) fn from_fault(fault: types::Fault) -> Fault {
    Fault {
        code: fault.code,
        message: fault.message,
        field: fault.field,
        retryable: fault.retryable,
        retry_after_ms: fault.retry_after_ms,
        // Details that are too long or not JSON are no reason to lose the fault itself.
        details: fault
            .details
            .filter(|json| json.len() <= MAX_EXTRA)
            .map(|json| serde_json::from_str(&json).unwrap_or(Value::String(json))),
    }
}

pub(super) fn to_answers(answers: &Answers) -> types::Answers {
    types::Answers {
        items: answers
            .items
            .iter()
            .map(|(key, value)| types::Answer { key: key.clone(), value: value.to_string() })
            .collect(),
        state: answers.state.clone(),
    }
}
