//! URIs of resources on the shared endpoint. Two plugins may both have a `config://main`, so there each URI carries
//! its binding: `naas+naas://jobs`. `skill://` and `ui://` mean something to clients and keep their scheme; the
//! binding becomes the first path segment. A binding's own endpoint shows URIs as the plugin wrote them.
//!
//! The way back reads the binding off the front again and changes no other byte. It takes a URI only as the way out
//! would have written it, so that one resource has one URI, and what a plugin writes can never lead to another
//! binding: whatever it is, its own binding's name goes before it.

use std::borrow::Cow;
use std::sync::Arc;

use fleetgate_core::catalog::Scope;
use fleetgate_core::principal::Principal;
use fleetgate_core::uri::ResourceUri;
use rmcp::model::MetaObject;

use crate::view::View;

/// Schemes whose meaning must stay: the binding goes into the path.
const KEPT: [&str; 2] = ["skill", "ui"];
/// Schemes that clients fetch by themselves, or that hold their own content. They carry no binding.
const FOREIGN: [&str; 3] = ["https", "http", "data"];

/// The longest URI that is looked at, in bytes.
pub(crate) const LONGEST: usize = 8 * 1024;

/// A plugin's URI as an endpoint shows it. What has no scheme is no URI and stays as it is. URI templates go the same
/// way: what is written before them holds no expression.
pub(crate) fn outward<'a>(scope: &Scope, binding: &str, uri: &'a str) -> Cow<'a, str> {
    let Scope::Shared = scope else { return uri.into() };
    match Form::of(uri) {
        Form::Foreign | Form::None => uri.into(),
        Form::Kept { scheme, path } => format!("{scheme}://{binding}/{path}").into(),
        Form::Named => format!("{binding}+{uri}").into(),
    }
}

/// Whose a URI is that a client sent, and how its plugin wrote it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inward<'a> {
    /// This binding's.
    Of(Arc<str>, Cow<'a, str>),
    /// It carries no binding: that of whoever exposes it.
    Unnamed,
    /// Nobody's.
    None,
}

/// The way back from [`outward`]. Whether the binding exists, and exposes that URI, is for others to say.
pub(crate) fn inward<'a>(scope: &Scope, uri: &'a str) -> Inward<'a> {
    if let Scope::Binding(name) = scope {
        return Inward::Of(name.clone(), uri.into());
    }
    let (binding, own): (&str, Cow<'_, str>) = match Form::of(uri) {
        Form::None => return Inward::None,
        Form::Foreign => return Inward::Unnamed,
        Form::Kept { scheme, path } => match path.split_once('/') {
            Some((binding, path)) => (binding, format!("{scheme}://{path}").into()),
            None => return Inward::None,
        },
        Form::Named => match uri.split_once('+') {
            Some((binding, own)) => (binding, own.into()),
            None => return Inward::None,
        },
    };
    if outward(scope, binding, &own) == uri { Inward::Of(binding.into(), own) } else { Inward::None }
}

/// How a URI takes a binding up.
enum Form<'a> {
    /// Not at all.
    Foreign,
    /// Behind its scheme.
    Kept { scheme: &'a str, path: &'a str },
    /// Before its scheme.
    Named,
    /// It is none.
    None,
}

impl<'a> Form<'a> {
    fn of(uri: &'a str) -> Self {
        let Some((scheme, rest)) = uri.split_once(':') else { return Self::None };
        let is = |known: &&str| scheme.eq_ignore_ascii_case(known);
        if !is_scheme(scheme) {
            Self::None
        } else if FOREIGN.iter().any(&is) {
            Self::Foreign
        } else if let (true, Some(path)) = (KEPT.iter().any(is), rest.strip_prefix("//")) {
            Self::Kept { scheme, path }
        } else {
            Self::Named
        }
    }
}

/// RFC 3986, section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// A resource that a client named.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Located {
    /// Whose. Empty: nobody's.
    pub(crate) binding: Arc<str>,
    /// As its plugin wrote it.
    pub(crate) uri: String,
}

impl Located {
    /// The same for every spelling of one URI; none for what is no URI.
    pub(crate) fn in_one_spelling(self) -> Option<Self> {
        let uri = ResourceUri::parse(&self.uri).ok()?;
        Some(Self { uri: uri.as_str().to_owned(), ..self })
    }
}

/// Several bindings expose a URI that carries none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{uri}\" is exposed by more than one binding ({}): read it on the endpoint of the one you mean, for example /mcp/{}",
    .bindings.join(", "), .bindings[0]
)]
pub(crate) struct Ambiguous {
    uri: String,
    bindings: Vec<Arc<str>>,
}

/// The resource of this URI. Of a URI that carries no binding it is that of the one binding that exposes it. Two of
/// them are not chosen between: the wrong one would be another fleet. Roles play no part in this, so a URI means the
/// same to everybody.
pub(crate) fn locate(view: &dyn View, scope: &Scope, uri: &str) -> Result<Located, Ambiguous> {
    let anybody = Principal::new("", []);
    let exposes = |binding: &str| view.find_resource(scope, binding, uri, &anybody).is_some();
    locate_where(view, scope, uri, exposes)
}

/// The same for a URI template as this endpoint lists it. Of several that carry no binding none is meant.
pub(crate) fn locate_template(view: &dyn View, scope: &Scope, uri_template: &str) -> Located {
    let anybody = Principal::new("", []);
    let lists = |binding: &str| view.find_template(scope, binding, uri_template, &anybody).is_some();
    let nobodys = || Located { binding: "".into(), uri: uri_template.to_owned() };
    locate_where(view, scope, uri_template, lists).unwrap_or_else(|_| nobodys())
}

fn locate_where(
    view: &dyn View,
    scope: &Scope,
    uri: &str,
    has: impl Fn(&str) -> bool,
) -> Result<Located, Ambiguous> {
    let located = |binding: Arc<str>, uri: &str| Located { binding, uri: uri.to_owned() };
    match inward(scope, uri) {
        Inward::Of(binding, own) => Ok(located(binding, &own)),
        Inward::None => Ok(located("".into(), uri)),
        Inward::Unnamed => {
            let all = view.about(scope).into_iter().map(|about| about.binding);
            let mut bindings: Vec<_> = all.filter(|binding| has(binding)).collect();
            match bindings.len() {
                0 => Ok(located("".into(), uri)),
                1 => Ok(located(bindings.remove(0), uri)),
                _ => Err(Ambiguous { uri: uri.to_owned(), bindings }),
            }
        }
    }
}

/// The panel that a tool names for MCP Apps (`ui.resourceUri`, and `ui/resourceUri` as it was first written), which is
/// a resource like any other.
pub(crate) fn panel_outward(scope: &Scope, binding: &str, meta: &mut MetaObject) {
    let show = |shown: &mut serde_json::Value| {
        if let Some(own) = shown.as_str() {
            *shown = outward(scope, binding, own).into_owned().into();
        }
    };
    meta.get_mut("ui").and_then(|ui| ui.get_mut("resourceUri")).map(show);
    meta.get_mut("ui/resourceUri").map(show);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHARED: Scope = Scope::Shared;

    #[test]
    fn the_shared_endpoint_shows_whose_a_uri_is() {
        let shown = |uri| outward(&SHARED, "naas-lab", uri).into_owned();
        assert_eq!(shown("naas://jobs"), "naas-lab+naas://jobs");
        assert_eq!(shown("naas://jobs/{id}{?since}"), "naas-lab+naas://jobs/{id}{?since}");
        assert_eq!(shown("urn:job:7"), "naas-lab+urn:job:7");
        assert_eq!(shown("skill://push/SKILL.md"), "skill://naas-lab/push/SKILL.md");
        assert_eq!(shown("ui://panel"), "ui://naas-lab/panel");
        assert_eq!(shown("ui://{name}"), "ui://naas-lab/{name}");
        assert_eq!(shown("ui:panel"), "naas-lab+ui:panel");
    }

    #[test]
    fn what_a_client_fetches_by_itself_stays() {
        for uri in [
            "https://example.com/a",
            "HTTP://example.com/a",
            "data:text/plain,x",
            "not a uri",
            "7://x",
            ":x",
            "",
        ] {
            assert_eq!(outward(&SHARED, "naas", uri), uri);
        }
    }

    #[test]
    fn a_bindings_own_endpoint_shows_what_the_plugin_wrote() {
        let own = Scope::Binding("naas".into());
        for uri in ["naas://jobs", "ui://panel", "naas+naas://jobs", "https://example.com", "no uri"] {
            assert_eq!(outward(&own, "naas", uri), uri);
            assert_eq!(inward(&own, uri), Inward::Of("naas".into(), uri.into()));
        }
    }

    /// Everything that can stand before the colon, behind it, and a few thousand strings of what is special.
    fn every_kind() -> Vec<String> {
        let schemes = [
            "naas",
            "NAAS",
            "git+ssh",
            "a+b+c",
            "skill",
            "SKILL",
            "ui",
            "Ui",
            "ui+x",
            "skill+x",
            "x-1.2",
            "naas+naas",
            "https+x",
            "urn",
            "file",
            "test",
        ];
        let rests = [
            "",
            "/",
            "//",
            "///",
            "//a",
            "//a/b",
            "//a/b/SKILL.md",
            "//a//b",
            "/a",
            "a",
            "a:b",
            "//naas/x",
            "//lab/x",
            "//a/../lab/x",
            "//a%2Fb",
            "//%2e%2e/x",
            "//a?b=c/d",
            "//?x",
            "//#y",
            "//a#b/c",
            "//{+path}",
            "//{id}/{x*}",
            "//user@host:80/x",
            "//[::1]/x",
            "//é/ü",
            "// a",
            "//a+b",
            "+",
            "+b://c",
            "//a\u{202e}",
        ];
        let mut all: Vec<String> = schemes
            .iter()
            .flat_map(|scheme| rests.iter().map(move |rest| format!("{scheme}:{rest}")))
            .collect();
        let special =
            [":", "/", "+", "//", "skill", "ui", "lab", "lab-2", "a", "%2F", "..", "?", "#", "http", "{x}"];
        let mut state = 1_u64;
        for _ in 0..5000 {
            let mut text = format!("{}:", schemes[(state >> 33) as usize % schemes.len()]);
            for _ in 0..8 {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                text.push_str(special[(state >> 33) as usize % special.len()]);
            }
            all.push(text);
        }
        all
    }

    #[test]
    fn whatever_a_plugin_writes_leads_back_to_it_and_to_nothing_else() {
        let mut seen = std::collections::HashMap::new();
        for own in every_kind() {
            for binding in ["lab", "lab-2", "ui", "skill", "https"] {
                let shown = outward(&SHARED, binding, &own).into_owned();
                match inward(&SHARED, &shown) {
                    Inward::Of(whose, back) => {
                        assert_eq!((&*whose, &*back), (binding, own.as_str()), "{shown}");
                        let before = seen.insert(shown.clone(), (binding, own.clone()));
                        assert!(before.is_none_or(|before| before == (binding, own.clone())), "{shown}");
                    }
                    // It took no binding up, and so means nobody's.
                    Inward::Unnamed | Inward::None => assert_eq!(shown, own),
                }
            }
        }
        assert!(seen.len() > 10_000, "{}", seen.len());
    }

    #[test]
    fn a_uri_is_taken_as_it_is_given_out_and_in_no_other_spelling() {
        for other in [
            "naas:jobs",
            "naas://jobs",
            "+naas://jobs",
            "naas+://jobs",
            "naas+7://x",
            "naas%2Bnaas://jobs",
            "naas+https://example.com",
            "naas+data:,x",
            "naas+skill://push/SKILL.md",
            "naas+ui://panel",
            "skill://naas",
            "ui://",
            "skill:naas/push",
            "naas+",
            "naas",
            "",
            " naas+naas://jobs",
        ] {
            assert!(matches!(inward(&SHARED, other), Inward::None), "{other}: {:?}", inward(&SHARED, other));
        }
        for foreign in ["https://example.com", "HTTPS://example.com", "data:,x"] {
            assert_eq!(inward(&SHARED, foreign), Inward::Unnamed);
        }
        // A name that no binding has, so nobody's either.
        assert_eq!(inward(&SHARED, "NAAS+naas://jobs"), Inward::Of("NAAS".into(), "naas://jobs".into()));
        assert_eq!(
            inward(&SHARED, "skill://naas%2Fpush/SKILL.md"),
            Inward::Of("naas%2Fpush".into(), "skill://SKILL.md".into())
        );
    }

    #[test]
    fn the_panel_of_a_tool_is_shown_like_any_resource() {
        let mut meta = MetaObject(serde_json::Map::from_iter([
            ("ui".to_owned(), json!({"resourceUri": "ui://panel", "csp": {}})),
            ("ui/resourceUri".to_owned(), json!("ui://panel")),
        ]));
        panel_outward(&SHARED, "lab", &mut meta);
        assert_eq!(
            serde_json::to_value(&meta).unwrap(),
            json!({"ui": {"resourceUri": "ui://lab/panel", "csp": {}}, "ui/resourceUri": "ui://lab/panel"})
        );
    }
}
