//! Values, their options, and records.

use super::rows;

const PORTS: &str =
    "Value PORT (\\S+)\nValue STATE (up|down)\n\nStart\n  ^port ${PORT}\n  ^state ${STATE} -> Record\n";

#[test]
fn a_record_is_what_was_matched_since_the_last_one() {
    assert_eq!(rows(PORTS, "port 1\nstate up\nport 2\nstate down\n"), ["1|up", "2|down"]);
}

#[test]
fn the_end_of_the_text_records_what_is_left() {
    assert_eq!(rows(PORTS, "port 1\nstate up\nport 2\n"), ["1|up", "2|"]);
}

#[test]
fn a_record_without_anything_is_not_recorded() {
    let template = "Value A (\\w+)\n\nStart\n  ^a ${A}\n  ^- -> Record\n";
    assert_eq!(rows(template, "-\n-\na x\n-\n-\n"), ["x"]);
}

#[test]
fn a_value_that_matched_nothing_is_something() {
    let template = "Value A (\\d*)\n\nStart\n  ^a${A} -> Record\n";
    assert_eq!(rows(template, "a\na1\n"), ["", "1"]);
}

#[test]
fn required_leaves_out_records_without_the_value_and_clears_them() {
    let template = "Value Required A (\\w*)\nValue B (\\w+)\n\nStart\n  ^a ${A}\n  ^b ${B}\n  ^- -> Record\n";
    assert_eq!(rows(template, "b 1\n-\na x\n-\na \nb 2\n-\n"), ["x|"]);
}

#[test]
fn filldown_keeps_its_last_match() {
    let template =
        "Value Filldown A (\\w+)\nValue Required B (\\w+)\n\nStart\n  ^a ${A}\n  ^b ${B} -> Record\n";
    assert_eq!(rows(template, "a x\nb 1\nb 2\na y\nb 3\n"), ["x|1", "x|2", "y|3"]);
}

#[test]
fn a_filldown_that_had_no_part_in_a_match_is_forgotten() {
    let template =
        "Value Filldown A (\\d+)\nValue Required B (\\w+)\n\nStart\n  ^b ${B}( a ${A})? -> Record\n";
    assert_eq!(rows(template, "b x a 1\nb y\nb z\n"), ["1|x", "|y", "|z"]);
}

#[test]
fn a_filldown_alone_is_a_last_record() {
    let template = "Value Filldown A (\\w+)\nValue B (\\w+)\n\nStart\n  ^a ${A}\n  ^b ${B} -> Record\n";
    assert_eq!(rows(template, "a x\nb 1\n"), ["x|1", "x|"]);
    assert_eq!(rows(&format!("{template}\nEOF\n"), "a x\nb 1\n"), ["x|1"]);
}

#[test]
fn fillup_fills_the_records_above_up_to_the_last_that_has_it() {
    let template =
        "Value Required A (\\w+)\nValue Fillup B (\\w*)\n\nStart\n  ^a ${A}( b ${B})?$$ -> Record\n";
    let text = "a 1 b x\na 2\na 3\na 4 b y\na 5\n";
    assert_eq!(rows(template, text), ["1|x", "2|y", "3|y", "4|y", "5|"]);
}

#[test]
fn a_list_collects_its_matches() {
    let template = "Value A (\\d)\nValue List B (\\w+)\n\nStart\n  ^a ${A}\n  ^b ${B}\n  ^- -> Record\n";
    assert_eq!(rows(template, "a 1\nb x\nb y\n-\na 2\n-\n"), ["1|[x,y]", "2|[]"]);
}

#[test]
fn a_list_that_is_filled_down_grows() {
    let template = "Value List,Filldown A (\\w+)\n\nStart\n  ^a ${A} -> Record\n\nEOF\n";
    assert_eq!(rows(template, "a x\na y\n"), ["[x]", "[x,y]"]);
}

#[test]
fn a_list_that_is_required_is_needed_with_something_in_it() {
    let template =
        "Value List,Required A (\\w+)\nValue B (\\w+)\n\nStart\n  ^a ${A}\n  ^b ${B} -> Record\n\nEOF\n";
    assert_eq!(rows(template, "b 1\na x\nb 2\n"), ["[x]|2"]);
}

#[test]
fn a_list_remembers_a_match_that_it_had_no_part_in() {
    let template = "Value List A (\\d+)\nValue B (\\w)\n\nStart\n  ^b ${B}( ${A})?\n";
    assert_eq!(rows(template, "b x 1\nb y\n"), ["[1,-]|y"]);
}

#[test]
fn named_groups_within_a_list_make_tables_of_its_matches() {
    let template = "Value List P ((?P<name>\\w+):\\s+(?P<age>\\d+)(?: (?P<city>\\w+))?)\n\nStart\n  ^${P}\n";
    assert_eq!(
        rows(template, "Bob: 32 Bern\nAda: 36\n"),
        ["[name=Bob age=32 city=Bern,name=Ada age=36 city=-]"]
    );
}

#[test]
fn groups_without_a_name_within_a_list_change_nothing() {
    let template = "Value List P ((\\w)\\w*)\n\nStart\n  ^${P}\n";
    assert_eq!(rows(template, "ab\ncd\n"), ["[ab,cd]"]);
}

#[test]
fn clear_forgets_all_but_what_is_filled_down_and_clearall_forgets_that_too() {
    let template = "Value Filldown A (\\w+)\nValue B (\\w+)\nValue List C (\\w+)\n\nStart\n  ^a ${A}\n  ^b ${B}\n  \
                    ^c ${C}\n  ^clear$$ -> Clear\n  ^clearall -> Clearall\n  ^- -> Record\n\nEOF\n";
    assert_eq!(rows(template, "a x\nb 1\nc 2\nclear\n-\n"), ["x||[]"]);
    assert_eq!(rows(template, "a x\nb 1\nc 2\nclearall\nb 3\n-\n"), ["|3|[]"]);
}

#[test]
fn key_changes_nothing_in_one_table() {
    let template = "Value Key,Required A (\\w+)\n\nStart\n  ^${A} -> Record\n";
    assert_eq!(rows(template, "x\nx\n"), ["x", "x"]);
}
