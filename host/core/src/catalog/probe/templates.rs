//! Templates: what each expands to must be covered by an entry.

use std::collections::BTreeMap;

use super::super::parts::{MAX_TITLE, Parts, bounded};
use super::failed::{List, ProbeFailed};
use crate::domain::ResourceTemplate;
use crate::manifest::Manifest;
use crate::text::clean;
use crate::uri::UriTemplate;

/// Bytes of a media type.
pub(super) const MAX_MEDIA_TYPE: usize = 128;

pub(super) fn check(
    templates: Vec<ResourceTemplate>,
    manifest: &Manifest,
) -> Result<BTreeMap<String, ResourceTemplate>, ProbeFailed> {
    let mut probed = BTreeMap::new();
    for mut template in templates {
        let item = List::Templates.item(&template.uri_template);
        let read = UriTemplate::parse(&template.uri_template)
            .map_err(|why| ProbeFailed::Template { template: item.name.clone(), why })?;
        if !manifest.resources.keys().any(|pattern| pattern.covers(&read)) {
            return Err(ProbeFailed::NoEntry(item));
        }
        let refused = |refused| ProbeFailed::Part { item: item.clone(), refused };
        bounded("the name", &Some(template.name.clone()), MAX_TITLE).map_err(refused)?;
        bounded("the media type", &template.mime_type, MAX_MEDIA_TYPE).map_err(refused)?;
        template.name = clean(&template.name).into_owned();
        template.mime_type = template.mime_type.map(|kind| clean(&kind).into_owned());
        let parts = Parts {
            title: &mut template.title,
            description: &mut template.description,
            meta: &mut template.meta,
            extra: &mut template.extra,
        };
        parts.take().map_err(refused)?;
        if probed.insert(template.uri_template.clone(), template).is_some() {
            return Err(ProbeFailed::Twice(item));
        }
    }
    Ok(probed)
}
