//! One connection to the router: logins and channels.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, Response, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Pty, Sig};

use super::line::Line;
use super::{PASSWORD, Shared, USER};

/// One connection.
pub(super) struct Talk {
    shared: Arc<Shared>,
    channels: HashMap<ChannelId, Channel<Msg>>,
    open: Open,
}

/// The sessions of one connection that are open.
#[derive(Clone)]
struct Open {
    own: Arc<Mutex<HashSet<ChannelId>>>,
    all: Arc<Shared>,
}

impl Open {
    fn begin(&self, channel: ChannelId) {
        self.own.lock().unwrap().insert(channel);
        self.all.open.fetch_add(1, Ordering::SeqCst);
    }

    fn end(&self, channel: ChannelId) {
        if self.own.lock().unwrap().remove(&channel) {
            self.all.open.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let left: Vec<_> = self.open.own.lock().unwrap().iter().copied().collect();
        left.into_iter().for_each(|channel| self.open.end(channel));
    }
}

impl Talk {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        let open = Open { own: Arc::default(), all: Arc::clone(shared) };
        Self { shared: Arc::clone(shared), channels: HashMap::new(), open }
    }

    fn judge(&self, right: bool, how: &str) -> Auth {
        self.shared.hear(format!("login by {how}: {}", if right { "right" } else { "wrong" }));
        match right {
            true if self.shared.setup.more => Auth::Reject {
                proceed_with_methods: Some(MethodSet::from(&[MethodKind::PublicKey][..])),
                partial_success: true,
            },
            true => Auth::Accept,
            false => Auth::reject(),
        }
    }
}

impl Handler for Talk {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        if self.shared.setup.reflects {
            // What the connection before it said.
            return Ok(Some(format!("{}\n", self.shared.last_words("welcome back"))));
        }
        Ok(self.shared.setup.banner.map(str::to_owned))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        password.clone_into(&mut self.shared.password.lock().unwrap());
        Ok(self.judge(user == USER && password == PASSWORD, "password"))
    }

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(self.judge(true, "key"))
    }

    async fn auth_keyboard_interactive<'a>(
        &mut self,
        user: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let questions = &self.shared.setup.questions;
        let Some(response) = response else {
            let prompts = questions.iter().map(|(question, echo)| (Cow::Borrowed(*question), *echo));
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: Cow::Owned(prompts.collect()),
            });
        };
        let answers: Vec<_> =
            response.map(|answer| String::from_utf8_lossy(answer.as_ref()).into_owned()).collect();
        if self.shared.setup.reflects {
            // It asks again, whether the answer was right.
            let prompt = format!("{} - sure?", answers.join(" "));
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: Cow::Owned(vec![(prompt.into(), true)]),
            });
        }
        let right = user == USER
            && answers.len() == questions.len()
            && answers.iter().zip(questions).all(|(answer, (_, echo))| match echo {
                true => answer == USER,
                false => answer == PASSWORD,
            });
        Ok(self.judge(right, "questions"))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.open.own.lock().unwrap().len() >= self.shared.setup.sessions {
            self.shared.hear("session refused");
            reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
            return Ok(());
        }
        self.open.begin(channel.id());
        self.channels.insert(channel.id(), channel);
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
        self.shared.hear(format!("terminal {term} {columns}x{rows}"));
        session.channel_success(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        let Some(opened) = self.channels.remove(&channel).filter(|_| self.shared.setup.shell) else {
            return session.channel_failure(channel);
        };
        session.channel_success(channel)?;
        let line = Line::new(Arc::clone(&self.shared), opened, session.handle());
        let open = self.open.clone();
        tokio::spawn(async move {
            line.run().await;
            open.end(channel);
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
        self.shared.hear(format!("exec {command}"));
        let Some(opened) = self.channels.remove(&channel).filter(|_| self.shared.setup.exec) else {
            return session.channel_failure(channel);
        };
        session.channel_success(channel)?;
        let mut line = Line::new(Arc::clone(&self.shared), opened, session.handle());
        let open = self.open.clone();
        tokio::spawn(async move {
            line.once(&command).await;
            open.end(channel);
        });
        Ok(())
    }

    async fn signal(&mut self, _: ChannelId, signal: Sig, _: &mut Session) -> Result<(), Self::Error> {
        self.shared.hear(format!("signal {signal:?}"));
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        self.shared.hear("close");
        self.open.end(channel);
        Ok(())
    }

    async fn agent_request(&mut self, _: ChannelId, _: &mut Session) -> Result<bool, Self::Error> {
        self.shared.hear("agent forwarding");
        Ok(false)
    }
}
