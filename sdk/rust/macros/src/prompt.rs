//! `#[prompt]`: the function, and beside it the type that implements `fleetgate_sdk::Prompt`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use serde_json::{Map, Value};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Error, Result};

use crate::about::About;
use crate::item;
use crate::keys::{self, requires, value};
use crate::signature::Signature;

const KEYS: [&str; 5] = ["requires", "name", "title", "icons", "meta"];

struct Options {
    requires: Value,
    about: About,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut needed, mut about) = (None, About::default());
        keys::read(input, "prompt", &KEYS, |key, name, input| {
            match name {
                "requires" => needed = Some(requires(value(key, input)?)?),
                _ => about.take("prompt", name, value(key, input)?)?,
            }
            Ok(())
        })?;
        let requires = needed.ok_or_else(|| keys::nobody("prompt", "use this prompt"))?;
        Ok(Self { requires, about })
    }
}

/// Expands `#[prompt(options)] item`.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = item::function("prompt", item)?;
    let options: Options = syn::parse2(options)?;
    let signature = Signature::of(&function, "prompt")?;
    let ident = &function.sig.ident;
    let name = options.about.name.clone().unwrap_or_else(|| item::name(&function));
    if !keys::is_name(&name) {
        return Err(Error::new(
            ident.span(),
            "a prompt's name has 1 to 64 characters of A-Z a-z 0-9 `_`; give another one: #[prompt(name = \"…\")]",
        ));
    }
    let description = item::description(&function, "a person chooses the prompt by it")?;
    let entry = Map::from_iter([("requires".to_owned(), options.requires)]);
    let manifest = item::manifest_entry("prompt", &name, entry);
    let span = signature.output.span();
    let (arguments, get) = match signature.argument {
        Some(argument) => (
            quote_spanned!(argument.span() => ::fleetgate_sdk::prompt::arguments::<#argument>(Self::NAME)),
            quote_spanned!(span => ::fleetgate_sdk::prompt::get_with(#ident, arguments)),
        ),
        None => (
            quote!(::core::result::Result::Ok(::std::vec::Vec::new())),
            quote_spanned!(span => ::fleetgate_sdk::prompt::get_without(#ident, arguments)),
        ),
    };
    let (marker, constants, watched) =
        (item::marker(&function.vis, ident), options.about.constants(), options.about.watched());

    Ok(quote! {
        #function

        #marker

        impl ::fleetgate_sdk::Prompt for #ident {
            const NAME: &'static str = #name;
            const DESCRIPTION: &'static str = #description;
            const MANIFEST: &'static str = #manifest;
            #constants

            fn arguments() -> ::core::result::Result<
                ::std::vec::Vec<::fleetgate_sdk::PromptArgument>,
                ::fleetgate_sdk::Fault,
            > {
                #arguments
            }

            fn get(
                arguments: &str,
            ) -> ::core::result::Result<
                ::fleetgate_sdk::Outcome<::std::vec::Vec<::fleetgate_sdk::PromptMessage>>,
                ::fleetgate_sdk::Fault,
            > {
                #get
            }
        }

        #watched
    })
}
