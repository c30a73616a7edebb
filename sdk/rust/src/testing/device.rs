//! A device that a test plays.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::ssh::{Key, Output, Secret, SshError};

/// What the plugin typed into a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A line.
    Line(String),
    /// A key. An empty line is Enter.
    Key(Key),
    /// A password.
    Secret(Secret),
    /// Bytes as they are.
    Bytes(Vec<u8>),
}

/// What a device does after something was typed.
#[derive(Debug, Clone, Default)]
pub struct Reply(pub(crate) VecDeque<Act>);

#[derive(Debug, Clone)]
pub(crate) enum Act {
    Says(Vec<u8>),
    Pauses(Duration),
    Closes(Option<u32>),
    Drops,
}

impl Reply {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn act(mut self, act: Act) -> Self {
        self.0.push_back(act);
        self
    }

    /// It says this, in one piece. Two calls are two pieces, and a plugin reads them one by one.
    #[must_use]
    pub fn says(self, text: impl Into<Vec<u8>>) -> Self {
        self.act(Act::Says(text.into()))
    }

    /// It says nothing for so long. Nobody waits: the time counts as slept.
    #[must_use]
    pub fn pauses(self, time: Duration) -> Self {
        self.act(Act::Pauses(time))
    }

    /// It closes the terminal; the exit status, if it says one.
    #[must_use]
    pub fn closes(self, status: Option<u32>) -> Self {
        self.act(Act::Closes(status))
    }

    /// The connection breaks.
    #[must_use]
    pub fn drops(self) -> Self {
        self.act(Act::Drops)
    }
}

type Handler = Rc<RefCell<dyn FnMut(&Typed) -> Reply>>;
type Allowed = Rc<dyn Fn(&str) -> bool>;

/// A device, for [`Harness::device`](super::Harness::device): what it says when a terminal is opened, and what it does
/// when something is typed. Every terminal begins at the beginning.
///
/// ```
/// # use std::time::Duration;
/// # use fleetgate_sdk::ssh::{Chunk, Connection, Terminal};
/// use fleetgate_sdk::testing::{Device, Harness};
///
/// let router = Device::new()
///     .says("R1#")
///     .expects("show clock")
///     .says("show clock\r\n*12:00:00 UTC\r\n")
///     .says("R1#");
/// let host = Harness::new().granted("ssh.devices").device("r1.lab", router);
/// host.run(|| {
///     let shell = Connection::connect("ssh.devices", "r1.lab", 22).unwrap().open_shell(&Terminal::default()).unwrap();
///     assert_eq!(shell.read(100, Duration::from_secs(1)), Ok(Chunk::Data(b"R1#".to_vec())));
///     shell.send_line("show clock").unwrap();
/// });
/// assert_eq!(host.visits()[0].open, 0);
/// ```
#[derive(Clone, Default)]
pub struct Device {
    pub(crate) refuses: Option<SshError>,
    pub(crate) banner: Option<String>,
    pub(crate) echoes: bool,
    pub(crate) allows: Option<Allowed>,
    pub(crate) greeting: Reply,
    pub(crate) script: VecDeque<(Typed, Reply)>,
    pub(crate) handler: Option<Handler>,
    pub(crate) commands: Vec<(String, Result<Output, SshError>)>,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("script", &self.script)
            .field("commands", &self.commands)
            .finish_non_exhaustive()
    }
}

impl Device {
    /// One that says nothing and expects nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that nobody can connect to.
    #[must_use]
    pub fn refusing(error: SshError) -> Self {
        Self { refuses: Some(error), ..Self::default() }
    }

    /// What it says before the login.
    #[must_use]
    pub fn banner(self, text: &str) -> Self {
        Self { banner: Some(text.to_owned()), ..self }
    }

    /// It shows each line that is typed and goes to the next, but does not show the answer to a question for a
    /// password.
    #[must_use]
    pub fn echoes(self) -> Self {
        Self { echoes: true, ..self }
    }

    /// The lines and commands that the grant allows. Without it: all.
    #[must_use]
    pub fn allows(self, allowed: impl Fn(&str) -> bool + 'static) -> Self {
        Self { allows: Some(Rc::new(allowed)), ..self }
    }

    fn with(mut self, change: impl FnOnce(Reply) -> Reply) -> Self {
        let reply = self.script.back_mut().map_or(&mut self.greeting, |(_, reply)| reply);
        *reply = change(std::mem::take(reply));
        self
    }

    /// As [`Reply::says`]: after what was expected last, or when the terminal is opened.
    #[must_use]
    pub fn says(self, text: impl Into<Vec<u8>>) -> Self {
        self.with(|reply| reply.says(text))
    }

    /// As [`Reply::pauses`].
    #[must_use]
    pub fn pauses(self, time: Duration) -> Self {
        self.with(|reply| reply.pauses(time))
    }

    /// As [`Reply::closes`].
    #[must_use]
    pub fn closes(self, status: Option<u32>) -> Self {
        self.with(|reply| reply.closes(status))
    }

    /// As [`Reply::drops`].
    #[must_use]
    pub fn drops(self) -> Self {
        self.with(Reply::drops)
    }

    fn then(mut self, typed: Typed) -> Self {
        self.script.push_back((typed, Reply::new()));
        self
    }

    /// The plugin types this line next; an empty one is Enter. When it types something else, the test fails.
    #[must_use]
    pub fn expects(self, line: &str) -> Self {
        self.then(match line {
            "" => Typed::Key(Key::Enter),
            line => Typed::Line(line.to_owned()),
        })
    }

    /// The plugin presses this key next.
    #[must_use]
    pub fn expects_key(self, key: Key) -> Self {
        self.then(Typed::Key(key))
    }

    /// The plugin has this password typed next.
    #[must_use]
    pub fn expects_secret(self, secret: Secret) -> Self {
        self.then(Typed::Secret(secret))
    }

    /// Instead of a script: what it does whenever something is typed.
    #[must_use]
    pub fn replies(self, handler: impl FnMut(&Typed) -> Reply + 'static) -> Self {
        Self { handler: Some(Rc::new(RefCell::new(handler))), ..self }
    }

    /// What a command without a terminal leaves behind.
    #[must_use]
    pub fn answers(mut self, command: &str, output: Output) -> Self {
        self.commands.push((command.to_owned(), Ok(output)));
        self
    }

    /// A command without a terminal fails.
    #[must_use]
    pub fn fails(mut self, command: &str, error: SshError) -> Self {
        self.commands.push((command.to_owned(), Err(error)));
        self
    }
}
