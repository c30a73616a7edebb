//! `#[events]`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::events::expand;

#[track_caller]
fn refused(options: TokenStream, item: TokenStream, reason: &str) {
    let said = expand(options, item).expect_err(reason).to_string();
    assert!(said.contains(reason), "{said}");
}

fn handler() -> TokenStream {
    quote! {
        fn handle(batch: Vec<Event>) -> Vec<Result<(), Fault>> { todo() }
    }
}

#[test]
fn a_handler_stays_a_function_and_gets_a_type_of_its_name() {
    let code = expand(quote!(), handler()).expect("it expands").to_string();
    assert!(code.contains("fn handle") && code.contains("Events for handle"), "{code}");
}

#[test]
fn a_handler_takes_a_batch_and_answers_for_each_event() {
    for item in [
        quote!(
            fn handle() -> Vec<Result<(), Fault>> {
                todo()
            }
        ),
        quote!(
            fn handle(batch: Vec<Event>) {}
        ),
        quote!(
            fn handle(batch: Vec<Event>, more: bool) -> Vec<Result<(), Fault>> {
                todo()
            }
        ),
        quote!(
            fn handle(self) -> Vec<Result<(), Fault>> {
                todo()
            }
        ),
    ] {
        refused(quote!(), item, "a handler takes a batch and answers for each event");
    }
    let waits = quote!(
        async fn handle(batch: Vec<Event>) -> Vec<Result<(), Fault>> {
            todo()
        }
    );
    refused(quote!(), waits, "a handler is a plain function");
    refused(
        quote!(),
        quote!(
            struct Handle;
        ),
        "before a function",
    );
}

#[test]
fn what_happens_stands_in_the_manifest_and_not_beside_the_handler() {
    refused(quote!(every = "60s"), handler(), "#[events] has no options");
}
