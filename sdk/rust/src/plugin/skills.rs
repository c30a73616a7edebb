//! Skills in the table.

use crate::Skill;
use crate::skill::File;

/// One skill in the table.
#[derive(Clone, Copy)]
pub struct SkillEntry {
    /// Unique within the plugin.
    pub path: &'static str,
    /// Of its `SKILL.md`, as JSON.
    pub frontmatter: &'static str,
    /// All of them, sorted by path.
    pub files: &'static [File],
    /// The manifest entry: one line of JSON and a line feed.
    pub manifest: &'static str,
}

impl SkillEntry {
    /// The entry of a skill.
    #[must_use]
    pub const fn of<S: Skill>() -> Self {
        Self { path: S::PATH, frontmatter: S::FRONTMATTER, files: S::FILES, manifest: S::MANIFEST }
    }
}
