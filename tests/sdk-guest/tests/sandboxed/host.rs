//! A host with nothing of Fleetgate's in it: wasmtime, its WASI, and the functions of `fleetgate:plugin`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

mod bindings {
    #![allow(missing_docs)]
    // What the guest exports: everything but events.
    wasmtime::component::bindgen!({
        path: "../../wit/fleetgate-plugin",
        inline: "
            package test:host;
            world five {
                include fleetgate:plugin/imports@0.1.0;
                export fleetgate:plugin/tools@0.1.0;
                export fleetgate:plugin/resources@0.1.0;
                export fleetgate:plugin/prompts@0.1.0;
                export fleetgate:plugin/completions@0.1.0;
                export fleetgate:plugin/skills@0.1.0;
            }
        ",
        world: "test:host/five",
        exports: { default: async },
    });
}

use bindings::Five;
pub(crate) use bindings::exports::fleetgate::plugin::completions::Completion;
pub(crate) use bindings::exports::fleetgate::plugin::prompts::{Prompt, PromptOutcome};
pub(crate) use bindings::exports::fleetgate::plugin::resources::{
    ReadOutcome, ResourceInfo, ResourceTemplate,
};
pub(crate) use bindings::exports::fleetgate::plugin::skills::Skill;
use bindings::fleetgate::plugin::{call, capabilities, config, jobs, types};
pub(crate) use types::{Answer, Answers, Fault, Outcome, Tool, ToolResult};

/// What one call may see, and what it left behind.
#[derive(Clone, Default)]
pub(crate) struct Host {
    pub(crate) upstream: Option<SocketAddr>,
    pub(crate) cancel: CancellationToken,
    /// Everything that was reported, in order.
    pub(crate) seen: Arc<Mutex<Vec<Value>>>,
    /// Trips when a line is logged.
    pub(crate) logged: CancellationToken,
}

struct State {
    host: Host,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
}

struct Hooks(Host);

impl Host {
    fn see(&self, what: Value) {
        self.seen.lock().expect("no test panics here").push(what);
    }

    pub(crate) async fn list_tools(&self) -> Vec<Tool> {
        let (mut store, plugin) = self.instantiate().await;
        let listed = plugin.fleetgate_plugin_tools().call_list_tools(&mut store).await;
        listed.expect("it does not trap").map_err(|fault| fault.message).expect("they can be listed")
    }

    /// The error is the trap.
    pub(crate) async fn try_call(
        &self,
        name: &str,
        arguments: Value,
        answers: Option<Answers>,
    ) -> wasmtime::Result<Result<Outcome, Fault>> {
        let (mut store, plugin) = self.instantiate().await;
        let arguments = arguments.to_string();
        plugin.fleetgate_plugin_tools().call_call_tool(&mut store, name, &arguments, answers.as_ref()).await
    }

    pub(crate) async fn call(&self, name: &str, arguments: Value) -> Result<ToolResult, Fault> {
        match self.try_call(name, arguments, None).await.expect("it does not trap")? {
            Outcome::Done(result) => Ok(result),
            Outcome::Ask(question) => panic!("it asks {question:?}"),
        }
    }

    pub(crate) async fn list_resources(
        &self,
        cursor: Option<&str>,
    ) -> Result<(Vec<ResourceInfo>, Option<String>), Fault> {
        let (mut store, plugin) = self.instantiate().await;
        plugin.fleetgate_plugin_resources().call_list_resources(&mut store, cursor).await.expect("no trap")
    }

    pub(crate) async fn list_templates(&self) -> Vec<ResourceTemplate> {
        let (mut store, plugin) = self.instantiate().await;
        let listed = plugin.fleetgate_plugin_resources().call_list_templates(&mut store).await;
        listed.expect("no trap").map_err(|fault| fault.message).expect("they can be listed")
    }

    pub(crate) async fn read(&self, uri: &str, answers: Option<Answers>) -> Result<ReadOutcome, Fault> {
        let (mut store, plugin) = self.instantiate().await;
        let resources = plugin.fleetgate_plugin_resources();
        resources.call_read_resource(&mut store, uri, answers.as_ref()).await.expect("no trap")
    }

    pub(crate) async fn list_prompts(&self) -> Vec<Prompt> {
        let (mut store, plugin) = self.instantiate().await;
        let listed = plugin.fleetgate_plugin_prompts().call_list_prompts(&mut store).await;
        listed.expect("no trap").map_err(|fault| fault.message).expect("they can be listed")
    }

    pub(crate) async fn get_prompt(
        &self,
        name: &str,
        arguments: Value,
        answers: Option<Answers>,
    ) -> Result<PromptOutcome, Fault> {
        let (mut store, plugin) = self.instantiate().await;
        let (prompts, arguments) = (plugin.fleetgate_plugin_prompts(), arguments.to_string());
        prompts.call_get_prompt(&mut store, name, &arguments, answers.as_ref()).await.expect("no trap")
    }

    pub(crate) async fn complete(
        &self,
        reference: &str,
        argument: &str,
        value: &str,
        context: Value,
    ) -> Result<Completion, Fault> {
        let (mut store, plugin) = self.instantiate().await;
        let (completions, context) = (plugin.fleetgate_plugin_completions(), context.to_string());
        completions.call_complete(&mut store, reference, argument, value, &context).await.expect("no trap")
    }

    pub(crate) async fn list_skills(&self) -> Vec<Skill> {
        let (mut store, plugin) = self.instantiate().await;
        let listed = plugin.fleetgate_plugin_skills().call_list_skills(&mut store).await;
        listed.expect("no trap").map_err(|fault| fault.message).expect("they can be listed")
    }

    async fn instantiate(&self) -> (Store<State>, Five) {
        static COMPILED: OnceLock<(Engine, Component)> = OnceLock::new();
        let (engine, component) = COMPILED.get_or_init(|| {
            let engine = Engine::default();
            let component = Component::new(&engine, super::component::bytes()).expect("it compiles");
            (engine, component)
        });
        let mut linker = Linker::<State>::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("WASI links");
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).expect("HTTP links");
        Five::add_to_linker::<_, HasSelf<Self>>(&mut linker, |state| &mut state.host).expect("it links");
        let state = State {
            host: self.clone(),
            table: ResourceTable::new(),
            wasi: WasiCtx::builder().build(),
            http: WasiHttpCtx::new(),
            hooks: Hooks(self.clone()),
        };
        let mut store = Store::new(engine, state);
        let plugin = Five::instantiate_async(&mut store, component, &linker).await.expect("it instantiates");
        (store, plugin)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

type Sending = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Sending,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Sending), Error>> + Send> {
        let host = self.0.clone();
        Box::new(async move {
            // What is sent after the cancel is the guest cleaning up.
            if host.cancel.is_cancelled() {
                return send(&host, request).await;
            }
            tokio::select! {
                answer = send(&host, request) => answer,
                () = host.cancel.cancelled() => Err(Error::InternalError(Some("cancelled".into()))),
            }
        })
    }
}

async fn send(
    host: &Host,
    request: http::Request<WasiBody>,
) -> Result<(http::Response<WasiBody>, Sending), Error> {
    let (mut parts, body) = request.into_parts();
    let address = match parts.uri.host() {
        Some("api.upstream") => host.upstream.ok_or(Error::DestinationUnavailable)?,
        Some("closed.upstream") => closed_port().await,
        Some("unknown.upstream") => return Err(Error::DnsError { rcode: None, info_code: None }),
        Some("late.upstream") => return Err(Error::ConnectionReadTimeout),
        Some("huge.upstream") => return Err(Error::HttpResponseBodySize(None)),
        Some("broken.upstream") => return Err(Error::HttpProtocolError),
        Some("odd.upstream") => return Err(Error::InternalError(None)),
        _ => return Err(Error::HttpRequestDenied),
    };
    let stream = TcpStream::connect(address).await.map_err(|_| Error::ConnectionRefused)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    parts.uri =
        parts.uri.path_and_query().expect("the guest sends a path").as_str().parse().expect("it is a URI");
    let response = sender.send_request(http::Request::from_parts(parts, body)).await?;
    Ok((response.map(|body| body.map_err(Error::from).boxed_unsync()), Box::new(async { Ok(()) })))
}

/// An address at which nobody listens any more.
async fn closed_port() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    listener.local_addr().expect("it has an address")
}

impl types::Host for Host {}

impl call::Host for Host {
    fn principal(&mut self) -> String {
        "ann".into()
    }
    fn roles(&mut self) -> Vec<String> {
        vec!["view".into(), "operator".into()]
    }
    fn session(&mut self) -> String {
        "s1".into()
    }
    fn binding(&mut self) -> String {
        "lab".into()
    }
    fn client_capabilities(&mut self) -> String {
        json!({ "elicitation": {} }).to_string()
    }
    fn job(&mut self) -> Option<String> {
        Some("job-7".into())
    }
    fn deadline_ms(&mut self) -> u64 {
        1_234
    }
    fn cancelled(&mut self) -> bool {
        self.cancel.is_cancelled()
    }
    fn progress(&mut self, done: f64, total: Option<f64>, message: Option<String>) {
        self.see(json!({ "progress": [done, total, message] }));
    }
    fn log(&mut self, level: String, message: String, data: Option<String>) {
        self.see(json!({ "log": [level, message, data] }));
        self.logged.cancel();
    }
    fn tools_changed(&mut self) {
        self.see(json!("tools"));
    }
    fn prompts_changed(&mut self) {
        self.see(json!("prompts"));
    }
    fn resources_changed(&mut self) {
        self.see(json!("resources"));
    }
    fn resource_updated(&mut self, uri: String) {
        self.see(json!(uri));
    }
}

impl config::Host for Host {
    fn get(&mut self, key: String) -> Option<String> {
        (key == "interval").then(|| "500ms".into())
    }
}

impl capabilities::Host for Host {
    fn granted(&mut self, name: String) -> bool {
        name == "http.api"
    }
}

fn job(id: &str, tool: &str, status: &str) -> jobs::Job {
    jobs::Job {
        id: id.into(),
        tool: tool.into(),
        status: status.into(),
        message: Some("half".into()),
        created_ms: 1,
        updated_ms: 2,
        extra: Some(json!({ "ttlMs": 60_000 }).to_string()),
    }
}

impl jobs::Host for Host {
    fn submit(
        &mut self,
        tool: String,
        arguments: String,
        options: Option<String>,
    ) -> Result<jobs::Job, Fault> {
        self.see(json!({ "submit": [tool, arguments, options] }));
        Ok(job("job-1", &tool, "queued"))
    }
    fn get(&mut self, id: String) -> Result<jobs::Job, Fault> {
        Err(Fault {
            code: "unknown".into(),
            message: format!("there is no {id}"),
            field: None,
            retryable: true,
            retry_after_ms: Some(5),
            details: Some("{\"n\":1}".into()),
        })
    }
    fn outcome(&mut self, id: String) -> Result<types::ToolResult, Fault> {
        let content = types::Content {
            kind: "text".into(),
            text: Some(format!("{id} slept")),
            data: None,
            mime_type: None,
            uri: None,
            meta: None,
            extra: None,
        };
        Ok(types::ToolResult {
            content: vec![content],
            structured: None,
            is_error: false,
            meta: None,
            extra: None,
        })
    }
    fn list_jobs(&mut self, cursor: Option<String>) -> Result<(Vec<jobs::Job>, Option<String>), Fault> {
        Ok((vec![job("job-1", "wait", "working")], cursor))
    }
    fn cancel(&mut self, id: String) -> Result<jobs::Job, Fault> {
        Ok(job(&id, "wait", "cancelled"))
    }
}
