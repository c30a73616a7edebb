//! Where a broker is: the URL of a grant.

use std::fmt;

use fleetgate_core::address::Host;
use fleetgate_core::diagnostic::{TableReader, quoted};

/// How a broker is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Mqtt,
    Mqtts,
    /// Within a WebSocket (MQTT, section 6).
    Ws,
    Wss,
}

impl Scheme {
    const WORDS: [(&'static str, Self, u16); 4] = [
        ("mqtt", Self::Mqtt, 1883),
        ("mqtts", Self::Mqtts, 8883),
        ("ws", Self::Ws, 80),
        ("wss", Self::Wss, 443),
    ];

    fn parse(name: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(word, ..)| name.eq_ignore_ascii_case(word)).map(|(_, scheme, _)| *scheme)
    }

    fn entry(self) -> (&'static str, u16) {
        let (word, _, port) =
            Self::WORDS.into_iter().find(|(_, scheme, _)| *scheme == self).expect("all are listed");
        (word, port)
    }

    pub(crate) fn is_encrypted(self) -> bool {
        matches!(self, Self::Mqtts | Self::Wss)
    }

    pub(crate) fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }
}

/// A broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broker {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// Of the WebSocket: `/mqtt`. Empty where there is none.
    pub(crate) path: String,
}

const EXAMPLE: &str = "write it like \"mqtts://broker.example.com:8883\"";
/// Where brokers have their WebSocket, if nothing is written.
const PATH: &str = "/mqtt";

impl Broker {
    /// Reads `url` of a grant, and whether it may be unencrypted.
    pub(crate) fn read(table: &mut TableReader<'_>) -> Option<Self> {
        let plaintext = table.bool("plaintext").unwrap_or(false);
        if !table.has("url") {
            table.value("url");
            table.error("missing key \"url\"", "say where it is: url = \"mqtts://broker.example.com:8883\"");
            return None;
        }
        let text = table.spanned_string("url")?;
        let parsed = Self::parse(text.get_ref());
        if let Err((message, help)) = &parsed {
            table.error_at(&text, message.as_str(), *help);
        }
        let broker = parsed.ok()?;
        if let Err(never) = broker.host.openings(broker.port) {
            table.error_at(&text, never.to_string(), never.help());
        }
        if !broker.scheme.is_encrypted() && !broker.host.is_near() && !plaintext {
            table.error_at(
                &text,
                "no encryption, to a host that may be anywhere",
                "write mqtts://… or wss://…, or add plaintext = true if every network on the way is trusted",
            );
        }
        Some(broker)
    }

    /// `Err` with message and help. The text may hold a password, and is not repeated.
    pub(crate) fn parse(text: &str) -> Result<Self, (String, &'static str)> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(("this is not a URL".into(), EXAMPLE));
        };
        let scheme = Scheme::parse(scheme)
            .ok_or_else(|| (format!("{} is not mqtt, mqtts, ws or wss", quoted(scheme)), EXAMPLE))?;
        if text.contains('…') {
            return Err(("the URL is not filled in".into(), EXAMPLE));
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            let help = "write credential = { user = \"name\", password = \"secret\" }";
            return Err(("a URL in a grant has no user and no password".into(), help));
        }
        if path.contains(['?', '#']) {
            return Err(("a broker's URL has no query and no fragment".into(), EXAMPLE));
        }
        if !path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\')) {
            return Err(("the path holds characters that a URL does not have".into(), "percent-encode them"));
        }
        let path = match (scheme.is_websocket(), path) {
            (true, "" | "/") => PATH.to_owned(),
            (true, path) => path.to_owned(),
            (false, "" | "/") => String::new(),
            (false, _) => return Err(("only ws and wss have a path".into(), EXAMPLE)),
        };
        let (host, port) = host_and_port(authority, scheme.entry().1)
            .ok_or_else(|| (format!("{} is not a host, perhaps with a port", quoted(authority)), EXAMPLE))?;
        Ok(Self { scheme, host, port, path })
    }

    /// `host:port`, as the `Host` header of a WebSocket has it: no port where it is the scheme's.
    pub(crate) fn authority(&self) -> String {
        match self.port == self.scheme.entry().1 {
            true => self.host.to_string(),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}{}", self.scheme.entry().0, self.host, self.port, self.path)
    }
}

fn host_and_port(authority: &str, default: u16) -> Option<(Host, u16)> {
    let colon = match authority.find(']') {
        Some(end) if authority.starts_with('[') => (end + 1 < authority.len()).then_some(end + 1),
        _ => authority.find(':'),
    };
    let Some(at) = colon else { return Some((Host::parse(authority)?, default)) };
    let port = authority[at..].strip_prefix(':')?;
    // Digits alone: `+80` is a number to Rust and nothing to a URL.
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((Host::parse(&authority[..at])?, port.parse().ok().filter(|port| *port != 0)?))
}

/// Which MQTT is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Version {
    #[default]
    V311,
    V5,
}

impl Version {
    pub(crate) fn read(table: &mut TableReader<'_>) -> Option<Self> {
        table.enumeration("version", &[("3.1.1", Self::V311), ("5", Self::V5), ("5.0", Self::V5)])
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::V5 { "5" } else { "3.1.1" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_how_and_where() {
        for (text, said) in [
            ("mqtt://127.0.0.1", "mqtt://127.0.0.1:1883"),
            ("mqtts://broker.example.com", "mqtts://broker.example.com:8883"),
            ("MQTTS://Broker.Example.COM.:9000/", "mqtts://broker.example.com:9000"),
            ("ws://[::1]:9001", "ws://[::1]:9001/mqtt"),
            ("wss://broker.example.com/ws/v1", "wss://broker.example.com:443/ws/v1"),
            ("mqtt://0x7f.1:1884", "mqtt://127.0.0.1:1884"),
        ] {
            assert_eq!(Broker::parse(text).unwrap().to_string(), said, "{text}");
        }
    }

    #[test]
    fn what_is_no_broker_is_refused_without_repeating_a_password() {
        for text in [
            "broker.example.com:1883",
            "tcp://broker:1883",
            "mqtt://user:hunter2@broker",
            "mqtt://broker/path",
            "mqtt://broker:0",
            "mqtt://broker:+1883",
            "mqtt://bro ker",
            "wss://broker/mqtt?token=hunter2",
            "wss://broker/a b",
            "mqtts://…",
        ] {
            let (message, _) = Broker::parse(text).unwrap_err();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
