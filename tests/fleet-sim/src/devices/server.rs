//! SSH as a device speaks it: who gets in, and what a connection may open.
//!
//! Between the socket and the protocol stands a pipe of ours, so that a connection can break at any byte, as
//! cables do.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::server::{Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Response, Session, run_stream};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Preferred, Pty, SshId};
use tokio::io::{AsyncReadExt, copy_bidirectional, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::device::Shared;
use super::journal::What;
use super::terminal::{Screen, Terminal};
use super::{Fault, key};

/// How soon a port that was taken is tried again.
const AGAIN: Duration = Duration::from_millis(50);

/// Accepts connections until it is told to stop.
pub(crate) async fn listen(
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let mut faults = shared.faults.subscribe();
    let mut listener = Some(listener);
    loop {
        if faults.borrow_and_update().contains(&Fault::RefusesConnections) {
            listener = None;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        // Somebody else may have the port for a moment.
        let taken = listener.is_none() && !faults.borrow().contains(&Fault::RefusesConnections);
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = accepted => if let Ok((stream, _)) = accepted {
                tokio::spawn(serve(stream, Arc::clone(&shared), stop.clone()));
            },
            _ = faults.changed() => {}
            () = tokio::time::sleep(AGAIN), if taken => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>, stop: CancellationToken) {
    shared.tally.accepted.fetch_add(1, Ordering::SeqCst);
    let _here = Counted::new(&shared, |shared| &shared.tally.connections);
    let cut = shared.cut().child_token();
    if shared.has(&Fault::Silent) {
        let mut heard = [0; 1024];
        let deaf = async { while stream.read(&mut heard).await.is_ok_and(|read| read > 0) {} };
        tokio::select! { () = deaf => {}, () = cut.cancelled() => {}, () = stop.cancelled() => {} }
        return;
    }
    // Small answers to single keys wait for nobody.
    let _ = stream.set_nodelay(true);
    let (mut near, far) = duplex(1 << 16);
    let connection = shared.tally.connection.fetch_add(1, Ordering::SeqCst) + 1;
    let handler = Talk {
        shared: Arc::clone(&shared),
        connection,
        cut: cut.clone(),
        user: String::new(),
        waiting: HashMap::new(),
        closed: HashMap::new(),
        open: Open { own: Arc::default(), shared: Arc::clone(&shared) },
        opened: 0,
    };
    let config = Arc::new(config(&shared));
    let protocol = tokio::spawn(async move {
        if let Ok(session) = run_stream(config, far, handler).await {
            let _ = session.await;
        }
    });
    tokio::select! {
        _ = copy_bidirectional(&mut stream, &mut near) => {}
        () = cut.cancelled() => {}
        () = stop.cancelled() => {}
    }
    // With the socket gone the protocol finds its end of the pipe closed, and ends as well.
    drop((stream, near));
    cut.cancel();
    let _ = protocol.await;
}

fn config(shared: &Shared) -> Config {
    let login = shared.behaviour.login();
    let old = shared.has(&Fault::LegacyAlgorithms);
    let key = if shared.has(&Fault::OtherHostKey) { &shared.other_key } else { &shared.key };
    Config {
        server_id: SshId::Standard(Cow::Borrowed(login.server_id)),
        methods: MethodSet::from(login.methods),
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        max_auth_attempts: login.tries.max(1),
        keys: vec![key.clone()],
        preferred: if old { key::old_algorithms() } else { Preferred::default() },
        inactivity_timeout: None,
        ..Config::default()
    }
}

/// One connection.
struct Talk {
    shared: Arc<Shared>,
    connection: u64,
    cut: CancellationToken,
    user: String,
    waiting: HashMap<ChannelId, (Channel<Msg>, Screen)>,
    closed: HashMap<ChannelId, CancellationToken>,
    open: Open,
    opened: usize,
}

impl Talk {
    fn judge(&mut self, user: &str, password: Option<&str>, method: &'static str) -> Auth {
        let options = self.shared.behaviour.login().options;
        let name = options.and_then(|mark| user.split_once(mark)).map_or(user, |(name, _)| name);
        let setup = &self.shared.setup;
        let locked = self.shared.fault(|fault| match fault {
            Fault::LocksOut { after } => Some(self.shared.tally.refused.load(Ordering::SeqCst) >= *after),
            _ => None,
        });
        let accepted = (name == setup.user || setup.colleague.as_deref() == Some(name))
            && password.is_some_and(|given| given == setup.password)
            && !locked.unwrap_or(false);
        let tally = &self.shared.tally;
        let count = if accepted { &tally.logins } else { &tally.refused };
        count.fetch_add(1, Ordering::SeqCst);
        let what = What::Login { user: user.to_owned(), method, accepted };
        self.shared.journal.write(self.connection, what);
        if accepted {
            self.user = user.to_owned();
            return Auth::Accept;
        }
        Auth::reject()
    }

    /// Whether the platform lets users in that way.
    fn offers(&self, method: MethodKind) -> bool {
        self.shared.behaviour.login().methods.contains(&method)
    }

    /// The channel of a session that begins now, if the device lets it begin.
    fn begin(&mut self, channel: ChannelId, session: &mut Session) -> Option<(Channel<Msg>, Terminal)> {
        let (opened, screen) = self.waiting.remove(&channel)?;
        let closed = self.cut.child_token();
        self.closed.insert(channel, closed.clone());
        let terminal = Terminal::new(
            Arc::clone(&self.shared),
            self.connection,
            (self.cut.clone(), closed),
            self.user.clone(),
            screen,
            channel,
            session.handle(),
        );
        Some((opened, terminal))
    }
}

impl Handler for Talk {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        let fault = self.shared.fault(|fault| match fault {
            Fault::Banner(text) => Some(text.clone()),
            _ => None,
        });
        Ok(fault.or_else(|| self.shared.behaviour.login().banner))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        if !self.offers(MethodKind::Password) {
            return Ok(Auth::reject());
        }
        Ok(self.judge(user, Some(password), "password"))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        if !self.offers(MethodKind::KeyboardInteractive) {
            return Ok(Auth::reject());
        }
        let Some(mut response) = response else {
            let question = self.shared.behaviour.login().question;
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: Cow::Owned(vec![(Cow::Borrowed(question), false)]),
            });
        };
        let answer = response.next();
        let answer = answer.as_ref().and_then(|answer| std::str::from_utf8(answer).ok());
        Ok(self.judge(user, answer, "keyboard-interactive"))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        let single = self.shared.has(&Fault::OneSession) && self.opened > 0;
        if single || self.shared.has(&Fault::NoSession) {
            reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
            return Ok(());
        }
        self.opened += 1;
        self.open.begin(channel.id());
        self.waiting.insert(channel.id(), (channel, Screen::default()));
        reply.accept().await;
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        term: &str,
        columns: u32,
        rows: u32,
        _: u32,
        _: u32,
        _: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        if let Some((_, screen)) = self.waiting.get_mut(&channel) {
            *screen = Screen { term: term.to_owned(), columns, rows };
        }
        session.channel_success(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        let Some((opened, mut terminal)) = self.begin(channel, session) else {
            return session.channel_failure(channel);
        };
        session.channel_success(channel)?;
        let Screen { term, columns, rows } = terminal.screen();
        self.shared.journal.write(self.connection, What::Shell { term, columns, rows });
        let (open, shared, handle) = (self.open.clone(), Arc::clone(&self.shared), session.handle());
        terminal.attach(opened);
        tokio::spawn(async move {
            let ended = shared.behaviour.shell(&mut terminal).await;
            let flushed = terminal.flush().await;
            if ended.is_ok() && flushed.is_ok() {
                let _ = handle.exit_status_request(channel, 0).await;
            }
            // Whoever sees the end may count at once.
            open.end(channel);
            close(&handle, channel).await;
        });
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let command = String::from_utf8_lossy(command).into_owned();
        let Some((opened, mut terminal)) = self.begin(channel, session) else {
            return session.channel_failure(channel);
        };
        session.channel_success(channel)?;
        self.shared.journal.write(self.connection, What::Exec(command.clone()));
        let (open, shared, handle) = (self.open.clone(), Arc::clone(&self.shared), session.handle());
        terminal.attach(opened);
        tokio::spawn(async move {
            let ended = terminal.struck(&command).await;
            let ended = match ended {
                Ok(true) => Ok(None),
                Ok(false) => shared.behaviour.exec(&command, &mut terminal).await,
                Err(gone) => Err(gone),
            };
            let flushed = terminal.flush().await;
            if let (Ok(Some(status)), Ok(())) = (ended, flushed) {
                let _ = handle.exit_status_request(channel, status).await;
            }
            // Whoever sees the end may count at once.
            open.end(channel);
            close(&handle, channel).await;
        });
        Ok(())
    }

    async fn window_change_request(
        &mut self,
        _: ChannelId,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        // The terminal reads it from its channel.
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        self.waiting.remove(&channel);
        if let Some(closed) = self.closed.remove(&channel) {
            closed.cancel();
        }
        self.open.end(channel);
        Ok(())
    }
}

async fn close(handle: &Handle, channel: ChannelId) {
    let _ = handle.eof(channel).await;
    let _ = handle.close(channel).await;
}

/// The sessions of one connection that are open.
#[derive(Clone)]
struct Open {
    own: Arc<Mutex<HashSet<ChannelId>>>,
    shared: Arc<Shared>,
}

impl Open {
    fn begin(&self, channel: ChannelId) {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).insert(channel);
        self.shared.tally.opened.fetch_add(1, Ordering::SeqCst);
        self.shared.tally.sessions.fetch_add(1, Ordering::SeqCst);
    }

    fn end(&self, channel: ChannelId) {
        if self.own.lock().unwrap_or_else(PoisonError::into_inner).remove(&channel) {
            self.shared.tally.sessions.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let own: Vec<_> =
            self.open.own.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        own.into_iter().for_each(|channel| self.open.end(channel));
    }
}

/// One more for as long as this lives.
struct Counted {
    shared: Arc<Shared>,
    count: fn(&Shared) -> &AtomicUsize,
}

impl Counted {
    fn new(shared: &Arc<Shared>, count: fn(&Shared) -> &AtomicUsize) -> Self {
        count(shared).fetch_add(1, Ordering::SeqCst);
        Self { shared: Arc::clone(shared), count }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.count)(&self.shared).fetch_sub(1, Ordering::SeqCst);
    }
}
