//! URIs and URI templates of resources, read while the plugin is compiled.
//!
//! Of RFC 6570 there is what a server can read backwards without guessing: `{name}` (level 1), which stands for
//! something without a slash, and `{+name}`, which may hold slashes.

/// One piece of a URI.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// These characters.
    Literal(String),
    /// `{name}`
    Segment(String),
    /// `{+name}`
    Rest(String),
}

/// The manifest takes no longer ones.
const LIMIT: usize = 256;
/// More are a mistake; matching takes time that grows with them.
const MOST_VARIABLES: usize = 8;

/// The pieces of a URI. Errors are sentences.
pub(crate) fn parts(uri: &str) -> Result<Vec<Part>, String> {
    let scheme = uri.split_once(':').map(|(scheme, rest)| (scheme, rest.is_empty()));
    let spelled = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+.-".contains(c))
    };
    if !matches!(scheme, Some((scheme, false)) if spelled(scheme)) {
        return Err(format!("{uri:?} is no URI with a scheme in lower case, like \"naas://jobs\""));
    }
    if uri.len() > LIMIT {
        return Err(format!("the URI has {} bytes, and at most {LIMIT} are taken", uri.len()));
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = uri;
    while let Some(open) = rest.find(['{', '}']) {
        let (literal, tail) = rest.split_at(open);
        let expression = tail.strip_prefix('{').and_then(|tail| tail.split_once('}'));
        let Some((expression, after)) = expression else {
            return Err(format!("a brace of {uri:?} has no partner"));
        };
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.to_owned()));
        } else if !parts.is_empty() {
            return Err(format!(
                "{{{expression}}} follows another variable: nobody can tell where it begins"
            ));
        }
        let (name, part): (&str, fn(String) -> Part) = match expression.strip_prefix('+') {
            Some(name) => (name, Part::Rest),
            None => (expression, Part::Segment),
        };
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            return Err(format!(
                "{{{expression}}} is no variable: write {{name}}, or {{+name}} for something with slashes; the name \
                 is that of a field"
            ));
        }
        if names(&parts).any(|known| known == name) {
            return Err(format!("{{{name}}} stands there twice"));
        }
        parts.push(part(name.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    if names(&parts).count() > MOST_VARIABLES {
        return Err(format!("more than {MOST_VARIABLES} variables"));
    }
    let forbidden = |c: &char| !c.is_ascii_graphic() || "\"<>\\^`|*".contains(*c);
    for part in &parts {
        if let Part::Literal(text) = part
            && let Some(wrong) = text.chars().find(forbidden)
        {
            return Err(format!("{wrong:?} cannot stand in a URI; encode it with a percent sign"));
        }
    }
    match parts.first() {
        Some(Part::Literal(start)) if start.contains(':') => Ok(parts),
        _ => Err(format!("{uri:?} has a variable in its scheme")),
    }
}

/// The names of the variables, in order.
pub(crate) fn names(parts: &[Part]) -> impl Iterator<Item = &str> {
    parts.iter().filter_map(|part| match part {
        Part::Literal(_) => None,
        Part::Segment(name) | Part::Rest(name) => Some(name.as_str()),
    })
}

/// The pattern by which the manifest calls it: `*` is anything without a slash, `**` anything.
pub(crate) fn pattern(parts: &[Part]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.as_str(),
            Part::Segment(_) => "*",
            Part::Rest(_) => "**",
        })
        .collect()
}
