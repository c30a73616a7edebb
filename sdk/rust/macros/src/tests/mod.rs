//! Expansion, looked at without a compiler: the manifest entry that comes out, and the words of each refusal.

mod about;
mod events;
mod export;
mod functions;
mod keys;
mod manifest;
mod skills;
mod surfaces;
mod uris;

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

fn greet() -> TokenStream {
    quote! {
        /// Greets somebody.
        fn greet(args: Greet) -> Result<Greeting, Fault> {
            todo()
        }
    }
}

/// The manifest entry of `greet` with these options.
#[track_caller]
fn entry(options: TokenStream) -> Value {
    let expanded = crate::tool::expand(options, greet()).expect("it expands");
    serde_json::from_str(&constant(expanded, "MANIFEST")).expect("the entry is JSON")
}

/// What the compiler would say about `greet` with these options.
#[track_caller]
fn refusal(options: TokenStream) -> String {
    crate::tool::expand(options, greet()).expect_err("it is refused").to_string()
}

/// What the compiler would say about this function.
#[track_caller]
fn refused_function(function: TokenStream) -> String {
    crate::tool::expand(quote!(requires = "any"), function).expect_err("it is refused").to_string()
}

/// The literal that a constant of the expansion holds.
#[track_caller]
fn constant(expanded: TokenStream, name: &str) -> String {
    let file: syn::File = syn::parse2(expanded).expect("the expansion is Rust");
    for item in file.items {
        let syn::Item::Impl(implementation) = item else { continue };
        for item in implementation.items {
            if let syn::ImplItem::Const(constant) = item
                && constant.ident == name
                && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = constant.expr
            {
                return text.value();
            }
        }
    }
    panic!("the expansion has no constant {name}");
}

/// The literal inside `Some(…)` of a constant; none where it is `None`.
#[track_caller]
fn optional_constant(expanded: TokenStream, name: &str) -> Option<String> {
    let file: syn::File = syn::parse2(expanded).expect("the expansion is Rust");
    let items = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Impl(implementation) => Some(implementation.items),
        _ => None,
    });
    let value = items.flatten().find_map(|item| match item {
        syn::ImplItem::Const(constant) if constant.ident == name => Some(constant.expr),
        _ => None,
    });
    match value.unwrap_or_else(|| panic!("the expansion has no constant {name}")) {
        syn::Expr::Call(call) => match call.args.first() {
            Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })) => Some(text.value()),
            other => panic!("{name} holds {other:?}"),
        },
        _ => None,
    }
}
