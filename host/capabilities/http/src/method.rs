//! Sets of HTTP methods.

use std::fmt;

use fleetgate_core::diagnostic::{Spanned, TableReader, did_you_mean, quoted};
use http::Method;

/// Some methods. GET brings HEAD with it, which asks for less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Methods(Vec<Method>);

/// What people write; others are allowed, but not without a second look at the spelling.
const USUAL: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Methods {
    /// GET and HEAD: what changes nothing (RFC 9110, 9.2.1), and all that a read-only tool may send.
    pub fn safe() -> Self {
        Self(vec![Method::GET, Method::HEAD])
    }

    /// Reads a list under this key.
    pub(crate) fn read(reader: &mut TableReader<'_>, key: &str) -> Option<Vec<Spanned<Method>>> {
        let texts = reader.spanned_strings(key)?;
        if texts.is_empty() {
            reader.error_at(key, "no method is named", "name at least one, like [\"GET\"]");
        }
        let methods: Vec<_> = texts.iter().map(|text| one(reader, text)).collect();
        methods.into_iter().collect()
    }

    /// A set of these.
    pub fn new(methods: impl IntoIterator<Item = Method>) -> Self {
        let mut set: Vec<Method> = Vec::new();
        for method in methods {
            let brings = (method == Method::GET).then_some(Method::HEAD);
            for method in std::iter::once(method).chain(brings) {
                if !set.contains(&method) {
                    set.push(method);
                }
            }
        }
        Self(set)
    }

    /// Whether a method is among them.
    pub fn contains(&self, method: &Method) -> bool {
        self.0.contains(method)
    }

    /// Those of `other` that are not among them.
    pub fn beyond(&self, other: &Methods) -> Vec<Method> {
        other.0.iter().filter(|method| !self.contains(method)).cloned().collect()
    }

    /// As it stands in TOML: `["GET", "POST"]`.
    pub fn toml(&self) -> String {
        let implied = |method: &Method| *method == Method::HEAD && self.contains(&Method::GET);
        let named: Vec<_> = self
            .0
            .iter()
            .filter(|method| !implied(method))
            .map(|method| format!("{:?}", method.as_str()))
            .collect();
        format!("[{}]", named.join(", "))
    }

    /// With one more.
    pub fn with(&self, method: &Method) -> Self {
        Self::new(self.0.iter().chain([method]).cloned())
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(Method::as_str).collect();
        f.write_str(&names.join(", "))
    }
}

fn one(reader: &TableReader<'_>, text: &Spanned<String>) -> Option<Spanned<Method>> {
    let name = text.get_ref();
    let upper = name.to_ascii_uppercase();
    if upper == "CONNECT" || upper == "TRACE" {
        reader.error_at(
            text,
            format!("{} requests are never sent", quoted(name)),
            "CONNECT opens a tunnel past every check, and TRACE returns the credential",
        );
        return None;
    }
    let parsed = Method::from_bytes(name.as_bytes()).ok().filter(|_| !name.is_empty() && *name == upper);
    if parsed.is_none() {
        reader.error_at(text, format!("{} is not an HTTP method", quoted(name)), did_you_mean(name, USUAL));
    }
    Some(Spanned::new(text.span(), parsed?))
}
