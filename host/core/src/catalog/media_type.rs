//! What a file of a skill is, by its ending.

/// Endings of files that stand beside instructions: texts, scripts, data, pictures.
const KNOWN: [(&str, &str); 30] = [
    ("md", "text/markdown"),
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("css", "text/css"),
    ("py", "text/x-python"),
    ("sh", "text/x-shellscript"),
    ("rs", "text/x-rust"),
    ("c", "text/x-c"),
    ("h", "text/x-c"),
    ("js", "text/javascript"),
    ("mjs", "text/javascript"),
    ("ts", "text/typescript"),
    ("json", "application/json"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("toml", "application/toml"),
    ("xml", "application/xml"),
    ("sql", "application/sql"),
    ("j2", "text/plain"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
    ("gz", "application/gzip"),
];

/// The media type of a file; for an unknown ending by whether it is text.
pub(crate) fn by_ending(path: &str, data: &[u8]) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let known = ending.and_then(|ending| KNOWN.iter().find(|(known, _)| *known == ending));
    match known {
        Some((_, kind)) => kind,
        None if std::str::from_utf8(data).is_ok() => "text/plain",
        None => "application/octet-stream",
    }
}

/// Whether a model reads it as text.
pub(crate) fn is_text(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || ["json", "yaml", "toml", "xml", "sql", "javascript", "x-sh"]
            .iter()
            .any(|name| kind.strip_prefix("application/") == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_ending_says() {
        assert_eq!(by_ending("SKILL.md", b""), "text/markdown");
        assert_eq!(by_ending("a.b/Check.PY", b""), "text/x-python");
        assert_eq!(by_ending("LICENSE", b"free"), "text/plain");
        assert_eq!(by_ending("a.b/data", b"\xff"), "application/octet-stream");
        assert!(is_text("text/markdown") && is_text("application/json; charset=utf-8"));
        assert!(is_text("image/svg+xml") && !is_text("image/png") && !is_text("application/pdf"));
    }
}
