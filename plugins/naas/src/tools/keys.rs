//! create_api_key, revoke_api_key: keys of the NAAS server, never of this host. A model must not be able to mint access
//! to the host that it runs under, so in direct mode there is nothing that these could do.

use fleetgate_sdk::prelude::*;

use crate::api;
use crate::api::keys::{ApiKey, KeyRole, NewKey};

/// A key to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApiKey {
    /// What the key may do: `viewer` reads results, `operator` also submits and cancels jobs, `admin` also manages keys.
    #[serde(default)]
    pub role: KeyRole,
    /// Routing contexts that it may use. Left out: all.
    #[schemars(length(min = 1, max = 100), inner(length(min = 1, max = 64)))]
    pub contexts: Option<Vec<String>>,
    /// How long it is valid, in seconds. 0: without an end. Left out: what the server says, usually 90 days. The server
    /// may shorten it.
    #[schemars(range(min = 0, max = 3_153_600_000_u64))]
    pub ttl: Option<u64>,
}

/// Makes a new API key of the NAAS server. The `token` is shown this once and can never be read again: give it to the
/// user as it is, and repeat it nowhere else. `key_id` is what revoke_api_key takes.
#[tool(
    title = "Create API key",
    requires = "admin",
    destructive,
    open_world,
    audit = ["/role", "/contexts", "/ttl"],
    reach = {
        "http.admin" = { methods = ["POST"], paths = ["POST /v2/api-keys"] },
        "http.api" = { methods = ["GET"], paths = ["GET /healthcheck"] },
        "http.reads" = { methods = ["GET"] }
    },
    output_schema = api::keys::schema
)]
pub fn create_api_key(args: CreateApiKey) -> Result<ToolResult, Fault> {
    let contexts = args.contexts;
    for (at, context) in contexts.iter().flatten().enumerate() {
        let fits = context == "*"
            || ((1..=64).contains(&context.len())
                && context.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)));
        if !fits {
            let message = "A context is a word of letters, digits, `_`, `-` and `.`, or `*` for all.";
            return Err(Fault::invalid(format!("/contexts/{at}"), message));
        }
    }
    if contexts.as_ref().is_some_and(Vec::is_empty) {
        return Err(Fault::invalid(
            "/contexts",
            "An empty list would be a key for nothing; leave it out for all contexts.",
        ));
    }
    let key = api::keys::create(&NewKey { role: args.role, contexts, ttl: args.ttl })?;
    told_once(&key)
}

/// The token goes to whoever asked and nowhere else: it is marked for whatever keeps results.
fn told_once(key: &ApiKey) -> Result<ToolResult, Fault> {
    Ok(ToolResult::structured(key)?.meta("secret", json!(["/token"])))
}

/// Which key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeApiKey {
    /// The `key_id` that create_api_key gave (`k-…`), not the token.
    #[schemars(length(min = 1, max = 128))]
    pub key_id: String,
}

/// Revokes an API key of the NAAS server, at once and for good: whoever uses it is locked out.
#[tool(
    title = "Revoke API key",
    requires = "admin",
    destructive,
    idempotent,
    open_world,
    audit = ["/key_id"],
    reach = {
        "http.admin" = { methods = ["DELETE"], paths = ["DELETE /v2/api-keys/*"] },
        "http.api" = { methods = ["GET"], paths = ["GET /healthcheck"] },
        "http.reads" = { methods = ["GET"] }
    }
)]
pub fn revoke_api_key(args: RevokeApiKey) -> Result<String, Fault> {
    let fits = (1..=128).contains(&args.key_id.len())
        && args.key_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !fits {
        // Not repeated: what was pasted here by mistake may be the token.
        let message = "A key id looks like `k-0123456789ab`. A token is not one.";
        return Err(Fault::invalid("/key_id", message));
    }
    api::keys::revoke(&args.key_id)?;
    Ok(format!("API key {} revoked.", args.key_id))
}
