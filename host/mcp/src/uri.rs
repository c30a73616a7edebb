//! URIs of resources on the shared endpoint. Two plugins may both have a `config://main`, so there each URI carries
//! its binding: `naas+naas://jobs`. `skill://` and `ui://` mean something to clients and keep their scheme; the
//! binding becomes the first path segment. A binding's own endpoint shows URIs as the plugin wrote them.

use std::borrow::Cow;

use fleetgate_core::catalog::Scope;

/// Schemes whose meaning must stay: the binding goes into the path.
const KEPT: [&str; 2] = ["skill", "ui"];
/// Schemes that clients fetch by themselves, or that hold their own content: nothing of ours to read back.
const FOREIGN: [&str; 3] = ["https", "http", "data"];

/// A plugin's URI as an endpoint shows it. What has no scheme is no URI and stays as it is.
pub(crate) fn outward<'a>(scope: &Scope, binding: &str, uri: &'a str) -> Cow<'a, str> {
    let Scope::Shared = scope else { return uri.into() };
    let Some((scheme, rest)) = uri.split_once(':') else { return uri.into() };
    if !is_scheme(scheme) {
        return uri.into();
    }
    let scheme = scheme.to_ascii_lowercase();
    if FOREIGN.contains(&scheme.as_str()) {
        uri.into()
    } else if KEPT.contains(&scheme.as_str()) {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        format!("{scheme}://{binding}/{path}").into()
    } else {
        format!("{binding}+{uri}").into()
    }
}

/// RFC 3986, section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_endpoint_shows_whose_a_uri_is() {
        let shown = |uri| outward(&Scope::Shared, "naas-lab", uri).into_owned();
        assert_eq!(shown("naas://jobs"), "naas-lab+naas://jobs");
        assert_eq!(shown("urn:job:7"), "naas-lab+urn:job:7");
        assert_eq!(shown("skill://push/SKILL.md"), "skill://naas-lab/push/SKILL.md");
        assert_eq!(shown("ui://panel"), "ui://naas-lab/panel");
        assert_eq!(shown("UI://panel"), "ui://naas-lab/panel");
    }

    #[test]
    fn what_a_client_fetches_by_itself_stays() {
        for uri in
            ["https://example.com/a", "http://example.com/a", "data:text/plain,x", "not a uri", "7://x", ":x"]
        {
            assert_eq!(outward(&Scope::Shared, "naas", uri), uri);
        }
    }

    #[test]
    fn a_bindings_own_endpoint_shows_what_the_plugin_wrote() {
        let own = Scope::Binding("naas".into());
        assert_eq!(outward(&own, "naas", "naas://jobs"), "naas://jobs");
        assert_eq!(outward(&own, "naas", "ui://panel"), "ui://panel");
    }
}
