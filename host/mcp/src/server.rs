//! What an endpoint answers. rmcp makes one [`Server`] for each legacy session, each modern request and each stdio
//! connection; what they share is in [`Serving`].

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use fleetgate_core::catalog::Scope;
use fleetgate_core::sandbox::Level;
use rmcp::model::*;
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};

use crate::caller::{Era, Who};
use crate::changes::{Fanout, Hub};
use crate::cursor::Cursors;
use crate::keys::{self, Key};
use crate::list::{Asked, FRESH, Lists};
use crate::view::Backend;
use crate::{about, meta, observer};

/// What legacy clients hear of a running call until they say otherwise. The specification leaves it to the server.
const DEFAULT_LEVEL: Level = Level::Info;

/// "Too many" as a JSON-RPC error code; see [`crate::fault::FORBIDDEN`] on codes of one's own.
const TOO_MANY: ErrorCode = ErrorCode(429);

/// One endpoint's share of the host.
pub(crate) struct Serving {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) scope: Scope,
    pub(crate) hub: Arc<Hub>,
    pub(crate) fanout: Arc<Fanout>,
    pub(crate) lists: Lists,
    pub(crate) cursors: Cursors,
    pub(crate) sessions: Key,
    pub(crate) limits: Limits,
}

/// What one client may ask of an endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Items on one page of a list.
    pub(crate) page_size: NonZeroUsize,
    /// `subscriptions/listen` open at once, per principal.
    pub(crate) listens: usize,
}

/// One conversation with an endpoint.
pub(crate) struct Server {
    pub(crate) serving: Arc<Serving>,
    pub(crate) who: Who,
    /// Stands for the connection where there is no session id.
    pub(crate) connection: String,
    level: Mutex<Level>,
}

impl Server {
    pub(crate) fn new(serving: Arc<Serving>, who: Who) -> Self {
        let connection = match who {
            // Legacy HTTP has session ids, and a modern request has no connection.
            Who::OfRequest => String::new(),
            Who::Always(_) => keys::random(),
        };
        Self { serving, who, connection, level: Mutex::new(DEFAULT_LEVEL) }
    }

    /// The least level of log lines that the client of this request wants: what the request says in the modern era,
    /// what the session said in the legacy one.
    pub(crate) fn level(&self, context: &RequestContext<RoleServer>) -> Option<Level> {
        match Era::of(context) {
            Era::Modern => context.meta.log_level().map(observer::from_mcp),
            Era::Legacy => Some(*self.level.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// What `initialize` and `server/discover` add to [`ServerHandler::get_info`], which is asked at every request
    /// and must cost nothing.
    fn described(&self) -> ServerConfig {
        about::config(&*self.serving.backend.view(), &self.serving.scope)
    }
}

#[expect(deprecated, reason = "clients of before 2026-07-28 set their log level")]
impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        static BARE: LazyLock<ServerConfig> = LazyLock::new(about::bare);
        BARE.clone()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let negotiated = self.negotiate_initialize(&request)?;
        context.peer.set_peer_info(request);
        Ok(self.described().with_protocol_version(negotiated.protocol_version))
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.described())
            .with_ttl_ms(FRESH.as_millis() as u64)
            .with_cache_scope(CacheScope::Private))
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        self.serving.fanout.join(context.peer);
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if Era::of(&context) == Era::Modern {
            return Err(ErrorData::method_not_found::<SetLevelRequestMethod>());
        }
        *self.level.lock().unwrap_or_else(PoisonError::into_inner) = observer::from_mcp(request.level);
        Ok(())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let serving = &self.serving;
        let principal = self.who.of(&context.extensions)?;
        let era = Era::of(&context);
        let view = serving.backend.view();
        let mut page = serving.lists.page(
            &*view,
            &Asked {
                scope: &serving.scope,
                principal: &principal,
                era,
                cursor: request.as_ref().and_then(|request| request.cursor.as_deref()),
                cursors: &serving.cursors,
                page_size: serving.limits.page_size,
            },
        )?;
        if era == Era::Modern {
            meta::set_server_info(page.meta.get_or_insert_default());
        }
        Ok(page)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.call(request, context).await.map(CallToolResponse::Complete)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.serving.lists.tool(&*self.serving.backend.view(), &self.serving.scope, name)
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let mut accepted = SubscriptionFilter::new();
        accepted.tools_list_changed = requested.tools_list_changed;
        Some(accepted)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let principal = self.who.of(&context.request_context().extensions)?;
        let most = self.serving.limits.listens;
        let Some(mut open) = self.serving.fanout.listen(principal.name(), most) else {
            let message = format!("{most} subscriptions are open already: close one first");
            return Err(ErrorData::new(TOO_MANY, message, None));
        };
        loop {
            let changed = tokio::select! {
                () = context.cancelled() => return Ok(()),
                changed = open.next() => changed,
            };
            // The endpoint goes: rmcp now sends the final result.
            let Some(()) = changed else { return Ok(()) };
            if context.accepted().tools_list_changed == Some(true)
                && let Err(error) = context.sink().notify_tool_list_changed().await
            {
                tracing::debug!(%error, "a subscription ended");
                return Ok(());
            }
        }
    }

    // What is not declared is not there. rmcp's own answers would be empty lists.

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourcesRequestMethod>())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourceTemplatesRequestMethod>())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        // rmcp takes a request whose parameters it cannot read for one of a method that it does not know.
        let known = [
            "initialize",
            "server/discover",
            "logging/setLevel",
            "subscriptions/listen",
            "tools/call",
            "tools/list",
        ];
        if known.contains(&request.method.as_str()) {
            let message = format!("the parameters of {} are malformed", request.method);
            return Err(ErrorData::invalid_params(message, None));
        }
        let message = format!("there is no method \"{}\" here", request.method.escape_default());
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None))
    }
}
