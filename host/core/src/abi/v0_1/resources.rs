//! `resources`.

use wasmtime::Store;
use wasmtime::component::Instance;

use super::Exports;
use super::convert::{at_most, extras, from_contents, from_fault, from_question, parse_optional, to_answers};
use super::generated::exports::fleetgate::plugin::resources as wit;
use crate::domain::{
    Answers, Content, Fault, MAX_PAGE, MAX_TEMPLATES, Outcome, ResourceInfo, ResourcePage, ResourceTemplate,
};
use crate::sandbox::CallState;

impl Exports {
    /// `resources.list-resources`.
    pub(crate) async fn list_resources(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
        cursor: Option<&str>,
    ) -> wasmtime::Result<Result<ResourcePage, Fault>> {
        let Some(indices) = &self.resources else { return Ok(Ok(ResourcePage::default())) };
        let resources = indices.load(&mut *store, instance)?;
        let listed = resources.call_list_resources(&mut *store, cursor).await?;
        Ok(match listed {
            Ok((resources, next)) => page(resources, next),
            Err(fault) => Err(from_fault(fault)),
        })
    }

    /// `resources.list-templates`. Empty where the component has no resources.
    pub(crate) async fn list_templates(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Result<Vec<ResourceTemplate>, Fault>> {
        let Some(indices) = &self.resources else { return Ok(Ok(Vec::new())) };
        let listed = indices.load(&mut *store, instance)?.call_list_templates(&mut *store).await?;
        Ok(match listed {
            Ok(templates) => at_most(MAX_TEMPLATES, "templates", templates)
                .and_then(|templates| templates.into_iter().map(template).collect()),
            Err(fault) => Err(from_fault(fault)),
        })
    }

    /// `resources.read-resource`.
    #[expect(clippy::ptr_arg, reason = "the generated function takes strings by reference")]
    pub(crate) async fn read_resource(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
        uri: &String,
        answers: Option<&Answers>,
    ) -> wasmtime::Result<Result<Outcome<Vec<Content>>, Fault>> {
        let Some(indices) = &self.resources else {
            return Ok(Err(Fault::new("unknown", "the plugin has no resources")));
        };
        let answers = answers.map(to_answers);
        let resources = indices.load(&mut *store, instance)?;
        let ended = resources.call_read_resource(&mut *store, uri, answers.as_ref()).await?;
        Ok(match ended {
            Ok(wit::ReadOutcome::Done(content)) => {
                extras(content.iter().flat_map(|block| [&block.meta, &block.extra]))
                    .and_then(|()| from_contents(content))
                    .map(Outcome::Done)
            }
            Ok(wit::ReadOutcome::Ask(question)) => from_question(question).map(Outcome::Ask),
            Err(fault) => Err(from_fault(fault)),
        })
    }
}

fn page(resources: Vec<wit::ResourceInfo>, next: Option<String>) -> Result<ResourcePage, Fault> {
    let resources = at_most(MAX_PAGE, "resources in one page", resources)?;
    extras(resources.iter().flat_map(|resource| [&resource.meta, &resource.extra]))?;
    Ok(ResourcePage { resources: resources.into_iter().map(resource).collect::<Result<_, _>>()?, next })
}

fn resource(resource: wit::ResourceInfo) -> Result<ResourceInfo, Fault> {
    Ok(ResourceInfo {
        uri: resource.uri,
        name: resource.name,
        title: resource.title,
        description: resource.description,
        mime_type: resource.mime_type,
        size: resource.size,
        meta: parse_optional("meta of a resource", resource.meta)?,
        extra: parse_optional("extra of a resource", resource.extra)?,
    })
}

fn template(template: wit::ResourceTemplate) -> Result<ResourceTemplate, Fault> {
    Ok(ResourceTemplate {
        uri_template: template.uri_template,
        name: template.name,
        title: template.title,
        description: template.description,
        mime_type: template.mime_type,
        meta: parse_optional("meta of a template", template.meta)?,
        extra: parse_optional("extra of a template", template.extra)?,
    })
}
