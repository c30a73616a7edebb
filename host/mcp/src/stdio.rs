//! The way in over stdin and stdout: one client, one principal, one endpoint.
//!
//! Messages are lines ([`crate::pipe`]), and nothing else is written to stdout. The end of the input is the end of the
//! conversation: calls under way get a few seconds, then they are cancelled.

use std::num::NonZeroUsize;
use std::sync::Arc;

use fleetgate_core::catalog::{Host, Scope};
use fleetgate_core::principal::Principal;
use rmcp::service::{QuitReason, ServerInitializeError};
use rmcp::transport::stdio_pipes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::caller::Who;
use crate::changes::Hub;
use crate::pipe::Pipe;
use crate::server::Server;
use crate::serving::{Keys, Limits, Serving};
use crate::view::{Backend, Live};

/// How the catalog is served over a pipe.
#[derive(Debug, Clone)]
pub struct StdioOptions {
    /// Items on one page of a list.
    pub page_size: NonZeroUsize,
    /// Open `subscriptions/listen`.
    pub listens: usize,
    /// Trips when the process should stop: subscriptions get their final result, then the conversation ends.
    pub stop: CancellationToken,
}

impl Default for StdioOptions {
    fn default() -> Self {
        Self {
            page_size: const { NonZeroUsize::new(200).expect("not zero") },
            listens: 32,
            stop: CancellationToken::new(),
        }
    }
}

/// A conversation that did not end by itself.
#[derive(Debug, thiserror::Error)]
pub enum StdioError {
    /// Before it began: the client sent something else than `initialize`, `server/discover` or a request of
    /// 2026-07-28.
    #[error("the client did not begin as MCP clients do: {0}")]
    Handshake(#[source] Box<ServerInitializeError>),
    /// The task that ran it failed.
    #[error("the conversation broke: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// Serves one client on this process's stdin and stdout, until stdin ends. Nothing else may write to stdout.
///
/// # Errors
/// The client does not speak MCP.
pub async fn serve_stdio(
    host: Arc<Host>,
    scope: Scope,
    principal: Principal,
    options: StdioOptions,
) -> Result<(), StdioError> {
    let (read, write) = stdio_pipes();
    serve_pipe(Arc::new(Live(host)), scope, principal, options, read, write).await
}

/// The same over any pipe, and over anything that serves tools.
///
/// # Errors
/// The client does not speak MCP.
pub async fn serve_pipe(
    backend: Arc<dyn Backend>,
    scope: Scope,
    principal: Principal,
    options: StdioOptions,
    read: impl AsyncRead + Send + Unpin + 'static,
    write: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<(), StdioError> {
    let hub = Arc::new(Hub::default());
    let changes = backend.changes();
    let limits = Limits { page_size: options.page_size, listens: options.listens };
    let stop = options.stop.clone();
    let serving = Arc::new(Serving::new(backend, scope, hub.clone(), &Keys::new(), limits, stop));
    let over = CancellationToken::new();
    let _over = over.clone().drop_guard();
    tokio::spawn(over.clone().run_until_cancelled_owned(hub.follow(changes, || {})));

    let server = Server::new(serving, Who::Always(principal));
    // The stop is given to the conversation a moment later than to the subscriptions, which have something to say.
    let ended = over.child_token();
    tokio::spawn(stop_after(options.stop, ended.clone()));
    match rmcp::service::serve_server_with_ct(server, Pipe::new(read, write), ended).await {
        Ok(running) => match running.waiting().await? {
            QuitReason::JoinError(error) => Err(error.into()),
            _ => Ok(()),
        },
        // A client that only looked whether the server starts.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
        Err(error) => Err(StdioError::Handshake(Box::new(error))),
    }
}

async fn stop_after(stop: CancellationToken, ended: CancellationToken) {
    /// What a subscription's final result may take.
    const MOMENT: std::time::Duration = std::time::Duration::from_millis(200);
    tokio::select! {
        () = ended.cancelled() => {}
        () = stop.cancelled() => {
            tokio::time::sleep(MOMENT).await;
            ended.cancel();
        }
    }
}
