//! `#[resource]`, `#[template]`, `#[prompt]` and `#[complete]`.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Value, json};

use super::constant;
use crate::{complete, prompt, resource};

fn plain() -> TokenStream {
    quote! {
        /// Something.
        fn thing() -> Result<String, Fault> { todo() }
    }
}

fn with_arguments() -> TokenStream {
    quote! {
        /// Something.
        fn thing(args: Args) -> Result<String, Fault> { todo() }
    }
}

fn manifest(expanded: TokenStream) -> Value {
    serde_json::from_str(&constant(expanded, "MANIFEST")).expect("a line is JSON")
}

#[track_caller]
fn refused(expanded: syn::Result<TokenStream>, reason: &str) {
    let said = expanded.expect_err(reason).to_string();
    assert!(said.contains(reason), "{said}");
}

#[test]
fn a_resource_is_entered_by_its_uri_and_a_template_by_its_pattern() {
    let expanded =
        resource::expand_resource(quote!(uri = "x://a", requires = "view"), plain()).expect("it expands");
    assert_eq!(constant(expanded.clone(), "NAME"), "thing");
    assert_eq!(constant(expanded.clone(), "DESCRIPTION"), "Something.");
    assert_eq!(manifest(expanded), json!({ "resource": "x://a", "requires": "view" }));
    let options =
        quote!(uri = "x://{a}/{+b}", requires = ["view", "act"], name = "A thing", list = things::all);
    let expanded = resource::expand_template(options, with_arguments()).expect("it expands");
    assert_eq!(constant(expanded.clone(), "NAME"), "A thing");
    assert_eq!(manifest(expanded), json!({ "resource": "x://*/**", "requires": ["view", "act"] }));
}

#[test]
fn a_resource_says_where_it_lies_and_who_may_read_it() {
    let resource = |options| resource::expand_resource(options, plain());
    refused(resource(quote!(requires = "any")), "say where it lies");
    refused(resource(quote!(uri = "x://a")), "say who may read this");
    refused(resource(quote!(uri = "no uri", requires = "any")), "scheme in lower case");
    refused(resource(quote!(uri = "x://{id}", requires = "any")), "write #[template(…)]");
    refused(resource(quote!(uri = "x://a", requires = "any", mime_type = "json")), "expected a media type");
    refused(resource(quote!(uri = "x://a", requires = "any", size = "1")), "a number of bytes");
    refused(resource(quote!(uri = "x://a", requires = "any", list = all)), "`list` is unknown");
    refused(resource(quote!(uri = "x://a", requires = "any", mimetype = "a/b")), "did you mean `mime_type`?");
    refused(resource(quote!(uri = "x://a", requires = "any", name = "two\nlines")), "one line");
}

#[test]
fn annotations_are_those_of_the_protocol() {
    for annotations in [
        quote!({ audience = ["everybody"] }),
        quote!({ audience = [] }),
        quote!({ priority = 2 }),
        quote!({ colour = "red" }),
        quote!("user"),
    ] {
        let options = quote!(uri = "x://a", requires = "any", annotations = #annotations);
        refused(resource::expand_resource(options, plain()), "annotations = { audience");
    }
}

#[test]
fn a_resource_takes_nothing_and_a_template_its_variables() {
    let uri = quote!(uri = "x://a", requires = "any");
    refused(resource::expand_resource(uri.clone(), with_arguments()), "what has variables is a #[template]");
    refused(resource::expand_template(uri, with_arguments()), "a template has a variable");
    let template = quote!(uri = "x://{a}", requires = "any");
    refused(resource::expand_template(template.clone(), plain()), "whose fields are the variables");
    refused(
        resource::expand_template(quote!(uri = "x://{a}", requires = "any", size = 1), with_arguments()),
        "`size` is unknown",
    );
    refused(
        resource::expand_template(
            template,
            quote!(
                fn thing(args: Args) -> Result<String, Fault> {
                    todo()
                }
            ),
        ),
        "write a doc comment",
    );
}

#[test]
fn a_prompt_is_entered_by_its_name() {
    let expanded = prompt::expand(quote!(requires = "view", title = "A"), plain()).expect("it expands");
    assert_eq!(manifest(expanded), json!({ "prompt": "thing", "requires": "view" }));
    let expanded =
        prompt::expand(quote!(requires = "any", name = "a.b"), with_arguments()).expect("it expands");
    assert_eq!(manifest(expanded)["prompt"], "a.b");
    refused(prompt::expand(quote!(), plain()), "say who may use this prompt");
    refused(prompt::expand(quote!(requires = "any", name = "two words"), plain()), "a prompt's name");
    refused(prompt::expand(quote!(requires = "any", read_only), plain()), "`read_only` is unknown");
    let borrowed = quote! {
        /// Something.
        fn thing(args: &Args) -> Result<String, Fault> { todo() }
    };
    refused(prompt::expand(quote!(requires = "any"), borrowed), "a prompt takes its arguments by value");
}

#[test]
fn a_completion_says_what_it_completes() {
    let one = || {
        quote!(
            fn values(typed: &str) -> Vec<String> {
                todo()
            }
        )
    };
    let complete = |options, function| complete::expand(options, function);
    assert!(complete(quote!(prompt = a::b, argument = "x"), one()).is_ok());
    let two = quote!(
        fn values(typed: &str, given: &Given) -> Vec<String> {
            todo()
        }
    );
    assert!(complete(quote!(template = b, argument = "x"), two).is_ok());
    refused(complete(quote!(argument = "x"), one()), "say what it completes");
    refused(complete(quote!(prompt = a), one()), "say what it completes");
    refused(complete(quote!(prompt = a, template = b, argument = "x"), one()), "it completes one");
    refused(complete(quote!(prompt = "a", argument = "x"), one()), "the name of the prompt's function");
    let wanted = "a completion takes what was typed so far";
    let options = || quote!(prompt = a, argument = "x");
    for function in [
        quote!(
            fn values() -> Vec<String> {
                todo()
            }
        ),
        quote!(
            fn values(typed: String) -> Vec<String> {
                todo()
            }
        ),
        quote!(
            fn values(typed: &str) {
                todo()
            }
        ),
        quote!(
            fn values(a: &str, b: &Given, c: &str) -> Vec<String> {
                todo()
            }
        ),
        quote!(
            fn values(&self) -> Vec<String> {
                todo()
            }
        ),
    ] {
        refused(complete(options(), function), wanted);
    }
    refused(
        complete(
            options(),
            quote!(
                async fn values(typed: &str) -> Vec<String> {
                    todo()
                }
            ),
        ),
        "plain function",
    );
}
