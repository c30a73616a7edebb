//! What all attributes on functions share: the function stays, and beside it stands a type of its name.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Map, Value};
use syn::ext::IdentExt as _;
use syn::{Error, Ident, ItemFn, Result, Visibility};

use crate::docs;

/// The function below an attribute.
pub(crate) fn function(attribute: &str, item: TokenStream) -> Result<ItemFn> {
    syn::parse2(item).map_err(|error| {
        Error::new(error.span(), format!("#[{attribute}] stands before a function with a body"))
    })
}

/// The function's name without `r#`.
pub(crate) fn name(function: &ItemFn) -> String {
    function.sig.ident.unraw().to_string()
}

/// The function's doc comment, which must be there.
pub(crate) fn description(function: &ItemFn, why: &str) -> Result<String> {
    docs::text(&function.attrs).ok_or_else(|| {
        Error::new(function.sig.ident.span(), format!("write a doc comment above the function: {why}"))
    })
}

/// The type beside the function.
pub(crate) fn marker(visibility: &Visibility, ident: &Ident) -> TokenStream {
    quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility struct #ident {}
    }
}

/// What goes to `fleetgate pack`: one line of JSON with a line feed. The first key says what it is and how it is
/// called.
pub(crate) fn manifest_entry(kind: &str, name: &str, entry: Map<String, Value>) -> String {
    let mut line = Map::new();
    line.insert(kind.to_owned(), Value::from(name));
    line.extend(entry);
    format!("{}\n", Value::Object(line))
}
