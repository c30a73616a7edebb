//! Templates that are refused: each names its line and what is wrong with it.

use super::super::Template;

#[track_caller]
fn refused(template: &str, expected: &str) {
    match Template::parse(template) {
        Ok(_) => panic!("{template:?} was taken"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

/// A template whose second line is `line`.
fn with_value(line: &str) -> String {
    format!("Value A (\\w+)\n{line}\n\nStart\n  ^${{A}}\n")
}

/// A template whose fourth line is `line`.
fn with_rule(line: &str) -> String {
    format!("Value A (\\w+)\n\nStart\n{line}\n")
}

#[test]
fn a_value_that_is_not_written_as_one() {
    let form = "line 2: a value is written `Value [options] NAME (regular expression)`";
    refused(&with_value("Value B"), form);
    refused(&with_value("Value Filldown B"), form);
    refused(&with_value("Value  B (x)"), form);
}

#[test]
fn options_that_do_not_exist_or_are_given_twice() {
    refused(
        &with_value("Value Unique B (x)"),
        "line 2: `Unique` is not an option of a value: Filldown, Fillup, Key, List and Required are",
    );
    refused(&with_value("Value List,List B (x)"), "line 2: the option List is given twice");
}

#[test]
fn names_of_values_that_cannot_be_groups() {
    refused(
        &with_value("Value B-C (x)"),
        "line 2: `B-C` is no name for a value, or longer than 48 characters",
    );
    refused(&with_value("Value 1B (x)"), "line 2: `1B` is no name for a value, or longer than 48 characters");
    let long = "B".repeat(49);
    let expected = format!("line 2: `{long}` is no name for a value, or longer than 48 characters");
    refused(&with_value(&format!("Value {long} (x)")), &expected);
}

#[test]
fn a_value_that_was_declared_before() {
    refused(&with_value("Value A (x)"), "line 2: the value A was declared before");
}

#[test]
fn a_value_without_its_parentheses() {
    let expected = "line 2: the regular expression of the value B must begin with ( and end with )";
    refused(&with_value("Value List B x)"), expected);
    refused(&with_value("Value B (x"), expected);
    refused(&with_value("Value B (x\\)"), expected);
}

#[test]
fn text_among_the_values() {
    refused(
        &with_value("Start"),
        "line 2: the values end with an empty line, and `Value ...` is the only thing before it",
    );
}

#[test]
fn a_template_without_a_beginning() {
    refused("", "there is no state Start");
    refused("Value A (x)\n\nBegin\n  ^${A}\n", "there is no state Start");
}

#[test]
fn states_with_names_that_are_taken_or_none() {
    let name = |name: &str| {
        format!(
            "line 6: `{name}` is no name for a state: letters, digits and _, at most 48, and no operator's name"
        )
    };
    for wrong in ["A state", "Continue", "Record", "Clearall", "a-b"] {
        refused(&format!("{}\n{wrong}\n  ^x\n", with_rule("  ^x")), &name(wrong));
    }
    refused(&format!("{}\nStart\n  ^x\n", with_rule("  ^x")), "line 6: the state Start was described before");
}

#[test]
fn reserved_states_with_rules() {
    refused(&format!("{}\nEnd\n  ^x\n", with_rule("  ^x")), "line 6: the state End must have no rules");
    refused(&format!("{}\nEOF\n  ^x\n", with_rule("  ^x")), "line 6: the state EOF must have no rules");
}

#[test]
fn rules_that_do_not_begin_as_rules_do() {
    let expected = "line 4: a rule begins with one or two spaces or a tab, and ^";
    for wrong in ["^x", "   ^x", "  x", "x"] {
        refused(&with_rule(wrong), expected);
    }
}

#[test]
fn actions_that_are_none() {
    let expected =
        "line 4: what follows -> is not [line action][.record action] [state], or Error \"message\"";
    for wrong in
        ["->Record", "-> Next.Nothing", "-> Record.Next", "-> Start Start", "-> Record a-b", "-> Next."]
    {
        refused(&with_rule(&format!("  ^x {wrong}")), expected);
    }
}

#[test]
fn continue_with_a_state_and_messages_without_error() {
    refused(
        &with_rule("  ^x -> Continue Start"),
        "line 4: Continue stays in its state: a new state needs Next",
    );
    refused(&with_rule("  ^x -> \"why\""), "line 4: only Error takes a message in quotes");
    refused(&with_rule("  ^x -> Next \"why\""), "line 4: only Error takes a message in quotes");
}

#[test]
fn states_that_do_not_exist() {
    refused(&with_rule("  ^x -> Nowhere"), "line 4: the state Nowhere does not exist");
}

#[test]
fn dollars_that_are_neither_an_end_nor_a_value() {
    refused(&with_rule("  ^${B}"), "line 4: `${B}` is not a value of this template");
    let lone = "line 4: a $ must be $$ (the end of a line) or the beginning of ${NAME}";
    for wrong in ["  ^x$", "  ^(x$|y)", "  ^${A", "  ^${}", "  ^$1"] {
        refused(&with_rule(wrong), lone);
    }
}

#[test]
fn expressions_that_python_refuses_too() {
    refused(&with_value("Value B (x(y)"), "line 2: the regular expression has a ( without its ) at 0");
    refused(&with_rule("  ^(x"), "line 4: the regular expression has a ( without its ) at 1");
    refused(&with_rule("  ^x)"), "line 4: the regular expression has a ) without its ( at 2");
    refused(&with_rule("  ^[x"), "line 4: the regular expression has a [ without its ] at 1");
    refused(&with_rule("  ^*"), "line 4: the regular expression has nothing to repeat at 1");
    refused(&with_rule("  ^${A} ${A}"), "line 4: the regular expression has two groups that are named A");
    refused(&with_rule(r"  ^\q"), r"line 4: the regular expression has `\q` at 1, which means nothing");
}

#[test]
fn templates_and_expressions_that_are_too_long() {
    let long = format!("{}# {}\n", with_rule("  ^x"), "x".repeat(128 << 10));
    refused(&long, &format!("the template has {} bytes, and 131072 are allowed", long.len()));
    let values: String = (0..40).map(|number| format!("Value V{number} ({})\n", "x".repeat(1000))).collect();
    let rule: String = (0..40).map(|number| format!("${{V{number}}}")).collect();
    refused(
        &format!("{values}\nStart\n  ^{rule}\n"),
        "line 43: the regular expression is longer than 32768 bytes",
    );
}
