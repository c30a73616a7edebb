//! Where a redirect leads (RFC 9110, 15.4), for grants that allow them to be followed.
//!
//! Each hop is a request of its own that passes the guard like any other. What was meant for one origin, the
//! credential first of all, never goes to another, and not back either once a chain has left.

use http::{Method, StatusCode, Uri};
use url::Url;

/// The most hops of one request.
pub(crate) const MOST_HOPS: usize = 5;

/// What a redirect asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) uri: Uri,
    pub(crate) method: Method,
    /// The body goes along.
    pub(crate) body: bool,
}

/// The next hop. None: this is no redirect that can be followed.
pub(crate) fn next(status: StatusCode, location: &[u8], method: &Method, from: &Uri) -> Option<Next> {
    let (method, body) = match status {
        StatusCode::SEE_OTHER if *method == Method::HEAD => (Method::HEAD, false),
        StatusCode::SEE_OTHER => (Method::GET, false),
        // What every client does since the first ones did.
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if *method == Method::POST => (Method::GET, false),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => (method.clone(), true),
        _ => return None,
    };
    let mut to = Url::parse(&from.to_string()).ok()?.join(std::str::from_utf8(location).ok()?).ok()?;
    to.set_fragment(None);
    Some(Next { uri: to.as_str().parse().ok()?, method, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(status: u16, method: &Method, location: &str) -> Option<(String, Method, bool)> {
        let from = "https://api.example.com/v2/jobs?x=1".parse().unwrap();
        next(StatusCode::from_u16(status).unwrap(), location.as_bytes(), method, &from)
            .map(|next| (next.uri.to_string(), next.method, next.body))
    }

    #[test]
    fn methods_change_as_the_status_says() {
        let to = "https://api.example.com/a";
        for (status, method, expected, body) in [
            (301, Method::GET, Method::GET, true),
            (301, Method::POST, Method::GET, false),
            (302, Method::POST, Method::GET, false),
            (302, Method::DELETE, Method::DELETE, true),
            (303, Method::PUT, Method::GET, false),
            (303, Method::HEAD, Method::HEAD, false),
            (307, Method::POST, Method::POST, true),
            (308, Method::PUT, Method::PUT, true),
        ] {
            assert_eq!(hop(status, &method, "/a"), Some((to.into(), expected, body)), "{status} {method}");
        }
        for status in [200, 300, 304, 305, 306, 400] {
            assert_eq!(hop(status, &Method::GET, "/a"), None, "{status}");
        }
    }

    #[test]
    fn a_location_is_relative_to_the_request() {
        for (location, expected) in [
            ("/a?b=1#c", "https://api.example.com/a?b=1"),
            ("other", "https://api.example.com/v2/other"),
            ("../a", "https://api.example.com/a"),
            ("//evil.example/a", "https://evil.example/a"),
            ("http://127.1/", "http://127.0.0.1/"),
            ("\\\\evil.example\\a", "https://evil.example/a"),
            ("https://EVIL.example./x", "https://evil.example./x"),
        ] {
            assert_eq!(
                hop(302, &Method::GET, location).map(|hop| hop.0),
                Some(expected.into()),
                "{location}"
            );
        }
        assert_eq!(hop(302, &Method::GET, "https://"), None);
    }
}
