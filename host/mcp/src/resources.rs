//! `resources/read` and `resources/templates/list`. The list itself is in [`crate::resource_list`].

use std::time::Duration;

use fleetgate_core::call::{Kind, ResourceRead};
use fleetgate_core::catalog::Scope;
use fleetgate_core::domain::ResourceInfo;
use rmcp::model::{
    ListResourceTemplatesRequestMethod, ListResourceTemplatesResult, PaginatedRequestParams,
    ReadResourceRequestMethod, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Resource,
    ResourceTemplate,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::json;

use crate::annotations::icons;
use crate::asking::{Conducted, Continuation, Ended, Subject, conduct};
use crate::content::{self, From};
use crate::cursor::Of;
use crate::list::{FRESH, cache_hints, cut};
use crate::request::Incoming;
use crate::server::Server;
use crate::uri::{self, Located};
use crate::view::TemplateDefinition;
use crate::{fault, meta};

impl Server {
    /// One resource, or a file of a skill.
    pub(crate) async fn read(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let scope = &self.serving.scope;
        let incoming =
            self.incoming_for::<ReadResourceRequestMethod>(&context, |features| features.resources)?;
        let asked = request.uri;
        let Located { binding, uri } = self.located(&incoming, &asked)?;
        let (voice, listening) = self.observed(&incoming, &context, &binding);
        let calling = self.call_context(&incoming, &context, &binding, voice)?;
        let subject = Subject { binding: &binding, kind: Kind::Resource, name: &asked, arguments: "" };
        let continuation = Continuation { responses: request.input_responses, state: request.request_state };
        let read = |answers| {
            let (context, binding, uri) = (calling.clone(), binding.clone(), uri.clone());
            incoming.view.clone().read_resource(ResourceRead { context, binding, uri, answers })
        };
        let conducted = conduct(self, &context, &incoming, subject, continuation, read);
        let conducted = listening.during(conducted).await?;
        let Ended { reference, binding, result } =
            match conducted.map_err(|refused| fault::refusal(&refused, Some(&asked)))? {
                Conducted::Ended(ended) => ended,
                Conducted::Asks(question) => return Ok(question.into()),
            };
        let failed = |fault| Err(fault::error(&fault, &reference, Some(&asked)));
        let contents = match result {
            // It could mean that there is nothing there as well as that nothing is in it (`server/resources`).
            Ok(contents) if contents.is_empty() => {
                return failed(fault::silent("The plugin answered with no contents."));
            }
            Ok(contents) => contents,
            Err(fault) => return failed(fault),
        };
        let from = From { scope, binding: &binding, era: incoming.era };
        let contents = contents.iter().map(|one| content::contents(&from, one, &uri)).collect();
        let mut result = ReadResourceResult::new(contents);
        meta::answered(incoming.era, &mut result.meta, &binding, Some(&reference));
        // When a plugin's contents change, nobody here knows before it says so.
        (result.ttl_ms, result.cache_scope) = cache_hints(incoming.era, Duration::ZERO);
        Ok(ReadResourceResponse::Complete(result))
    }

    /// The resource that a client names. One that is nobody's is for the core to refuse, which records it.
    pub(crate) fn located(&self, incoming: &Incoming, asked: &str) -> Result<Located, ErrorData> {
        if asked.len() > uri::LONGEST {
            let text = format!("a URI may have at most {} bytes", uri::LONGEST);
            return Err(ErrorData::invalid_params(text, None));
        }
        uri::locate(&*incoming.view, &self.serving.scope, asked).map_err(|ambiguous| {
            ErrorData::invalid_params(ambiguous.to_string(), Some(json!({"uri": asked})))
        })
    }

    /// What its caller may use, sorted by binding and URI template.
    pub(crate) fn templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let serving = &self.serving;
        let incoming =
            self.incoming_for::<ListResourceTemplatesRequestMethod>(&context, |features| features.resources)?;
        let list = Of::named("resources/templates/list");
        let after: Option<(String, String)> = request
            .and_then(|request| request.cursor)
            .map(|cursor| serving.cursors.read(list, &cursor))
            .transpose()?;
        let visible = incoming.view.templates(&serving.scope, &incoming.principal);
        let named =
            visible.iter().map(|one| ((one.binding.to_string(), one.template.uri_template.clone()), one));
        let (page, next) = cut(named, after.as_ref(), serving.limits.page_size);
        let items = page.into_iter().map(|one| template_item(&serving.scope, one)).collect();
        let mut page = ListResourceTemplatesResult::with_all_items(items);
        page.next_cursor = next.map(|last| serving.cursors.at(list, &last)).transpose()?;
        (page.ttl_ms, page.cache_scope) = cache_hints(incoming.era, FRESH);
        meta::stamp(incoming.era, &mut page.meta);
        Ok(page)
    }
}

fn template_item(scope: &Scope, definition: &TemplateDefinition) -> ResourceTemplate {
    let TemplateDefinition { binding, template } = definition;
    let shown = uri::outward(scope, binding, &template.uri_template);
    let mut item = ResourceTemplate::new(shown, &template.name);
    item.title = template.title.clone();
    item.description = template.description.clone();
    item.mime_type = template.mime_type.clone();
    item.icons = icons(template.extra.as_ref());
    item.annotations = content::annotations(template.extra.as_ref());
    item.meta = Some(meta::of_binding(template.meta.as_ref(), scope, binding));
    item
}

/// One item of `resources/list`.
pub(crate) fn item(scope: &Scope, binding: &str, info: &ResourceInfo) -> Resource {
    let name = if info.name.is_empty() { &info.uri } else { &info.name };
    let mut item = Resource::new(uri::outward(scope, binding, &info.uri), name);
    item.title = info.title.clone();
    item.description = info.description.clone();
    item.mime_type = info.mime_type.clone();
    item.size = info.size;
    item.icons = icons(info.extra.as_ref());
    item.annotations = content::annotations(info.extra.as_ref());
    item.meta = Some(meta::of_binding(info.meta.as_ref(), scope, binding));
    item
}
