//! The body of a submit: the fields of section 2 of the contract and their rules.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::errors::ApiError;
use super::fields::Fields;
use super::known;
use super::model::{Func, Request};

/// The object in a body that says it is JSON.
pub(crate) fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json")) {
        return Err(ApiError::NotJson);
    }
    match serde_json::from_slice(body).map_err(|_| ApiError::NotJson)? {
        Value::Object(object) => Ok(object),
        other => {
            let none = Map::new();
            let mut fields = Fields::of(&none);
            fields.complain(json!([]), "model_type", "Input should be a valid dictionary", other);
            Err(fields.check().expect_err("it has a complaint"))
        }
    }
}

/// The job a caller asks for.
pub(crate) fn request(func: Func, caller: &Caller, body: &Map<String, Value>) -> Result<Request, ApiError> {
    if body.contains_key("ip") {
        return Err(ApiError::Payload("'ip' field is not accepted on /v2/ routes. Use 'host' instead."));
    }
    if body.contains_key("device_type") {
        return Err(ApiError::Payload(
            "'device_type' field is not accepted on /v2/ routes. Use 'platform' instead.",
        ));
    }
    let mut fields = Fields::of(body);
    let host = fields.required_text("host");
    if host.as_deref().is_some_and(|host| !is_host(host)) {
        fields.refuse("host", "host must be an IP address or an RFC 1123 host name");
    }
    let platform = fields.required_text("platform");
    if platform.as_deref().is_some_and(|platform| !PLATFORMS.contains(&platform)) {
        fields.refuse("platform", "platform must be a netmiko device type or 'autodetect'");
    }
    let commands = fields.required_texts("commands");
    match &commands {
        Some(commands) if commands.is_empty() => {
            let message = "List should have at least 1 item after validation, not 0";
            fields.complain(json!(["commands"]), "too_short", message, json!([]));
        }
        Some(commands) if commands.iter().any(|command| command.trim().is_empty()) => {
            fields.refuse("commands", "commands must not be blank");
        }
        _ => {}
    }
    let port = fields.integer("port", 22, 1, 65_535);
    let (username, password) = (fields.optional_text("username"), fields.optional_text("password"));
    let enable = fields.optional_text("enable");
    let tags = fields.optional_map("tags");
    if tags.as_ref().is_some_and(|tags| tags.len() > 10) {
        fields.refuse("tags", "no more than 10 tags");
    }
    if tags.iter().flatten().any(|(key, value)| !is_tag(key) || !is_tag(value)) {
        fields.refuse("tags", "tag keys and values must match ^[A-Za-z0-9_\\-:]{1,64}$");
    }
    let (commit, save_config) = match func {
        Func::Config => (fields.flag("commit"), fields.flag("save_config")),
        Func::Command | Func::Structured => (false, false),
    };
    let context = fields.optional_text("context").unwrap_or_else(|| known::DEFAULT.to_owned());
    let read_timeout = Duration::try_from_secs_f64(fields.seconds("read_timeout", 30.0));
    let conn_timeout = Duration::try_from_secs_f64(fields.seconds("conn_timeout", 10.0));
    rarer(func, &mut fields);
    fields.check()?;

    let (username, password) = match caller {
        Caller::Basic { username, password } => (username.clone(), password.clone()),
        Caller::Bearer(_) => username.zip(password).ok_or(ApiError::Payload(
            "'username' and 'password' are required in the payload with Bearer authentication",
        ))?,
    };
    Ok(Request {
        func,
        host: host.unwrap_or_default(),
        platform: platform.unwrap_or_default(),
        port: u16::try_from(port).unwrap_or(22),
        commands: commands.unwrap_or_default(),
        username,
        password,
        enable,
        commit,
        save_config,
        context,
        tags,
        read_timeout: read_timeout.unwrap_or(Duration::MAX),
        conn_timeout: conn_timeout.unwrap_or(Duration::MAX),
    })
}

/// Fields that are checked and change nothing here: no template is run and no webhook called.
fn rarer(func: Func, fields: &mut Fields<'_>) {
    match func {
        Func::Command => {
            fields.optional_text("expect_string");
        }
        Func::Structured => {
            let templates = [fields.optional_text("textfsm_template"), fields.optional_text("ttp_template")];
            if templates.iter().all(Option::is_some) {
                fields.refuse("ttp_template", "textfsm_template and ttp_template exclude each other");
            }
        }
        Func::Config => {}
    }
    if fields.optional_text("webhook_url").is_some_and(|url| !url.starts_with("https://")) {
        fields.refuse("webhook_url", "webhook_url must be an https URL");
    }
    fields.optional_text("webhook_secret");
}

/// An address, or labels of letters, digits and inner hyphens, 253 characters at most.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.parse::<IpAddr>().is_ok() || (host.len() <= 253 && host.split('.').all(label))
}

fn is_tag(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-:".contains(&byte))
}

/// netmiko's device types, as far as anybody would ask a simulation for them.
const PLATFORMS: &[&str] = &[
    "autodetect",
    "a10",
    "adtran_os",
    "alcatel_aos",
    "alcatel_sros",
    "allied_telesis_awplus",
    "arista_eos",
    "arista_eos_telnet",
    "aruba_aoscx",
    "aruba_os",
    "aruba_osswitch",
    "aruba_procurve",
    "avaya_ers",
    "brocade_fos",
    "brocade_nos",
    "checkpoint_gaia",
    "ciena_saos",
    "cisco_asa",
    "cisco_ftd",
    "cisco_ios",
    "cisco_ios_serial",
    "cisco_ios_telnet",
    "cisco_nxos",
    "cisco_nxos_telnet",
    "cisco_s300",
    "cisco_viptela",
    "cisco_wlc",
    "cisco_xe",
    "cisco_xr",
    "cisco_xr_telnet",
    "cumulus_linux",
    "dell_force10",
    "dell_os10",
    "dell_os6",
    "dell_os9",
    "dlink_ds",
    "eltex",
    "extreme_exos",
    "extreme_vsp",
    "f5_ltm",
    "f5_tmsh",
    "fortinet",
    "generic",
    "hp_comware",
    "hp_procurve",
    "hp_procurve_telnet",
    "huawei",
    "huawei_vrp",
    "juniper",
    "juniper_junos",
    "juniper_junos_telnet",
    "juniper_screenos",
    "linux",
    "mikrotik_routeros",
    "mikrotik_switchos",
    "nokia_sros",
    "nokia_srl",
    "ovs_linux",
    "paloalto_panos",
    "pluribus",
    "ruckus_fastiron",
    "sophos_sfos",
    "terminal_server",
    "ubiquiti_edge",
    "ubiquiti_edgerouter",
    "ubiquiti_unifiswitch",
    "vyatta_vyos",
    "vyos",
    "zte_zxros",
    "zyxel_os",
];
