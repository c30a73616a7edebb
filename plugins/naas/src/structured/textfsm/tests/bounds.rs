//! Texts and templates that would take too much: each ends with an error, and none hangs.

use std::time::Duration;

use super::super::{Alphabet, Budget, RunError, Template};
use super::{read, rows};

#[test]
fn an_expression_that_backtracks_without_end_is_stopped() {
    let template = "Value A (\\w+)\n\nStart\n  ^(?:(?=a)a+)+$$\n";
    let error = read(template, &format!("{}b\n", "a".repeat(200))).unwrap_err();
    assert_eq!(error, RunError::Backtracking { rule: 4, line: 1 });
    assert_eq!(error.to_string(), "line 4 of the template takes too many steps on line 1 of the output");
}

#[test]
fn nested_repetition_without_look_arounds_takes_time_in_proportion() {
    let template = "Value A (\\w)\n\nStart\n  ^(a+)+$$\n  ^${A} -> Record\n";
    assert_eq!(rows(template, &format!("{}b\n", "a".repeat(20_000))), ["a"]);
}

#[test]
fn time_is_shared_by_the_parses_of_a_call_and_ends() {
    let template = "Value A (\\w+)\n\nStart\n  ^${A}$$ -> Record\n";
    let text = "word\n".repeat(50_000);
    let mut budget = Budget::new(Duration::from_millis(40));
    let mut parses = 0;
    let error = loop {
        parses += 1;
        assert!(parses < 10_000, "the budget is never used up");
        match Template::parse(template).expect("a template").read(&text, &mut budget) {
            Ok(table) => assert_eq!(table.rows.len(), 50_000),
            Err(error) => break error,
        }
    };
    assert_eq!(error.to_string(), "the template takes longer than 40 ms");
}

#[test]
fn a_line_that_is_too_long_is_refused() {
    let template = "Value A (\\w)\n\nStart\n  ^${A} -> Record\n";
    let longest = "x".repeat(32 << 10);
    assert_eq!(rows(template, &longest), ["x"]);
    assert_eq!(
        read(template, &format!("a\n{longest}x\n")).unwrap_err().to_string(),
        "line 2 of the output has 32769 bytes, and 32768 are allowed"
    );
}

#[test]
fn records_that_grow_without_bound_are_refused() {
    let template = "Value Filldown A (\\w+)\nValue Required B (\\d)\n\nStart\n  ^a ${A}\n  ^${B} -> Record\n";
    let text = format!("a {}\n{}", "x".repeat(10_000), "1\n".repeat(10_000));
    assert_eq!(read(template, &text).unwrap_err().to_string(), "the records take more than 20971520 bytes");
}

#[test]
fn lists_that_are_filled_down_without_bound_are_refused() {
    let template = "Value List,Filldown A (\\w+)\n\nStart\n  ^${A} -> Record\n";
    let error = read(template, &"word\n".repeat(10_000)).unwrap_err();
    assert_eq!(error, RunError::TooLarge { limit: 20 << 20 });
}

#[test]
fn what_fillup_fills_counts() {
    let template = "Value Required A (\\d)\nValue Fillup B (x*)\n\nStart\n  ^${A} ?${B}$$ -> Record\n";
    let text = format!("{}1 {}\n", "1\n".repeat(10_000), "x".repeat(5000));
    assert_eq!(read(template, &text).unwrap_err(), RunError::TooLarge { limit: 20 << 20 });
}

#[test]
fn an_expression_that_compiles_to_too_much_is_refused_with_its_line() {
    let template = Template::parse("Value A (\\w+)\n\nStart\n  ^x\n  ^((a{900}){900}){900} ${A}\n")
        .expect("well written");
    let error = template.compile(Alphabet::Ascii).unwrap_err().to_string();
    assert!(error.starts_with("line 5 of the template: the regular expression cannot be used: "), "{error}");
}
