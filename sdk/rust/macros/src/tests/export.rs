//! `export!`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::export::expand;

fn expanded(input: TokenStream) -> String {
    let code = expand(input).expect("it expands");
    syn::parse2::<syn::File>(code.clone()).expect("the expansion is Rust");
    code.to_string()
}

#[track_caller]
fn refused(input: TokenStream, reason: &str) {
    let said = expand(input).expect_err(reason).to_string();
    assert!(said.contains(reason), "{said}");
}

#[test]
fn only_the_interfaces_of_the_sections_that_stand_there_are_exported() {
    let tools = expanded(quote!(a, b::c,));
    assert!(tools.contains("export_tools"), "{tools}");
    for other in ["resources", "prompts", "completions", "skills", "events"] {
        assert!(!tools.contains(&format!("export_{other}")), "{tools}");
    }
    let others = expanded(quote!(resources: a; completions: b; skills: C;));
    assert!(!others.contains("export_tools") && !others.contains("export_prompts"), "{others}");
    for section in ["resources", "completions", "skills"] {
        assert!(others.contains(&format!("export_{section}")), "{others}");
    }
}

#[test]
fn tools_alone_may_be_followed_by_sections() {
    let code = expanded(quote!(tools: a; prompts: b));
    assert!(code.contains("export_tools") && code.contains("export_prompts"), "{code}");
}

#[test]
fn a_plugin_has_one_handler_of_events() {
    assert!(expanded(quote!(events: handle)).contains("export_events"));
    refused(quote!(tools: a; events: b, c), "one handler of events");
    refused(quote!(events: b; events: c), "`events` stands here twice");
}

#[test]
fn what_is_no_list_of_sections_is_refused() {
    refused(quote!(), "a plugin without anything is none");
    refused(quote!(tool: a), "did you mean `tools`?");
    refused(quote!(tools: a; tools: b), "`tools` stands here twice");
    refused(quote!(tools: ; prompts: b), "names nothing");
    refused(quote!(tools: a prompts: b), "expected");
    refused(quote!(tools: "a"), "expected tools: a, b");
    refused(quote!(tasks: a), "export! takes tools, resources");
}
