//! Expansion, looked at without a compiler: the manifest entry that comes out, and the words of each refusal.

mod functions;
mod keys;
mod manifest;

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
    let expanded = crate::expand::tool(options, greet()).expect("it expands");
    serde_json::from_str(&constant(expanded, "MANIFEST")).expect("the entry is JSON")
}

/// What the compiler would say about `greet` with these options.
#[track_caller]
fn refusal(options: TokenStream) -> String {
    crate::expand::tool(options, greet()).expect_err("it is refused").to_string()
}

/// What the compiler would say about this function.
#[track_caller]
fn refused_function(function: TokenStream) -> String {
    crate::expand::tool(quote!(requires = "any"), function).expect_err("it is refused").to_string()
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
