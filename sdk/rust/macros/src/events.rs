//! `#[events]`: the function, and beside it the type that implements `fleetgate_sdk::Events`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Result};

use crate::{item, signature};

/// Expands `#[events] item`.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = item::function("events", item)?;
    if let Some(option) = options.into_iter().next() {
        let message =
            "#[events] has no options: what happens stands in the manifest, [capabilities.events.…]";
        return Err(Error::new(option.span(), message));
    }
    signature::of_events(&function)?;
    let ident = &function.sig.ident;
    let marker = item::marker(&function.vis, ident);
    Ok(quote! {
        #function

        #marker

        impl ::fleetgate_sdk::Events for #ident {
            fn handle(
                batch: ::std::vec::Vec<::fleetgate_sdk::Event>,
            ) -> ::std::vec::Vec<::core::result::Result<(), ::fleetgate_sdk::Fault>> {
                #ident(batch)
            }
        }
    })
}
