//! `[serve]`: where the host listens and what it finds where.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::diagnostic::{Spanned, TableReader, quoted};
use crate::principal::HeldRole;
use crate::units::format_duration;

/// The least time that a stream stays open.
const LEAST_STREAM: Duration = Duration::from_secs(1);

/// `[serve]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// Where `serve` listens.
    pub listen: SocketAddr,
    /// The URL that clients use, when it is another than `listen` (behind a proxy). Fixes allowed Host and Origin.
    pub public_url: Option<String>,
    /// The drop directory, absolute.
    pub plugins: PathBuf,
    /// What a caller on loopback without a credential holds.
    pub local_roles: Vec<HeldRole>,
    /// What happens to a plugin without a table.
    pub unlisted: Unlisted,
    /// How long a legacy call's stream stays open before a client of 2025-11-25 is let go and comes back for the rest.
    /// None: until the answer.
    pub stream_max: Option<Duration>,
    /// Where the audit log, the lock's state and the compiled cache live, absolute.
    pub state: PathBuf,
}

/// `[serve] unlisted`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unlisted {
    /// Found, shown by `check`, not served.
    #[default]
    Hold,
    /// Served with nothing granted, for development.
    Serve,
}

impl Serve {
    /// What holds without a `[serve]` table, in this directory.
    pub fn defaults(directory: &Path) -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            public_url: None,
            plugins: directory.join("plugins"),
            local_roles: Vec::new(),
            unlisted: Unlisted::Hold,
            stream_max: None,
            state: directory.join(".fleetgate"),
        }
    }
}

pub(super) fn serve(root: &mut TableReader<'_>, directory: &Path) -> Serve {
    let defaults = Serve::defaults(directory);
    let Some(mut table) = root.table("serve") else { return defaults };
    let serve = Serve {
        listen: listen(&mut table).unwrap_or(defaults.listen),
        public_url: public_url(&mut table),
        plugins: path(&mut table, "plugins", directory).unwrap_or(defaults.plugins),
        local_roles: held_roles(&mut table, "local_roles"),
        unlisted: table
            .enumeration("unlisted", &[("hold", Unlisted::Hold), ("serve", Unlisted::Serve)])
            .unwrap_or_default(),
        stream_max: stream_max(&mut table),
        state: path(&mut table, "state", directory).unwrap_or(defaults.state),
    };
    table.finish();
    serve
}

fn listen(table: &mut TableReader<'_>) -> Option<SocketAddr> {
    let text = table.string("listen")?;
    let address = text.parse();
    if address.is_err() {
        let message = format!("{} is not an address and port", quoted(&text));
        table.error_at("listen", message, "write \"127.0.0.1:8080\" or \"[::1]:8080\"");
    }
    address.ok()
}

fn stream_max(table: &mut TableReader<'_>) -> Option<Duration> {
    let long = table.spanned_duration("stream_max")?;
    if *long.get_ref() < LEAST_STREAM {
        let help = format!("write at least {}, like \"60s\"", format_duration(LEAST_STREAM));
        table.error_at(&long, "clients would come back all the time", help);
        return None;
    }
    Some(long.into_inner())
}

/// Clients compare it byte by byte in metadata and tokens' audience, so it has one spelling.
fn public_url(table: &mut TableReader<'_>) -> Option<String> {
    let text = table.string("public_url")?;
    const HELP: &str = "write it as clients do, like \"https://fleetgate.example.com\"";
    let message = match url::Url::parse(&text) {
        Err(wrong) => format!("{} is not a URL: {wrong}", quoted(&text)),
        Ok(url) if !matches!(url.scheme(), "https" | "http") => {
            format!("{} is not http or https", quoted(&text))
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "it holds a user or password".into()
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            format!("{} has a query or fragment", quoted(&text))
        }
        Ok(url) if url.path() != "/" => {
            format!("{} has a path, and the host serves from the root", quoted(&text))
        }
        Ok(url) => return Some(url.as_str().trim_end_matches('/').to_owned()),
    };
    table.error_at("public_url", message, HELP);
    None
}

fn path(table: &mut TableReader<'_>, key: &str, directory: &Path) -> Option<PathBuf> {
    let text = table.string(key)?;
    if text.is_empty() {
        table.error_at(key, "an empty path", "write a path; it starts from the directory of this file");
        return None;
    }
    Some(directory.join(text))
}

/// Takes a list of `<binding>:<role>`.
pub(super) fn held_roles(table: &mut TableReader<'_>, key: &str) -> Vec<HeldRole> {
    let texts = table.spanned_strings(key).unwrap_or_default();
    texts.iter().filter_map(|text| held_role(table, text)).collect()
}

fn held_role(table: &TableReader<'_>, text: &Spanned<String>) -> Option<HeldRole> {
    use crate::manifest::grammar::{ID, ROLE, is_id, is_role};
    let held = match HeldRole::parse(text.get_ref()) {
        Ok(held) => held,
        Err(_) => {
            let message = format!("{} is not a role", quoted(text.get_ref()));
            table.error_at(text, message, "write <binding>:<role>, for example \"nerveshub:view\"");
            return None;
        }
    };
    if held.binding != "*" && !is_id(&held.binding) {
        table.error_at(text, format!("{} is not the name of a binding", quoted(&held.binding)), ID);
        return None;
    }
    if held.role == "any" {
        let help = "everybody who is authenticated has any: remove it";
        table.error_at(text, "\"any\" is not a role that is given", help);
        return None;
    }
    if held.role != "*" && !is_role(&held.role) {
        table.error_at(text, format!("{} is not a role name", quoted(&held.role)), ROLE);
        return None;
    }
    Some(held)
}
