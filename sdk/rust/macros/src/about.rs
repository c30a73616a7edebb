//! What every attribute may say for people and clients: names, pictures, `_meta`.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Map, Value, json};
use syn::{Error, Result};

use crate::file;
use crate::keys::{is_name, text};
use crate::value::Literal;

/// The most bytes of one picture: it travels in every list.
const ICON_LIMIT: usize = 16 * 1024;

/// The common keys.
#[derive(Default)]
pub(crate) struct About {
    /// For programs, instead of the function's name.
    pub(crate) name: Option<String>,
    /// For people.
    pub(crate) title: Option<String>,
    meta: Option<Value>,
    extra: Map<String, Value>,
    /// Files that were read: the crate is built again when they change.
    files: Vec<String>,
}

impl About {
    /// One of `name`, `title`, `icons`, `meta` and `annotations`.
    pub(crate) fn take(&mut self, attribute: &str, key: &str, literal: Literal) -> Result<()> {
        match key {
            "name" => self.name = Some(name(attribute, literal)?),
            "title" => self.title = Some(text(literal, "a name for people")?),
            "icons" => {
                let icons = self.icons(literal)?;
                self.extra.insert("icons".to_owned(), icons);
            }
            "annotations" => {
                let annotations = annotations(literal)?;
                self.extra.insert("annotations".to_owned(), annotations);
            }
            _ => self.meta = Some(table(literal, "meta = { \"com.example/key\" = \"value\" }")?),
        }
        Ok(())
    }

    fn icons(&mut self, literal: Literal) -> Result<Value> {
        let wrong = "expected pictures: icons = [\"assets/lamp.svg\"], files of this crate or data: URIs";
        let Value::Array(paths) = &literal.value else { return Err(Error::new(literal.span, wrong)) };
        let mut icons = Vec::new();
        for path in paths {
            let path = path.as_str().ok_or_else(|| Error::new(literal.span, wrong))?;
            icons.push(if let Some(data) = path.strip_prefix("data:") {
                let mime = data.split([';', ',']).next().unwrap_or_default();
                json!({ "src": path, "mimeType": mime })
            } else {
                let (src, mime) = self.picture(path, &literal)?;
                json!({ "src": src, "mimeType": mime })
            });
        }
        if icons.is_empty() { Err(Error::new(literal.span, wrong)) } else { Ok(Value::Array(icons)) }
    }

    fn picture(&mut self, path: &str, literal: &Literal) -> Result<(String, &'static str)> {
        use base64::Engine as _;
        let wrong = |message: String| Error::new(literal.span, message);
        let mime = match path.rsplit('.').next() {
            Some("png") => "image/png",
            Some("jpg" | "jpeg") => "image/jpeg",
            Some("svg") => "image/svg+xml",
            Some("webp") => "image/webp",
            _ => {
                return Err(wrong(format!(
                    "{path:?} is no picture that clients show: png, jpg, svg or webp; or write a data: URI"
                )));
            }
        };
        let (absolute, bytes) = file::read(path).map_err(wrong)?;
        if bytes.len() > ICON_LIMIT {
            return Err(wrong(format!(
                "{path} has {} bytes, and an icon at most {ICON_LIMIT}: it travels in every list",
                bytes.len()
            )));
        }
        self.files.push(absolute);
        let data = base64::engine::general_purpose::STANDARD.encode(bytes);
        Ok((format!("data:{mime};base64,{data}"), mime))
    }

    /// The constants `TITLE`, `META` and `EXTRA` of every trait.
    pub(crate) fn constants(&self) -> TokenStream {
        let title = optional(self.title.as_deref());
        let meta = optional(self.meta.as_ref().map(Value::to_string).as_deref());
        let extra = (!self.extra.is_empty()).then(|| Value::Object(self.extra.clone()).to_string());
        let extra = optional(extra.as_deref());
        quote! {
            const TITLE: ::core::option::Option<&'static str> = #title;
            const META: ::core::option::Option<&'static str> = #meta;
            const EXTRA: ::core::option::Option<&'static str> = #extra;
        }
    }

    /// Lets the compiler know of the files that were read.
    pub(crate) fn watched(&self) -> TokenStream {
        let files = &self.files;
        quote!(#(const _: &[u8] = ::core::include_bytes!(#files);)*)
    }
}

/// An option of text as an expression.
pub(crate) fn optional(text: Option<&str>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

/// Tools and prompts are named for programs by a strict rule; resources by any line of text.
fn name(attribute: &str, literal: Literal) -> Result<String> {
    let span = literal.span;
    let name = text(literal, "a name for programs")?;
    let strict = matches!(attribute, "tool" | "prompt");
    if !strict && name.len() <= 256 && !name.chars().any(char::is_control) || is_name(&name) {
        return Ok(name);
    }
    let what = if strict {
        format!("a {attribute}'s name has 1 to 64 characters, letters, digits, `_`, `.` and `-`")
    } else {
        format!("a {attribute}'s name is one line of at most 256 bytes")
    };
    Err(Error::new(span, what))
}

fn table(literal: Literal, example: &str) -> Result<Value> {
    match literal.value {
        Value::Object(_) => Ok(literal.value),
        _ => Err(Error::new(literal.span, format!("expected a table: {example}"))),
    }
}

/// MCP's `Annotations`: `audience`, `priority` from 0 to 1, `lastModified`.
fn annotations(literal: Literal) -> Result<Value> {
    let span = literal.span;
    let example = "annotations = { audience = [\"user\"], priority = 0.5 }";
    let annotations = table(literal, example)?;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        let fits = match key.as_str() {
            "audience" => value.as_array().is_some_and(|who| {
                !who.is_empty() && who.iter().all(|who| who == "user" || who == "assistant")
            }),
            "priority" => value.as_f64().is_some_and(|priority| (0.0..=1.0).contains(&priority)),
            "lastModified" => value.is_string(),
            _ => false,
        };
        if !fits {
            return Err(Error::new(
                span,
                format!(
                    "`{key}` is not an annotation of this value; expected {example}: audience of user and \
                     assistant, priority from 0 to 1, lastModified in ISO 8601"
                ),
            ));
        }
    }
    Ok(annotations)
}
