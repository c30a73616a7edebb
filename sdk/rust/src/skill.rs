//! Skills: instructions for a model, with the files that belong to them (SEP-2640).

/// A skill. `#[skill("directory", requires = "…")]` implements it for a struct without fields.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a skill",
    note = "write #[skill(\"skills/…\", requires = \"…\")] struct {Self};"
)]
pub trait Skill {
    /// Where it lies; the last segment is its name.
    const PATH: &'static str;
    /// The front matter of its `SKILL.md`, as JSON.
    const FRONTMATTER: &'static str;
    /// All of them, sorted by path.
    const FILES: &'static [File];
    /// The manifest entry: one line of JSON and a line feed.
    const MANIFEST: &'static str;
}

/// One file of a skill.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// Relative to the skill's directory: `SKILL.md`, `scripts/check.py`.
    pub path: &'static str,
    /// What it holds.
    pub data: &'static [u8],
}
