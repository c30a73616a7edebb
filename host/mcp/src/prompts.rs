//! `prompts/list` and `prompts/get`.

use fleetgate_core::call::{Kind, PromptGet};
use rmcp::model::{
    GetPromptRequestMethod, GetPromptRequestParams, GetPromptResponse, GetPromptResult,
    ListPromptsRequestMethod, ListPromptsResult, PaginatedRequestParams, Prompt, PromptArgument,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

use crate::annotations::icons;
use crate::asking::{Conducted, Continuation, Ended, Subject, conduct};
use crate::content::{self, From};
use crate::cursor::Of;
use crate::list::{FRESH, cache_hints, cut};
use crate::request::text;
use crate::server::Server;
use crate::view::PromptDefinition;
use crate::{fault, meta};

impl Server {
    /// What its caller may have, sorted by name.
    pub(crate) fn prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let serving = &self.serving;
        let incoming =
            self.incoming_for::<ListPromptsRequestMethod>(&context, |features| features.prompts)?;
        let list = Of::named("prompts/list");
        let after: Option<String> = request
            .and_then(|request| request.cursor)
            .map(|cursor| serving.cursors.read(list, &cursor))
            .transpose()?;
        let visible = incoming.view.prompts(&serving.scope, &incoming.principal);
        let named = visible.iter().map(|prompt| (prompt.name.clone(), prompt));
        let (page, next) = cut(named, after.as_ref(), serving.limits.page_size);
        let items = page.into_iter().map(|prompt| self.prompt_item(prompt)).collect();
        let mut page = ListPromptsResult::with_all_items(items);
        page.next_cursor = next.map(|last| serving.cursors.at(list, &last)).transpose()?;
        (page.ttl_ms, page.cache_scope) = cache_hints(incoming.era, FRESH);
        meta::stamp(incoming.era, &mut page.meta);
        Ok(page)
    }

    fn prompt_item(&self, definition: &PromptDefinition) -> Prompt {
        let declared = &definition.prompt;
        let arguments = declared.arguments.iter().map(|declared| {
            let mut argument = PromptArgument::new(&declared.name).with_required(declared.required);
            (argument.title, argument.description) = (declared.title.clone(), declared.description.clone());
            argument
        });
        let arguments = Some(arguments.collect()).filter(|arguments: &Vec<_>| !arguments.is_empty());
        let mut item = Prompt::new(&definition.name, declared.description.clone(), arguments);
        item.title = declared.title.clone();
        item.icons = icons(declared.extra.as_ref());
        item.meta = Some(meta::of_binding(declared.meta.as_ref(), &self.serving.scope, &definition.binding));
        item
    }

    /// One prompt, filled in. Which arguments it must have, the core knows.
    pub(crate) async fn prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let scope = &self.serving.scope;
        let incoming = self.incoming_for::<GetPromptRequestMethod>(&context, |features| features.prompts)?;
        let arguments = request.arguments.unwrap_or_default();
        if let Some((name, _)) = arguments.iter().find(|(_, value)| !value.is_string()) {
            let text = format!("the argument \"{}\" of a prompt must be a string", name.escape_default());
            return Err(ErrorData::invalid_params(text, None));
        }
        let found = incoming.view.find_prompt(scope, &request.name, &incoming.principal);
        let binding = found.map_or_else(|| "".into(), |found| found.binding);
        let (voice, listening) = self.observed(&incoming, &context, &binding);
        let calling = self.call_context(&incoming, &context, &binding, voice)?;
        let prompt = request.name;
        let subject =
            Subject { binding: &binding, kind: Kind::Prompt, name: &prompt, arguments: &text(&arguments)? };
        let continuation = Continuation { responses: request.input_responses, state: request.request_state };
        let get = |answers| {
            let (context, prompt, arguments) = (calling.clone(), prompt.clone(), arguments.clone());
            incoming.view.clone().get_prompt(PromptGet { context, prompt, arguments, answers })
        };
        let conducted = conduct(self, &context, &incoming, subject, continuation, get);
        let conducted = listening.during(conducted).await?;
        let Ended { reference, binding, result } =
            match conducted.map_err(|refused| fault::refusal(&refused, None))? {
                Conducted::Ended(ended) => ended,
                Conducted::Asks(question) => return Ok(question.into()),
            };
        let messages = result.map_err(|fault| fault::error(&fault, &reference, None))?;
        let from = From { scope, binding: &binding, era: incoming.era };
        let messages = messages.iter().map(|message| content::message(&from, message)).collect();
        let mut result = GetPromptResult::new(messages);
        meta::answered(incoming.era, &mut result.meta, &binding, Some(&reference));
        Ok(GetPromptResponse::Complete(result))
    }
}
