//! `subscriptions/listen`, and what it replaced: `resources/subscribe` and `resources/unsubscribe`.
//!
//! Who may read a resource may hear that it changed, and nobody else: the same function decides, when the subscription
//! is made and again before each notification.

use std::sync::Arc;

use fleetgate_core::call::{End, ResourceRead};
use fleetgate_core::principal::Principal;
use fleetgate_core::sandbox::Nobody;
use rmcp::model::{SubscribeRequestMethod, SubscriptionFilter, UnsubscribeRequestMethod};
use rmcp::service::{Peer, RequestContext, SubscriptionContext, SubscriptionSendError};
use rmcp::{ErrorData, RoleServer};

use crate::caller::Era;
use crate::changes::Listen;
use crate::fault;
use crate::listener::{Listener, MOST_WATCHED, TooMany, Wants};
use crate::request::Incoming;
use crate::server::Server;
use crate::uri::{self, Located};

impl Server {
    /// The part of a filter that can be honoured. Whose request it is is not known here, so this asks what exists;
    /// [`Self::listening`] asks who may.
    pub(crate) fn accepted(&self, requested: &SubscriptionFilter) -> SubscriptionFilter {
        let view = self.serving.backend.view();
        let anybody = Principal::new("", []);
        let exists = |uri: &String| {
            uri.len() <= uri::LONGEST
                && uri::locate(&*view, &self.serving.scope, uri).is_ok_and(|Located { binding, uri }| {
                    view.find_resource(&self.serving.scope, &binding, &uri, &anybody).is_some()
                })
        };
        let mut accepted = requested.clone();
        let watched = accepted.resource_subscriptions.take();
        accepted.resource_subscriptions =
            watched.map(|uris| uris.into_iter().take(MOST_WATCHED).filter(exists).collect());
        accepted
    }

    /// One open `subscriptions/listen`, until its client or the endpoint goes.
    pub(crate) async fn listening(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let incoming = self.incoming(context.request_context())?;
        let accepted = context.accepted();
        let wants = Wants {
            tools: accepted.tools_list_changed == Some(true),
            prompts: accepted.prompts_list_changed == Some(true),
            resources: accepted.resources_list_changed == Some(true),
        };
        let most = self.serving.limits.listens;
        let open = self.serving.fanout.listen(incoming.principal.name(), most, wants);
        let Some(mut open) = open else {
            let message = format!("{most} subscriptions are open already: close one first");
            return Err(ErrorData::new(fault::TOO_MANY, message, None));
        };
        for uri in accepted.resource_subscriptions.iter().flatten() {
            self.watch(&incoming, &open.listener, uri, context.request_context()).await?;
        }
        loop {
            let told = tokio::select! {
                () = context.cancelled() => return Ok(()),
                told = self.tell_next(&mut open, &context) => told,
            };
            match told {
                Ok(true) => {}
                // The endpoint goes: rmcp now sends the final result.
                Ok(false) => return Ok(()),
                Err(error) => {
                    tracing::debug!(%error, "a subscription ended");
                    return Ok(());
                }
            }
        }
    }

    async fn tell_next(
        &self,
        open: &mut Listen,
        context: &SubscriptionContext,
    ) -> Result<bool, SubscriptionSendError> {
        let Some(news) = open.next().await else { return Ok(false) };
        let sink = context.sink();
        if news.lists.tools {
            sink.notify_tool_list_changed().await?;
        }
        if news.lists.prompts {
            sink.notify_prompt_list_changed().await?;
        }
        if news.lists.resources {
            sink.notify_resource_list_changed().await?;
        }
        let view = self.serving.backend.view();
        for uri in open.listener.readable(&news, &*view, &self.serving.scope) {
            sink.notify_resource_updated(uri).await?;
        }
        Ok(true)
    }

    /// A legacy client's ear. It hears of changes of those lists that its handshake spoke of.
    pub(crate) fn joined(&self, peer: Peer<RoleServer>) -> &Arc<Listener> {
        self.listener.get_or_init(|| {
            let declared = self.declared.get().copied().unwrap_or_default();
            let wants = Wants { tools: true, prompts: declared.prompts, resources: declared.resources };
            self.serving.fanout.join(peer, wants)
        })
    }

    pub(crate) async fn subscribed(
        &self,
        asked: &str,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let incoming =
            self.incoming_for::<SubscribeRequestMethod>(&context, |features| features.resources)?;
        debug_assert_eq!(incoming.era, Era::Legacy, "rmcp knows no such method in the modern era");
        let listener = self.joined(context.peer.clone());
        self.watch(&incoming, listener, asked, &context).await
    }

    pub(crate) fn unsubscribed(
        &self,
        asked: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let incoming =
            self.incoming_for::<UnsubscribeRequestMethod>(context, |features| features.resources)?;
        if let Some(watched) = self.located(&incoming, asked)?.in_one_spelling() {
            self.joined(context.peer.clone()).unwatch(&watched);
        }
        Ok(())
    }

    async fn watch(
        &self,
        incoming: &Incoming,
        listener: &Arc<Listener>,
        asked: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let located = self.located(incoming, asked)?;
        let (scope, principal) = (&self.serving.scope, &incoming.principal);
        let found = incoming.view.find_resource(scope, &located.binding, &located.uri, principal);
        let watched = located.clone().in_one_spelling().filter(|_| found.is_some_and(|found| found.allowed));
        let Some(watched) = watched else {
            return Err(self.unreadable(incoming, located, asked, context).await);
        };
        listener
            .watch(watched, asked, principal)
            .map_err(|full: TooMany| ErrorData::new(fault::TOO_MANY, full.to_string(), None))
    }

    /// Refused as a read would be, by the core, which records it.
    async fn unreadable(
        &self,
        incoming: &Incoming,
        located: Located,
        asked: &str,
        context: &RequestContext<RoleServer>,
    ) -> ErrorData {
        let Located { binding, uri } = located;
        let context = match self.call_context(incoming, context, &binding, Arc::new(Nobody)) {
            Ok(context) => context,
            Err(error) => return error,
        };
        let read = ResourceRead { context, binding, uri, answers: None };
        match incoming.view.clone().read_resource(read).await {
            Err(refused) => fault::refusal(&refused, Some(asked)),
            Ok(answered) => match answered.end {
                End::Fault(fault) => fault::error(&fault, &answered.reference, Some(asked)),
                _ => ErrorData::internal_error("the role check did not agree with itself", None),
            },
        }
    }
}
