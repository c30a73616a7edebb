//! A question that sends a person to a web page (MCP's URL mode): to sign in, to pay. What happens there is between
//! the person and that site, so the operator says which sites.

use std::fmt;

use url::Url;

/// The longest URL.
const MAX_URL: usize = 2 << 10;

/// A host that people may be sent to, with its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    host: String,
    port: u16,
}

impl Site {
    /// Reads `login.example.com` or `login.example.com:8443`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        if text.is_empty() || text.len() > 255 || !text.chars().all(plain) {
            return None;
        }
        Self::of(&Url::parse(&format!("https://{text}/")).ok()?)
    }

    fn of(url: &Url) -> Option<Self> {
        Some(Self { host: url.host_str()?.to_owned(), port: url.port_or_known_default()? })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            443 => f.write_str(&self.host),
            port => write!(f, "{}:{port}", self.host),
        }
    }
}

/// Why a URL is not shown to a person.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is not a URL that a person is sent to.
    Malformed(&'static str),
    /// Its host is not granted.
    Ungranted(String),
}

/// The URL in its one spelling, if it leads to a granted site over https.
pub(super) fn check(text: &str, granted: &[Site]) -> Result<String, Refused> {
    if text.len() > MAX_URL {
        return Err(Refused::Malformed("the URL is longer than 2 KiB"));
    }
    let Ok(url) = Url::parse(text) else { return Err(Refused::Malformed("the URL cannot be read")) };
    if url.scheme() != "https" {
        return Err(Refused::Malformed("the URL is not an https one"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::Malformed("the URL has a user in it"));
    }
    let Some(site) = Site::of(&url) else { return Err(Refused::Malformed("the URL has no host")) };
    if !granted.contains(&site) {
        return Err(Refused::Ungranted(site.to_string()));
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_sent_to_granted_sites_over_https_alone() {
        let granted =
            [Site::parse("login.example.com").unwrap(), Site::parse("sso.example.com:8443").unwrap()];
        for (text, sent) in [
            ("https://login.example.com/a?b=c#d", "https://login.example.com/a?b=c#d"),
            ("HTTPS://LOGIN.example.com", "https://login.example.com/"),
            ("https://login.example.com:443/x", "https://login.example.com/x"),
            ("https://sso.example.com:8443/x", "https://sso.example.com:8443/x"),
        ] {
            assert_eq!(check(text, &granted).as_deref(), Ok(sent));
        }
        for text in [
            "https://example.com/",
            "https://login.example.com.evil.example/",
            "https://login.example.com:8443/",
            "https://sso.example.com/",
            "https://evil.example/https://login.example.com/",
            "https://evil.example\\@login.example.com/",
            "https://login.example.com./",
        ] {
            assert!(matches!(check(text, &granted), Err(Refused::Ungranted(_))), "{text}");
        }
        for text in [
            "http://login.example.com/",
            "https://ann@login.example.com/",
            "https://:x@login.example.com/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
            "login.example.com",
            "",
            &format!("https://login.example.com/{}", "x".repeat(MAX_URL)),
        ] {
            assert!(matches!(check(text, &granted), Err(Refused::Malformed(_))), "{text}");
        }
    }

    #[test]
    fn a_site_is_a_host_and_perhaps_a_port() {
        for text in ["login.example.com", "login.example.com:8443", "[2001:db8::1]:443", "10.0.0.1"] {
            assert!(Site::parse(text).is_some(), "{text}");
        }
        for text in
            ["", "https://login.example.com", "login.example.com/x", "a@b", "*.example.com", "a b", "a:x"]
        {
            assert!(Site::parse(text).is_none(), "{text}");
        }
        assert_eq!(Site::parse("Login.Example.com:443").unwrap().to_string(), "login.example.com");
    }
}
