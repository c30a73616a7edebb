//! What a device is started with.

use std::time::Duration;

use super::{Fault, Platform};

/// One device to start. The defaults are a device in good order, with `netops` as its user.
#[derive(Debug, Clone)]
pub struct Setup {
    pub(crate) platform: Platform,
    pub(crate) hostname: String,
    pub(crate) user: String,
    pub(crate) colleague: Option<String>,
    pub(crate) password: String,
    pub(crate) enable: Option<String>,
    pub(crate) privileged: bool,
    pub(crate) port: u16,
    pub(crate) idle: Option<Duration>,
    pub(crate) disclaimer: Option<String>,
    pub(crate) faults: Vec<Fault>,
}

impl Setup {
    /// A device of this platform in good order: a name of its own kind, user `netops`, password
    /// `netops-password`, enable password `enable-password` where the platform asks for one, any free port.
    pub fn new(platform: Platform) -> Self {
        let hostname = match platform {
            Platform::CiscoIos => "edge-r1",
            Platform::CiscoNxos => "leaf-n1",
            Platform::AristaEos => "spine-a1",
            Platform::JuniperJunos => "core-j1",
            Platform::Linux => "jump-l1",
            Platform::CiscoXr => "pe-x1",
            Platform::HpProcurve => "access-h1",
            Platform::MikrotikRouteros => "branch-m1",
            Platform::Fortinet => "fw-f1",
            Platform::PaloaltoPanos => "fw-p1",
        };
        Self {
            platform,
            hostname: hostname.to_owned(),
            user: "netops".to_owned(),
            colleague: None,
            password: "netops-password".to_owned(),
            enable: Some("enable-password".to_owned()),
            privileged: matches!(platform, Platform::CiscoNxos | Platform::CiscoXr),
            port: 0,
            idle: None,
            disclaimer: None,
            faults: Vec::new(),
        }
    }

    /// Its name, as its prompt shows it.
    pub fn hostname(mut self, hostname: impl Into<String>) -> Self {
        self.hostname = hostname.into();
        self
    }

    /// Who may log in.
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        (self.user, self.password) = (user.into(), password.into());
        self
    }

    /// Somebody else who may log in, with the same password.
    pub fn colleague(mut self, user: impl Into<String>) -> Self {
        self.colleague = Some(user.into());
        self
    }

    /// The password for `enable` (on Linux for `sudo`); `None`: it asks for none.
    pub fn enable(mut self, password: Option<&str>) -> Self {
        self.enable = password.map(str::to_owned);
        self
    }

    /// The login lands in privileged mode at once (privilege level 15, manager, root), where the platform
    /// tells the two apart.
    pub fn privileged(mut self, privileged: bool) -> Self {
        self.privileged = privileged;
        self
    }

    /// The port on 127.0.0.1; 0 is any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Ends terminals in which nothing is typed for so long, with the platform's words.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// A text that the user must accept after the login, where the platform has such a thing (Fortinet's
    /// post-login banner, PAN-OS's login banner, MikroTik's licence); elsewhere the message of the day.
    pub fn disclaimer(mut self, text: impl Into<String>) -> Self {
        self.disclaimer = Some(text.into());
        self
    }

    /// A fault that it has from the start.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }
}
