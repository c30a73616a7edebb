//! `completion/complete`: what may follow in an argument of a prompt or of a template.
//!
//! A client asks with every key that is pressed, and each time a guest runs: one caller's share is bounded.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use fleetgate_core::call::{Answered, Complete, Completed, End};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use rmcp::model::{CompleteRequestMethod, CompleteRequestParams, CompleteResult, CompletionInfo, Reference};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Map, Value};

use crate::request::Incoming;
use crate::server::Server;
use crate::uri::{self, Located};
use crate::{fault, meta};

/// Completions a second of one caller on one endpoint, and how many at once.
const PACE: NonZeroU32 = NonZeroU32::new(20).expect("not zero");
const AT_ONCE: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
/// Callers that are remembered before those that have their whole share again are forgotten.
const REMEMBERED: usize = 1024;

/// How much each caller may still complete.
pub(crate) struct Pace(DefaultKeyedRateLimiter<String>);

impl Default for Pace {
    fn default() -> Self {
        Self(RateLimiter::keyed(Quota::per_second(PACE).allow_burst(AT_ONCE)))
    }
}

impl Pace {
    fn check(&self, principal: &str) -> Result<(), ErrorData> {
        if self.0.len() > REMEMBERED {
            self.0.retain_recent();
        }
        let too_fast = || ErrorData::new(fault::TOO_MANY, "too many completions: ask less often", None);
        self.0.check_key(&principal.to_owned()).map_err(|_| too_fast())
    }
}

impl Server {
    /// At most a hundred values.
    pub(crate) async fn completed(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let incoming =
            self.incoming_for::<CompleteRequestMethod>(&context, |features| features.completions)?;
        self.serving.completions.check(incoming.principal.name())?;
        let (binding, of) = self.completes(&incoming, request.r#ref)?;
        let (voice, listening) = self.observed(&incoming, &context, &binding);
        let given = request.context.and_then(|context| context.arguments).unwrap_or_default();
        // In an order that is the same for the same request.
        let given: BTreeMap<_, _> = given.into_iter().collect();
        let complete = Complete {
            context: self.call_context(&incoming, &context, &binding, voice)?,
            of,
            argument: request.argument.name,
            value: request.argument.value,
            given: given.into_iter().map(|(name, value)| (name, Value::from(value))).collect::<Map<_, _>>(),
        };
        let answered = listening.during(incoming.view.clone().complete(complete)).await;
        let Answered { reference, binding, end } =
            answered.map_err(|refused| fault::refusal(&refused, None))?;
        let mut completion = match end {
            End::Done(completion) => completion,
            End::Fault(fault) => return Err(fault::error(&fault, &reference, None)),
            End::Ask(question) => return Err(fault::error(&fault::unaskable(&question), &reference, None)),
        };
        let left_out = completion.values.len() > CompletionInfo::MAX_VALUES;
        completion.values.truncate(CompletionInfo::MAX_VALUES);
        let more = completion.has_more || left_out;
        let info = CompletionInfo::with_pagination(completion.values, completion.total, more)
            .map_err(|error| ErrorData::internal_error(error, None))?;
        let mut result = CompleteResult::new(info);
        meta::answered(incoming.era, &mut result.meta, &binding, Some(&reference));
        Ok(result)
    }

    /// Whose argument it is. A template is named as this endpoint lists it.
    fn completes(
        &self,
        incoming: &Incoming,
        reference: Reference,
    ) -> Result<(Arc<str>, Completed), ErrorData> {
        let (view, scope) = (&incoming.view, &self.serving.scope);
        match reference {
            Reference::Prompt(prompt) => {
                let found = view.find_prompt(scope, &prompt.name, &incoming.principal);
                let binding = found.map_or_else(|| "".into(), |found| found.binding);
                Ok((binding, Completed::Prompt(prompt.name)))
            }
            Reference::Resource(template) => {
                let Located { binding, uri } = uri::locate_template(&**view, scope, &template.uri);
                Ok((binding.clone(), Completed::Template { binding, uri_template: uri }))
            }
            _ => Err(ErrorData::invalid_params("a reference is a ref/prompt or a ref/resource", None)),
        }
    }
}
