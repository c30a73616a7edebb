//! What a platform has to say for itself.

use async_trait::async_trait;
use russh::MethodKind;

use super::terminal::{Gone, Terminal};

/// One device's platform, with its configuration.
#[async_trait]
pub(crate) trait Behaviour: Send + Sync {
    /// How it lets users in.
    fn login(&self) -> Login;

    /// Talks to a person at a terminal until one of the two has enough.
    async fn shell(&self, terminal: &mut Terminal) -> Result<(), Gone>;

    /// Runs one command without a terminal. `None`: it says nothing about how the command ended.
    async fn exec(&self, command: &str, terminal: &mut Terminal) -> Result<Option<u32>, Gone>;

    /// The configuration that is in force.
    fn running(&self) -> String;

    /// The configuration that it would start with.
    fn startup(&self) -> String {
        self.running()
    }

    /// A candidate that sessions share.
    fn pending(&self) -> Option<String> {
        None
    }
}

/// How a platform lets users in.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// How it introduces itself.
    pub(crate) server_id: &'static str,
    /// The methods it takes, best first.
    pub(crate) methods: &'static [MethodKind],
    /// What it asks with `keyboard-interactive`.
    pub(crate) question: &'static str,
    /// Wrong passwords before it ends the connection.
    pub(crate) tries: usize,
    /// What it says before the login.
    pub(crate) banner: Option<String>,
    /// What separates the user's name from options for the terminal.
    pub(crate) options: Option<char>,
}

impl Default for Login {
    fn default() -> Self {
        Self {
            server_id: "SSH-2.0-Cisco-1.25",
            methods: &[MethodKind::Password, MethodKind::KeyboardInteractive],
            question: "Password: ",
            tries: 3,
            banner: None,
            options: None,
        }
    }
}
