//! The front matter of a `SKILL.md`: YAML between two lines of three hyphens.
//!
//! Clients are shown a skill's name and description from the list, and a model reads the file. A skill that says one
//! thing here and another there could be chosen for what it is not; so both must be the same (SEP-2640: the list's
//! front matter is that of the file).
//!
//! Only these two texts are looked at. The rest is passed over event by event and never built, so that aliases which
//! unfold into gigabytes, and brackets without end, cost nothing.

use saphyr_parser::{Event, Parser};

/// Bytes of the front matter.
const MAX: usize = 64 << 10;

/// What a `SKILL.md` says of its skill.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FrontMatter {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
}

/// Why it cannot be read. Sentences, which go on from "its front matter".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrontMatterRefused {
    /// There is none.
    #[error("is missing: the file begins with a line ---, name and description, and a line ---")]
    Missing,
    /// Over [`MAX`].
    #[error("has more than {MAX} bytes")]
    Long,
    /// Not YAML.
    #[error("is not YAML: {0}")]
    Yaml(String),
    /// A list, or nothing.
    #[error("is no mapping of keys to values")]
    NoMapping,
    /// Two readers could take it two ways.
    #[error("has the key {0} twice")]
    Twice(String),
    /// A list or mapping.
    #[error("has a {0} that is no text")]
    NoText(&'static str),
}

/// Reads it from the whole file.
pub(super) fn read(file: &[u8]) -> Result<FrontMatter, FrontMatterRefused> {
    let written = between_hyphens(file)?;
    let written =
        std::str::from_utf8(written).map_err(|error| FrontMatterRefused::Yaml(error.to_string()))?;
    let mut events = Parser::new_from_str(written);
    let mut next = move || match events.next_event() {
        Some(Ok((event, _))) => Ok(event),
        Some(Err(error)) => Err(FrontMatterRefused::Yaml(error.to_string())),
        None => Ok(Event::StreamEnd),
    };
    loop {
        match next()? {
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
            Event::MappingStart(..) => break,
            _ => return Err(FrontMatterRefused::NoMapping),
        }
    }
    let mut found = FrontMatter::default();
    loop {
        let key = match next()? {
            Event::MappingEnd => break,
            Event::Scalar(key, ..) => key.into_owned(),
            other => {
                pass_over(other, &mut next)?;
                String::new()
            }
        };
        let (what, place) = match key.as_str() {
            "name" => ("name", &mut found.name),
            "description" => ("description", &mut found.description),
            _ => {
                let value = next()?;
                pass_over(value, &mut next)?;
                continue;
            }
        };
        let Event::Scalar(text, ..) = next()? else { return Err(FrontMatterRefused::NoText(what)) };
        if place.replace(text.into_owned()).is_some() {
            return Err(FrontMatterRefused::Twice(key));
        }
    }
    // What is wrong further on is wrong all the same.
    while next()? != Event::StreamEnd {}
    Ok(found)
}

/// The rest of what began with this event.
fn pass_over<'a>(
    begun: Event<'a>,
    next: &mut impl FnMut() -> Result<Event<'a>, FrontMatterRefused>,
) -> Result<(), FrontMatterRefused> {
    let (mut event, mut depth) = (begun, 0usize);
    loop {
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            Event::StreamEnd => return Err(FrontMatterRefused::NoMapping),
            _ => {}
        }
        if depth == 0 {
            return Ok(());
        }
        event = next()?;
    }
}

fn between_hyphens(file: &[u8]) -> Result<&[u8], FrontMatterRefused> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut lines = file.split_inclusive(|byte| *byte == b'\n');
    let is_end = |line: &[u8]| line.trim_ascii_end() == b"---";
    let first = lines.next().filter(|line| line.ends_with(b"\n") && is_end(line));
    let start = first.ok_or(FrontMatterRefused::Missing)?.len();
    let mut end = start;
    for line in lines {
        if is_end(line) {
            return Ok(&file[start..end]);
        }
        end += line.len();
        if end - start > MAX {
            return Err(FrontMatterRefused::Long);
        }
    }
    Err(FrontMatterRefused::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(yaml: &str) -> Result<FrontMatter, FrontMatterRefused> {
        read(format!("---\n{yaml}---\n# Text\n").as_bytes())
    }

    #[test]
    fn name_and_description_are_read_however_they_are_written() {
        for (yaml, description) in [
            ("name: push\ndescription: How it is done.\n", "How it is done."),
            ("description: \"How it \\u0069s done.\"\nname: 'push'\n", "How it is done."),
            ("name: push\ndescription: >\n  How it\n  is done.\nlicense: MIT\n", "How it is done.\n"),
            ("{name: push, description: How it is done., tags: [a, {b: c}]}\n", "How it is done."),
            ("x: &x [1, 2]\ny: *x\n? [a, b]\n: c\nname: push\ndescription: d\n", "d"),
        ] {
            let read = said(yaml).unwrap_or_else(|refused| panic!("{yaml}: {refused}"));
            assert_eq!(
                (read.name.as_deref(), read.description.as_deref()),
                (Some("push"), Some(description))
            );
        }
        let windows = read(b"\xef\xbb\xbf---\r\nname: push\r\ndescription: d\r\n---\r\nText").unwrap();
        assert_eq!((windows.name.as_deref(), windows.description.as_deref()), (Some("push"), Some("d")));
        assert_eq!(said("license: MIT\n"), Ok(FrontMatter::default()));
    }

    #[test]
    fn what_is_no_front_matter_is_refused() {
        for file in ["", "# Text\n", "---", "---\nname: push\n", " ---\nname: push\n---\n", "----\n---\n"] {
            assert_eq!(read(file.as_bytes()), Err(FrontMatterRefused::Missing), "{file:?}");
        }
        for yaml in ["", "- name\n", "name\n", "~\n"] {
            assert_eq!(said(yaml), Err(FrontMatterRefused::NoMapping), "{yaml:?}");
        }
        assert_eq!(said("name: a\nname: b\n"), Err(FrontMatterRefused::Twice("name".into())));
        assert_eq!(said("description: [a]\n"), Err(FrontMatterRefused::NoText("description")));
        assert_eq!(said("x: &x a\nname: *x\n"), Err(FrontMatterRefused::NoText("name")));
        for yaml in ["name: \"a\n", "name: a\n b: c\n", "{name: a\n", "name: a\n]\n"] {
            assert!(matches!(said(yaml), Err(FrontMatterRefused::Yaml(_))), "{yaml:?}: {:?}", said(yaml));
        }
        assert!(matches!(read(b"---\nname: \xff\n---\n"), Err(FrontMatterRefused::Yaml(_))));
        assert_eq!(said(&format!("name: {}\n", "x".repeat(MAX))), Err(FrontMatterRefused::Long));
    }

    #[test]
    fn what_unfolds_or_nests_without_end_is_passed_over() {
        let mut bomb = "a0: &a0 [x, x]\n".to_owned();
        for level in 1..40 {
            let one = level - 1;
            bomb += &format!("a{level}: &a{level} [*a{one}, *a{one}, *a{one}, *a{one}]\n");
        }
        assert_eq!(said(&format!("{bomb}name: push\n")).unwrap().name.as_deref(), Some("push"));
        assert!(said(&format!("x: {}\nname: push\n", "[".repeat(60_000))).is_err());
    }
}
