//! The export `skills`.

use super::imports::fleetgate::plugin::types;
use super::with_skills::exports::fleetgate::plugin::skills::{Guest, Skill, SkillFile};
use crate::plugin::Plugin;

impl<P: Plugin> Guest for P {
    fn list_skills() -> Result<Vec<Skill>, types::Fault> {
        let file = |file: &crate::skill::File| SkillFile {
            path: file.path.to_owned(),
            mime_type: None,
            data: file.data.to_vec(),
        };
        Ok(P::SKILLS
            .iter()
            .map(|skill| Skill {
                path: skill.path.to_owned(),
                frontmatter: skill.frontmatter.to_owned(),
                files: skill.files.iter().map(file).collect(),
                extra: None,
            })
            .collect())
    }
}
