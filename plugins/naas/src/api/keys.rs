//! API keys of the NAAS server.
//!
//! They are managed with a credential of their own (`http.admin`): the server wants its admin secret as a Basic password
//! there, or, as it documents, a token with the role admin. The credential that runs commands need not be able to make
//! more of itself.

use fleetgate_sdk::prelude::*;

use super::client::Api;
use super::{ADMIN, reading, refusal};
use crate::mode::binding;

/// What a key may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyRole {
    /// Reads results.
    Viewer,
    /// Submits and cancels jobs.
    #[default]
    Operator,
    /// Manages keys.
    Admin,
}

/// A key to be made. The role is always sent: the server's own default is admin.
#[derive(Debug, Clone, Serialize)]
pub struct NewKey {
    /// What it may do.
    pub role: KeyRole,
    /// None: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contexts: Option<Vec<String>>,
    /// In seconds; 0 is for ever. None: the server's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
}

/// A key that was made.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ApiKey {
    /// revoke_api_key takes it.
    pub key_id: String,
    /// The key itself, shown this once. A secret.
    pub token: String,
    /// What it may do.
    pub role: Option<String>,
    /// The routing contexts that it may use; `*` is all.
    pub contexts: Vec<String>,
    /// When it ends. Null: never.
    pub expires_at: Option<String>,
}

/// The schema of what create_api_key gives.
pub fn schema() -> Value {
    <ApiKey as fleetgate_sdk::IntoOutcome>::output_schema().unwrap_or_default()
}

fn connect() -> Result<Api, Fault> {
    if granted(ADMIN) {
        return Ok(Api::connect()?.through("admin"));
    }
    Err(Fault::denied(format!(
        "Managing the API keys of a NAAS server was not granted to this plugin. The operator grants it with a credential \
         of its own: [plugins.{}.grant.http.admin] with `url` and `credential` (Basic with the server's admin secret, \
         or a token with the role admin).",
        binding()
    )))
}

/// Makes a key. Sent once: a repeat would make a second one that nobody knows of. Nothing of a successful answer goes
/// into a fault, since the token is in it.
pub fn create(key: &NewKey) -> Result<ApiKey, Fault> {
    let api = connect()?;
    let response = api.post(["v2", "api-keys"]).json(key).send()?;
    if !response.is_ok() {
        return Err(refusal::of(&response));
    }
    let unreadable = || {
        Fault::upstream(
            "NAAS made a key and answered without `key_id` or `token`: nobody can use the key, and it should be revoked \
             on the server.",
        )
    };
    let answer: Value = serde_json::from_slice(response.bytes()).map_err(|_| unreadable())?;
    let (Some(key_id), Some(token)) = (reading::text(&answer, "key_id"), reading::text(&answer, "token"))
    else {
        return Err(unreadable());
    };
    let contexts = answer.get("contexts").and_then(Value::as_array);
    Ok(ApiKey {
        key_id,
        token,
        role: reading::text(&answer, "role"),
        contexts: contexts.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        expires_at: reading::text(&answer, "expires_at"),
    })
}

/// Revokes a key.
pub fn revoke(key_id: &str) -> Result<(), Fault> {
    let api = connect()?;
    let response = api.send(api.delete(["v2", "api-keys"]).segment_named("/key_id", key_id))?;
    if response.is_ok() { Ok(()) } else { Err(refusal::of(&response)) }
}
