//! What a person starts from.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing;

use crate::Exported;
use crate::direct;

fn filled(name: &str, arguments: Value) -> String {
    let outcome = testing::get_prompt::<Exported>(name, arguments).expect("the prompt is filled in");
    let Outcome::Done(messages) = outcome else { panic!("{name} asks") };
    let [message] = &messages[..] else { panic!("one message") };
    message.content.text.clone().expect("text")
}

fn in_order(text: &str, parts: &[&str]) {
    let mut at = 0;
    for part in parts {
        at += text[at..].find(part).unwrap_or_else(|| panic!("{part:?} is not in its place: {text}"));
    }
}

#[test]
fn show_commands_names_device_commands_and_tool() {
    let text = filled(
        "show_commands",
        json!({ "host": "core1", "platform": "cisco_ios", "commands": " show clock ,, show version" }),
    );
    in_order(&text, &["core1 (cisco_ios)", "- `show clock`", "- `show version`", "send_command"]);
    assert!(text.contains(r#"["show clock","show version"]"#), "{text}");
    assert!(text.contains("report the output of each command"), "{text}");
}

#[test]
fn config_push_looks_before_and_after() {
    let text = filled(
        "config_push",
        json!({ "host": "core1", "platform": "cisco_ios", "commands": "hostname R1, no ip domain lookup" }),
    );
    in_order(
        &text,
        &[
            "- `hostname R1`",
            "1. ",
            "show running-config",
            "2. ",
            "send_config",
            "save_config false",
            "3. ",
            "show",
            "4. ",
        ],
    );
    assert!(!text.contains("commit true"), "{text}");
    let junos = json!({ "host": "r1", "platform": "juniper_junos", "commands": "set system host-name x" });
    assert!(filled("config_push", junos).contains("commit true"));
}

#[test]
fn save_is_yes_in_any_spelling_and_no_otherwise() {
    let with = |save: &str| {
        filled("config_push", json!({ "host": "a", "platform": "cisco_ios", "commands": "x", "save": save }))
    };
    for yes in ["yes", "YES", "true", "1", " Yes "] {
        assert!(with(yes).contains("save_config true"), "{yes}");
    }
    for no in ["no", "false", "0", "", "No"] {
        assert!(with(no).contains("save_config false"), "{no}");
    }
    let odd = json!({ "host": "a", "platform": "cisco_ios", "commands": "x", "save": "perhaps" });
    let fault = testing::get_prompt::<Exported>("config_push", odd).expect_err("refused");
    assert_eq!(fault.field.as_deref(), Some("/save"));
}

#[test]
fn troubleshooting_goes_from_version_to_load() {
    let text = filled("troubleshoot_device", json!({ "host": "core1", "platform": "cisco_ios" }));
    in_order(
        &text,
        &[
            "core1 (cisco_ios)",
            "show version",
            "show interfaces status",
            "show logging last 50",
            "show processes cpu history",
            "summarise",
            "flag",
        ],
    );
}

#[test]
fn a_prompt_without_commands_is_refused() {
    for name in ["show_commands", "config_push"] {
        let fault =
            testing::get_prompt::<Exported>(name, json!({ "host": "a", "platform": "b", "commands": " , " }))
                .expect_err("refused");
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/commands")));
    }
}

#[test]
fn the_arguments_are_those_of_the_product_page() {
    let prompts = testing::list_prompts::<Exported>().expect("the prompts can be listed");
    let declared: Vec<(String, Vec<(String, bool)>)> = prompts
        .iter()
        .map(|prompt| {
            let arguments = prompt["arguments"].as_array().expect("arguments").iter();
            let arguments = arguments
                .map(|one| (one["name"].as_str().expect("a name").to_owned(), one["required"] == true));
            assert_eq!(prompt["manifest"]["requires"], "operator");
            (prompt["name"].as_str().expect("a name").to_owned(), arguments.collect())
        })
        .collect();
    let of = |name: &str, arguments: &[(&str, bool)]| {
        (name.to_owned(), arguments.iter().map(|(name, required)| ((*name).to_owned(), *required)).collect())
    };
    assert_eq!(
        declared,
        [
            of("show_commands", &[("host", true), ("platform", true), ("commands", true)]),
            of("config_push", &[("host", true), ("platform", true), ("commands", true), ("save", false)]),
            of("troubleshoot_device", &[("host", true), ("platform", true)]),
        ]
    );
}

#[test]
fn platforms_are_completed_in_every_prompt() {
    for prompt in ["show_commands", "config_push", "troubleshoot_device"] {
        let complete = |typed: &str| {
            testing::complete_argument::<Exported>(&format!("prompt:{prompt}"), "platform", typed, json!({}))
                .expect("it completes")
                .values
        };
        assert_eq!(complete("junip"), ["juniper_junos"]);
        assert_eq!(complete("").len(), direct::PLATFORMS.len());
        assert!(complete("nothing").is_empty());
    }
    let save = testing::complete_argument::<Exported>("prompt:config_push", "save", "y", json!({}));
    assert_eq!(save.expect("it completes").values, ["yes"]);
}
