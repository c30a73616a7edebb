//! The function, and beside it the type that implements `fleetgate_sdk::Tool`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use serde_json::{Map, Value};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Error, ItemFn, Result};

use crate::docs;
use crate::options::{self, Options};
use crate::signature::Signature;

/// Expands `#[tool(options)] item`.
pub(crate) fn tool(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function: ItemFn = syn::parse2(item)
        .map_err(|error| Error::new(error.span(), "#[tool] stands before a function with a body"))?;
    let options: Options = syn::parse2(options)?;
    let signature = Signature::of(&function)?;
    let ident = &function.sig.ident;
    let name = match options.name {
        Some(name) => name,
        None => ident.unraw().to_string(),
    };
    if !options::is_tool_name(&name) {
        return Err(Error::new(
            ident.span(),
            "a tool's name has 1 to 64 characters of A-Z a-z 0-9 `_`; give another one: #[tool(name = \"…\")]",
        ));
    }
    let Some(description) = docs::text(&function.attrs) else {
        return Err(Error::new(
            ident.span(),
            "write a doc comment above the function: a model chooses the tool by it",
        ));
    };

    let manifest = manifest_entry(&name, options.entry);
    let title = match &options.title {
        Some(title) => quote!(::core::option::Option::Some(#title)),
        None => quote!(::core::option::Option::None),
    };
    // Spans of the author's own types, so that "does not implement JsonSchema" points at them.
    let output_span = signature.output.span();
    let (input_schema, output_schema, run) = match signature.argument {
        Some(argument) => (
            quote_spanned!(argument.span() => ::fleetgate_sdk::tool::input_schema::<#argument>()),
            quote_spanned!(output_span => ::fleetgate_sdk::tool::output_schema_with(#ident)),
            quote_spanned!(output_span => ::fleetgate_sdk::tool::run_with(#ident, arguments)),
        ),
        None => (
            quote!(::fleetgate_sdk::tool::no_arguments()),
            quote_spanned!(output_span => ::fleetgate_sdk::tool::output_schema_without(#ident)),
            quote_spanned!(output_span => ::fleetgate_sdk::tool::run_without(#ident, arguments)),
        ),
    };
    let visibility = &function.vis;

    Ok(quote! {
        #function

        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility struct #ident {}

        impl ::fleetgate_sdk::Tool for #ident {
            const NAME: &'static str = #name;
            const TITLE: ::core::option::Option<&'static str> = #title;
            const DESCRIPTION: &'static str = #description;
            const MANIFEST: &'static str = #manifest;

            fn input_schema() -> ::core::result::Result<::fleetgate_sdk::Value, ::fleetgate_sdk::Fault> {
                #input_schema
            }

            fn output_schema() -> ::core::option::Option<::fleetgate_sdk::Value> {
                #output_schema
            }

            fn run(arguments: &str) -> ::core::result::Result<::fleetgate_sdk::Outcome, ::fleetgate_sdk::Fault> {
                #run
            }
        }
    })
}

/// One line of JSON with a line feed.
fn manifest_entry(name: &str, entry: Map<String, Value>) -> String {
    let mut line = Map::new();
    line.insert("name".to_owned(), Value::from(name));
    line.extend(entry);
    format!("{}\n", Value::Object(line))
}
