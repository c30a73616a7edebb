//! Resources: what a client reads by URI.

mod contents;
mod info;
mod uri;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use contents::{IntoContents, Json};
pub use info::{IntoPage, ResourceInfo, ResourcePage};
pub use uri::{Part, Variables};

use crate::schema::{self, Direction};
use crate::{Content, Fault, JsonSchema, Outcome, texts};

/// A function that lists what a template covers, page by page.
pub type List = fn(Option<&str>) -> Result<ResourcePage, Fault>;

/// A resource or a template. `#[resource]` and `#[template]` implement it for a type that has the function's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource",
    note = "put #[resource(uri = \"…\", requires = \"…\")] or #[template(…)] above the function"
)]
pub trait Resource {
    /// The URI, or the template.
    const URI: &'static str;
    /// Its pieces.
    const PARTS: &'static [Part];
    /// For programs.
    const NAME: &'static str;
    /// For people.
    const TITLE: Option<&'static str>;
    /// The function's doc comment.
    const DESCRIPTION: &'static str;
    /// Its media type.
    const MIME_TYPE: Option<&'static str>;
    /// Its bytes, where they are known.
    const SIZE: Option<u64>;
    /// `_meta`, as JSON.
    const META: Option<&'static str>;
    /// Annotations and icons, as JSON.
    const EXTRA: Option<&'static str>;
    /// The manifest entry: one line of JSON and a line feed.
    const MANIFEST: &'static str;
    /// Lists what a template covers.
    const LIST: Option<List>;

    /// Whether the function's argument has a field for each variable.
    ///
    /// # Errors
    /// `internal` when one is missing.
    fn check() -> Result<(), Fault>;

    /// Reads it.
    ///
    /// # Errors
    /// `unknown` when the variables do not fit, and whatever the function answers.
    fn read(variables: &Variables) -> Result<Outcome<Vec<Content>>, Fault>;

    /// The URI with these values, encoded (RFC 6570). A variable without a value is left out.
    #[must_use]
    fn uri(values: &[(&str, &str)]) -> String {
        uri::expand(Self::PARTS, values)
    }
}

#[doc(hidden)]
pub fn check<A: JsonSchema>(uri: &str, parts: &[Part]) -> Result<(), Fault> {
    let schema = schema::of::<A>(Direction::Input);
    let fields = schema.get("properties").and_then(Value::as_object);
    let has = |name: &str| fields.is_some_and(|fields| fields.contains_key(name));
    for part in parts {
        if let Part::Segment(name) | Part::Rest(name) = part
            && !has(name)
        {
            let of = A::schema_name();
            return Err(Fault::internal(format!(
                "`{uri}` has a variable `{name}`, and `{of}` no field for it."
            )));
        }
    }
    Ok(())
}

#[doc(hidden)]
pub fn read_with<A, T, E>(
    read: fn(A) -> Result<T, E>,
    variables: &Variables,
) -> Result<Outcome<Vec<Content>>, Fault>
where
    A: DeserializeOwned,
    T: IntoContents,
    E: Into<Fault>,
{
    // What does not fit its field is a URI at which there is nothing.
    let read_as =
        texts::from(variables.pairs()).map_err(|_| Fault::unknown("There is nothing at this URI."))?;
    read(read_as).map_err(Into::into)?.into_contents()
}

#[doc(hidden)]
pub fn read_without<T, E>(read: fn() -> Result<T, E>) -> Result<Outcome<Vec<Content>>, Fault>
where
    T: IntoContents,
    E: Into<Fault>,
{
    read().map_err(Into::into)?.into_contents()
}

#[doc(hidden)]
pub fn page<T: IntoPage, E: Into<Fault>>(listed: Result<T, E>) -> Result<ResourcePage, Fault> {
    listed.map(IntoPage::into_page).map_err(Into::into)
}
