//! `fleetgate call --secret /password=FILE`: secret arguments that stand on no command line, where every user of the
//! machine reads them and the shell remembers them.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read, stdin};

use serde_json::{Map, Value};

use crate::failure::Failure;

/// Passwords are short; a larger file is the wrong one.
const MAX_BYTES: u64 = 64 << 10;

/// One `--secret`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pointer: String,
    from: From,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum From {
    File(String),
    /// A question at the terminal; without one, the next line of stdin.
    Person,
}

impl Given {
    /// Reads `/password=FILE` or `/password=-`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || "write POINTER=FILE, like /password=/run/secrets/sw1, or POINTER=- to be asked".to_owned();
        let (pointer, from) = text.split_once('=').ok_or_else(wrong)?;
        if !pointer.starts_with('/') || pointer.len() < 2 || from.is_empty() {
            return Err(wrong());
        }
        let from = if from == "-" { From::Person } else { From::File(from.to_owned()) };
        Ok(Self { pointer: pointer.to_owned(), from })
    }

    /// Whether it may read stdin.
    pub fn asks(&self) -> bool {
        self.from == From::Person
    }

    fn value(&self) -> Result<String, Failure> {
        let pointer = &self.pointer;
        let failed =
            |error: io::Error| Failure::usage(format!("the secret for {pointer} cannot be read: {error}"));
        let mut value = match &self.from {
            From::File(path) => {
                let mut text = String::new();
                let file = File::open(path).map_err(failed)?;
                file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
                if text.len() as u64 > MAX_BYTES {
                    return Err(Failure::usage(format!("{path} is no password: it is larger than 64 KiB")));
                }
                text
            }
            From::Person if stdin().is_terminal() => {
                rpassword::prompt_password(format!("{pointer}: ")).map_err(failed)?
            }
            From::Person => {
                let mut line = String::new();
                stdin().lock().take(MAX_BYTES).read_line(&mut line).map_err(failed)?;
                line
            }
        };
        // One line feed at the end is not part of it, as in [secrets].
        if value.ends_with('\n') {
            value.pop();
            if value.ends_with('\r') {
                value.pop();
            }
        }
        if value.is_empty() {
            return Err(Failure::usage(format!("the secret for {pointer} is empty")));
        }
        Ok(value)
    }
}

/// Puts the secrets into the arguments. `known`: what the tool calls secret.
pub fn fill(arguments: String, given: &[Given], known: &[String]) -> Result<String, Failure> {
    if given.is_empty() {
        return Ok(arguments);
    }
    let mut filled: Value = serde_json::from_str(&arguments).unwrap_or_default();
    for one in given {
        let pointer = &one.pointer;
        if !known.contains(pointer) {
            let known = match known {
                [] => "it has none".to_owned(),
                some => format!("they are {}", some.join(", ")),
            };
            return Err(Failure::usage(format!("{pointer} is no secret argument of this tool"))
                .help(format!("{known}; everything else stands in the JSON")));
        }
        let place = place(&mut filled, pointer)
            .ok_or_else(|| Failure::usage(format!("the arguments have no room for {pointer}")))?;
        if !place.is_null() {
            return Err(Failure::usage(format!("{pointer} stands in the arguments already"))
                .help("leave it out there"));
        }
        *place = one.value()?.into();
    }
    Ok(filled.to_string())
}

/// Where a pointer leads to, through objects that are made on the way.
fn place<'a>(value: &'a mut Value, pointer: &str) -> Option<&'a mut Value> {
    let mut at = value;
    for name in pointer.split('/').skip(1) {
        let name = name.replace("~1", "/").replace("~0", "~");
        if at.is_null() {
            *at = Map::new().into();
        }
        at = match at {
            Value::Object(map) => map.entry(name).or_insert(Value::Null),
            Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn file(text: &str) -> (tempfile::NamedTempFile, String) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let path = file.path().display().to_string();
        (file, path)
    }

    #[test]
    fn a_secret_comes_from_a_file_to_where_the_tool_has_it() {
        let (_file, path) = file("hunter 2\n");
        let known = ["/password".to_owned(), "/login/enable".to_owned()];
        let given = known.each_ref().map(|pointer| Given::parse(&format!("{pointer}={path}")).unwrap());
        let filled = fill(r#"{"host":"sw1"}"#.into(), &given, &known).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&filled).unwrap(),
            json!({"host": "sw1", "password": "hunter 2", "login": {"enable": "hunter 2"}})
        );
    }

    #[test]
    fn what_cannot_be_a_secret_is_refused_without_its_value() {
        for wrong in ["password=x", "/password", "/password=", "=x", "/=x"] {
            assert!(Given::parse(wrong).is_err(), "{wrong}");
        }
        let (_file, path) = file("hunter2");
        let (_empty, empty) = file("\n");
        let (_large, large) = file(&"x".repeat(70_000));
        let known = ["/password".to_owned(), "/host/x".to_owned()];
        let refused = |arguments: &str, given: String| {
            let given = [Given::parse(&given).unwrap()];
            format!("{:?}", fill(arguments.into(), &given, &known).unwrap_err())
        };
        for (arguments, given, said) in [
            ("{}", format!("/other={path}"), "no secret argument"),
            (r#"{"password":"a"}"#, format!("/password={path}"), "already"),
            (r#"{"host":"a"}"#, format!("/host/x={path}"), "no room"),
            ("{}", "/password=/nowhere/at/all".to_owned(), "cannot be read"),
            ("{}", format!("/password={empty}"), "is empty"),
            ("{}", format!("/password={large}"), "larger than"),
        ] {
            let refused = refused(arguments, given);
            assert!(refused.contains(said) && !refused.contains("hunter2"), "{refused}");
        }
    }
}
