//! A plugin that uses every import through the SDK. `tests/` runs it in wasmtime, with the stock implementation of
//! WASI: what holds there holds without help from Fleetgate's own host.

use std::time::Duration;

use fleetgate_sdk::jobs;
use fleetgate_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Fetch {
    /// The method.
    method: String,
    /// The upstream's name.
    #[serde(default = "api")]
    upstream: String,
    /// The path.
    path: Vec<String>,
    /// A body.
    body: Option<String>,
    /// A body of this many bytes.
    bytes: Option<usize>,
    /// How long it may take.
    timeout_ms: Option<u64>,
}

fn api() -> String {
    "api".to_owned()
}

#[derive(Serialize, JsonSchema)]
struct Fetched {
    status: u16,
    kind: Option<String>,
    length: usize,
    start: String,
}

/// Sends one request.
#[tool(requires = "any", timeout = "5m", audit = ["/path"])]
fn fetch(args: Fetch) -> Result<Fetched, Fault> {
    let upstream = http::upstream(&args.upstream);
    let mut request = match args.method.as_str() {
        "GET" => upstream.get(&args.path),
        "POST" => upstream.post(&args.path),
        "DELETE" => upstream.delete(&args.path),
        other => return Err(Fault::invalid("/method", format!("{other} is no method."))),
    };
    request = request.query("q", "a b").header("x-guest", "1");
    if let Some(body) = args.body {
        request = request.body(body, "text/plain");
    }
    if let Some(bytes) = args.bytes {
        request = request.body(vec![b'x'; bytes], "application/octet-stream");
    }
    if let Some(timeout) = args.timeout_ms {
        request = request.timeout(Duration::from_millis(timeout));
    }
    let response = request.send()?.ok()?;
    Ok(Fetched {
        status: response.status(),
        kind: response.header("content-type").map(str::to_owned),
        length: response.bytes().len(),
        start: response.text().chars().take(1_000).collect(),
    })
}

/// Waits for an answer that never comes; when cancelled, cleans up.
#[tool(requires = "any")]
fn tidy() -> Result<(), Fault> {
    let waited = http::upstream("api").get(["never"]).send();
    http::upstream("api").delete(["echo", "lock"]).send()?.ok()?;
    waited?.ok().map(drop)
}

#[derive(Deserialize, JsonSchema)]
struct Wait {
    /// How long.
    milliseconds: u64,
}

/// Waits.
#[tool(requires = "any")]
fn wait(args: Wait) -> Result<String, Fault> {
    log::info("waiting");
    call::sleep(Duration::from_millis(args.milliseconds))?;
    Ok("slept".to_owned())
}

/// Everything that a plugin can know.
#[tool(requires = ["view", "operator"], read_only)]
fn facts() -> Result<Value, Fault> {
    log::with(json!({ "n": 1 })).warning("line");
    call::progress(1.0, Some(2.0), Some("half"));
    call::tools_changed();
    call::prompts_changed();
    call::resources_changed();
    call::resource_updated("x://1");
    Ok(json!({
        "principal": call::principal(),
        "roles": call::roles(),
        "session": call::session(),
        "binding": call::binding(),
        "client": call::client_capabilities(),
        "deadline": call::deadline().as_millis() as u64,
        "cancelled": call::cancelled(),
        "job": call::job(),
        "interval": config::duration("interval")?.map(|interval| interval.as_millis() as u64),
        "none": config::get("none"),
        "granted": [granted("http.api"), granted("http.other")],
    }))
}

#[derive(Deserialize, JsonSchema)]
struct Sure {
    /// Really?
    sure: bool,
}

/// Asks first.
#[tool(requires = "any", destructive, icons = ["data:image/png;base64,AA=="], meta = { "a/b" = 1 })]
fn ask() -> Result<Outcome, Fault> {
    let answers = call::answers();
    let accepted = match answers.form("sure") {
        Answer::Missing => {
            let question = Question::new().form::<Sure>("sure", "Really?").state(&7)?;
            return Ok(Outcome::Ask(question));
        }
        Answer::Accepted(Sure { sure }) => sure,
        Answer::Declined | Answer::Cancelled => false,
    };
    let state: Option<u8> = answers.state()?;
    Ok(ToolResult::text(format!("{state:?} {accepted}")).into())
}

/// Every kind of content.
#[tool(requires = "any")]
fn contents() -> Result<ToolResult, Fault> {
    Ok(ToolResult::structured(&json!({ "a": 1 }))?
        .and_text("text")
        .image([0, 255], "image/png")
        .audio([1], "audio/wav")
        .link("x://l", "link")
        .content(Content::resource_text("x://t", "t", "text/plain").extra("title", "T"))
        .content(Content::resource_bytes("x://b", [2], "application/octet-stream").meta("m", 1))
        .meta("k", "v"))
}

/// A fault with everything.
#[tool(requires = "any")]
fn fail() -> Result<(), Fault> {
    Err(Fault::custom("jammed", "ä".repeat(10_000))
        .field("/door")
        .detail("n", 1)
        .retry_after(Duration::from_millis(1_500)))
}

/// Panics.
#[tool(requires = "any")]
fn explode() -> Result<(), Fault> {
    panic!("as tests do")
}

/// Uses jobs in every way.
#[tool(requires = "any")]
fn background() -> Result<Value, Fault> {
    let job =
        jobs::submit("wait", &json!({ "milliseconds": 1 }))?.keep_for(Duration::from_secs(60)).send()?;
    let (listed, next) = jobs::list(Some("cursor"))?;
    let result = jobs::outcome(&job.id)?;
    let unknown = jobs::get("nothing").expect_err("the host has none");
    let cancelled = jobs::cancel(&job.id)?;
    Ok(json!({
        "job": job, "listed": listed, "next": next, "result": result.all_text(), "cancelled": cancelled,
        "unknown": [unknown.code, unknown.message], "wait": unknown.retry_after.map(|wait| wait.as_millis() as u64),
        "details": unknown.details,
    }))
}

/// A note.
#[resource(uri = "x://note", requires = "any", mime_type = "text/markdown", annotations = { priority = 1 })]
fn note() -> Result<&'static str, Fault> {
    Ok("# Note")
}

#[derive(Deserialize, JsonSchema)]
struct Item {
    id: u32,
}

/// An item, after asking.
#[template(uri = "x://items/{id}", requires = "view", list = items)]
fn item(args: Item) -> Result<Outcome<Vec<u8>>, Fault> {
    match call::answers().url("sure") {
        Answer::Missing if args.id == 2 => {
            Ok(Question::new().url("sure", "Open it?", "https://example.com/2").state(&2)?.into())
        }
        _ => Ok(Outcome::Done(vec![0, 255])),
    }
}

fn items(cursor: Option<&str>) -> Result<ResourcePage, Fault> {
    match cursor {
        None => {
            Ok(ResourcePage::new(vec![ResourceInfo::new("x://items/1", "1").size(2)], Some("more".into())))
        }
        Some(_) => Ok(ResourcePage::new(vec![ResourceInfo::new("x://items/2", "2")], None)),
    }
}

#[derive(Deserialize, JsonSchema)]
struct Greet {
    /// Whom.
    name: String,
    times: Option<u8>,
}

/// Greets.
#[prompt(requires = "view", title = "Greet")]
fn greet(args: Greet) -> Result<Outcome<Vec<PromptMessage>>, Fault> {
    if args.name == "?" && call::answers().is_empty() {
        return Ok(Question::new().roots("roots").into());
    }
    let text = format!("Hello {} {}", args.name, args.times.unwrap_or(1));
    Ok(Outcome::Done(vec![
        PromptMessage::user(text),
        PromptMessage::assistant(Content::image([1], "image/png")),
    ]))
}

#[complete(prompt = greet, argument = "name")]
fn names(value: &str, given: &Given) -> Completion {
    let all = if given.get("times").is_some() { ["Ann", "Anna"] } else { ["Ann", "Bob"] };
    Completion::matching(all, value)
}

#[complete(template = item, argument = "id")]
fn ids(_: &str) -> Result<Vec<String>, Fault> {
    Err(Fault::unavailable("not now"))
}

#[skill("skill", requires = "view", path = "deep/skill")]
struct Skill;

fleetgate_sdk::export! {
    tools: fetch, tidy, wait, facts, ask, contents, fail, explode, background;
    resources: note, item;
    prompts: greet;
    completions: names, ids;
    skills: Skill;
}
