//! States, rules and their actions, and lines.

use super::super::lines::lines;
use super::super::{RunError, Template};
use super::{read, rows};

#[test]
fn the_first_rule_that_matches_takes_the_line() {
    let template = "Value A (\\w+)\nValue B (\\w+)\n\nStart\n  ^x ${A}\n  ^x ${B}\n";
    assert_eq!(rows(template, "x 1\n"), ["1|"]);
}

#[test]
fn continue_lets_the_rules_that_follow_see_the_line() {
    let template =
        "Value List A (\\d)\n\nStart\n  ^${A} -> Continue\n  ^\\d ${A} -> Continue\n  ^\\d \\d ${A}\n";
    assert_eq!(rows(template, "1 2 3\n4 5\n"), ["[1,2,3,4,5]"]);
}

#[test]
fn continue_record_records_before_the_line_is_read_further() {
    let template = "Value Required A (\\w+)\nValue List B (\\d+)\n\nStart\n  ^\\w -> Continue.Record\n  ^${A}:\n  ^ +${B}\n";
    assert_eq!(rows(template, "x:\n  1\n  2\ny:\n  3\n"), ["x|[1,2]", "y|[3]"]);
}

#[test]
fn a_rule_leads_to_another_state_from_the_next_line_on() {
    let template = "Value A (\\w+)\n\nStart\n  ^begin -> Table\n  ^${A} -> Record\n\nTable\n  ^end -> Next.NoRecord Start\n  \
                    ^row ${A} -> Next.Record\n";
    assert_eq!(rows(template, "x\nbegin\nz\nrow y\nend\nw\n"), ["x", "y", "w"]);
}

#[test]
fn a_line_that_no_rule_knows_is_passed_over() {
    assert_eq!(rows("Value A (\\d+)\n\nStart\n  ^${A}$$ -> Record\n", "1\nx\n2 2\n3\n"), ["1", "3"]);
}

#[test]
fn end_stops_without_a_last_record() {
    let template = "Value A (\\w+)\n\nStart\n  ^stop -> End\n  ^${A}\n";
    assert_eq!(rows(template, "x\nstop\ny\n"), [""; 0]);
    assert_eq!(rows(&format!("{template}\nEnd\n"), "x\nstop\ny\n"), [""; 0]);
}

#[test]
fn eof_stops_with_a_last_record() {
    let template = "Value A (\\w+)\n\nStart\n  ^stop -> EOF\n  ^${A}\n";
    assert_eq!(rows(template, "x\nstop\ny\n"), ["x"]);
}

#[test]
fn an_empty_state_eof_leaves_the_last_record_out() {
    assert_eq!(rows("Value A (\\w+)\n\nStart\n  ^${A}\n\nEOF\n", "x\n"), [""; 0]);
}

#[test]
fn error_refuses_the_text_and_says_where() {
    let template = "Value A (\\d+)\n\nStart\n  ^${A}\n  ^. -> Error\n";
    let error = read(template, "1\n\nx y\n").unwrap_err();
    assert_eq!(error, RunError::Unknown { rule: 5, line: 3, message: None });
    assert_eq!(
        error.to_string(),
        "the template does not know line 3 of the output: its own line 5 says Error"
    );
}

#[test]
fn error_can_have_a_message_or_a_word() {
    let template = |action: &str| format!("Value A (\\d+)\n\nStart\n  ^. -> Error {action}\n");
    let message = |action: &str| match read(&template(action), "x\n") {
        Err(RunError::Unknown { message, .. }) => message.expect("a message"),
        other => panic!("{other:?}"),
    };
    assert_eq!(message("\"not a table, at all\""), "not a table, at all");
    assert_eq!(message("Broken"), "Broken");
}

#[test]
fn an_arrow_in_the_expression_is_not_the_action() {
    let template = "Value A (\\w+)\n\nStart\n  ^x -> ${A} -> Record\n  ^y->${A}\n";
    assert_eq!(rows(template, "x -> 1\ny->2\n"), ["1", "2"]);
}

#[test]
fn an_action_may_be_empty() {
    assert_eq!(rows("Value A (\\w+)\n\nStart\n  ^${A} ->\n", "x\n"), ["x"]);
}

#[test]
fn rules_begin_with_one_or_two_spaces_or_a_tab() {
    assert_eq!(rows("Value A (\\w+)\n\nStart\n ^a ${A}\n\t^b ${A}\n  ^c ${A} -> Record\n", "c x\n"), ["x"]);
}

#[test]
fn comments_and_spaces_at_the_end_are_passed_over() {
    let template =
        "# who made it\nValue A (\\w+)  \n  # between\n\n# before a state\n\nStart \n  # within\n  ^${A}  \n";
    assert_eq!(rows(template, "x\n"), ["x"]);
}

#[test]
fn a_value_stands_in_rules_with_and_without_braces() {
    assert_eq!(rows("Value A (\\w+)\nValue B (\\w+)\n\nStart\n  ^$A-${B}$$\n", "x-y\n"), ["x|y"]);
}

#[test]
fn a_template_without_values_takes_dollars_as_they_are_and_gives_nothing() {
    assert_eq!(rows("\nStart\n  ^x$ -> Error\n", "xy\n"), [""; 0]);
    assert!(read("\nStart\n  ^x$ -> Error\n", "x\n").is_err());
}

#[test]
fn lines_end_where_python_ends_them() {
    let all: Vec<&str> =
        lines("a\nb\r\nc\rd\u{b}e\u{c}f\u{1c}g\u{1d}h\u{1e}i\u{85}j\u{2028}k\u{2029}l").collect();
    assert_eq!(all, ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]);
    assert_eq!(lines("a\n\nb\n").collect::<Vec<_>>(), ["a", "", "b"]);
    assert_eq!(lines("").count(), 0);
}

#[test]
fn names_and_keys_are_told() {
    let template = Template::parse("Value Key A (x)\nValue B (y)\n\nStart\n  ^${A}\n").expect("a template");
    assert_eq!(template.header(), ["A", "B"]);
    assert_eq!(template.keys(), ["A"]);
}
