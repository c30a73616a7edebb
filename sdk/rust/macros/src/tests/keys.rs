//! Keys and values that are refused.

use proc_macro2::TokenStream;
use quote::quote;

use super::refusal;

#[track_caller]
fn assert_refused(options: TokenStream, words: &str) {
    let shown = options.to_string();
    let refusal = refusal(options);
    assert!(refusal.contains(words), "#[tool({shown})] says: {refusal}");
}

#[test]
fn a_tool_that_does_not_say_who_may_call_it_is_refused() {
    assert_refused(quote!(), "say who may call this tool");
    assert_refused(quote!(read_only), "requires = \"any\" for everybody");
}

#[test]
fn an_empty_list_of_roles_is_refused_because_it_would_let_everybody_in() {
    assert_refused(quote!(requires = []), "let everybody in");
}

#[test]
fn roles_that_are_no_words_are_refused() {
    assert_refused(quote!(requires = ""), "expected a role");
    assert_refused(quote!(requires = "two words"), "expected a role");
    assert_refused(quote!(requires = true), "expected a role");
    assert_refused(quote!(requires = ["a", 1]), "expected a role");
    assert_refused(quote!(requires = ["any", "a"]), "`any` stands alone");
}

#[test]
fn a_tool_cannot_be_read_only_and_destructive() {
    assert_refused(quote!(requires = "a", read_only, destructive), "cannot be `read_only` and `destructive`");
    assert_refused(
        quote!(requires = "a", read_only = true, destructive = true),
        "cannot be `read_only` and `destructive`",
    );
    super::entry(quote!(requires = "a", read_only, destructive = false));
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    assert_refused(quote!(require = "a"), "`require` is unknown; did you mean `requires`?");
    assert_refused(quote!(requires = "a", readonly), "did you mean `read_only`?");
    assert_refused(quote!(requires = "a", readOnly), "did you mean `read_only`?");
    assert_refused(quote!(requires = "a", destructiv), "did you mean `destructive`?");
    assert_refused(quote!(requires = "a", timeuot = "1s"), "did you mean `timeout`?");
    assert_refused(quote!(requires = "a", colour = "red"), "#[tool] takes requires, title");
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    assert_refused(quote!(requires = "a", requires = "b"), "`requires` stands here twice");
    assert_refused(
        quote!(requires = "a", reach = { "http.a" = {}, "http.a" = {} }),
        "`http.a` stands here twice",
    );
}

#[test]
fn what_is_no_key_at_all_is_refused_with_the_list_of_keys() {
    assert_refused(quote!("requires"), "expected a key of #[tool]: requires");
}

#[test]
fn a_flag_with_another_value_is_refused() {
    assert_refused(quote!(requires = "a", read_only = "yes"), "`read_only` is a flag");
}

#[test]
fn a_key_without_its_value_is_refused() {
    assert_refused(quote!(requires), "`requires` needs a value");
    assert_refused(quote!(requires = "a", timeout), "`timeout` needs a value");
}

#[test]
fn a_timeout_without_a_unit_or_of_nothing_is_refused() {
    for timeout in ["330", "s", "", "1.5s", "-1s", "1 s", "1 week", "0s", "00ms"] {
        assert_refused(quote!(requires = "a", timeout = #timeout), "expected a duration with its unit");
    }
    assert_refused(quote!(requires = "a", timeout = 330), "expected a duration with its unit");
    for timeout in ["500ms", "330s", "5m", "1h"] {
        super::entry(quote!(requires = "a", timeout = #timeout));
    }
}

#[test]
fn arguments_that_are_no_json_pointers_are_refused() {
    assert_refused(
        quote!(requires = "a", secret = ["password"]),
        "expected JSON pointers to arguments: secret",
    );
    assert_refused(quote!(requires = "a", audit = ["/"]), "expected JSON pointers");
    assert_refused(quote!(requires = "a", audit = []), "expected JSON pointers");
    assert_refused(quote!(requires = "a", audit = [1]), "expected JSON pointers");
}

#[test]
fn an_unknown_task_mode_is_refused() {
    assert_refused(quote!(requires = "a", task = "always"), "task = \"optional\" or task = \"required\"");
    assert_refused(quote!(requires = "a", task = true), "task = \"optional\" or task = \"required\"");
}

#[test]
fn a_reach_that_is_no_table_of_capabilities_is_refused() {
    assert_refused(quote!(requires = "a", reach = ["POST"]), "expected a table for each capability");
    assert_refused(quote!(requires = "a", reach = {}), "expected a table for each capability");
    assert_refused(quote!(requires = "a", reach = { api = {} }), "expected a table for each capability");
    assert_refused(
        quote!(requires = "a", reach = { "http.api" = "POST" }),
        "expected a table for each capability",
    );
}

#[test]
fn names_that_clients_do_not_take_are_refused() {
    let long = "a".repeat(65);
    for name in ["", "two words", "a/b", "straße", long.as_str()] {
        let refusal = refusal(quote!(requires = "a", name = #name));
        assert!(refusal.contains("name"), "{name}: {refusal}");
    }
    assert_refused(quote!(requires = "a", title = "  "), "expected a name for people");
}

#[test]
fn values_that_the_manifest_cannot_hold_are_refused() {
    assert_refused(quote!(requires = 1.5), "expected a role");
    assert_refused(quote!(requires = b'a'), "expected text in quotes");
    assert_refused(quote!(requires = ROLE), "expected text in quotes");
    assert_refused(quote!(requires = "a" title = "b"), "expected `,`");
}
