//! The opponent: a stock rmcp server with the bench's one tool compiled in and nothing else. No roles, no validation,
//! no audit, no sandbox.
//!
//! It is written as sparingly as rmcp permits: the list of tools is made once, and a handler costs nothing to make.
//! (Servers made with rmcp's macros build their router for each request without a session.) It is a program of its
//! own, so that it starts without a WebAssembly engine to load.

use std::io::Write;
use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result, bail};
use axum::serve::ListenerExt;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, JsonObject, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use serde::Deserialize;
use serde_json::json;

// Both sides have the same allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Clone)]
struct Native;

#[derive(Deserialize)]
struct Greet {
    name: String,
}

/// As the sandboxed tool describes itself.
static GREET: LazyLock<Tool> = LazyLock::new(|| {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"name": {"type": "string", "description": "Whom to greet."}},
        "required": ["name"],
    });
    let schema: JsonObject = serde_json::from_value(schema).expect("an object");
    Tool::new("greet", "Greets somebody by name.", Arc::new(schema))
});

impl ServerHandler for Native {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![GREET.clone()]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if request.name != "greet" {
            return Err(ErrorData::invalid_params("no such tool", None));
        }
        let arguments = request.arguments.unwrap_or_default();
        let greet: Greet = serde_json::from_value(arguments.into())
            .map_err(|error| ErrorData::invalid_params(error.to_string(), None))?;
        let text = format!("Hello, {}!", greet.name);
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        (name == "greet").then(|| GREET.clone())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("http") => http().await,
        Some("stdio") => {
            Native.serve(rmcp::transport::stdio()).await?.waiting().await?;
            Ok(())
        }
        _ => bail!("say http or stdio; `fleetgate-bench` starts this program itself"),
    }
}

/// `/mcp` answers with JSON, as Fleetgate does; `/default` is rmcp's default, one event stream for each answer.
async fn http() -> Result<()> {
    let service =
        |config| StreamableHttpService::new(|| Ok(Native), Arc::new(LocalSessionManager::default()), config);
    let router = axum::Router::new()
        .nest_service("/mcp", service(StreamableHttpServerConfig::default().with_json_response(true)))
        .nest_service("/default", service(StreamableHttpServerConfig::default()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // Without it the second part of an event stream waits for the client's acknowledgement.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", json!({"url": format!("http://{address}/mcp")}))?;
    stdout.flush()?;
    axum::serve(listener, router).await.context("the listener failed")
}
