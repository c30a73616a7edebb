//! `skills`.

use wasmtime::Store;
use wasmtime::component::Instance;

use super::Exports;
use super::convert::{at_most, extras, from_fault, parse};
use super::generated::exports::fleetgate::plugin::skills as wit;
use crate::domain::{Fault, ListedFile, ListedSkill, MAX_SKILL_FILES, MAX_SKILLS};
use crate::sandbox::CallState;
use crate::text::clean;

impl Exports {
    /// `skills.list-skills`. Empty where the component has no skills.
    pub(crate) async fn list_skills(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Result<Vec<ListedSkill>, Fault>> {
        let Some(indices) = &self.skills else { return Ok(Ok(Vec::new())) };
        let listed = indices.load(&mut *store, instance)?.call_list_skills(&mut *store).await?;
        Ok(match listed {
            Ok(skills) => from_skills(skills),
            Err(fault) => Err(from_fault(fault)),
        })
    }
}

fn from_skills(skills: Vec<wit::Skill>) -> Result<Vec<ListedSkill>, Fault> {
    let skills = at_most(MAX_SKILLS, "skills", skills)?;
    extras(skills.iter().map(|skill| &skill.extra))?;
    skills.into_iter().map(skill).collect()
}

fn skill(skill: wit::Skill) -> Result<ListedSkill, Fault> {
    let name = clean(&skill.path[..skill.path.floor_char_boundary(256)]).into_owned();
    let files = at_most(MAX_SKILL_FILES, &format!("files of the skill \"{name}\""), skill.files)?;
    Ok(ListedSkill {
        frontmatter: parse(&format!("front matter of the skill \"{name}\""), skill.frontmatter)?,
        path: skill.path,
        files: files
            .into_iter()
            .map(|file| ListedFile { path: file.path, mime_type: file.mime_type, data: file.data })
            .collect(),
    })
}
