//! Puts a call's secret arguments into a request, where the grant says so.
//!
//! The guest has placeholders. One that is a whole text of a JSON body, at a pointer that the grant names, is replaced;
//! and a field of ours, `fleetgate-basic: user:placeholder`, becomes `Authorization: Basic …`. Nothing else in a
//! request ever becomes a value, least of all what is logged on the way: the URL and other header fields. A placeholder
//! that stands elsewhere is a mistake that would tell the upstream a wrong password, so the request is refused; so is
//! one that stands for nothing in this call.
//!
//! Values go to the place that the grant's credential would go to, and on no redirect that leads elsewhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fleetgate_core::capability::Refusal;
use fleetgate_core::secret_arguments::{PREFIX, Vault};
use fleetgate_core::settings::Secret;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde_json::Value;

use crate::guard::Allowed;

/// The largest body that is looked through, in bytes.
pub(crate) const MOST: u64 = 1 << 20;

/// The field by which a guest asks for HTTP Basic.
const BASIC: HeaderName = HeaderName::from_static("fleetgate-basic");

/// HTTP Basic made of a name and a secret argument.
pub(crate) struct Basic {
    value: HeaderValue,
    /// User and password, and the same in base64.
    pair: [Secret; 2],
}

impl Basic {
    /// Adds it, instead of another `Authorization`.
    pub(crate) fn add(&self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.value.clone());
    }

    /// What must not come back.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.pair.iter().map(Secret::expose)
    }

    /// Takes the field out of a request, whatever comes of it.
    pub(crate) fn take(headers: &mut HeaderMap) -> Option<HeaderValue> {
        headers.remove(BASIC)
    }

    /// What a guest asks for by it.
    pub(crate) fn of(asked: &HeaderValue, allowed: &Allowed, secrets: &Vault) -> Result<Self, Refusal> {
        let route = &allowed.route;
        let refused = |rule, why: &str| Refusal::new(rule, format!("{}: {why}", route.capability));
        if !route.from_call.basic || !allowed.is_first() {
            let refusal = refused("from-call", "HTTP Basic made of a secret argument");
            return Err(match route.request.from_call.basic && allowed.is_first() {
                true => refusal.allowed_by(format!("[{}] {}", route.grant, route.from_call.with_basic())),
                false => refusal,
            });
        }
        let text = std::str::from_utf8(asked.as_bytes()).unwrap_or_default();
        // A user's name has no colon and no control characters (RFC 7617, 2).
        let fits = |user: &str| !user.contains(':') && !user.chars().any(char::is_control);
        let Some((user, placeholder)) = text.rsplit_once(':').filter(|(user, _)| fits(user)) else {
            return Err(refused("from-call", "fleetgate-basic is not user:placeholder"));
        };
        let Some(password) = secrets.reveal(placeholder) else {
            // A password in the clear would be one that the guest knows, or tries.
            return Err(refused(
                "placeholder",
                "fleetgate-basic with what stands for no secret argument of this call",
            ));
        };
        let pair = Secret::new(format!("{user}:{}", password.expose()));
        let encoded = Secret::new(STANDARD.encode(pair.expose()));
        let mut value = HeaderValue::try_from(format!("Basic {}", encoded.expose()))
            .map_err(|_| refused("from-call", "HTTP Basic that is too long"))?;
        value.set_sensitive(true);
        Ok(Self { value, pair: [pair, encoded] })
    }
}

/// Refuses placeholders where nothing is ever replaced.
pub(crate) fn check(
    uri: &Uri,
    headers: &HeaderMap,
    allowed: &Allowed,
    secrets: &Vault,
) -> Result<(), Refusal> {
    let in_uri = uri.path_and_query().is_some_and(|text| secrets.finds(text.as_str().as_bytes()));
    let field =
        headers.iter().find(|(_, value)| secrets.finds(value.as_bytes())).map(|(name, _)| name.as_str());
    match (in_uri, field) {
        (true, _) => Err(misplaced(allowed, "in the URL")),
        (false, Some(name)) => Err(misplaced(allowed, &format!("in the header field {name}"))),
        (false, None) => Ok(()),
    }
}

/// Whether a body is to be looked through.
pub(crate) fn wants_body(headers: &HeaderMap, allowed: &Allowed, secrets: &Vault) -> bool {
    !secrets.is_empty() && !allowed.route.from_call.body.is_empty() && allowed.is_first() && is_json(headers)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (major, minor) = kind.split_once('/').unwrap_or_default();
    kind == "application/json" || (major == "application" && minor.ends_with("+json"))
}

/// Refuses a body with placeholders that is not to be looked through.
pub(crate) fn check_body(body: &[u8], allowed: &Allowed, secrets: &Vault) -> Result<(), Refusal> {
    if !secrets.finds(body) {
        return Ok(());
    }
    let value = serde_json::from_slice(body).unwrap_or_default();
    Err(match place(&value, secrets, String::new()) {
        Some(pointer) => {
            let route = &allowed.route;
            let refusal = misplaced(allowed, &format!("in the body at {pointer}"));
            match route.request.from_call.body.contains(&pointer) && !route.from_call.body.contains(&pointer)
            {
                true => {
                    refusal.allowed_by(format!("[{}] {}", route.grant, route.from_call.with_body(&pointer)))
                }
                false => refusal,
            }
        }
        None => misplaced(allowed, "in the body"),
    })
}

/// A body with the values in it. None: there is nothing to put in.
pub(crate) fn body(body: &[u8], allowed: &Allowed, secrets: &Vault) -> Result<Option<Bytes>, Refusal> {
    let Ok(mut expected) = serde_json::from_slice::<Value>(body) else {
        return check_body(body, allowed, secrets).map(|()| None);
    };
    let mut text = String::from_utf8_lossy(body).into_owned();
    let mut filled: Vec<(String, usize, &Secret)> = Vec::new();
    for pointer in &allowed.route.from_call.body {
        let Some(place) = expected.pointer_mut(pointer) else { continue };
        let Some(said) = place.as_str().filter(|said| said.starts_with(PREFIX)) else { continue };
        let Some(value) = secrets.reveal(said) else {
            let why = format!("at {pointer}, which stands for nothing in this call");
            return Err(misplaced(allowed, &why));
        };
        match filled.iter_mut().find(|(known, ..)| known == said) {
            Some((_, times, _)) => *times += 1,
            None => filled.push((said.to_owned(), 1, value)),
        }
        *place = value.expose().into();
    }
    if filled.is_empty() {
        return check_body(body, allowed, secrets).map(|()| None);
    }
    for (placeholder, times, value) in filled {
        // Parsers differ in which of two equal keys counts: each that stands there must be one that was looked at.
        if text.matches(&placeholder).count() != times {
            return Err(misplaced(allowed, "in the body more than once"));
        }
        let quoted = Value::from(value.expose()).to_string();
        text = text.replace(&format!("\"{placeholder}\""), &quoted);
    }
    // The rest of the text is the guest's own, number formats and all; what was replaced is what was to be.
    let as_expected = serde_json::from_str(&text).is_ok_and(|now: Value| now == expected);
    if !as_expected || secrets.finds(text.as_bytes()) {
        return Err(misplaced(allowed, "in the body where it cannot be replaced"));
    }
    Ok(Some(text.into()))
}

fn misplaced(allowed: &Allowed, place: &str) -> Refusal {
    let why = format!("{}: the placeholder of a secret argument {place}", allowed.route.capability);
    Refusal::new("placeholder", why)
}

/// Where the first placeholder is a whole text.
fn place(value: &Value, secrets: &Vault, at: String) -> Option<String> {
    match value {
        Value::String(text) => secrets.reveal(text).map(|_| at),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| place(item, secrets, format!("{at}/{index}")))
        }
        Value::Object(map) => map.iter().find_map(|(name, item)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            place(item, secrets, format!("{at}/{name}"))
        }),
        _ => None,
    }
}
