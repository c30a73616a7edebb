//! Version 0.1 of the plugin interface.

use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::{HasSelf, Instance, InstancePre, Linker};

use crate::domain::{Answers, Content, Fault, InputRequest, Outcome, Question, Tool, ToolResult};
use crate::sandbox::{CallState, Level};
use crate::text::clean;
use crate::validate::MAX_SCHEMA;

mod generated {
    #![allow(missing_docs)]
    wasmtime::component::bindgen!({
        path: "../../wit/fleetgate-plugin",
        world: "every-export",
        // Nothing here waits: facts are at hand, and reports go into a channel.
        imports: { default: trappable },
        exports: { default: async },
    });
}

use generated::exports::fleetgate::plugin::tools;
use generated::fleetgate::plugin::{call, capabilities, config, jobs, types};

/// Adds the host's side of the interface.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    type Host = HasSelf<CallState>;
    types::add_to_linker::<_, Host>(linker, |state| state)?;
    call::add_to_linker::<_, Host>(linker, |state| state)?;
    config::add_to_linker::<_, Host>(linker, |state| state)?;
    capabilities::add_to_linker::<_, Host>(linker, |state| state)?;
    jobs::add_to_linker::<_, Host>(linker, |state| state)
}

/// What a component exports, looked up once. None: not exported.
#[derive(Clone)]
pub(crate) struct Exports {
    tools: Option<tools::GuestIndices>,
}

impl Exports {
    /// Looks each interface up by itself: the generated `WithToolsPre` fails when any export is absent.
    pub(crate) fn of(pre: &InstancePre<CallState>) -> Self {
        Self { tools: tools::GuestIndices::new(pre).ok() }
    }

    /// Whether the component has tools.
    pub(crate) fn has_tools(&self) -> bool {
        self.tools.is_some()
    }

    /// `tools.list-tools`. None: the component has no tools.
    pub(crate) async fn list_tools(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Result<Vec<Tool>, Fault>> {
        let Some(indices) = &self.tools else { return Ok(Ok(Vec::new())) };
        let listed = indices.load(&mut *store, instance)?.call_list_tools(&mut *store).await?;
        Ok(match listed {
            Ok(tools) => tools.into_iter().map(tool).collect(),
            Err(fault) => Err(from_fault(fault)),
        })
    }

    /// `tools.call-tool`.
    #[expect(clippy::ptr_arg, reason = "the generated function takes strings by reference")]
    pub(crate) async fn call_tool(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
        name: &String,
        arguments: &String,
        answers: Option<&Answers>,
    ) -> wasmtime::Result<Result<Outcome, Fault>> {
        let Some(indices) = &self.tools else {
            return Ok(Err(Fault::new("internal", "the plugin exports no tools")));
        };
        let answers = answers.map(to_answers);
        let tools = indices.load(&mut *store, instance)?;
        let ended = tools.call_call_tool(&mut *store, name, arguments, answers.as_ref()).await?;
        Ok(match ended {
            Ok(outcome) => from_outcome(outcome),
            Err(fault) => Err(from_fault(fault)),
        })
    }
}

/// The longest `meta`, `extra` or `details`, as JSON text. Parsed, small values take tens of times their text, and of
/// the host's memory: so the text is measured first.
const MAX_EXTRA: usize = 64 << 10;
/// The same for all of one result together.
const MAX_EXTRAS: usize = 256 << 10;
/// The longest message of a progress report; the rest is cut off.
const MAX_PROGRESS: usize = 1 << 10;

/// A plugin's JSON that is not JSON, or too long: its own fault, named.
fn parse(what: &str, json: String) -> Result<Value, Fault> {
    let most = if what.contains("schema") { MAX_SCHEMA } else { MAX_EXTRA };
    if json.len() > most {
        let length = json.len();
        return Err(Fault::new(
            "limit",
            format!("the plugin returned {what} of {length} bytes; at most {most} are allowed"),
        ));
    }
    serde_json::from_str(&json).map_err(|error| {
        Fault::new("protocol", format!("the plugin returned {what} that is not JSON: {error}"))
    })
}

fn parse_optional(what: &str, json: Option<String>) -> Result<Option<Value>, Fault> {
    json.map(|json| parse(what, json)).transpose()
}

fn tool(tool: tools::Tool) -> Result<Tool, Fault> {
    let of = |what: &str| format!("{what} of the tool \"{}\"", clean(&tool.name));
    Ok(Tool {
        input_schema: Arc::new(parse(&of("an input schema"), tool.input_schema.clone())?),
        output_schema: parse_optional(&of("an output schema"), tool.output_schema.clone())?.map(Arc::new),
        meta: parse_optional(&of("meta"), tool.meta.clone())?,
        extra: parse_optional(&of("extra"), tool.extra.clone())?,
        name: tool.name,
        title: tool.title,
        description: tool.description,
    })
}

fn from_outcome(outcome: types::Outcome) -> Result<Outcome, Fault> {
    if let types::Outcome::Done(result) = &outcome {
        let blocks = result.content.iter().flat_map(|block| [&block.meta, &block.extra]);
        let extras: usize = blocks.chain([&result.meta, &result.extra]).flatten().map(String::len).sum();
        if extras > MAX_EXTRAS {
            return Err(Fault::new(
                "limit",
                format!("the plugin returned {extras} bytes of meta; at most {MAX_EXTRAS} are allowed"),
            ));
        }
    }
    Ok(match outcome {
        types::Outcome::Done(result) => Outcome::Done(ToolResult {
            content: result.content.into_iter().map(from_content).collect::<Result<_, _>>()?,
            structured: result
                .structured
                .map(|json| {
                    RawValue::from_string(json).map_err(|error| {
                        Fault::new(
                            "protocol",
                            format!("the plugin returned a result that is not JSON: {error}"),
                        )
                    })
                })
                .transpose()?,
            is_error: result.is_error,
            meta: parse_optional("meta", result.meta)?,
            extra: parse_optional("extra", result.extra)?,
        }),
        types::Outcome::Ask(question) => Outcome::Ask(Question {
            requests: question
                .requests
                .into_iter()
                .map(|request| {
                    let params = parse("parameters of a question", request.params)?;
                    Ok(InputRequest { key: request.key, kind: request.kind, params })
                })
                .collect::<Result<_, Fault>>()?,
            state: question.state,
        }),
    })
}

fn from_content(content: types::Content) -> Result<Content, Fault> {
    Ok(Content {
        kind: content.kind,
        text: content.text,
        data: content.data,
        mime_type: content.mime_type,
        uri: content.uri,
        meta: parse_optional("meta of a content block", content.meta)?,
        extra: parse_optional("extra of a content block", content.extra)?,
    })
}

fn from_fault(fault: types::Fault) -> Fault {
    Fault {
        code: fault.code,
        message: fault.message,
        field: fault.field,
        retryable: fault.retryable,
        retry_after_ms: fault.retry_after_ms,
        // Details that are too long or not JSON are no reason to lose the fault itself.
        details: fault
            .details
            .filter(|json| json.len() <= MAX_EXTRA)
            .map(|json| serde_json::from_str(&json).unwrap_or(Value::String(json))),
    }
}

fn to_answers(answers: &Answers) -> types::Answers {
    types::Answers {
        items: answers
            .items
            .iter()
            .map(|(key, value)| types::Answer { key: key.clone(), value: value.to_string() })
            .collect(),
        state: answers.state.clone(),
    }
}

impl types::Host for CallState {}

impl call::Host for CallState {
    fn principal(&mut self) -> wasmtime::Result<String> {
        Ok(self.call().principal.to_string())
    }
    fn roles(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.call().roles.clone())
    }
    fn session(&mut self) -> wasmtime::Result<String> {
        Ok(self.call().session.clone())
    }
    fn binding(&mut self) -> wasmtime::Result<String> {
        Ok(self.call().binding.to_string())
    }
    fn client_capabilities(&mut self) -> wasmtime::Result<String> {
        Ok(self.call().client_capabilities.to_string())
    }
    fn job(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
    fn deadline_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(self.call().remaining().as_millis().try_into().unwrap_or(u64::MAX))
    }
    fn cancelled(&mut self) -> wasmtime::Result<bool> {
        Ok(self.call().cancel.is_cancelled())
    }
    fn progress(&mut self, done: f64, total: Option<f64>, message: Option<String>) -> wasmtime::Result<()> {
        if done.is_finite() && done > self.progress {
            self.progress = done;
            let message =
                message.map(|text| clean(&text[..text.floor_char_boundary(MAX_PROGRESS)]).into_owned());
            self.call().observer.progress(done, total.filter(|total| total.is_finite()), message);
        }
        Ok(())
    }
    fn log(&mut self, level: String, message: String, data: Option<String>) -> wasmtime::Result<()> {
        super::log::write(self.call(), Level::parse(&level), &message, data);
        Ok(())
    }
    fn tools_changed(&mut self) -> wasmtime::Result<()> {
        self.call().observer.list_changed("tools");
        Ok(())
    }
    fn prompts_changed(&mut self) -> wasmtime::Result<()> {
        self.call().observer.list_changed("prompts");
        Ok(())
    }
    fn resources_changed(&mut self) -> wasmtime::Result<()> {
        self.call().observer.list_changed("resources");
        Ok(())
    }
    fn resource_updated(&mut self, uri: String) -> wasmtime::Result<()> {
        self.call().observer.resource_updated(&uri);
        Ok(())
    }
}

impl config::Host for CallState {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.call().config.get(&key).map(|value| value.text.clone()))
    }
}

impl capabilities::Host for CallState {
    fn granted(&mut self, name: String) -> wasmtime::Result<bool> {
        Ok(self.call().granted.contains(&name))
    }
}

/// Draft: no jobs yet, and the plugin is told so.
fn no_jobs<T>() -> wasmtime::Result<Result<T, types::Fault>> {
    Ok(Err(types::Fault {
        code: "unavailable".into(),
        message: "this host does not run jobs".into(),
        field: None,
        retryable: false,
        retry_after_ms: None,
        details: None,
    }))
}

impl jobs::Host for CallState {
    fn submit(
        &mut self,
        _: String,
        _: String,
        _: Option<String>,
    ) -> wasmtime::Result<Result<jobs::Job, types::Fault>> {
        no_jobs()
    }
    fn get(&mut self, _: String) -> wasmtime::Result<Result<jobs::Job, types::Fault>> {
        no_jobs()
    }
    fn outcome(&mut self, _: String) -> wasmtime::Result<Result<types::ToolResult, types::Fault>> {
        no_jobs()
    }
    fn list_jobs(
        &mut self,
        _: Option<String>,
    ) -> wasmtime::Result<Result<(Vec<jobs::Job>, Option<String>), types::Fault>> {
        no_jobs()
    }
    fn cancel(&mut self, _: String) -> wasmtime::Result<Result<jobs::Job, types::Fault>> {
        no_jobs()
    }
}
