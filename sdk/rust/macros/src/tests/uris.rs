//! URIs and templates.

use crate::uri::{Part, parts, pattern};

fn literal(text: &str) -> Part {
    Part::Literal(text.to_owned())
}

#[test]
fn a_uri_is_cut_into_pieces() {
    assert_eq!(parts("naas://jobs"), Ok(vec![literal("naas://jobs")]));
    assert_eq!(
        parts("x://a/{id}/b/{+rest}.txt"),
        Ok(vec![
            literal("x://a/"),
            Part::Segment("id".into()),
            literal("/b/"),
            Part::Rest("rest".into()),
            literal(".txt"),
        ])
    );
}

#[test]
fn the_manifest_calls_a_template_by_its_pattern() {
    for (uri, expected) in [
        ("naas://jobs", "naas://jobs"),
        ("naas://jobs/{id}/log", "naas://jobs/*/log"),
        ("naas://files/{+path}", "naas://files/**"),
    ] {
        assert_eq!(pattern(&parts(uri).expect("it is a URI")), expected);
    }
}

#[test]
fn what_is_no_uri_is_refused_with_the_reason() {
    let long = format!("x://{}", "a".repeat(300));
    let many = format!("x://{}", (0..9).map(|n| format!("{{v{n}}}/")).collect::<String>());
    for (uri, reason) in [
        ("jobs", "scheme in lower case"),
        ("X://a", "scheme in lower case"),
        ("x:", "scheme in lower case"),
        ("1x://a", "scheme in lower case"),
        ("{scheme}://a", "scheme in lower case"),
        ("x{a}:b", "scheme in lower case"),
        (long.as_str(), "at most 256"),
        (many.as_str(), "more than 8"),
        ("x://{a", "no partner"),
        ("x://a}", "no partner"),
        ("x://{a}{b}", "nobody can tell where it begins"),
        ("x://{a}/{a}", "stands there twice"),
        ("x://{}", "no variable"),
        ("x://{?q}", "no variable"),
        ("x://{a,b}", "no variable"),
        ("x://{a*}", "no variable"),
        ("x://{/a}", "no variable"),
        ("x://a b", "cannot stand in a URI"),
        ("x://a/*", "cannot stand in a URI"),
        ("x://ä", "cannot stand in a URI"),
    ] {
        let refusal = parts(uri).expect_err(uri);
        assert!(refusal.contains(reason), "{uri}: {refusal}");
    }
}
