//! `resources/list`: one page, as its caller may see it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::passage::{Check, Errand, Passage, shown};
use super::{CallContext, Kind, ResourceList};
use crate::catalog::parts::{MAX_TITLE, PartRefused, Parts, bounded, clean_text, label};
use crate::catalog::{Catalog, FoundList, Guarded, LiveBinding, SKILL_SCHEME};
use crate::domain::{Fault, Outcome, ResourceInfo, ResourcePage};
use crate::principal::Principal;
use crate::sandbox::work;
use crate::secret_arguments::Vault;
use crate::text::clean;
use crate::uri::ResourceUri;

/// Bytes of a guest's cursor.
const MAX_CURSOR: usize = 1 << 10;
/// Bytes of a media type.
const MAX_MEDIA_TYPE: usize = 128;
/// What looking at one resource costs, as if it had so many bytes: its URI is compared with every entry.
const EACH: usize = 1 << 10;

impl Passage for ResourceList {
    const WORK: &'static str = "listing the resources";
    type Found = FoundList;
    type Work = work::ListResources;
    type Answer = ResourcePage;

    fn kind(&self) -> Kind {
        Kind::Resource
    }

    fn context(&self) -> &CallContext {
        &self.context
    }

    fn whose(&self) -> Option<&str> {
        Some(&self.binding)
    }

    fn name(&self) -> &str {
        &self.binding
    }

    fn asked_for(&self) -> String {
        "resources/list".into()
    }

    fn not_found(&self) -> String {
        "there is no such binding here".into()
    }

    fn entry(&self, _: &FoundList) -> String {
        "resources/list".into()
    }

    fn arguments(&self) -> Cow<'_, str> {
        self.cursor.as_deref().unwrap_or_default().into()
    }

    fn find(&self, catalog: &Catalog) -> Option<FoundList> {
        let binding = catalog.shown(&self.context.scope, &self.binding)?;
        Some(FoundList { binding: binding.clone() })
    }

    fn check(&self, _: &FoundList) -> Check {
        let long = self.cursor.as_ref().is_some_and(|cursor| cursor.len() > MAX_CURSOR);
        Box::new(move || {
            let checked = match long {
                true => Err(Fault::new("invalid-arguments", "this is no cursor of this list").at("/cursor")),
                false => Ok(()),
            };
            checked.into()
        })
    }

    /// Who may see none of them gets none, and no guest is asked.
    fn at_hand(&self, found: &FoundList) -> Option<Result<ResourcePage, Fault>> {
        let any = found.binding.lists_for(&self.context.principal);
        (!any).then(|| Ok(ResourcePage::default()))
    }

    fn errand(self, found: &FoundList) -> Errand<Self> {
        let Self { context, cursor, .. } = self;
        let (binding, principal) = (found.binding.clone(), context.principal.clone());
        Errand {
            context,
            work: work::ListResources { cursor },
            secrets: Vault::default(),
            outgoing: Box::new(move |listed| page(listed, &binding, &principal).map(Outcome::Done)),
        }
    }

    fn size(listed: &ResourcePage) -> usize {
        listed.resources.len() * EACH
    }
}

fn page(
    listed: ResourcePage,
    binding: &Arc<LiveBinding>,
    principal: &Principal,
) -> Result<ResourcePage, Fault> {
    let next = listed.next;
    if next.as_ref().is_some_and(|cursor| cursor.len() > MAX_CURSOR) {
        return Err(Fault::new(
            "limit",
            format!("the plugin returned a cursor of more than {MAX_CURSOR} bytes"),
        ));
    }
    let (mut resources, mut seen) = (Vec::new(), HashSet::new());
    for resource in listed.resources {
        // One resource has one URI here, however often and in whichever spelling it is listed.
        resources.extend(visible(resource, binding, principal)?.filter(|one| seen.insert(one.uri.clone())));
    }
    Ok(ResourcePage { resources, next })
}

/// None: not for this caller, or for nobody.
fn visible(
    mut resource: ResourceInfo,
    binding: &Arc<LiveBinding>,
    principal: &Principal,
) -> Result<Option<ResourceInfo>, Fault> {
    let uri = ResourceUri::parse(&resource.uri).ok().filter(|uri| uri.scheme() != SKILL_SCHEME);
    let Some(found) = uri.and_then(|uri| binding.resource(&uri)) else {
        binding.uncovered.call_once(|| {
            tracing::warn!(binding = %binding.name, uri = %shown(&resource.uri),
                "a resource is listed that no entry of [resources] exposes; it and others like it are left out");
        });
        return Ok(None);
    };
    if !found.allows(principal) {
        return Ok(None);
    }
    let refused = |refused: PartRefused| {
        let message = format!("{} of the resource \"{}\" {}", refused.part, found.uri, refused.wrong);
        Fault::new("limit", message)
    };
    bounded("the name", &Some(resource.name.clone()), MAX_TITLE).map_err(refused)?;
    bounded("the media type", &resource.mime_type, MAX_MEDIA_TYPE).map_err(refused)?;
    resource.name = clean(&resource.name).into_owned();
    clean_text(&mut resource.mime_type);
    let parts = Parts {
        title: &mut resource.title,
        description: &mut resource.description,
        meta: &mut resource.meta,
        extra: &mut resource.extra,
    };
    parts.take().map_err(refused)?;
    label(binding.label.as_deref(), &mut resource.title, &mut resource.description);
    resource.uri = found.uri.to_string();
    Ok(Some(resource))
}
