//! Names, pictures, `_meta` and annotations.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Value, json};

use super::{greet, optional_constant, refusal};

fn expanded(options: TokenStream) -> TokenStream {
    crate::tool::expand(options, greet()).expect("it expands")
}

fn parsed(options: TokenStream, name: &str) -> Value {
    let text = optional_constant(expanded(options), name).expect("it is there");
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn what_was_not_said_is_not_there() {
    for name in ["TITLE", "META", "EXTRA"] {
        assert_eq!(optional_constant(expanded(quote!(requires = "any")), name), None);
    }
}

#[test]
fn meta_and_icons_are_json() {
    let meta = quote!(requires = "any", meta = { ui = { "resourceUri" = "ui://x" }, n = 1.5 });
    assert_eq!(parsed(meta, "META"), json!({ "ui": { "resourceUri": "ui://x" }, "n": 1.5 }));
    let icons = quote!(requires = "any", icons = ["data:image/png;base64,AA=="]);
    assert_eq!(
        parsed(icons, "EXTRA"),
        json!({ "icons": [{ "src": "data:image/png;base64,AA==", "mimeType": "image/png" }] })
    );
}

#[test]
fn a_picture_of_the_crate_travels_as_a_data_uri_and_is_watched() {
    let options = quote!(requires = "any", icons = ["src/tests/files/dot.svg"]);
    let icon = parsed(options.clone(), "EXTRA")["icons"][0].clone();
    assert_eq!(icon["mimeType"], "image/svg+xml");
    assert!(icon["src"].as_str().is_some_and(|src| src.starts_with("data:image/svg+xml;base64,")), "{icon}");
    let code = expanded(options).to_string();
    assert!(code.contains("include_bytes") && code.contains("src/tests/files/dot.svg"), "{code}");
}

#[test]
fn pictures_that_cannot_be_shown_or_read_are_refused() {
    for (icons, reason) in [
        (quote!([]), "expected pictures"),
        (quote!("a.svg"), "expected pictures"),
        (quote!([1]), "expected pictures"),
        (quote!(["src/lib.rs"]), "no picture that clients show"),
        (quote!(["missing.png"]), "cannot be read"),
        (quote!(["../dot.svg"]), "not a path below"),
        (quote!(["/etc/dot.svg"]), "not a path below"),
        (quote!(["https://example.com/a.png"]), "cannot be read"),
    ] {
        let said = refusal(quote!(requires = "any", icons = #icons));
        assert!(said.contains(reason), "{icons}: {said}");
    }
}

#[test]
fn meta_is_a_table() {
    let said = refusal(quote!(requires = "any", meta = "x"));
    assert!(said.contains("expected a table: meta"), "{said}");
}
