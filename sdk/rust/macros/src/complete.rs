//! `#[complete]`: the function, and beside it the type that implements `fleetgate_sdk::Complete`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Error, Path, Result};

use crate::item;
use crate::keys::{self, text, value};
use crate::signature;

const KEYS: [&str; 3] = ["prompt", "template", "argument"];

enum Of {
    Prompt(Path),
    Template(Path),
}

struct Options {
    of: Of,
    argument: String,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut of, mut argument) = (None, None);
        keys::read(input, "complete", &KEYS, |key, name, input| {
            let what = match name {
                "argument" => {
                    argument = Some(text(value(key, input)?, "the name of the argument")?);
                    return Ok(());
                }
                "prompt" => Of::Prompt(keys::path(key, input, "the name of the prompt's function")?),
                _ => Of::Template(keys::path(key, input, "the name of the template's function")?),
            };
            match of.replace(what) {
                None => Ok(()),
                Some(_) => {
                    Err(Error::new(key.span(), "it completes one: a prompt's argument or a template's"))
                }
            }
        })?;
        match (of, argument) {
            (Some(of), Some(argument)) => Ok(Self { of, argument }),
            _ => Err(Error::new(
                Span::call_site(),
                "say what it completes: #[complete(prompt = config_push, argument = \"platform\")], or \
                 template = job for a variable of a URI",
            )),
        }
    }
}

/// Expands `#[complete(options)] item`.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = item::function("complete", item)?;
    let Options { of, argument } = syn::parse2(options)?;
    let takes = signature::of_completion(&function)?;
    let ident = &function.sig.ident;
    let of = match of {
        Of::Prompt(path) => quote_spanned! {
            path.span() => ::fleetgate_sdk::completion::Of::prompt::<#path>()
        },
        Of::Template(path) => quote_spanned! {
            path.span() => ::fleetgate_sdk::completion::Of::template::<#path>()
        },
    };
    let answer = match takes {
        1 => quote!(#ident(value)),
        _ => quote!(#ident(value, given)),
    };
    let marker = item::marker(&function.vis, ident);

    Ok(quote! {
        #function

        #marker

        impl ::fleetgate_sdk::Complete for #ident {
            const OF: ::fleetgate_sdk::completion::Of = #of;
            const ARGUMENT: &'static str = #argument;

            #[allow(unused_variables)]
            fn complete(
                value: &str,
                given: &::fleetgate_sdk::Given,
            ) -> ::core::result::Result<::fleetgate_sdk::Completion, ::fleetgate_sdk::Fault> {
                ::fleetgate_sdk::IntoCompletion::into_completion(#answer)
            }
        }
    })
}
