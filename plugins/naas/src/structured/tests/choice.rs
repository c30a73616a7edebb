//! Which template is for a command, and the operator's own.

use std::time::Duration;

use serde_json::json;

use super::super::index::{CommandPattern, complete};
use super::super::own::{OwnError, OwnTemplates};
use super::super::textfsm::Budget;
use super::super::{Parsed, parse_with};

const WIDGETS: &str = "# cisco_ios, sh[[ow]] wid[[gets]]\nValue Required NAME (\\S+)\nValue List PORTS (\\d+)\n\nStart\n  \
                       ^\\S -> Continue.Record\n  ^${NAME}:\n  ^ +${PORTS}\n  ^. -> Error\n";

fn with(templates: &[&str], platform: &str, command: &str, output: &str) -> Parsed {
    let own =
        OwnTemplates::new(templates.iter().map(|text| (*text).to_owned()).collect()).expect("within bounds");
    parse_with(&own, platform, command, output, &mut Budget::new(Duration::from_secs(60)))
}

fn failed(templates: &[&str], output: &str) -> String {
    match with(templates, "cisco_ios", "show widgets", output) {
        Parsed::Failed(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn is_for(pattern: &str, command: &str) -> bool {
    CommandPattern::new(pattern).matches(command).unwrap_or_else(|reason| panic!("{pattern}: {reason}"))
}

#[test]
fn brackets_complete_a_word() {
    assert_eq!(complete("abc[[xyz]] d"), "abc(x(y(z)?)?)? d");
    assert_eq!(complete("[[/]]ip a[[ddr]]"), "(/)?ip a(d(d(r)?)?)?");
    assert_eq!(complete("plain [a-z]"), "plain [a-z]");
    assert_eq!(complete("open [[xyz"), "open [[xyz");
    assert_eq!(complete("[[]]x]]"), "(](](x)?)?)?");
}

#[test]
fn a_command_may_be_shortened_within_its_brackets() {
    for command in ["sh ver", "sho ver", "show version", "sh versio"] {
        assert!(is_for("sh[[ow]] ver[[sion]]", command), "{command}");
    }
    for command in ["s ver", "shw ver", "show ve", " show version"] {
        assert!(!is_for("sh[[ow]] ver[[sion]]", command), "{command}");
    }
}

#[test]
fn an_expression_is_for_every_command_that_begins_with_it() {
    assert!(is_for("sh[[ow]] ver[[sion]]", "show version | include uptime"));
    assert!(!is_for(r"sh[[ow]] ver[[sion]]\s*$", "show version | include uptime"));
    assert!(is_for(r"sh[[ow]] int[[erfaces]] \S+", "show interfaces Ä1"));
}

#[test]
fn a_template_of_the_operator_makes_rows_with_keys_in_lower_case() {
    let rows = json!([{"name": "a", "ports": ["1", "2"]}, {"name": "b", "ports": []}]);
    let Parsed::Rows(found) = with(&[WIDGETS], "cisco_ios", " sh widg ", "a:\n  1\n  2\nb:\n") else {
        panic!("no rows")
    };
    assert_eq!(json!(found), rows);
}

#[test]
fn groups_within_a_list_are_objects() {
    let template =
        "# linux, ports\nValue List PORTS ((?P<number>\\d+)(?P<kind>[a-z])?)\n\nStart\n  ^${PORTS}\n";
    let Parsed::Rows(found) = with(&[template], "linux", "ports", "1a\n2\n") else { panic!("no rows") };
    assert_eq!(
        json!(found),
        json!([{"ports": [{"number": "1", "kind": "a"}, {"number": "2", "kind": null}]}])
    );
}

#[test]
fn the_first_template_of_the_operator_that_is_for_the_command_wins() {
    let other = "# cisco_ios, show widgets\nValue A (\\S+)\n\nStart\n  ^${A}\n";
    let Parsed::Rows(found) = with(&[other, WIDGETS], "cisco_ios", "show widgets", "a:\n") else {
        panic!("no rows")
    };
    assert_eq!(json!(found), json!([{"a": "a:"}]));
    let elsewhere = "# cisco_nxos, show widgets\nValue A (\\S+)\n\nStart\n  ^${A}\n";
    let Parsed::Rows(found) = with(&[elsewhere, WIDGETS], "cisco_ios", "show widgets", "a:\n") else {
        panic!("no rows")
    };
    assert_eq!(json!(found), json!([{"name": "a", "ports": []}]));
}

#[test]
fn an_output_of_which_nothing_is_for_the_template_stays_as_it_is() {
    assert_eq!(with(&[WIDGETS], "cisco_ios", "show widgets", "\n"), Parsed::NoTemplate);
}

#[test]
fn a_line_that_the_template_refuses_is_named() {
    assert_eq!(
        failed(&[WIDGETS], "a:\nb: ?\n?\n -\n"),
        "template 1 of the setting `templates`: the template does not know line 3 of the output: \
         its own line 9 says Error"
    );
}

#[test]
fn a_template_without_its_heading_is_refused_with_its_number() {
    for wrong in ["Value A (x)\n\nStart\n  ^${A}\n", "# cisco_ios\n", "# , x\n", "# cisco_ios,\n", ""] {
        assert_eq!(
            failed(&[WIDGETS.replace("cisco_ios", "linux").as_str(), wrong], "a:\n"),
            "the setting `templates`, template 2, line 1: a template begins with a comment `# platform, command`, \
             like `# cisco_ios, sh[[ow]] ver[[sion]]`"
        );
    }
}

#[test]
fn a_heading_with_a_broken_expression_is_refused() {
    assert_eq!(
        failed(&["# cisco_ios, show (widgets\n"], "a:\n"),
        "the setting `templates`, template 1, line 1: the command has a ( without its ) at 5"
    );
}

#[test]
fn a_broken_template_is_refused_with_its_line_before_any_line_meets_it() {
    let broken = WIDGETS.replace("${NAME}:", "${NAME:");
    assert_eq!(
        failed(&[&broken], "a:\n"),
        "template 1 of the setting `templates`: line 7: a $ must be $$ (the end of a line) or the beginning of ${NAME}"
    );
    let unusable = WIDGETS.replace("^. ->", "^never ((a{900}){900}){900} ->");
    let reason = failed(&[&unusable], "a:\n");
    let beginning = "template 1 of the setting `templates`: line 9 of the template: the regular expression cannot be used";
    assert!(reason.starts_with(beginning), "{reason}");
}

#[test]
fn more_templates_than_are_read_are_refused() {
    let many = OwnTemplates::new(vec![String::new(); 65]).unwrap_err();
    assert_eq!(many, OwnError::TooMany(65));
    assert_eq!(many.to_string(), "the setting `templates` has 65 templates, and at most 64 are read");
    assert_eq!(OwnTemplates::new(vec!["x".repeat(513 << 10)]).unwrap_err(), OwnError::TooLong(513 << 10));
}

#[test]
fn an_output_that_is_too_long_stays_as_it_is() {
    let reason = failed(&[WIDGETS], &"x".repeat((8 << 20) + 1));
    assert_eq!(reason, "the output has 8388609 bytes, and at most 8388608 are parsed");
}

#[cfg(not(ntc_templates))]
#[test]
fn a_plugin_without_templates_says_so() {
    assert_eq!(
        failed(&[], "a:\n"),
        "this plugin was built without the ntc-templates, and no template of the setting `templates` is for this command"
    );
    assert_eq!(super::super::notices(), "");
}

#[cfg(ntc_templates)]
mod packed {
    use super::*;

    #[test]
    fn a_template_of_the_operator_comes_before_the_packed_ones() {
        let own = "# cisco_ios, sh[[ow]] ver[[sion]]\nValue LINE (.+)\n\nStart\n  ^${LINE} -> End.Record\n";
        let own = own.replace("End.Record", "Record End");
        let Parsed::Rows(found) = with(&[&own], "cisco_ios", "show version", "Cisco\n") else {
            panic!("no rows")
        };
        assert_eq!(json!(found), json!([{"line": "Cisco"}]));
    }

    #[test]
    fn netmikos_other_name_of_a_platform_has_its_templates() {
        let output = include_str!("outputs/cisco_ios/show_ip_arp.txt");
        let rows = with(&[], "cisco_ios", "show ip arp", output);
        assert!(matches!(rows, Parsed::Rows(_)));
        assert_eq!(with(&[], "cisco_xe", "show ip arp", output), rows);
    }

    #[test]
    fn platforms_and_commands_without_a_template_stay_as_they_are() {
        assert_eq!(with(&[], "acme_os", "show version", "x\n"), Parsed::NoTemplate);
        assert_eq!(with(&[], "linux", "uptime", "x\n"), Parsed::NoTemplate);
    }

    #[test]
    fn an_error_message_of_the_device_is_not_taken_for_a_table() {
        let Parsed::Failed(reason) = with(&[], "cisco_ios", "show ip arp", "% Invalid input detected\n")
        else {
            panic!("no warning")
        };
        assert!(
            reason.starts_with("template cisco_ios_show_ip_arp.textfsm: the template does not know line 1 "),
            "{reason}"
        );
    }

    #[test]
    fn the_licence_and_the_makers_are_told() {
        let notices = super::super::super::notices();
        for part in ["ntc-templates 9.", "Network to Code", "Apache License", "TERMS AND CONDITIONS"] {
            assert!(notices.contains(part), "{part} is missing");
        }
    }
}
