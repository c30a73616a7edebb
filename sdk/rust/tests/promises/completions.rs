//! Completions.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing;

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Show {
    site: String,
    platform: String,
}

/// Shows.
#[prompt(requires = "any")]
fn show(args: Show) -> Result<String, Fault> {
    Ok(args.platform)
}

/// Shows by URI.
#[template(uri = "x://{site}/{+platform}", requires = "any")]
fn shown(args: Show) -> Result<String, Fault> {
    Ok(args.platform)
}

#[complete(prompt = show, argument = "platform")]
fn platforms(value: &str, given: &Given) -> Completion {
    match given.get("site") {
        Some("lab") => Completion::matching(["iosxr"], value),
        _ => Completion::matching(["IOS", "iosxr", "junos"], value),
    }
}

#[complete(template = shown, argument = "site")]
fn sites(_: &str) -> Result<Vec<String>, Fault> {
    Ok((0..250).map(|n| format!("site-{n}")).collect())
}

#[complete(prompt = show, argument = "site")]
fn failing(_: &str) -> Result<Vec<&'static str>, Fault> {
    Err(Fault::unavailable("The list cannot be had."))
}

fleetgate_sdk::export! { resources: shown; prompts: show; completions: platforms, sites, failing }

#[test]
fn what_was_typed_and_what_is_given_reach_the_function() {
    let values = |value: &str, given: &[(&str, &str)]| {
        testing::complete::<platforms>(value, given).expect("it completes").values
    };
    assert_eq!(values("ios", &[]), ["IOS", "iosxr"]);
    assert_eq!(values("", &[("site", "lab")]), ["iosxr"]);
    assert!(values("x", &[]).is_empty());
}

#[test]
fn completions_are_found_as_the_host_asks_for_them() {
    let ask = |reference: &str, argument: &str| {
        testing::complete_argument::<Exported>(reference, argument, "j", json!({ "site": "hq" }))
    };
    assert_eq!(ask("prompt:show", "platform").expect("it completes").values, ["junos"]);
    assert_eq!(ask("resource:x://{site}/{+platform}", "site").expect("it completes").values.len(), 100);
    for (reference, argument) in [
        ("prompt:show", "other"),
        ("prompt:other", "platform"),
        ("resource:x://", "site"),
        ("show", "platform"),
    ] {
        assert_eq!(ask(reference, argument), Ok(Completion::default()), "{reference} {argument}");
    }
}

#[test]
fn more_than_a_hundred_are_cut_and_said() {
    let completion = testing::complete::<sites>("", &[]).expect("it completes");
    assert_eq!((completion.values.len(), completion.total, completion.has_more), (100, Some(250), true));
}

#[test]
fn a_completion_may_fail() {
    let fault = testing::complete::<failing>("", &[]).expect_err("it fails");
    assert!(fault.is("unavailable"));
}

#[test]
fn what_is_given_must_be_an_object_of_text() {
    let fault = testing::complete_argument::<Exported>("prompt:show", "platform", "", json!({ "site": 1 }));
    assert!(fault.expect_err("it is refused").is("protocol"));
}
