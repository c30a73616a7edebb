//! Environment variables that a manifest names: `env` of a setting and of a capability.
//!
//! A variable is either a secret or plain, and never both: settings are handed to the plugin.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use url::Url;

use super::{ConfigKey, Variables, grammar};
use crate::address::Host;
use crate::diagnostic::{TableReader, quoted};

/// Words that name a credential wherever they stand, and those that do at the end.
const SECRET_WORDS: [&str; 11] = [
    "APIKEY",
    "BEARER",
    "CREDENTIAL",
    "CREDENTIALS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PASSWORDS",
    "SECRET",
    "SECRETS",
    "TOKEN",
];
const SECRET_ENDINGS: [&str; 6] = ["AUTH", "COOKIE", "KEY", "KEYS", "PASS", "PAT"];

/// Takes the name of an environment variable, or a list of them.
pub(super) fn environment(table: &mut TableReader<'_>, key: &str) -> Vec<String> {
    let mut names = Vec::new();
    for name in table.one_or_more_strings(key).unwrap_or_default() {
        let text = name.get_ref();
        let fine = text.len() <= 128
            && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if fine {
            names.push(name.into_inner());
        } else {
            let message = format!("{} is no name of an environment variable", quoted(text));
            table.error_at(&name, message, "write letters, digits and underscores, like NAAS_MCP_API_URL");
        }
    }
    names
}

/// Whether people call a credential so: `GITHUB_TOKEN`, `AWS_SECRET_ACCESS_KEY`.
pub(super) fn is_named_like_a_credential(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    let mut words = upper.split('_').filter(|word| !word.is_empty());
    let last = words.clone().next_back();
    words.any(|word| SECRET_WORDS.contains(&word)) || last.is_some_and(|word| SECRET_ENDINGS.contains(&word))
}

/// Whether a URL leads to an address that is neither this machine's nor public, or takes plain text to another
/// machine, or nobody knows where.
fn leads_astray(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return true };
    let Some(host) = url.host_str().and_then(Host::parse) else { return true };
    match &host {
        host if host.is_localhost() => false,
        Host::Address(address) if address.is_loopback() => false,
        host if host.is_near() => true,
        _ => !matches!(url.scheme(), "https" | "wss" | "mqtts"),
    }
}

/// Keys of a grant that name secrets.
pub(crate) const SECRET_KEYS: [&str; 4] = ["bearer", "password", "key", "token"];

/// `env = { url = ["NAAS_MCP_API_URL"] }`: which environment variables fill which key of the grant. With a default:
/// `url = { variables = ["NAAS_MCP_API_URL"], default = "http://localhost:8080" }`.
/// A variable that is a secret here and a setting elsewhere would be shown to the plugin.
pub(super) fn of_grant(
    table: &mut TableReader<'_>,
    settings: &IndexMap<String, ConfigKey>,
) -> BTreeMap<String, Variables> {
    let Some(mut env) = table.table("env") else { return BTreeMap::new() };
    let keys: Vec<String> = env.keys().map(str::to_owned).collect();
    keys.into_iter()
        .map(|key| {
            if !grammar::is_key(&key) {
                env.error_at_name(&key, format!("{} is no key of a grant", quoted(&key)), grammar::KEY);
            }
            let is_table = env.value(&key).is_some_and(|value| value.get_ref().is_table());
            let variables = if is_table { with_default(&mut env, &key) } else { None };
            let variables = variables.unwrap_or_else(|| match is_table {
                true => Variables::default(),
                false => Variables { names: environment(&mut env, &key), default: None },
            });
            if SECRET_KEYS.contains(&key.as_str()) {
                refuse_settings(&mut env, &key, &variables, settings);
            }
            (key, variables)
        })
        .collect()
}

/// Refuses a secret's variable that fills a setting too.
fn refuse_settings(
    env: &mut TableReader<'_>,
    key: &str,
    variables: &Variables,
    settings: &IndexMap<String, ConfigKey>,
) {
    for name in &variables.names {
        if let Some((setting, _)) = settings.iter().find(|(_, declared)| declared.env.contains(name)) {
            let message =
                format!("{name} is a secret here and fills the setting {setting}, which the plugin sees");
            env.error_at(key, message, format!("take it out of [config.{setting}]"));
        }
    }
}

fn with_default(env: &mut TableReader<'_>, key: &str) -> Option<Variables> {
    let mut inner = env.table(key)?;
    inner.present("variables");
    let names = environment(&mut inner, "variables");
    let default = inner.string("default");
    if default.is_some() && SECRET_KEYS.contains(&key) {
        inner.error_at("default", "a secret has no default", "leave it out");
    } else if let Some(place) = default.as_deref().filter(|text| key == "url" && leads_astray(text)) {
        let message = format!("{} is no place that an author may choose for others", quoted(place));
        let help = "a default is this machine (\"http://localhost:8080\"), or a public host with TLS (\"https://…\")";
        inner.error_at("default", message, help);
    }
    inner.finish();
    Some(Variables { names, default })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_by_their_names() {
        for name in [
            "GITHUB_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "NAAS_MCP_API_KEY",
            "naas_password",
            "DB_PASSWORD_2",
            "NPM_CONFIG__AUTH",
            "KEY",
            "GITLAB_PAT",
            "TOKEN_FILE",
        ] {
            assert!(is_named_like_a_credential(name), "{name}");
        }
        for name in
            ["NAAS_MCP_API_URL", "MAX_TOKENS", "KEYBOARD", "AUTH_URL", "PASSIVE", "PATH", "REGION", ""]
        {
            assert!(!is_named_like_a_credential(name), "{name}");
        }
    }

    #[test]
    fn a_default_is_this_machine_or_a_public_host_with_tls() {
        for url in [
            "http://localhost:8080",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "https://api.example.com/v1",
            "mqtts://broker.example.com",
            "mqtt://localhost:1883",
        ] {
            assert!(!leads_astray(url), "{url}");
        }
        for url in [
            "http://api.example.com",
            "mqtt://broker.example.com",
            "http://169.254.169.254/latest",
            "https://169.254.169.254",
            "https://10.0.0.1",
            "https://[fd00::1]",
            "http://0.0.0.0:80",
            "http://2852039166/",
            "https://[::ffff:10.0.0.1]/",
            "mqtts://10.0.0.1",
            "api.example.com",
            "unix:/run/docker.sock",
        ] {
            assert!(leads_astray(url), "{url}");
        }
    }
}
