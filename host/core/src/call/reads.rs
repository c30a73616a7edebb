//! `resources/read`: what a caller gets is what its roles cover, at the URI that it asked for.

use std::borrow::Cow;

use super::passage::{Check, Errand, Passage, shown};
use super::{CallContext, Kind, ResourceRead, result};
use crate::catalog::{Catalog, FoundResource, Guarded, SKILL_SCHEME, media_type};
use crate::domain::{Content, Fault, Outcome, SkillFile};
use crate::principal::Principal;
use crate::sandbox::work;
use crate::secret_arguments::Vault;
use crate::uri::ResourceUri;

impl Passage for ResourceRead {
    const WORK: &'static str = "reading the resource";
    type Found = FoundResource;
    type Work = work::ReadResource;
    type Answer = Vec<Content>;

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
        &self.uri
    }

    fn asked_for(&self) -> String {
        format!("resource {}", shown(&self.uri))
    }

    fn not_found(&self) -> String {
        match ResourceUri::parse(&self.uri) {
            Ok(_) => "no entry of [resources] covers this URI, or it is switched off".into(),
            Err(why) => format!("the URI {why}"),
        }
    }

    fn entry(&self, found: &FoundResource) -> String {
        format!("resource {}", found.uri)
    }

    fn arguments(&self) -> Cow<'_, str> {
        self.uri.as_str().into()
    }

    fn find(&self, catalog: &Catalog) -> Option<FoundResource> {
        catalog.find_resource(&self.context.scope, &self.binding, &self.uri)
    }

    fn check(&self, _: &FoundResource) -> Check {
        Box::new(|| Ok(()).into())
    }

    /// A skill's file. No guest is ever asked for one.
    fn at_hand(&self, found: &FoundResource) -> Option<Result<Vec<Content>, Fault>> {
        if found.uri.scheme() != SKILL_SCHEME && found.binding.exports().resources {
            return None;
        }
        let file = found.binding.skill_file(&found.uri);
        Some(file.map(|file| vec![content(file)]).ok_or_else(|| nothing_at(&found.uri)))
    }

    fn errand(self, found: &FoundResource) -> Errand<Self> {
        let Self { context, answers, .. } = self;
        let (found, principal) = (found.clone(), context.principal.clone());
        Errand {
            context,
            work: work::ReadResource { uri: found.uri.to_string(), answers },
            secrets: Vault::default(),
            outgoing: Box::new(move |outcome| match outcome {
                Outcome::Done(contents) => contained(contents, &found, &principal).map(Outcome::Done),
                Outcome::Ask(question) => Ok(Outcome::Ask(question)),
            }),
        }
    }

    fn size(outcome: &Outcome<Vec<Content>>) -> usize {
        match outcome {
            Outcome::Done(contents) => result::size_of_blocks(contents),
            Outcome::Ask(_) => 0,
        }
    }
}

fn nothing_at(uri: &ResourceUri) -> Fault {
    Fault::new("unknown", format!("there is nothing at {uri}"))
}

fn content(file: &SkillFile) -> Content {
    let text = media_type::is_text(&file.mime_type)
        .then(|| std::str::from_utf8(&file.data).ok().map(str::to_owned))
        .flatten();
    Content {
        kind: "resource".into(),
        data: text.is_none().then(|| file.data.to_vec()),
        text,
        mime_type: Some(file.mime_type.clone()),
        uri: Some(file.uri.clone()),
        ..Content::default()
    }
}

/// What a guest returned: resources alone, and none that this caller could not read by its own URI.
fn contained(
    mut contents: Vec<Content>,
    found: &FoundResource,
    principal: &Principal,
) -> Result<Vec<Content>, Fault> {
    let broken = |why: String| Fault::new("protocol", format!("the plugin returned {why}"));
    if contents.is_empty() {
        return Err(broken("a resource without contents".into()));
    }
    result::check_blocks(&contents, found.binding.reading.limits.result)?;
    for block in &mut contents {
        if block.kind != "resource" {
            return Err(broken(format!("a block of kind \"{}\" for a resource", shown(&block.kind))));
        }
        if block.text.is_some() == block.data.is_some() {
            return Err(broken("a resource that is not either text or data".into()));
        }
        let said = block.uri.take().ok_or_else(|| broken("a resource without its URI".into()))?;
        let uri = ResourceUri::parse(&said)
            .map_err(|why| broken(format!("a resource whose URI \"{}\" {why}", shown(&said))))?;
        if !may_come_along(&uri, found, principal) {
            return Err(broken(format!("another resource than was asked for: {uri}")));
        }
        block.uri = Some(uri.to_string());
        result::clean_block(block);
    }
    Ok(contents)
}

/// What was asked for, what lies below it, and whatever else this caller could ask for. What an entry of its own
/// guards is never part of something above it.
fn may_come_along(uri: &ResourceUri, found: &FoundResource, principal: &Principal) -> bool {
    if *uri == found.uri {
        return true;
    }
    if uri.scheme() == SKILL_SCHEME {
        return false;
    }
    match found.binding.resource(uri) {
        Some(other) => other.allows(principal),
        None => uri.is_below(&found.uri) && !found.binding.rules.guard(uri),
    }
}
