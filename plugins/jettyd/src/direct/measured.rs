//! One sensor's value out of what a message measured, without reading the others: an answer may be made of fifty
//! thousand messages.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::reading::Scalar;

/// The value under this key. None: there is none, or this is not what is kept.
pub fn value(kept: &[u8], key: &str) -> Option<Scalar> {
    Sensor(key).deserialize(&mut serde_json::Deserializer::from_slice(kept)).ok().flatten()
}

struct Sensor<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Sensor<'_> {
    type Value = Option<Scalar>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Sensor<'_> {
    type Value = Option<Scalar>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("readings by key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use fleetgate_sdk::prelude::*;

    use super::*;

    #[test]
    fn a_value_is_found_among_others_of_any_kind() {
        let kept = json!({ "a": 1, "b": "x", "c": true, "é\n": 2.5 }).to_string();
        let found = |key| value(kept.as_bytes(), key).map(|value| json!(value));
        assert_eq!(found("a"), Some(json!(1)));
        assert_eq!(found("b"), Some(json!("x")));
        assert_eq!(found("c"), Some(json!(true)));
        assert_eq!(found("é\n"), Some(json!(2.5)));
        assert_eq!(found("d"), None);
    }

    #[test]
    fn what_is_not_what_is_kept_is_nothing() {
        for kept in ["", "[]", "7", "{\"a\":[1]}", "{\"a\":", "{\"a\":null}"] {
            assert_eq!(value(kept.as_bytes(), "a"), None, "{kept}");
        }
    }
}
