//! Where requests go.

use crate::Fault;
use crate::http::{Method, Request, path};

/// No segment: the upstream's root, or exactly the URL given to [`url`].
pub const ROOT: [&str; 0] = [];

/// An upstream, or a fixed URL. See [`upstream`] and [`url`].
#[derive(Debug, Clone)]
pub struct Upstream {
    /// For messages: the upstream's name, or the URL's authority.
    pub(crate) label: String,
    pub(crate) base: Result<Base, Fault>,
}

/// The parts of a URL that the host wants apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) https: bool,
    pub(crate) authority: String,
    /// Without a slash at its end.
    pub(crate) path: String,
    pub(crate) query: String,
}

/// The upstream that the operator granted for `[capabilities.http.<name>]`.
#[must_use]
pub fn upstream(name: &str) -> Upstream {
    let fits =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let base = if fits {
        Ok(Base {
            https: false,
            authority: format!("{name}.upstream"),
            path: String::new(),
            query: String::new(),
        })
    } else {
        Err(Fault::internal(format!("{name:?} is not the name of an upstream.")))
    };
    Upstream { label: name.to_owned(), base }
}

/// A fixed URL that the manifest names (`hosts = ["api.weather.gov"]`), or a link that an upstream returned: the host
/// knows the granted origin when it sees it. Do not put arguments into it; append them with
/// [`Request::segment`] and [`Request::query`].
#[must_use]
pub fn url(url: &str) -> Upstream {
    let base = parse(url).map_err(|reason| {
        Fault::custom("invalid-arguments", format!("{} cannot be used: {reason}.", path::quoted(url)))
    });
    let label = match &base {
        Ok(base) => base.authority.clone(),
        Err(_) => "URL".to_owned(),
    };
    Upstream { label, base }
}

impl Upstream {
    /// Reads.
    pub fn get<P: IntoIterator<Item: AsRef<str>>>(&self, path: P) -> Request {
        self.request(Method::Get, path)
    }

    /// Reads the header alone.
    pub fn head<P: IntoIterator<Item: AsRef<str>>>(&self, path: P) -> Request {
        self.request(Method::Head, path)
    }

    /// Creates, or does.
    pub fn post<P: IntoIterator<Item: AsRef<str>>>(&self, path: P) -> Request {
        self.request(Method::Post, path)
    }

    /// Replaces.
    pub fn put<P: IntoIterator<Item: AsRef<str>>>(&self, path: P) -> Request {
        self.request(Method::Put, path)
    }

    /// Changes.
    pub fn patch<P: IntoIterator<Item: AsRef<str>>>(&self, path: P) -> Request {
        self.request(Method::Patch, path)
    }

    /// Removes.
    pub fn delete<P: IntoIterator<Item: AsRef<str>>>(&self, path: P) -> Request {
        self.request(Method::Delete, path)
    }

    /// Any method. `path` is a list of segments, each encoded by itself; see [`Request::segment`].
    pub fn request<P: IntoIterator<Item: AsRef<str>>>(&self, method: Method, path: P) -> Request {
        let mut request = Request::new(self, method);
        for segment in path {
            request = request.segment(segment.as_ref());
        }
        request
    }
}

/// A URL with a host and no user. The path may not hold what [`path::check`] refuses, empty segments and semicolons
/// apart: a link that an API returned may have these.
fn parse(url: &str) -> Result<Base, &'static str> {
    if url
        .chars()
        .any(|c| !c.is_ascii_graphic() || matches!(c, '\\' | '"' | '<' | '>' | '^' | '`' | '{' | '|' | '}'))
    {
        return Err("it has a character that no URL has");
    }
    let (scheme, rest) = url.split_once("://").ok_or("it does not begin with https://")?;
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err("it does not begin with https://"),
    };
    let rest = rest.split('#').next().unwrap_or("");
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = match before_query.find('/') {
        Some(slash) => before_query.split_at(slash),
        None => (before_query, ""),
    };
    if authority.is_empty() || authority.starts_with(':') {
        return Err("it has no host");
    }
    if authority.contains('@') {
        return Err("it has a user or a password");
    }
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        if path::check(&segment.replace(';', "")).is_err() && !segment.chars().all(|c| c == ';') {
            return Err("its path leads elsewhere");
        }
    }
    Ok(Base {
        https,
        authority: authority.to_owned(),
        path: path.trim_end_matches('/').to_owned(),
        query: query.to_owned(),
    })
}
