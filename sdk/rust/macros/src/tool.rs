//! The function, and beside it the type that implements `fleetgate_sdk::Tool`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Error, Result};

use crate::item;
use crate::keys;
use crate::options::Options;
use crate::signature::Signature;

/// Expands `#[tool(options)] item`.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = item::function("tool", item)?;
    let options: Options = syn::parse2(options)?;
    let signature = Signature::of(&function, "tool")?;
    let ident = &function.sig.ident;
    let name = options.about.name.clone().unwrap_or_else(|| item::name(&function));
    if !keys::is_name(&name) {
        return Err(Error::new(
            ident.span(),
            "a tool's name has 1 to 64 characters of A-Z a-z 0-9 `_`; give another one: #[tool(name = \"…\")]",
        ));
    }
    let description = item::description(&function, "a model chooses the tool by it")?;

    let manifest = item::manifest_entry("tool", &name, options.entry);
    // Spans of the author's own types, so that "does not implement JsonSchema" points at them.
    let output_span = signature.output.span();
    let (mut input_schema, mut output_schema, run) = match signature.argument {
        Some(argument) => (
            match options.input_schema {
                Some(_) => TokenStream::new(),
                None => quote_spanned!(argument.span() => ::fleetgate_sdk::tool::input_schema::<#argument>()),
            },
            quote_spanned!(output_span => ::fleetgate_sdk::tool::output_schema_with(#ident)),
            quote_spanned!(output_span => ::fleetgate_sdk::tool::run_with(#ident, arguments)),
        ),
        None => (
            quote!(::fleetgate_sdk::tool::no_arguments()),
            quote_spanned!(output_span => ::fleetgate_sdk::tool::output_schema_without(#ident)),
            quote_spanned!(output_span => ::fleetgate_sdk::tool::run_without(#ident, arguments)),
        ),
    };
    if let Some(raw) = &options.input_schema {
        input_schema = quote_spanned!(raw.span() => ::fleetgate_sdk::tool::raw_schema(#raw));
    }
    if let Some(raw) = &options.output_schema {
        output_schema = quote_spanned!(raw.span() => ::fleetgate_sdk::tool::raw_schema(#raw).map(::core::option::Option::Some));
    } else {
        output_schema = quote!(::core::result::Result::Ok(#output_schema));
    }
    let (marker, constants, watched) =
        (item::marker(&function.vis, ident), options.about.constants(), options.about.watched());

    Ok(quote! {
        #function

        #marker

        impl ::fleetgate_sdk::Tool for #ident {
            const NAME: &'static str = #name;
            const DESCRIPTION: &'static str = #description;
            const MANIFEST: &'static str = #manifest;
            #constants

            fn input_schema() -> ::core::result::Result<::fleetgate_sdk::Value, ::fleetgate_sdk::Fault> {
                #input_schema
            }

            fn output_schema()
            -> ::core::result::Result<::core::option::Option<::fleetgate_sdk::Value>, ::fleetgate_sdk::Fault> {
                #output_schema
            }

            fn run(arguments: &str) -> ::core::result::Result<::fleetgate_sdk::Outcome, ::fleetgate_sdk::Fault> {
                #run
            }
        }

        #watched
    })
}
