//! Python's regular expressions.

use super::super::pattern::PatternError;
use super::super::{Alphabet, Pattern};

/// What the expression matches at the beginning of `text`, in the text's own alphabet and in Unicode's.
#[track_caller]
fn matched(python: &str, text: &str) -> Option<String> {
    let find = |alphabet| {
        let pattern =
            Pattern::translate(python, alphabet).unwrap_or_else(|error| panic!("{python}: {error}"));
        let regex = pattern.compile(100_000).unwrap_or_else(|error| panic!("{python}: {error}"));
        regex
            .find(text)
            .unwrap_or_else(|error| panic!("{python}: {error}"))
            .map(|found| found.as_str().to_owned())
    };
    let found = find(Alphabet::of(text));
    assert_eq!(found, find(Alphabet::Unicode), "{python} differs between alphabets on {text:?}");
    found
}

#[track_caller]
fn matches(python: &str, text: &str, expected: &str) {
    assert_eq!(matched(python, text).as_deref(), Some(expected), "{python} on {text:?}");
}

#[track_caller]
fn does_not_match(python: &str, text: &str) {
    assert_eq!(matched(python, text), None, "{python} on {text:?}");
}

#[track_caller]
fn refused(python: &str) -> PatternError {
    match Pattern::translate(python, Alphabet::Ascii) {
        Ok(_) => panic!("{python} was taken"),
        Err(error) => error,
    }
}

#[test]
fn a_match_begins_at_the_beginning() {
    matches("b|a", "ab", "a");
    does_not_match("b", "ab");
    does_not_match("^x|b", "ab");
}

#[test]
fn punctuation_that_is_escaped_is_itself() {
    matches(r#"\<\>\/\:\-\#\"\;\,\%\=\!\'\@\_\ "#, r#"<>/:-#";,%=!'@_ "#, r#"<>/:-#";,%=!'@_ "#);
    matches(r"\.\*\[\]\(\)\|\+\?\{\}\^\$\\", r".*[]()|+?{}^$\", r".*[]()|+?{}^$\");
}

#[test]
fn escapes_of_characters() {
    matches(r"\x41\u0042\t\101\0", "AB\tA\0", "AB\tA\0");
    matches(r"\U00000043[\x44-\x46]", "CE", "CE");
    matches(r"[\b]", "\u{8}", "\u{8}");
    matches(r"\a\f\v", "\u{7}\u{c}\u{b}", "\u{7}\u{c}\u{b}");
}

#[test]
fn sets_are_read_as_python_reads_them() {
    matches("[]a]+", "]a", "]a");
    matches("[^]a]+", "bc]", "bc");
    matches("[[a]+", "[a", "[a");
    matches("[a&&b]+", "a&b", "a&b");
    matches("[+--b~~]+", "+,-b~", "+,-b~");
    matches("[a-]+", "-a", "-a");
    matches(r"[\d.:/-]+", "10.0.0.1/24-x", "10.0.0.1/24-");
    matches(r"[^\S ]+", "\t\t x", "\t\t");
    matches(r"[^\d\s]+", "ab 1", "ab");
    matches(r"[\S+\s+]+", "a b c", "a b c");
    matches("[{}()|*+?.^$]+", "{}()|*+?.^$", "{}()|*+?.^$");
    does_not_match(r"[^\s\S]", "a");
}

#[test]
fn braces_that_count_nothing_are_braces() {
    matches("a{,2}b", "aab", "aab");
    matches("a{2}", "aaa", "aa");
    matches("a{2,}", "aaaa", "aaaa");
    matches("a{}", "a{}", "a{}");
    matches("a{x}{", "a{x}{", "a{x}{");
    matches("{1", "{1", "{1");
    matches("a{1,b}", "a{1,b}", "a{1,b}");
}

#[test]
fn repetition_is_greedy_lazy_or_possessive() {
    matches("a+?", "aaa", "a");
    matches("a*?b", "aab", "aab");
    matches("a??b", "ab", "ab");
    matches("a{1,3}?", "aaa", "a");
    does_not_match("a++a", "aaa");
    does_not_match("a{1,3}+a", "aaa");
    does_not_match("(?>a+)a", "aaa");
}

#[test]
fn look_arounds_look_and_can_be_repeated() {
    matches(r"\w+(?=\s)", "ab c", "ab");
    matches(r"a(?!c)", "ab", "a");
    does_not_match(r"a(?!b)", "ab");
    matches(r"\S+(?<=r)\s", "router x", "router ");
    matches(r"\S+(?<!\()x", "abx", "abx");
    matches(r"(?<=[^()\s])*a", "a", "a");
    matches(r"a(?<=a)+b", "ab", "ab");
    does_not_match(r"a(?<=b)+b", "ab");
    matches(r"a(?=c)?b", "ab", "ab");
}

#[test]
fn references_by_number_and_name() {
    matches(r"(a|b)\1", "bb", "bb");
    does_not_match(r"(a|b)\1", "ab");
    matches(r"(?P<x>a|b)-(?P=x)0", "b-b0", "b-b0");
    matches(r"(a)\1\x31", "aa1", "aa1");
}

#[test]
fn conditions_depend_on_a_group() {
    matches(r"(<)?a(?(1)>|$)", "<a>", "<a>");
    matches(r"(?P<open><)?a(?(open)>)", "a", "a");
    does_not_match(r"(<)?a(?(1)>|$)", "ab");
}

#[test]
fn flags_are_for_their_group() {
    matches("(?i:AB)c", "abc", "abc");
    does_not_match("(?i:ab)c", "ABC");
    matches("(?i:a(?-i:b)C)", "Abc", "Abc");
    matches("(?i:[^a-c]+)", "xyzA", "xyz");
    matches("(?s:a.)(?m:b)", "axb", "axb");
}

#[test]
fn places_and_ends() {
    matches(r"\Aab\Z", "ab", "ab");
    does_not_match("ab$", "abc");
    matches(r"a\b", "a b", "a");
    matches(r"a\Bb", "ab", "ab");
}

#[test]
fn comments_are_passed_over() {
    matches("a(?#the rest)+b", "aab", "aab");
}

#[test]
fn letters_and_digits_of_other_scripts() {
    matches(r"\w+", "Zürich-Süd", "Zürich");
    matches(r"\d+", "٣٤x", "٣٤");
    matches(r"\S+", "Ω…\u{a0}x", "Ω…");
    matches(r"[^ ]+ .", "é ü", "é ü");
    matches(r"[à-ü]+", "éa", "é");
    matches(r"(?i:É)", "é", "é");
    does_not_match(r"\D", "٣");
}

#[test]
fn a_word_is_what_python_calls_one() {
    // A combining mark is no letter for Python.
    matches(r"\w+", "e\u{301}a", "e");
    matches(r"\s+", "\u{1c}\u{1f} x", "\u{1c}\u{1f} ");
}

#[test]
fn what_python_refuses_is_refused() {
    assert_eq!(refused("a**"), PatternError::MultipleRepeat(2));
    assert_eq!(refused("a{2}{3}"), PatternError::MultipleRepeat(4));
    assert_eq!(refused("(*a)"), PatternError::NothingToRepeat(1));
    assert_eq!(refused("a|+"), PatternError::NothingToRepeat(2));
    assert_eq!(refused("^*"), PatternError::NothingToRepeat(1));
    assert_eq!(refused(r"\b+"), PatternError::NothingToRepeat(2));
    assert_eq!(refused("a{3,2}"), PatternError::RepeatBounds(1));
    assert_eq!(refused("a{99999999999}"), PatternError::RepeatBounds(1));
    assert_eq!(refused("[z-a]"), PatternError::Range(1));
    assert_eq!(refused(r"[\d-z]"), PatternError::Range(1));
    assert_eq!(refused("[]"), PatternError::UnclosedSet(0));
    assert_eq!(refused(r"[a\"), PatternError::UnclosedSet(0));
    assert_eq!(refused(r"a\"), PatternError::LoneBackslash);
    assert_eq!(refused(r"\y"), PatternError::UnknownEscape(0, 'y'));
    assert_eq!(refused(r"\x4"), PatternError::UnknownEscape(0, 'x'));
    assert_eq!(refused(r"\N{DASH}"), PatternError::UnknownEscape(0, 'N'));
    assert_eq!(refused("(?P<1>a)"), PatternError::GroupName("1".to_owned()));
    assert_eq!(refused("(?P<a>b)(?P<a>c)"), PatternError::DuplicateGroup("a".to_owned()));
    assert_eq!(refused("(?P=a)"), PatternError::Reference(0));
    assert_eq!(refused(r"(a\1)"), PatternError::Reference(2));
    assert_eq!(refused(r"\2(a)"), PatternError::Reference(0));
    assert_eq!(refused("(?(2)a|b)"), PatternError::Reference(0));
    assert_eq!(refused("(a)(?(1)a|b|c)"), PatternError::Branches(3));
    assert_eq!(refused("(?Pa)"), PatternError::UnknownGroup(0));
    assert_eq!(refused("(?<a>b)"), PatternError::UnknownGroup(0));
    assert_eq!(refused("(?"), PatternError::Unclosed(0));
}

#[test]
fn flags_that_are_not_supported_are_refused() {
    for flags in ["(?i)a", "(?x: a)", "(?a:b)", "(?L:b)"] {
        assert_eq!(refused(flags), PatternError::Flags(0), "{flags}");
    }
}

#[test]
fn expressions_that_are_too_deep_or_too_long_are_refused() {
    assert_eq!(refused(&format!("{}a{}", "(".repeat(100), ")".repeat(100))), PatternError::TooDeep);
    assert_eq!(refused(&"a".repeat(33 << 10)), PatternError::TooLong);
}
