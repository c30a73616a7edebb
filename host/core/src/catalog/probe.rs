//! The probe: what a component lists, before anybody may call it.
//!
//! Its tools are taken twice, each time in a sandbox that has the binding's settings and nothing granted. What it
//! says is hostile text: both lists must be equal, stay within bounds, agree with the manifest, and hold schemas
//! that can be enforced. What hides or forges is made visible before a client sees it.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::LivePlugin;
use crate::abi::log::LogGate;
use crate::capability::Bound;
use crate::domain::{Fault, Tool};
use crate::jobs::JobsOfCall;
use crate::manifest::{ConfigValue, Manifest, ToolEntry, grammar};
use crate::sandbox::work::ListTools;
use crate::sandbox::{
    BindingMemory, BindingPermits, CallInfo, CallLimits, CallPolicy, Nobody, Run, RunFailed, Used,
};
use crate::text::{clean, clean_json};
use crate::validate::{Schema, SchemaRefused};

/// Tools of one plugin.
pub const MAX_TOOLS: usize = 512;
/// Bytes of a title.
pub const MAX_TITLE: usize = 256;
/// Bytes of a description.
pub const MAX_DESCRIPTION: usize = 16 << 10;
/// Bytes of `meta`, and of `extra`, as JSON.
pub const MAX_EXTRA: usize = 64 << 10;
/// Bytes of a whole list, as it leaves the guest.
pub const MAX_LIST: u64 = 8 << 20;
/// Wall time of one listing. Nothing is granted, so there is nothing to wait for.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a probe waits for its turn.
const TURN: Duration = Duration::from_secs(60);

/// A plugin that does not say what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeFailed {
    /// The guest was ended while it listed its tools.
    #[error("listing its tools was ended: {why}{}", detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default())]
    Ended {
        /// Which limit, or that it crashed.
        why: RunFailed,
        /// For the operator, made harmless.
        detail: Option<String>,
    },
    /// It answered with a fault.
    #[error("it does not list its tools: {0}")]
    Fault(String),
    /// All instances were busy.
    #[error(
        "all {} of waiting, the host had no room to probe it: it runs at its limit of calls",
        crate::units::format_duration(TURN)
    )]
    NoRoom,
    /// Two listings differ.
    #[error("it lists other tools at each look: {0}")]
    Unstable(String),
    /// Too many.
    #[error("it lists {0} tools; at most {MAX_TOOLS} are allowed")]
    TooMany(usize),
    /// A name that clients would not accept.
    #[error("it lists a tool named \"{0}\": {help}", help = grammar::TOOL)]
    BadName(String),
    /// Two of one name.
    #[error("it lists two tools named \"{0}\"")]
    Twice(String),
    /// A title, description, `meta` or `extra` is too long.
    #[error("{part} of its tool \"{tool}\" has {length} bytes; at most {most} are allowed")]
    TooLong {
        /// Which tool.
        tool: String,
        /// What is too long.
        part: &'static str,
        /// Its length.
        length: usize,
        /// The limit.
        most: usize,
    },
    /// `meta` or `extra` is no object.
    #[error("{part} of its tool \"{tool}\" is not an object")]
    NotAnObject {
        /// Which tool.
        tool: String,
        /// `meta` or `extra`.
        part: &'static str,
    },
    /// A schema that cannot be enforced.
    #[error("the {which} schema of its tool \"{tool}\" {why}")]
    Schema {
        /// Which tool.
        tool: String,
        /// `input` or `output`.
        which: &'static str,
        /// What is wrong.
        why: SchemaRefused,
    },
    /// It lists a tool that the manifest does not have.
    #[error(
        "its tool \"{0}\" has no entry in the manifest: add [tools.{0}] with requires, and pack it again"
    )]
    NoEntry(String),
    /// The manifest has a tool that it does not list.
    #[error("the manifest has [tools.{0}], and the component lists no such tool")]
    NoTool(String),
    /// It contradicts the manifest.
    #[error("its tool \"{tool}\" says {hint} = {said}, and the manifest says {expected}")]
    Contradiction {
        /// Which tool.
        tool: String,
        /// `readOnlyHint` and the like.
        hint: &'static str,
        /// The component.
        said: bool,
        /// The manifest.
        expected: bool,
    },
}

/// A tool that passed the probe.
#[derive(Debug)]
pub(super) struct Probed {
    /// Cleaned, without a label.
    pub(super) definition: Tool,
    pub(super) input: Schema,
    pub(super) output: Option<Schema>,
}

/// What a probe needs of a binding.
pub(super) struct Subject<'a> {
    pub(super) binding: &'a Arc<str>,
    pub(super) plugin: &'a LivePlugin,
    pub(super) config: &'a Arc<IndexMap<String, ConfigValue>>,
    /// Each linked capability's side of a binding to which nothing was granted.
    pub(super) bounds: &'a [Arc<dyn Bound>],
    /// Memory of one call, in bytes.
    pub(super) memory: u64,
    /// Time in guest code of one call.
    pub(super) cpu: Duration,
    pub(super) permits: &'a BindingPermits,
    pub(super) log: &'a Arc<LogGate>,
}

/// Takes the list of tools twice, and checks it.
pub(super) async fn probe(subject: &Subject<'_>) -> Result<BTreeMap<String, Probed>, ProbeFailed> {
    let first = list(subject).await?;
    let second = list(subject).await?;
    if let Some(difference) = difference(&first, &second) {
        return Err(ProbeFailed::Unstable(difference));
    }
    check(first, &subject.plugin.manifest)
}

async fn list(subject: &Subject<'_>) -> Result<Vec<Tool>, ProbeFailed> {
    let permit =
        tokio::time::timeout(TURN, subject.permits.acquire()).await.map_err(|_| ProbeFailed::NoRoom)?;
    let call = Arc::new(CallInfo {
        id: "probe".into(),
        binding: subject.binding.clone(),
        plugin: subject.plugin.manifest.plugin.id.as_str().into(),
        tool: "".into(),
        principal: "".into(),
        roles: Vec::new(),
        session: String::new(),
        client_capabilities: "{}".into(),
        config: subject.config.clone(),
        granted: Arc::default(),
        policy: Arc::new(CallPolicy { read_only: true, ..CallPolicy::default() }),
        limits: CallLimits {
            memory: subject.memory,
            cpu: subject.cpu,
            timeout: TIMEOUT,
            result: MAX_LIST,
            response: 0,
        },
        deadline: Instant::now() + TIMEOUT,
        cancel: CancellationToken::new(),
        log: subject.log.clone(),
        observer: Arc::new(Nobody),
        used: Used::default(),
        jobs: JobsOfCall::default(),
    });
    let slots: Vec<Box<dyn Any + Send>> = subject.bounds.iter().map(|bound| bound.state(&call)).collect();
    let run = Run { call, memory: BindingMemory::new(subject.memory), slots, permit };
    match subject.plugin.guest.perform(run, ListTools).await {
        Ok(Ok(mut tools)) => {
            // Guests may keep their tools in a map without an order.
            tools.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(tools)
        }
        Ok(Err(Fault { message, .. })) => Err(ProbeFailed::Fault(short(&message))),
        Err(why) => {
            let detail = match &why {
                RunFailed::Trap(text) | RunFailed::Host(text) => Some(short(text)),
                _ => None,
            };
            Err(ProbeFailed::Ended { why, detail })
        }
    }
}

/// Text of a plugin, bounded and harmless.
fn short(text: &str) -> String {
    clean(&text[..text.floor_char_boundary(1 << 10)]).into_owned()
}

fn difference(first: &[Tool], second: &[Tool]) -> Option<String> {
    if first.len() != second.len() {
        return Some(format!("{} tools, then {}", first.len(), second.len()));
    }
    let (one, other) = first.iter().zip(second).find(|(one, other)| one != other)?;
    Some(if one.name == other.name {
        format!("\"{}\" is described in two ways", short(&one.name))
    } else {
        format!("\"{}\", then \"{}\"", short(&one.name), short(&other.name))
    })
}

fn check(tools: Vec<Tool>, manifest: &Manifest) -> Result<BTreeMap<String, Probed>, ProbeFailed> {
    if tools.len() > MAX_TOOLS {
        return Err(ProbeFailed::TooMany(tools.len()));
    }
    let mut probed = BTreeMap::new();
    for tool in tools {
        if !grammar::is_tool(&tool.name) {
            return Err(ProbeFailed::BadName(short(&tool.name)));
        }
        let name = tool.name.clone();
        let entry = manifest.tools.get(&name).ok_or_else(|| ProbeFailed::NoEntry(name.clone()))?;
        let checked = check_tool(tool, entry)?;
        if probed.insert(name.clone(), checked).is_some() {
            return Err(ProbeFailed::Twice(name));
        }
    }
    let absent = manifest.tools.iter().find(|(name, entry)| !entry.opt_in && !probed.contains_key(*name));
    match absent {
        Some((name, _)) => Err(ProbeFailed::NoTool(name.clone())),
        None => Ok(probed),
    }
}

fn check_tool(mut tool: Tool, entry: &ToolEntry) -> Result<Probed, ProbeFailed> {
    let text_length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let json_length = |json: &Option<Value>| json.as_ref().map_or(0, |json| json.to_string().len());
    for (part, length, most) in [
        ("the title", text_length(&tool.title), MAX_TITLE),
        ("the description", text_length(&tool.description), MAX_DESCRIPTION),
        ("meta", json_length(&tool.meta), MAX_EXTRA),
        ("extra", json_length(&tool.extra), MAX_EXTRA),
    ] {
        if length > most {
            return Err(ProbeFailed::TooLong { tool: tool.name, part, length, most });
        }
    }
    for (part, json) in [("meta", &tool.meta), ("extra", &tool.extra)] {
        if json.as_ref().is_some_and(|json| !json.is_object()) {
            return Err(ProbeFailed::NotAnObject { tool: tool.name, part });
        }
    }
    contradiction(&tool, entry)?;

    let refused = |which| {
        let tool = tool.name.clone();
        move |why| match why {
            SchemaRefused::Invalid(text) => {
                ProbeFailed::Schema { tool, which, why: SchemaRefused::Invalid(short(&text)) }
            }
            why => ProbeFailed::Schema { tool, which, why },
        }
    };
    let input = Schema::of_arguments(&tool.input_schema).map_err(refused("input"))?;
    let output = tool.output_schema.as_deref().map(Schema::compile).transpose().map_err(refused("output"))?;

    for text in [&mut tool.title, &mut tool.description].into_iter().flatten() {
        *text = clean(text).into_owned();
    }
    clean_json(Arc::make_mut(&mut tool.input_schema));
    if let Some(schema) = &mut tool.output_schema {
        clean_json(Arc::make_mut(schema));
    }
    if let Some(Value::Object(meta)) = &mut tool.meta {
        meta.retain(|key, _| !is_reserved(key));
    }
    [&mut tool.meta, &mut tool.extra].into_iter().flatten().for_each(clean_json);
    Ok(Probed { definition: tool, input, output })
}

/// Hints are emitted from the manifest. A component that says otherwise was packed with the wrong one, or lies.
fn contradiction(tool: &Tool, entry: &ToolEntry) -> Result<(), ProbeFailed> {
    let Some(annotations) = tool.extra.as_ref().and_then(|extra| extra.get("annotations")) else {
        return Ok(());
    };
    let expected = [
        ("readOnlyHint", Some(entry.read_only)),
        ("destructiveHint", Some(entry.destructive)),
        ("idempotentHint", Some(entry.idempotent)),
        ("openWorldHint", entry.open_world),
    ];
    for (hint, expected) in expected {
        if let (Some(said), Some(expected)) = (annotations.get(hint).and_then(Value::as_bool), expected)
            && said != expected
        {
            return Err(ProbeFailed::Contradiction { tool: tool.name.clone(), hint, said, expected });
        }
    }
    Ok(())
}

/// `_meta` keys under prefixes with a label `mcp` or `modelcontextprotocol` are the protocol's own (MCP
/// specification, Basic, `_meta`).
fn is_reserved(key: &str) -> bool {
    let Some((prefix, _)) = key.rsplit_once('/') else { return false };
    prefix
        .split('.')
        .any(|label| label.eq_ignore_ascii_case("mcp") || label.eq_ignore_ascii_case("modelcontextprotocol"))
}
