//! The export `resources`.

use super::convert::{answers, content, fault, object, owned, question};
use super::imports::fleetgate::plugin::types;
use super::with_resources::exports::fleetgate::plugin::resources::{
    Guest, ReadOutcome, ResourceInfo, ResourceTemplate,
};
use crate::plugin::{Plugin, check_templates, list_resources, read_resource};
use crate::{Fault, Outcome};

impl<P: Plugin> Guest for P {
    fn list_resources(cursor: Option<String>) -> Result<(Vec<ResourceInfo>, Option<String>), types::Fault> {
        let page = list_resources::<P>(cursor.as_deref()).map_err(fault)?;
        let resources = page
            .resources
            .into_iter()
            .map(|resource| ResourceInfo {
                uri: resource.uri,
                name: resource.name,
                title: resource.title,
                description: resource.description,
                mime_type: resource.mime_type,
                size: resource.size,
                meta: object(resource.meta),
                extra: object(resource.extra),
            })
            .collect();
        Ok((resources, page.next))
    }

    fn list_templates() -> Result<Vec<ResourceTemplate>, types::Fault> {
        check_templates::<P>().map_err(fault)?;
        let templates = P::RESOURCES.iter().filter(|resource| resource.is_template());
        Ok(templates
            .map(|template| ResourceTemplate {
                uri_template: template.uri.to_owned(),
                name: template.name.to_owned(),
                title: owned(template.title),
                description: owned(Some(template.description)),
                mime_type: owned(template.mime_type),
                meta: owned(template.meta),
                extra: owned(template.extra),
            })
            .collect())
    }

    fn read_resource(uri: String, answered: Option<types::Answers>) -> Result<ReadOutcome, types::Fault> {
        let read = || -> Result<_, Fault> { read_resource::<P>(&uri, answers(answered)?) };
        match read() {
            Ok(Outcome::Done(contents)) => Ok(ReadOutcome::Done(contents.into_iter().map(content).collect())),
            Ok(Outcome::Ask(asked)) => Ok(ReadOutcome::Ask(question(asked))),
            Err(failure) => Err(fault(failure)),
        }
    }
}
