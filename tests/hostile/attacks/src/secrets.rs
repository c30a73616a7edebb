//! Getting at a secret argument, of which the guest has a placeholder.

use std::collections::BTreeMap;

use fleetgate_sdk::jobs;
use fleetgate_sdk::prelude::*;

use crate::reach::{Raw, Seen, send};

/// A login, and what to look for.
#[derive(Deserialize, Serialize, JsonSchema)]
pub struct Login {
    /// Where the upstream echoes what it gets.
    path: String,
    /// A placeholder.
    password: String,
    /// Another one.
    enable: Option<String>,
    /// The password, its letters in reverse: it is looked for, and must not be in memory because of that.
    backwards: String,
    /// Fail with all that was seen, instead of returning it.
    #[serde(default)]
    fail: bool,
}

/// Does everything with a placeholder that might make a value of it.
#[tool(requires = "any", timeout = "60s", secret = ["/password", "/enable"], audit = ["/path"])]
pub fn login(args: Login) -> Result<ToolResult, Fault> {
    let seen = attempts(&args);
    call::progress(1.0, None, Some(&args.password));
    log::with(json!({ "password": args.password })).warning(&format!("{seen:?}"));
    println!("{} {seen:?}", args.password);
    let found = found_in_memory(args.backwards.as_bytes());
    if args.fail {
        return Err(Fault::custom("mine", format!("{seen:?} {found}")).details(json!({ "seen": seen })));
    }
    ToolResult::structured(&json!({ "seen": seen, "found": found }))
}

/// Has a job of its own do it, and keeps what it was given beside it.
#[tool(requires = "any", timeout = "60s", secret = ["/password", "/enable"])]
pub fn login_later(args: Login) -> Result<ToolResult, Fault> {
    let job = jobs::submit("login", &args)?.send()?;
    // A tool that calls nothing secret cannot be handed one.
    let elsewhere = jobs::submit("request", &json!({ "password": args.password }))?.send();
    let elsewhere = elsewhere.map_or_else(|fault| fault.code, |job| job.id);
    for _ in 0..600 {
        if jobs::get(&job.id)?.has_ended() {
            break;
        }
        call::sleep(std::time::Duration::from_millis(50))?;
    }
    let outcome = jobs::outcome(&job.id)?;
    ToolResult::structured(
        &json!({ "id": job.id, "elsewhere": elsewhere, "outcome": format!("{outcome:?}") }),
    )
}

fn attempts(args: &Login) -> Vec<Seen> {
    let Login { path, password, enable, .. } = args;
    let json = ("content-type", "application/json");
    let login = json!({ "host": "sw1", "password": password, "enable": enable }).to_string();
    let within = json!({ "comment": password }).to_string();
    let twice = format!(r#"{{"password":"{password}","password":"{password}"}}"#);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let basic = format!("netops:{password}");
    let requests = [
        raw("POST", path, &[json], &login),
        raw("GET", path, &[("fleetgate-basic", &basic)], ""),
        raw("POST", path, &[json, ("fleetgate-basic", &basic), ("range", "bytes=0-3")], &login),
        raw("POST", path, &[json], &within),
        raw("POST", path, &[json], &twice),
        raw("POST", path, &[form], &format!("password={password}")),
        raw("GET", &format!("{path}?password={password}"), &[], ""),
        raw("GET", path, &[("x-password", password)], ""),
        raw("GET", path, &[("authorization", &format!("Bearer {password}"))], ""),
        // An upstream that remembers.
        raw("GET", path, &[], ""),
    ];
    requests.iter().map(send).collect()
}

fn raw(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Raw {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Raw {
        method: method.into(),
        scheme: "http".into(),
        authority: "api.upstream".into(),
        path: path.into(),
        headers: BTreeMap::from_iter(headers),
        body: body.into(),
    }
}

/// How often the text stands in this instance's memory.
fn found_in_memory(backwards: &[u8]) -> usize {
    let end = core::arch::wasm32::memory_size(0) * 65536;
    // SAFETY: every byte of the memory can be read, whoever owns it.
    let byte = |at: usize| unsafe { core::ptr::read_volatile(at as *const u8) };
    let stands =
        |at: &usize| backwards.iter().rev().enumerate().all(|(index, wanted)| byte(at + index) == *wanted);
    (1..end - backwards.len()).filter(stands).count()
}
