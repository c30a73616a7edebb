//! Functions that cannot be tools.

use quote::quote;

use super::refused_function;

#[test]
fn a_function_without_a_doc_comment_is_refused_because_models_choose_by_it() {
    let refusal = refused_function(quote!(
        fn greet() -> Result<(), Fault> {
            Ok(())
        }
    ));
    assert!(refusal.contains("write a doc comment"), "{refusal}");
}

#[test]
fn an_async_function_is_refused_because_waiting_is_the_hosts() {
    let refusal = refused_function(quote! {
        /// Greets.
        async fn greet() -> Result<(), Fault> { Ok(()) }
    });
    assert!(refusal.contains("a tool is a plain function"), "{refusal}");
}

#[test]
fn unsafe_and_foreign_functions_are_refused() {
    let refusal = refused_function(quote! {
        /// Greets.
        unsafe fn greet() -> Result<(), Fault> { Ok(()) }
    });
    assert!(refusal.contains("a safe function"), "{refusal}");
    let refusal = refused_function(quote! {
        /// Greets.
        extern "C" fn greet() -> Result<(), Fault> { Ok(()) }
    });
    assert!(refusal.contains("without `extern`"), "{refusal}");
}

#[test]
fn type_parameters_are_refused() {
    let refusal = refused_function(quote! {
        /// Greets.
        fn greet<T>(args: T) -> Result<(), Fault> { Ok(()) }
    });
    assert!(refusal.contains("no type parameters"), "{refusal}");
}

#[test]
fn two_arguments_are_refused_with_the_advice_to_make_a_struct() {
    let refusal = refused_function(quote! {
        /// Greets.
        fn greet(name: String, times: u8) -> Result<(), Fault> { Ok(()) }
    });
    assert!(refusal.contains("a struct whose fields are the tool's arguments"), "{refusal}");
}

#[test]
fn a_method_is_refused() {
    let refusal = refused_function(quote! {
        /// Greets.
        fn greet(&self) -> Result<(), Fault> { Ok(()) }
    });
    assert!(refusal.contains("not a method"), "{refusal}");
}

#[test]
fn borrowed_and_unnamed_arguments_are_refused() {
    let refusal = refused_function(quote! {
        /// Greets.
        fn greet(args: &Greet) -> Result<(), Fault> { Ok(()) }
    });
    assert!(refusal.contains("by value"), "{refusal}");
    let refusal = refused_function(quote! {
        /// Greets.
        fn greet(args: impl Deserialize) -> Result<(), Fault> { Ok(()) }
    });
    assert!(refusal.contains("name the type"), "{refusal}");
}

#[test]
fn a_function_that_returns_nothing_is_refused() {
    let refusal = refused_function(quote! {
        /// Greets.
        fn greet() {}
    });
    assert!(refusal.contains("a tool returns `Result<T, Fault>`"), "{refusal}");
}

#[test]
fn a_name_that_is_too_long_or_not_ascii_is_refused_with_the_way_out() {
    let refusal = refused_function(quote! {
        /// Greets.
        fn grüße() -> Result<(), Fault> { Ok(()) }
    });
    assert!(refusal.contains("#[tool(name = "), "{refusal}");
}

#[test]
fn what_is_no_function_is_refused() {
    let refusal = refused_function(quote!(
        struct Greet;
    ));
    assert!(refusal.contains("before a function"), "{refusal}");
}
