//! A struct from named texts: the arguments of a prompt, the variables of a URI.
//!
//! Both travel as text. Fields of other types are read from it: numbers, flags, enums without fields. A text that is
//! empty is none for an `Option`, since clients send the fields that a person left empty.

use std::fmt::Display;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

type Error = serde::de::value::Error;

/// The struct of these texts.
pub(crate) fn from<'a, T: DeserializeOwned>(
    texts: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<T, serde_path_to_error::Error<Error>> {
    let map = MapDeserializer::<_, Error>::new(texts.map(|(name, text)| (name, Text(text))));
    serde_path_to_error::deserialize(map)
}

#[derive(Clone, Copy)]
struct Text<'a>(&'a str);

impl<'a> IntoDeserializer<'a, Error> for Text<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Text<'_> {
    fn parse<T: std::str::FromStr<Err: Display>>(self, what: &str) -> Result<T, Error> {
        self.0.trim().parse().map_err(|_| Error::custom(format_args!("{:?} is not {what}", self.0)))
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $what:literal,)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.parse($what)?)
        })+
    };
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    parsed! {
        deserialize_bool visit_bool "true or false",
        deserialize_i8 visit_i8 "a whole number in range",
        deserialize_i16 visit_i16 "a whole number in range",
        deserialize_i32 visit_i32 "a whole number in range",
        deserialize_i64 visit_i64 "a whole number in range",
        deserialize_u8 visit_u8 "a whole number in range",
        deserialize_u16 visit_u16 "a whole number in range",
        deserialize_u32 visit_u32 "a whole number in range",
        deserialize_u64 visit_u64 "a whole number in range",
        deserialize_f32 visit_f32 "a number",
        deserialize_f64 visit_f64 "a number",
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        StrDeserializer::<Error>::new(self.0).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}
