//! The guest's side: `fleetgate:ssh/ssh`.

use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::capability::{Of, Slot};
use fleetgate_core::sandbox::CallState;
use wasmtime::component::{Linker, Resource};

use crate::brought::LoginArguments;
use crate::command;
use crate::failure::Failure;
use crate::session::{Device, Session};
use crate::shell::{Chunk, Shell};
use crate::terminal::Terminal;
use crate::typed::Step;
use crate::typing::key;

mod generated {
    #![allow(missing_docs)]
    wasmtime::component::bindgen!({
        path: "../../../wit/fleetgate-ssh",
        world: "imports",
        imports: { default: async | trappable },
        with: {
            "fleetgate:ssh/ssh.connection": super::Connected,
            "fleetgate:ssh/ssh.shell": crate::shell::Shell,
        },
    });
}

use generated::fleetgate::ssh::ssh;

/// A guest's handle of a device.
pub struct Connected(Arc<Device>);

/// What a call keeps.
pub(crate) struct State(pub(crate) Session);

/// The most bytes of one read.
const MOST_READ: u32 = 1 << 20;

/// Adds the host functions.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    ssh::add_to_linker::<_, Of<State>>(linker, CallState::slot::<State>)
}

type Answer<T> = wasmtime::Result<Result<T, ssh::Failure>>;

fn failure(failure: &Failure) -> ssh::Failure {
    let guest = failure.guest();
    ssh::Failure {
        code: guest.code.to_owned(),
        message: guest.message,
        retryable: guest.retryable,
        sent: guest.sent,
        details: guest.details.map(|details| details.to_string()),
    }
}

fn answer<T>(done: Result<T, Failure>) -> Answer<T> {
    Ok(done.map_err(|failed| failure(&failed)))
}

impl ssh::Host for Slot<'_, State> {}

impl ssh::HostConnection for Slot<'_, State> {
    async fn connect(
        &mut self,
        capability: String,
        host: String,
        port: u16,
        login: Option<ssh::Login>,
    ) -> Answer<Resource<Connected>> {
        let login = login.map(|login| LoginArguments {
            user: login.user,
            password: login.password,
            enable: login.enable,
        });
        match self.state.0.connect(&capability, &host, port, login).await {
            Ok(device) => Ok(Ok(self.table.push(Connected(Arc::new(device)))?)),
            Err(failed) => Ok(Err(failure(&failed))),
        }
    }

    async fn exec(
        &mut self,
        connection: Resource<Connected>,
        command: String,
        timeout_ms: Option<u32>,
        max_bytes: Option<u64>,
    ) -> Answer<ssh::Output> {
        let device = Arc::clone(&self.table.get(&connection)?.0);
        let timeout = timeout_ms.map(|ms| Duration::from_millis(ms.into()));
        let done = device.exec(&command, timeout, max_bytes).await;
        answer(done.map(|output| {
            let command::Output { stdout, stderr, exit_status, exit_signal, cut } = output;
            ssh::Output { stdout, stderr, exit_status, exit_signal, cut }
        }))
    }

    async fn open_shell(
        &mut self,
        connection: Resource<Connected>,
        options: Option<String>,
    ) -> Answer<Resource<Shell>> {
        let device = Arc::clone(&self.table.get(&connection)?.0);
        let opened = match Terminal::parse(options.as_deref()) {
            Ok(terminal) => device.open_shell(terminal).await,
            Err(invalid) => Err(invalid),
        };
        match opened {
            Ok(shell) => Ok(Ok(self.table.push(shell)?)),
            Err(failed) => Ok(Err(failure(&failed))),
        }
    }

    async fn banner(&mut self, connection: Resource<Connected>) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&connection)?.0.banner().map(str::to_owned))
    }

    async fn drop(&mut self, connection: Resource<Connected>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl ssh::HostShell for Slot<'_, State> {
    async fn send_line(&mut self, shell: Resource<Shell>, line: String) -> Answer<()> {
        answer(self.table.get(&shell)?.send_line(&line).await)
    }

    async fn send_key(&mut self, shell: Resource<Shell>, key: String) -> Answer<()> {
        answer(self.table.get(&shell)?.send_key(&key).await)
    }

    async fn send_secret(&mut self, shell: Resource<Shell>, name: String) -> Answer<()> {
        answer(self.table.get(&shell)?.send_secret(&name).await)
    }

    async fn write(&mut self, shell: Resource<Shell>, data: Vec<u8>) -> Answer<()> {
        answer(self.table.get(&shell)?.write(data).await)
    }

    async fn read(&mut self, shell: Resource<Shell>, max: u32, timeout_ms: u32) -> Answer<ssh::Chunk> {
        let timeout = Duration::from_millis(timeout_ms.into());
        let read = self.table.get(&shell)?.read(max.min(MOST_READ), timeout).await;
        answer(read.map(|chunk| match chunk {
            Chunk::Data(data) => ssh::Chunk::Data(data.to_vec()),
            Chunk::TimedOut => ssh::Chunk::TimedOut,
            Chunk::Closed => ssh::Chunk::Closed,
        }))
    }

    async fn on_close(&mut self, shell: Resource<Shell>, steps: Vec<ssh::Step>) -> Answer<()> {
        let shell = self.table.get(&shell)?;
        let steps = steps.into_iter().map(|step| match step {
            ssh::Step::Line(line) => Ok(Step::Line(line)),
            ssh::Step::Key(name) => key(&name).map(Step::Key),
        });
        answer(steps.collect::<Result<_, _>>().and_then(|steps| shell.on_close(steps)))
    }

    async fn exit_status(&mut self, shell: Resource<Shell>) -> wasmtime::Result<Option<u32>> {
        Ok(self.table.get(&shell)?.exit_status())
    }

    async fn drop(&mut self, shell: Resource<Shell>) -> wasmtime::Result<()> {
        self.table.delete(shell)?;
        Ok(())
    }
}
