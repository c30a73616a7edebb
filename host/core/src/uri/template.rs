//! URI templates as plugins list them (RFC 6570).

use super::symbols::Symbol;
use super::{MAX_URI, ResourceUri, UriRefused};

/// Variables of one template.
const MAX_VARIABLES: usize = 32;

/// A template whose every expansion is a URI as [`ResourceUri`] takes it, if its values are harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriTemplate {
    text: String,
    pub(super) symbols: Vec<Symbol>,
    variables: Vec<String>,
}

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateRefused {
    /// Over [`MAX_URI`].
    #[error("is {0} bytes long; at most {MAX_URI} are allowed")]
    Long(usize),
    /// Not RFC 6570.
    #[error("has an expression that is not of RFC 6570: \"{{{0}}}\"")]
    Expression(String),
    /// A brace without the other one.
    #[error("has a brace without its other one")]
    Brace,
    /// `{#part}` and `{;name}`: see [`UriRefused`].
    #[error("has the expression \"{{{0}}}\": no resource has a fragment or parameters behind \";\"")]
    Operator(String),
    /// Over 32.
    #[error("has {0} variables; at most {MAX_VARIABLES} are allowed")]
    Variables(usize),
    /// What it expands to.
    #[error("expands to what is no URI of a resource: it {0}")]
    Uri(#[from] UriRefused),
}

impl UriTemplate {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, TemplateRefused> {
        if text.len() > MAX_URI {
            return Err(TemplateRefused::Long(text.len()));
        }
        let (symbols, variables) = read(text)?;
        if variables.len() > MAX_VARIABLES {
            return Err(TemplateRefused::Variables(variables.len()));
        }
        if text.split(':').next().is_some_and(|scheme| scheme.contains('{')) {
            return Err(TemplateRefused::Uri(UriRefused::NoScheme));
        }
        let example: String = symbols.iter().map(example).collect();
        let taken = ResourceUri::parse(&example)?;
        // Otherwise no URI that a client makes of it would be below its own text.
        if taken.as_str() != example {
            return Err(TemplateRefused::Uri(UriRefused::Escape));
        }
        Ok(Self { text: text.to_owned(), symbols, variables })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its variables, in their order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(String::as_str)
    }
}

/// A wildcard as something harmless.
pub(super) fn example(symbol: &Symbol) -> char {
    match symbol {
        Symbol::Byte(byte) => char::from(*byte),
        Symbol::Segment | Symbol::Any => 'x',
    }
}

fn read(text: &str) -> Result<(Vec<Symbol>, Vec<String>), TemplateRefused> {
    let (mut symbols, mut variables) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some((literal, behind)) = rest.split_once('{') {
        if literal.contains('}') {
            return Err(TemplateRefused::Brace);
        }
        let (inside, behind) = behind.split_once('}').ok_or(TemplateRefused::Brace)?;
        symbols.extend(literal.bytes().map(Symbol::Byte));
        symbols.push(expression(inside, &mut variables)?);
        rest = behind;
    }
    if rest.contains('}') {
        return Err(TemplateRefused::Brace);
    }
    symbols.extend(rest.bytes().map(Symbol::Byte));
    Ok((symbols, variables))
}

/// What an expression can expand to. Only reserved expansion and path segments make slashes (RFC 6570, section 3.2).
pub(super) fn expression(inside: &str, variables: &mut Vec<String>) -> Result<Symbol, TemplateRefused> {
    let shown = || crate::text::clean(inside).into_owned();
    let (symbol, list) = match inside.as_bytes().first() {
        Some(b'+' | b'/') => (Symbol::Any, &inside[1..]),
        Some(b'.' | b'?' | b'&') => (Symbol::Segment, &inside[1..]),
        Some(b'#' | b';') => return Err(TemplateRefused::Operator(shown())),
        _ => (Symbol::Segment, inside),
    };
    for one in list.split(',') {
        let name = one.strip_suffix('*').unwrap_or(one);
        let name = match name.split_once(':') {
            Some((name, length)) if is_length(length) => name,
            Some(_) => return Err(TemplateRefused::Expression(shown())),
            None => name,
        };
        if !is_variable(name) {
            return Err(TemplateRefused::Expression(shown()));
        }
        if !variables.iter().any(|known| known == name) {
            variables.push(name.to_owned());
        }
    }
    Ok(symbol)
}

fn is_length(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0')
}

/// Without the escapes that RFC 6570 allows in names.
fn is_variable(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !name.starts_with('.')
        && !name.ends_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_name_their_variables() {
        for (text, variables) in [
            ("naas://jobs/{id}", vec!["id"]),
            ("naas://{org}/jobs/{id}/log{?page,size}", vec!["org", "id", "page", "size"]),
            ("naas://files/{+path}", vec!["path"]),
            ("naas://files{/path*}", vec!["path"]),
            ("naas://jobs/{id:3}/{id}", vec!["id"]),
            ("naas://jobs", vec![]),
        ] {
            let template = UriTemplate::parse(text).unwrap_or_else(|why| panic!("{text} {why}"));
            assert_eq!(template.variables().collect::<Vec<_>>(), variables, "{text}");
        }
    }

    #[test]
    fn what_is_no_template_of_a_resource_is_refused() {
        for text in [
            "naas://jobs/{id",
            "naas://jobs/id}",
            "naas://jobs/{}",
            "naas://jobs/{a b}",
            "naas://jobs/{a:0}",
            "naas://jobs/{a:x}",
            "naas://jobs/{{id}}",
            "naas://jobs/{=id}",
            "naas://jobs/{#id}",
            "naas://jobs{;id}",
            "naas://jobs/../{id}",
            "naas://{user}@jobs",
            "naas://%6aobs/{id}",
            "{scheme}://jobs",
            "naas://jobs/{id} ",
            "jobs/{id}",
            "",
        ] {
            assert!(UriTemplate::parse(text).is_err(), "{text}");
        }
        let many = (0..33).map(|number| format!("{{a{number}}}")).collect::<String>();
        assert_eq!(UriTemplate::parse(&format!("naas://{many}")), Err(TemplateRefused::Variables(33)));
    }
}
