//! A call's arguments, from the transport to the guest.

use std::borrow::Cow;
use std::fmt;
use std::mem::take;
use std::sync::Arc;

use serde_json::Value;
use zeroize::Zeroizing;

use super::{TAKEN, Vault};
use crate::domain::Fault;
use crate::mask::Mask;
use crate::settings::Secret;

/// One JSON object as text: as it came, and later without what is secret in it, which stands beside it. Wiped from
/// memory when it is dropped, never printed. Cheap to clone.
#[derive(Clone)]
pub struct Arguments {
    text: Arc<Zeroizing<String>>,
    taken: Arc<Taken>,
    /// They were checked, and nothing secret is in the text any more.
    settled: bool,
}

/// What was taken out of some arguments.
#[derive(Default)]
struct Taken {
    /// By JSON pointer.
    values: Vec<(String, Secret)>,
    /// None: there are none, or all are too short to be told from ordinary text.
    mask: Option<Arc<Mask>>,
}

impl Arguments {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether they are checked and without their secrets.
    pub(crate) fn settled(&self) -> bool {
        self.settled
    }

    /// What may be hashed for the record: nothing that somebody could guess a password with.
    pub(crate) fn hashable(&self, secret: &[String]) -> Option<Cow<'_, str>> {
        let text = self.as_str();
        match self.mask().filter(|mask| mask.finds(text.as_bytes())) {
            // Another argument says it as well.
            Some(mask) => Some(mask.replace(text).into()),
            None => (self.settled || secret.is_empty()).then(|| text.into()),
        }
    }

    /// Finds the values in what they are compared with.
    pub(crate) fn mask(&self) -> Option<&Arc<Mask>> {
        self.taken.mask.as_ref()
    }

    /// The same with another text, before they are checked.
    pub(crate) fn rewritten(self, value: &Value) -> Self {
        Self { text: Arc::new(Zeroizing::new(value.to_string())), ..self }
    }

    /// Takes what these pointers name out of `value`, which is what the text says. The fault: what stands there
    /// cannot be secret; it is taken out all the same.
    pub(crate) fn settle(self, mut value: Value, pointers: &[String]) -> (Self, Result<(), Fault>) {
        let mut wrong = Ok(());
        let mut values: Vec<_> = self.taken.values.clone();
        let mut changed = false;
        for pointer in pointers {
            if values.iter().any(|(known, _)| known == pointer) {
                continue;
            }
            match value.pointer_mut(pointer) {
                None | Some(Value::Null) => continue,
                Some(Value::String(text)) => values.push((pointer.clone(), Secret::new(take(text)))),
                Some(_) if wrong.is_ok() => {
                    let message = format!("{pointer}: a secret argument is text");
                    wrong = Err(Fault::new("invalid-arguments", message).at(pointer));
                }
                Some(_) => {}
            }
            if let Some(place) = value.pointer_mut(pointer) {
                *place = TAKEN.into();
                changed = true;
            }
        }
        let text = if changed { Arc::new(Zeroizing::new(value.to_string())) } else { self.text };
        (Self { text, taken: Arc::new(Taken::new(values)), settled: true }, wrong)
    }

    /// What the guest gets, with placeholders of this one call, and what knows the values.
    pub(crate) fn for_guest(self) -> (String, Vault) {
        if self.taken.values.is_empty() {
            let text = Arc::try_unwrap(self.text)
                .map_or_else(|shared| shared.to_string(), |mut own| take(&mut *own));
            return (text, Vault::default());
        }
        let mut value: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let values = self.taken.values.iter();
        let vault = Vault::of(values.map(|(_, value)| value.clone()), self.taken.mask.clone());
        for ((pointer, _), placeholder) in self.taken.values.iter().zip(vault.placeholders()) {
            if let Some(place) = value.pointer_mut(pointer) {
                *place = placeholder.into();
            }
        }
        (value.to_string(), vault)
    }

    /// What a guest hands to a job: placeholders of its call stand for their values again, at the pointers that the
    /// job's tool calls secret. The values were checked where they came from, and are not checked against another
    /// schema: whether it takes them would tell the guest what they are.
    pub(crate) fn of_guest(text: String, vault: &Vault, pointers: &[String]) -> Result<Self, Fault> {
        if !vault.finds(text.as_bytes()) {
            return Ok(text.into());
        }
        let mut value: Value = serde_json::from_str(&text).map_err(|error| {
            Fault::new("invalid-arguments", format!("the arguments are not JSON: {error}"))
        })?;
        let mut values: Vec<(String, Secret)> = Vec::new();
        for pointer in pointers {
            let Some(place) = value.pointer_mut(pointer) else { continue };
            if let Some(known) = place.as_str().and_then(|text| vault.reveal(text)) {
                *place = TAKEN.into();
                values.push((pointer.clone(), known.clone()));
            }
        }
        let text = value.to_string();
        if vault.finds(text.as_bytes()) {
            return Err(Fault::new(
                "invalid-arguments",
                "the arguments hold the placeholder of a secret argument where the tool's manifest entry calls none \
                 secret",
            ));
        }
        Ok(Self { text: Arc::new(Zeroizing::new(text)), taken: Arc::new(Taken::new(values)), settled: false })
    }
}

impl Taken {
    fn new(values: Vec<(String, Secret)>) -> Self {
        let mask = Mask::new(values.iter().map(|(_, value)| value.expose()));
        Self { values, mask }
    }
}

impl From<String> for Arguments {
    fn from(text: String) -> Self {
        Self { text: Arc::new(Zeroizing::new(text)), taken: Arc::default(), settled: false }
    }
}

impl From<&str> for Arguments {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Arguments(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settled(value: Value, pointers: &[&str]) -> (Arguments, Result<(), Fault>) {
        let pointers: Vec<String> = pointers.iter().map(|&pointer| pointer.to_owned()).collect();
        Arguments::from(value.to_string()).settle(value, &pointers)
    }

    #[test]
    fn text_is_taken_out_and_comes_back_as_a_placeholder_of_each_call() {
        let value = json!({"host": "sw1", "login": {"password": "hunter2"}, "enable": "", "n": 1.50});
        let (arguments, right) = settled(value, &["/login/password", "/enable", "/absent"]);
        right.expect("text can be secret");
        assert!(!arguments.as_str().contains("hunter2"), "{}", arguments.as_str());
        let (one, vault) = arguments.clone().for_guest();
        let (other, _) = arguments.for_guest();
        assert_ne!(one, other);
        let seen: Value = serde_json::from_str(&one).expect("JSON");
        assert_eq!((&seen["host"], &seen["n"]), (&json!("sw1"), &json!(1.5)));
        for (pointer, value) in [("/login/password", "hunter2"), ("/enable", "")] {
            let placeholder = seen.pointer(pointer).and_then(Value::as_str).expect("a placeholder");
            assert_eq!((placeholder.len(), placeholder.starts_with(super::super::PREFIX)), (43, true));
            assert_eq!(vault.reveal(placeholder).expect("known").expose(), value);
        }
    }

    #[test]
    fn arguments_without_a_secret_stay_as_they_came() {
        for text in [r#"{ "a" : 1.50 }"#, r#"{"password": null}"#, "{}"] {
            let value = serde_json::from_str(text).expect("JSON");
            let (arguments, right) = Arguments::from(text).settle(value, &["/password".to_owned()]);
            right.expect("nothing is wrong");
            let (seen, vault) = arguments.for_guest();
            assert_eq!((seen.as_str(), vault.is_empty()), (text, true));
        }
    }

    #[test]
    fn what_is_no_text_cannot_be_secret_and_is_not_kept() {
        for value in [json!(12345678), json!(["hunter2"]), json!({"a": "hunter2"}), json!(true)] {
            let (arguments, wrong) = settled(json!({ "password": value }), &["/password"]);
            let fault = wrong.expect_err("not text");
            assert_eq!(
                (fault.code.as_str(), fault.field.as_deref()),
                ("invalid-arguments", Some("/password"))
            );
            assert!(!arguments.as_str().contains("hunter2") && !arguments.as_str().contains("12345678"));
        }
    }

    #[test]
    fn a_hash_never_covers_a_password() {
        let secret = ["/password".to_owned()];
        let raw = Arguments::from(r#"{"password":"hunter2"}"#);
        assert_eq!(raw.hashable(&secret), None, "before it is taken out");
        assert_eq!(
            raw.hashable(&[]).as_deref(),
            Some(r#"{"password":"hunter2"}"#),
            "where nothing is secret"
        );
        let of = |password: &str| {
            let value = json!({"password": password});
            Arguments::from(value.to_string()).settle(value, &secret).0.hashable(&secret).map(Cow::into_owned)
        };
        assert!(of("hunter2").is_some() && of("hunter2") == of("another, longer one"));
    }

    #[test]
    fn placeholders_are_bound_again_only_where_the_jobs_tool_says_secret() {
        let (arguments, _) = settled(json!({"password": "hunter2"}), &["/password"]);
        let (text, vault) = arguments.for_guest();
        let seen: Value = serde_json::from_str(&text).expect("JSON");
        let placeholder = &seen["password"];
        let pointers = ["/password".to_owned()];
        let given = json!({"host": "sw1", "password": placeholder}).to_string();
        let (for_job, own) = Arguments::of_guest(given, &vault, &pointers).expect("bound again").for_guest();
        let seen: Value = serde_json::from_str(&for_job).expect("JSON");
        let new = seen["password"].as_str().expect("a placeholder");
        assert_ne!(new, placeholder.as_str().expect("text"), "another call's is worth nothing");
        assert_eq!(own.reveal(new).expect("known").expose(), "hunter2");
        for elsewhere in [
            json!({ "host": placeholder }),
            json!({ "password": format!("x{}", placeholder.as_str().expect("text")) }),
            json!({ "deep": [{ "er": placeholder }] }),
        ] {
            let fault = Arguments::of_guest(elsewhere.to_string(), &vault, &pointers).expect_err("elsewhere");
            assert_eq!(fault.code, "invalid-arguments", "{elsewhere}");
        }
        let unknown = json!({"password": format!("{}{}", super::super::PREFIX, "a".repeat(26))}).to_string();
        let as_it_is =
            Arguments::of_guest(unknown.clone(), &vault, &pointers).expect("a text like any other");
        assert_eq!(as_it_is.as_str(), unknown);
    }

    #[test]
    fn nothing_is_printed() {
        assert_eq!(format!("{:?}", Arguments::from("hunter2")), "Arguments(…)");
    }
}
