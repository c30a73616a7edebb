//! The check of a question, on its way from a guest to a client.

use serde_json::{Value, json};

use super::capability::Asks;
use super::form::Form;
use super::website::Refused;
use super::{Kind, MAX_REQUESTS, MAX_STATE, sampling, website};
use crate::diagnostic::quoted;
use crate::domain::{Fault, InputRequest, Question};
use crate::text::clean;

/// The longest message that a person reads, in bytes.
const MAX_MESSAGE: usize = 4 << 10;
/// The longest key of a request.
const MAX_KEY: usize = 64;
/// All schemas of one question together, as JSON text. They travel within the sealed state.
const MAX_SCHEMAS: usize = 64 << 10;
/// All parameters of one question together, as JSON text.
const MAX_PARAMS: usize = 256 << 10;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The binding's name.
    pub binding: &'a str,
    /// The operator's label of it.
    pub label: Option<&'a str>,
    /// What it may ask.
    pub asks: &'a Asks,
}

/// A question that is not asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{fault}")]
pub struct Unaskable {
    /// For the caller.
    pub fault: Fault,
    /// For the operator: the rule, and the line that would allow it.
    pub why: String,
}

impl Unaskable {
    /// The plugin's defect.
    fn malformed(why: impl Into<String>) -> Self {
        let why = why.into();
        let message = format!("the plugin asks something that cannot be asked: {why}");
        Self { fault: Fault::new("protocol", message), why: format!("question: {why}") }
    }

    /// Nobody allowed it.
    fn denied(message: impl Into<String>, why: impl Into<String>) -> Self {
        Self { fault: Fault::new("denied", message), why: why.into() }
    }
}

/// The question as it may be asked: granted, bounded, without anything hidden, under the name of who asks.
pub fn check(question: Question, asker: &Asker<'_>) -> Result<Question, Unaskable> {
    let Question { requests, state } = question;
    if requests.is_empty() {
        return Err(Unaskable::malformed("there is no request in it"));
    }
    if requests.len() > MAX_REQUESTS {
        return Err(Unaskable::malformed(format!(
            "{} requests at once; at most {MAX_REQUESTS}",
            requests.len()
        )));
    }
    if let Some(size) = state.as_ref().map(Vec::len).filter(|size| *size > MAX_STATE) {
        return Err(Unaskable::malformed(format!("its state has {size} bytes; at most {MAX_STATE}")));
    }
    let mut checked: Vec<InputRequest> = Vec::with_capacity(requests.len());
    let (mut params, mut schemas) = (0, 0);
    for request in requests {
        let request = one(request, asker)?;
        if checked.iter().any(|other| other.key == request.key) {
            return Err(Unaskable::malformed(format!("two requests have the key {}", quoted(&request.key))));
        }
        params += request.params.to_string().len();
        schemas += request.params.get("requestedSchema").map_or(0, |schema| schema.to_string().len());
        checked.push(request);
    }
    if params > MAX_PARAMS {
        return Err(Unaskable::malformed(format!(
            "its parameters have {params} bytes; at most {MAX_PARAMS}"
        )));
    }
    if schemas > MAX_SCHEMAS {
        return Err(Unaskable::malformed(format!("its forms have {schemas} bytes; at most {MAX_SCHEMAS}")));
    }
    Ok(Question { requests: checked, state })
}

fn one(request: InputRequest, asker: &Asker<'_>) -> Result<InputRequest, Unaskable> {
    let InputRequest { key, kind: word, params } = request;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if key.is_empty() || key.len() > MAX_KEY || !key.chars().all(plain) {
        return Err(Unaskable::malformed(format!(
            "{} is no key: write 1 to {MAX_KEY} letters, digits, underscores, dots and hyphens",
            quoted(&key)
        )));
    }
    let Some(kind) = Kind::of(&word) else {
        let known = "elicitation-form, elicitation-url, sampling and roots";
        return Err(Unaskable::malformed(format!(
            "{} is no kind of question; known are {known}",
            quoted(&word)
        )));
    };
    asker.may(kind)?;
    let malformed = |why: String| Unaskable::malformed(format!("{}: {why}", quoted(&key)));
    let params = match kind {
        Kind::Form => asker.form(&params, &key)?,
        Kind::Website => asker.website(&params, &key)?,
        Kind::Sampling => {
            let who = format!("This request comes from {}, a plugin behind an MCP gateway.", asker.name());
            sampling::rebuilt(&params, &who, asker.asks.max_tokens().unwrap_or_default())
                .map_err(malformed)?
        }
        Kind::Roots => json!({}),
    };
    Ok(InputRequest { key, kind: word, params })
}

impl Asker<'_> {
    /// What stands before each message: `naas-lab`, or `naas-lab: LAB`.
    fn name(&self) -> String {
        match self.label {
            None => self.binding.to_owned(),
            Some(label) => format!("{}: {}", self.binding, clean(label)),
        }
    }

    fn may(&self, kind: Kind) -> Result<(), Unaskable> {
        let asks = self.asks;
        let (granted, what, key, line) = match kind {
            Kind::Form => (asks.forms(), "ask a person to fill in a form", "elicitation", ""),
            Kind::Website => {
                let line = " with hosts = [\"…\"]";
                (asks.websites(), "send a person to a web page", "elicitation", line)
            }
            Kind::Sampling => (asks.max_tokens().is_some(), "ask the client's model", "sampling", ""),
            Kind::Roots => (asks.roots(), "ask for the client's roots", "roots", ""),
        };
        if granted {
            return Ok(());
        }
        let grant = format!("plugins.{}.grant.client.{key}", self.binding);
        Err(Unaskable::denied(
            format!("the plugin is not granted to {what}"),
            format!("grant: client.{key} is not granted to {what}; allowed by [{grant}]{line}"),
        ))
    }

    fn form(&self, params: &Value, key: &str) -> Result<Value, Unaskable> {
        let malformed = |why: String| Unaskable::malformed(format!("{}: {why}", quoted(key)));
        let message = message(params).map_err(malformed)?;
        let nothing = json!({ "type": "object", "properties": {} });
        let schema = params.get("requestedSchema").unwrap_or(&nothing);
        let (form, schema) = Form::read(schema).map_err(malformed)?;
        let of = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
        if let Some(word) = form.asks_for_secret(&[&message, of("title"), of("description")]) {
            return Err(Unaskable::denied(
                format!(
                    "the plugin asks for a secret in a form ({}), where it would be shown and kept: a form must not",
                    quoted(&word)
                ),
                format!("question: the form {} asks for a secret by the word {}", quoted(key), quoted(&word)),
            ));
        }
        let message = self.signed(&message);
        Ok(json!({ "mode": "form", "message": message, "requestedSchema": schema }))
    }

    fn website(&self, params: &Value, key: &str) -> Result<Value, Unaskable> {
        let malformed = |why: String| Unaskable::malformed(format!("{}: {why}", quoted(key)));
        let message = message(params).map_err(malformed)?;
        let url =
            params.get("url").and_then(Value::as_str).ok_or_else(|| malformed("it has no url".into()))?;
        let url = website::check(url, self.asks.sites()).map_err(|refused| match refused {
            Refused::Malformed(why) => malformed(why.into()),
            Refused::Ungranted(site) => Unaskable::denied(
                "the plugin is not granted to send a person there",
                format!(
                    "grant: {site} is not granted; allowed by [plugins.{}.grant.client.elicitation] hosts = [… \"{site}\"]",
                    self.binding
                ),
            ),
        })?;
        Ok(json!({ "mode": "url", "message": self.signed(&message), "url": url }))
    }

    fn signed(&self, message: &str) -> String {
        format!("[{}] {message}", self.name())
    }
}

/// The message for the person: cleaned, and without the empty lines by which it could leave its signature behind.
fn message(params: &Value) -> Result<String, String> {
    let message = params.get("message").and_then(Value::as_str).ok_or("it has no message")?;
    if message.len() > MAX_MESSAGE {
        return Err(format!("its message has {} bytes; at most {MAX_MESSAGE}", message.len()));
    }
    let cleaned = clean(message);
    let lines: Vec<&str> = cleaned.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let message = lines.join("\n").trim_start().to_owned();
    if message.is_empty() { Err("its message is empty".into()) } else { Ok(message) }
}
