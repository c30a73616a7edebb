//! `fleetgate serve`: MCP over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use fleetgate_core::catalog::Host;
use fleetgate_core::jobs::Stopping;
use fleetgate_core::key_file::key_file;
use fleetgate_core::principal::HeldRole;
use fleetgate_core::settings::{self, Settings};
use fleetgate_mcp::{HttpOptions, Shutdown, requires_authentication, router};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::callers::{Callers, LocalRoles, unknown_roles};
use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::running::{Wanted, block_on};
use crate::signals::{Stop, hangup};
use crate::welcome::Welcome;
use crate::whole_file;

/// How long calls may go on after the first signal. A second one ends them.
const GRACE: Duration = Duration::from_secs(30);

/// Serves MCP over HTTP.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    config: ConfigFile,
    /// Where to listen instead of [serve] listen. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// A role that callers on this machine hold, as BINDING:ROLE, instead of [serve] local_roles.
    #[arg(long = "role", value_name = "BINDING:ROLE", value_parser = HeldRole::parse)]
    roles: Vec<HeldRole>,
    /// Listen where others can call, although nobody is asked who they are: everybody holds what --role says.
    #[arg(long)]
    i_know_that_nobody_authenticates: bool,
    /// Write the port to this file when calls are answered.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// Print where calls are answered as one line of JSON.
    #[arg(long)]
    json: bool,
}

impl Serve {
    pub fn run(self) -> Result<(), Failure> {
        let path = self.config.path()?;
        let settings = settings::load(&path)?;
        let listen = self.listen.unwrap_or(settings.serve.listen);
        self.refuse_strangers(listen, &settings)?;
        block_on(self.serve(path, listen))
    }

    async fn serve(self, path: PathBuf, listen: SocketAddr) -> Result<(), Failure> {
        let mut stop = Stop::listen()?;
        let reload = hangup()?;
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            Failure::failed(format!("cannot listen on {listen}: {error}"))
                .help("choose another address with --listen")
        })?;
        let address =
            listener.local_addr().map_err(|error| Failure::failed(format!("cannot listen: {error}")))?;

        let holders = Some(LocalRoles::shared(&self.roles));
        let wanted = Wanted { holders, watch: true, ..Wanted::all(path) };
        let running = tokio::select! {
            started = wanted.start_keeping("serve") => started?,
            () = stop.heard() => return Ok(()),
        };
        let host = running.host.clone();
        let survey = host.survey();
        // What was typed now can be typed again; what stands in a file is only warned of.
        if let Some(unknown) = unknown_roles(&survey, &self.roles).first() {
            return Err(Failure::usage(unknown));
        }
        for unknown in unknown_roles(&survey, &survey.settings.serve.local_roles) {
            tracing::warn!("[serve] local_roles: {unknown}");
        }

        let callers = Callers::new(host.clone(), self.roles.clone(), self.i_know_that_nobody_authenticates);
        let mut options = HttpOptions::new(address, Arc::new(callers));
        if let Some(url) = &survey.settings.serve.public_url {
            options = options.with_public_url(url).map_err(Failure::failed)?;
        }
        options.stream_max = survey.settings.serve.stream_max;
        let key = survey.settings.serve.state.join("session.key");
        options.session_key = Some(key_file(&key).map_err(Failure::failed)?);
        let mcp = router(host.clone(), options);
        if let Some(file) = &self.port_file {
            whole_file::write(file, format!("{}\n", address.port()).as_bytes())?;
        }
        let welcome = Welcome::new(address, &survey, &self.roles, self.i_know_that_nobody_authenticates);
        if self.json {
            welcome.print_json()
        } else {
            welcome.print()
        }
        tokio::spawn(reload_on(reload, host));
        let (hurry, over) = (CancellationToken::new(), CancellationToken::new());
        let until = stopped(stop, mcp.shutdown.clone(), hurry.clone());
        let shutdown = mcp.shutdown.clone();
        let serving = async {
            let served = fleetgate_mcp::serve(listener, mcp, until, GRACE).await;
            over.cancel();
            served
        };
        // Jobs and handlers of events have the same time as calls, and of the jobs what has not ended then is recorded as interrupted.
        let jobs = async {
            tokio::select! {
                () = shutdown.begun() => {}
                () = over.cancelled() => {}
            }
            if let Some(jobs) = running.host.jobs() {
                jobs.stop(Stopping { grace: GRACE, now: hurry.clone() }).await;
            }
        };
        let events = async {
            tokio::select! {
                () = shutdown.begun() => {}
                () = over.cancelled() => {}
            }
            running.end_events(Stopping { grace: GRACE, now: hurry.clone() }).await;
        };
        let (served, (), ()) = tokio::join!(serving, jobs, events);
        running.finish().await;
        served.map_err(|error| Failure::failed(format!("the server failed: {error}")))
    }

    fn refuse_strangers(&self, listen: SocketAddr, settings: &Settings) -> Result<(), Failure> {
        let public = settings.serve.public_url.as_deref();
        if self.i_know_that_nobody_authenticates || !requires_authentication(listen, public) {
            return Ok(());
        }
        let why = match public {
            Some(url) if listen.ip().to_canonical().is_loopback() => {
                format!("[serve] public_url says that clients come from elsewhere ({url})")
            }
            _ => format!("{listen} can be reached from other machines"),
        };
        Err(Failure::usage(format!("{why}, and this server does not ask who calls")).help(
            "listen on 127.0.0.1 (ssh -L brings it to another machine); or, where everybody who can reach it may \
             call, say so with --i-know-that-nobody-authenticates and give roles with --role",
        ))
    }
}

/// The first signal. The second one ends the calls that are still running.
async fn stopped(mut stop: Stop, shutdown: Shutdown, hurry: CancellationToken) {
    stop.heard().await;
    tracing::info!("stopping; calls and jobs may go on for {} s, a second signal ends them", GRACE.as_secs());
    tokio::spawn(async move {
        stop.heard().await;
        hurry.cancel();
        shutdown.finish().await;
    });
}

async fn reload_on(mut signal: tokio::signal::unix::Signal, host: Arc<Host>) {
    while signal.recv().await.is_some() {
        let survey = host.reload().await;
        tracing::info!(revision = survey.revision, fine = survey.is_fine(), "reloaded");
    }
}
