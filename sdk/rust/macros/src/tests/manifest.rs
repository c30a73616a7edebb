//! The entry in the manifest.

use quote::quote;
use serde_json::json;

use super::{constant, entry, greet};

#[test]
fn an_entry_is_one_line_that_ends_with_a_line_feed() {
    let expanded = crate::tool::expand(quote!(requires = "any", read_only), greet()).expect("it expands");
    assert_eq!(
        constant(expanded, "MANIFEST"),
        "{\"tool\":\"greet\",\"requires\":\"any\",\"read_only\":true}\n"
    );
}

#[test]
fn keys_that_were_not_given_are_not_in_the_entry() {
    assert_eq!(entry(quote!(requires = "view")), json!({ "tool": "greet", "requires": "view" }));
}

#[test]
fn every_key_of_the_manifest_reaches_the_entry() {
    let entry = entry(quote! {
        requires = ["view", "commands:write"],
        title = "Greet",
        name = "hello.world",
        read_only = false,
        destructive,
        idempotent = true,
        open_world = false,
        opt_in,
        verbatim,
        timeout = "330s",
        secret = ["/password", "/enable"],
        audit = "/host",
        task = "optional",
        asks_first,
        reach = {
            "http.api" = { methods = ["POST"], paths = ["/v2/**"] },
            "mqtt.broker": { publish = ["a/+/b"], qos = 1, retain = false },
        },
    });
    assert_eq!(
        entry,
        json!({
            "tool": "hello.world",
            "requires": ["view", "commands:write"],
            "read_only": false,
            "destructive": true,
            "idempotent": true,
            "open_world": false,
            "opt_in": true,
            "verbatim": true,
            "timeout": "330s",
            "secret": ["/password", "/enable"],
            "audit": ["/host"],
            "task": "optional",
            "asks_first": true,
            "reach": {
                "http.api": { "methods": ["POST"], "paths": ["/v2/**"] },
                "mqtt.broker": { "publish": ["a/+/b"], "qos": 1, "retain": false },
            },
        })
    );
}

#[test]
fn the_title_is_the_tool_lists_and_not_the_manifests() {
    let entry = entry(quote!(requires = "any", title = "Greet"));
    assert_eq!(entry.get("title"), None);
}

#[test]
fn the_doc_comment_is_the_description_without_its_indentation() {
    let expanded = crate::tool::expand(
        quote!(requires = "any"),
        quote! {
            ///  Greets somebody.
            ///
            ///    - by name
            #[allow(unused)]
            fn greet() -> Result<(), Fault> { Ok(()) }
        },
    )
    .expect("it expands");
    assert_eq!(constant(expanded, "DESCRIPTION"), "Greets somebody.\n\n  - by name");
}

#[test]
fn a_raw_name_loses_its_prefix() {
    let expanded = crate::tool::expand(
        quote!(requires = "any"),
        quote! {
            /// Moves.
            fn r#move() -> Result<(), Fault> { Ok(()) }
        },
    )
    .expect("it expands");
    assert_eq!(constant(expanded, "NAME"), "move");
}
