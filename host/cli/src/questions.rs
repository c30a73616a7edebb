//! A plugin's question to the person at the terminal, for `fleetgate call`. It passed the host's check, so whatever it
//! says is harmless to a terminal, and it names who asks.

use std::io::{self, BufRead, IsTerminal, Write, stderr, stdin};

use fleetgate_core::asking::{Choice, Field, FieldKind, Form, TextFormat};
use fleetgate_core::domain::InputRequest;
use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// Wrong answers to one field before it counts as not answered.
const TRIES: usize = 8;

/// Whether somebody is there to be asked: questions go to stderr, since the result goes to stdout.
pub fn somebody_is_there() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// A person's yes. Where nobody can answer, `--yes` has to say it, as `help` says.
pub fn confirmed(question: &str, help: &str) -> Result<bool, Failure> {
    if !somebody_is_there() {
        return Err(Failure::usage("nobody is here to say yes").help(help));
    }
    eprint!("\n{question} [y/N] ");
    let mut answer = String::new();
    let heard = stderr().flush().and_then(|()| stdin().lock().read_line(&mut answer));
    heard.map_err(|error| Failure::failed(format!("the answer cannot be read: {error}")))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// What can be asked at a terminal, as a client would declare it.
pub fn capabilities() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} } })
}

/// Asks all of it, one after the other. Blocks until it is answered.
///
/// # Errors
/// The terminal is gone.
pub fn ask(requests: &[InputRequest]) -> io::Result<Map<String, Value>> {
    let mut person = Person { says: stdin().lock(), hears: stderr().lock() };
    requests.iter().map(|request| Ok((request.key.clone(), person.asked(&request.params)?))).collect()
}

struct Person<R, W> {
    says: R,
    hears: W,
}

impl<R: BufRead, W: Write> Person<R, W> {
    fn asked(&mut self, params: &Value) -> io::Result<Value> {
        let text = |key: &str| params.get(key).and_then(Value::as_str).unwrap_or_default();
        writeln!(self.hears, "\n{}", text("message"))?;
        let Some(form) = Form::of(params) else {
            writeln!(self.hears, "  {}", text("url"))?;
            return self.agreed("Did you open it?", Value::Null);
        };
        if form.fields.is_empty() {
            return self.agreed("Agreed?", json!({}));
        }
        let mut content = Map::new();
        for field in &form.fields {
            match self.field(field)? {
                Given::Value(value) => {
                    content.insert(field.name.clone(), value);
                }
                Given::Nothing => {}
                Given::Up => return Ok(json!({ "action": "cancel" })),
            }
        }
        self.agreed("Send this?", content.into())
    }

    fn agreed(&mut self, question: &str, content: Value) -> io::Result<Value> {
        for _ in 0..TRIES {
            write!(self.hears, "{question} [y/n] ")?;
            self.hears.flush()?;
            match self.line()?.as_deref().map(flag) {
                None => return Ok(json!({ "action": "cancel" })),
                Some(Some(true)) if content.is_null() => return Ok(json!({ "action": "accept" })),
                Some(Some(true)) => return Ok(json!({ "action": "accept", "content": content })),
                Some(Some(false)) => return Ok(json!({ "action": "decline" })),
                Some(None) => {}
            }
        }
        Ok(json!({ "action": "cancel" }))
    }

    fn field(&mut self, field: &Field) -> io::Result<Given> {
        let title = field.title.as_deref().unwrap_or(&field.name);
        match &field.description {
            Some(description) => writeln!(self.hears, "{title}: {description}")?,
            None => writeln!(self.hears, "{title}")?,
        }
        if let FieldKind::One(of) | FieldKind::Some { of, .. } = &field.kind {
            for (at, choice) in of.iter().enumerate() {
                writeln!(self.hears, "  {}  {}", at + 1, choice.title)?;
            }
        }
        for _ in 0..TRIES {
            write!(self.hears, "  {}> ", hint(field))?;
            self.hears.flush()?;
            let Some(line) = self.line()? else { return Ok(Given::Up) };
            if line.is_empty() {
                match (&field.default, field.required) {
                    (Some(default), _) => return Ok(Given::Value(default.clone())),
                    (None, false) => return Ok(Given::Nothing),
                    (None, true) => writeln!(self.hears, "  this is needed")?,
                }
                continue;
            }
            match read(&field.kind, &line).filter(|value| field.kind.allows(value)) {
                Some(value) => return Ok(Given::Value(value)),
                None => writeln!(self.hears, "  that does not fit")?,
            }
        }
        Ok(Given::Up)
    }

    /// None: the input is over.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let read = self.says.read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim().to_owned()))
    }
}

/// What was given in a field.
enum Given {
    Value(Value),
    Nothing,
    /// The person wants no more of it.
    Up,
}

fn hint(field: &Field) -> String {
    let what = match &field.kind {
        FieldKind::Text { format: None, .. } => "text",
        FieldKind::Text { format: Some(TextFormat::Email), .. } => "email",
        FieldKind::Text { format: Some(TextFormat::Uri), .. } => "URL",
        FieldKind::Text { format: Some(TextFormat::Date), .. } => "date, 2026-01-31",
        FieldKind::Text { format: Some(TextFormat::DateTime), .. } => "moment, 2026-01-31T12:00:00Z",
        FieldKind::Number { whole: true, .. } => "whole number",
        FieldKind::Number { whole: false, .. } => "number",
        FieldKind::Flag => "y/n",
        FieldKind::One(_) => "one of these",
        FieldKind::Some { .. } => "some of these, with commas",
    };
    match (&field.default, field.required) {
        (Some(default), _) => format!("({what}; by default {default}) "),
        (None, false) => format!("({what}, or nothing) "),
        (None, true) => format!("({what}) "),
    }
}

fn flag(line: &str) -> Option<bool> {
    match line.to_ascii_lowercase().as_str() {
        "y" | "yes" | "true" => Some(true),
        "n" | "no" | "false" => Some(false),
        _ => None,
    }
}

/// A line as a value of that kind. Choices are given by their number, or as they are.
fn read(kind: &FieldKind, line: &str) -> Option<Value> {
    Some(match kind {
        FieldKind::Text { .. } => line.into(),
        FieldKind::Number { .. } => serde_json::from_str::<serde_json::Number>(line).ok()?.into(),
        FieldKind::Flag => flag(line)?.into(),
        FieldKind::One(of) => chosen(of, line)?.into(),
        FieldKind::Some { of, .. } => {
            line.split(',').map(|part| Some(Value::from(chosen(of, part.trim())?))).collect::<Option<_>>()?
        }
    })
}

fn chosen<'a>(of: &'a [Choice], word: &str) -> Option<&'a str> {
    let named = of.iter().find(|choice| choice.value == word || choice.title == word);
    let numbered = || of.get(word.parse::<usize>().ok()?.checked_sub(1)?);
    Some(&named.or_else(numbered)?.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(params: Value, says: &str) -> (Value, String) {
        let mut person = Person { says: says.as_bytes(), hears: Vec::new() };
        let answer = person.asked(&params).unwrap();
        (answer, String::from_utf8(person.hears).unwrap())
    }

    fn form() -> Value {
        json!({"message": "[lab] Reboot?", "requestedSchema": {
            "type": "object",
            "properties": {
                "why": {"type": "string", "title": "Reason", "description": "For the log", "minLength": 3},
                "wait": {"type": "integer", "minimum": 0, "default": 5},
                "sure": {"type": "boolean"},
                "how": {"type": "string", "oneOf": [{"const": "w", "title": "warm"}, {"const": "c", "title": "cold"}]},
                "parts": {"type": "array", "items": {"type": "string", "enum": ["cpu", "fan"]}}
            },
            "required": ["why", "sure", "how"]
        }})
    }

    #[test]
    fn a_form_is_asked_field_by_field_until_it_fits() {
        let (answer, heard) = asked(form(), "\nno\nfirmware\n\nmaybe\ny\n3\n2\nfan, 1\ny\n");
        assert_eq!(
            answer,
            json!({"action": "accept", "content": {"why": "firmware", "wait": 5, "sure": true, "how": "c", "parts": ["fan", "cpu"]}})
        );
        assert!(heard.starts_with("\n[lab] Reboot?\nReason: For the log\n"), "{heard}");
        for said in ["this is needed", "that does not fit", "by default 5", "1  warm"] {
            assert!(heard.contains(said), "{said}: {heard}");
        }
    }

    #[test]
    fn a_person_may_say_no_or_nothing() {
        assert_eq!(asked(form(), "firmware\n7\ny\nwarm\n\nn\n").0, json!({"action": "decline"}));
        assert_eq!(asked(form(), "firmware\n").0, json!({"action": "cancel"}));
        assert_eq!(asked(form(), &"x\n".repeat(100)).0, json!({"action": "cancel"}));
        let plain = json!({"message": "Go on?", "requestedSchema": {"type": "object", "properties": {}}});
        assert_eq!(asked(plain.clone(), "y\n").0, json!({"action": "accept", "content": {}}));
        assert_eq!(asked(plain.clone(), "perhaps\nN\n").0, json!({"action": "decline"}));
        assert_eq!(asked(plain, "").0, json!({"action": "cancel"}));
    }

    #[test]
    fn a_url_is_shown() {
        let url = json!({"message": "Sign in", "url": "https://login.example.com/"});
        let (answer, heard) = asked(url, "yes\n");
        assert_eq!(answer, json!({"action": "accept"}));
        assert!(heard.contains("https://login.example.com/"));
    }
}
