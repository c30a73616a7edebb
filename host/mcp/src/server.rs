//! What an endpoint answers. rmcp makes one [`Server`] for each legacy session, each modern request and each stdio
//! connection; what they share is in [`Serving`]. Each family of methods has a file of its own; here is which there
//! are. What an endpoint does not have is not there: rmcp's own answers would be empty lists.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fleetgate_core::sandbox::Level;
use rmcp::model::*;
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};

use crate::caller::{Era, Who};
use crate::keys;
use crate::list::FRESH;
use crate::listener::Listener;
use crate::serving::Serving;
use crate::view::Features;
use crate::{about, observer, skills};

/// What legacy clients hear of a running call until they say otherwise. The specification leaves it to the server.
const DEFAULT_LEVEL: Level = Level::Info;

/// One conversation with an endpoint.
pub(crate) struct Server {
    pub(crate) serving: Arc<Serving>,
    pub(crate) who: Who,
    /// Stands for the connection where there is no session id.
    pub(crate) connection: String,
    level: Mutex<Level>,
    /// What a legacy client was told at its handshake.
    pub(crate) declared: OnceLock<Features>,
    /// A legacy client's ear. Dropped with the session.
    pub(crate) listener: OnceLock<Arc<Listener>>,
}

impl Server {
    pub(crate) fn new(serving: Arc<Serving>, who: Who) -> Self {
        let connection = match who {
            // Legacy HTTP has session ids, and a modern request has no connection.
            Who::OfRequest => String::new(),
            Who::Always(_) => keys::random(),
        };
        Self {
            serving,
            who,
            connection,
            level: Mutex::new(DEFAULT_LEVEL),
            declared: OnceLock::new(),
            listener: OnceLock::new(),
        }
    }

    /// The least level of log lines that the client of this request wants: what the request says in the modern era,
    /// what the session said in the legacy one.
    pub(crate) fn level(&self, context: &RequestContext<RoleServer>) -> Result<Option<Level>, ErrorData> {
        /// From the specification of 2026-07-28, `server/utilities/logging`.
        const KEY: &str = "io.modelcontextprotocol/logLevel";
        match Era::of(context) {
            Era::Modern => match context.meta.log_level() {
                None if context.meta.contains_key(KEY) => {
                    let text = format!("{KEY} is not a log level: use one of RFC 5424, such as \"warning\"");
                    Err(ErrorData::invalid_params(text, None))
                }
                level => Ok(level.map(observer::from_mcp)),
            },
            Era::Legacy => Ok(Some(*self.level.lock().unwrap_or_else(PoisonError::into_inner))),
        }
    }

    /// What `initialize` and `server/discover` add to [`ServerHandler::get_info`].
    fn described(&self) -> ServerConfig {
        about::config(&*self.serving.backend.view(), &self.serving.scope)
    }
}

#[expect(deprecated, reason = "clients of before 2026-07-28 set their log level and subscribe")]
impl ServerHandler for Server {
    /// Asked at every request, since rmcp compares subscriptions with it.
    fn get_info(&self) -> ServerConfig {
        let view = self.serving.backend.view();
        let mut config = about::bare(view.features(&self.serving.scope));
        if view.has_tasks(&self.serving.scope) {
            about::declare_tasks(&mut config);
        }
        config
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let negotiated = self.negotiate_initialize(&request)?;
        context.peer.set_peer_info(request);
        let _ = self.declared.set(self.serving.features());
        Ok(self.described().with_protocol_version(negotiated.protocol_version))
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        let mut described = self.described();
        if self.serving.backend.view().has_tasks(&self.serving.scope) {
            about::declare_tasks(&mut described);
        }
        Ok(DiscoverResult::from_server_info(versions, described)
            .with_ttl_ms(FRESH.as_millis() as u64)
            .with_cache_scope(CacheScope::Private))
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        self.joined(context.peer);
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
        self.tools(request, context)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.call(request, context).await
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.serving.lists.tool(&*self.serving.backend.view(), &self.serving.scope, name)
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.prompts(request, context)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.prompt(request, context).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.resources(request, context).await
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        self.templates(request, context)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.read(request, context).await
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.subscribed(&request.uri, context).await
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.unsubscribed(&request.uri, &context)
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(self.accepted(requested))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.listening(context).await
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.completed(request, context).await
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        self.task(request, context).await
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.task_answered(request, &context)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.task_cancelled(&request, &context)
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if let Some(method) = skills::Method::named(&request.method) {
            return self.skill_request(method, request.params, &context);
        }
        // rmcp takes a request whose parameters it cannot read for one of a method that it does not know.
        let features = self.serving.features();
        let legacy = Era::of(&context) == Era::Legacy;
        let known = match request.method.as_str() {
            "initialize" | "logging/setLevel" => legacy,
            "server/discover" | "subscriptions/listen" | "tools/call" | "tools/list" => true,
            "prompts/list" | "prompts/get" => features.prompts,
            "resources/list" | "resources/templates/list" | "resources/read" => features.resources,
            "resources/subscribe" | "resources/unsubscribe" => features.resources && legacy,
            "completion/complete" => features.completions,
            "tasks/get" | "tasks/update" | "tasks/cancel" => {
                Era::of(&context) == Era::Modern && self.serving.backend.view().has_tasks(&self.serving.scope)
            }
            _ => false,
        };
        if known {
            let message = format!("the parameters of {} are malformed", request.method);
            return Err(ErrorData::invalid_params(message, None));
        }
        let message = format!("there is no method \"{}\" here", request.method.escape_default());
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None))
    }
}

impl Server {
    fn tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let incoming = self.incoming(&context)?;
        let cursor = request.and_then(|request| request.cursor);
        let serving = &self.serving;
        serving.lists.page(
            &incoming,
            &serving.scope,
            cursor.as_deref(),
            &serving.cursors,
            serving.limits.page_size,
        )
    }
}
