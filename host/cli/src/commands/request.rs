//! One request from the shell, by the same way that a client's takes. What the plugin asks back is asked at the
//! terminal, if there is one. [`super::call`], [`super::read`] and [`super::prompt`] differ in what they ask for.

use std::borrow::Cow;
use std::io::{IsTerminal, Read, stderr, stdin};
use std::sync::Arc;

use clap::Args;
use fleetgate_auth::local::local_principal;
use fleetgate_core::asking::{self, MAX_ROUNDS, undeclared};
use fleetgate_core::call::{Answered, CallContext, End, Kind, Refused};
use fleetgate_core::catalog::{Catalog, Host, Scope};
use fleetgate_core::diagnostic::did_you_mean;
use fleetgate_core::domain::{Answers, Content, Fault, Question};
use fleetgate_core::principal::HeldRole;
use fleetgate_core::sandbox::{Level, Observer};
use fleetgate_core::settings::{self, Settings, Unlisted};
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::check::why;
use crate::callers::unknown_roles;
use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::output::{self, one_line};
use crate::questions;
use crate::running::{Wanted, block_on};
use crate::signals::Stop;

/// What every request says.
#[derive(Debug, Args)]
pub struct Request {
    /// The binding.
    binding: String,
    #[command(flatten)]
    config: ConfigFile,
    /// A role to call with, as BINDING:ROLE, instead of [serve] local_roles.
    #[arg(long = "role", value_name = "BINDING:ROLE", value_parser = HeldRole::parse)]
    roles: Vec<HeldRole>,
    /// Print the whole result as JSON.
    #[arg(long)]
    json: bool,
}

/// What came of a request, for people and for programs.
pub trait Printed {
    /// Everything, as a JSON object.
    fn facts(&self) -> Value;
    /// What a person wants to see.
    fn show(&self);
    /// Whether the plugin says that it failed.
    fn failed(&self) -> bool {
        false
    }
}

/// One round of a request.
pub type Round<T> = BoxFuture<'static, Result<Answered<T>, Refused>>;

/// What is asked for.
pub trait Wanting {
    /// What comes of it.
    type Answer: Printed;

    /// Once it is known what there is, and before anything is asked.
    fn ready(&mut self, _: &Catalog, _: &Scope) -> Result<(), Failure> {
        Ok(())
    }

    /// Asks once.
    fn round(
        &self,
        host: Arc<Host>,
        catalog: Arc<Catalog>,
        context: CallContext,
        answers: Option<Answers>,
    ) -> Round<Self::Answer>;
}

/// A JSON object that somebody typed, or that stands on stdin.
pub fn object(mut text: String) -> Result<(String, Map<String, Value>), Failure> {
    if text == "-" {
        text.clear();
        stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failure::usage(format!("the arguments cannot be read: {error}")))?;
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(object)) => Ok((text, object)),
        Ok(_) => Err(Failure::usage("the arguments are not a JSON object")
            .help("write them in braces: '{\"identifier\": \"pump-7\"}'")),
        Err(error) => Err(Failure::usage(format!("the arguments are not JSON: {error}"))
            .help("write a JSON object in single quotes: '{\"identifier\": \"pump-7\"}'")),
    }
}

impl Request {
    /// Whose.
    pub fn binding(&self) -> &str {
        &self.binding
    }

    /// Asks until there is an answer, and prints it.
    pub fn run(self, wanting: impl Wanting) -> Result<(), Failure> {
        let path = self.config.path()?;
        let only = self.only(&settings::load(&path)?)?;
        block_on(self.ask(Wanted { only, ..Wanted::all(path) }, wanting))
    }

    /// The other bindings need not be loaded for this call.
    fn only(&self, settings: &Settings) -> Result<Option<String>, Failure> {
        if settings.bindings.contains_key(&self.binding) {
            return Ok(Some(self.binding.clone()));
        }
        if settings.serve.unlisted == Unlisted::Serve {
            return Ok(None);
        }
        let help = did_you_mean(&self.binding, settings.bindings.keys().map(String::as_str));
        let (name, config) = (one_line(&self.binding), settings.document.path.display());
        Err(Failure::usage(format!("there is no binding {name} in {config}")).help(help))
    }

    async fn ask(self, wanted: Wanted, mut wanting: impl Wanting) -> Result<(), Failure> {
        let running = wanted.start().await?;
        let (catalog, survey) = (running.host.catalog(), running.host.survey());
        if let Some(unknown) = unknown_roles(&survey, &self.roles).first() {
            return Err(Failure::usage(unknown));
        }
        if catalog.binding(&self.binding).is_none() {
            let (name, why) = (one_line(&self.binding), why(&survey, &self.binding));
            return Err(Failure::failed(format!("{name} cannot be called: {why}")));
        }
        let scope = Scope::Binding(self.binding.as_str().into());
        wanting.ready(&catalog, &scope)?;
        let cancel = CancellationToken::new();
        let mut stop = Stop::listen()?;
        let interrupted = cancel.clone();
        tokio::spawn(async move {
            stop.heard().await;
            interrupted.cancel();
        });
        let can =
            if self.json || !questions::somebody_is_there() { json!({}) } else { questions::capabilities() };
        let context = CallContext {
            principal: local_principal(&survey.settings, &self.roles),
            scope,
            session: "shell".into(),
            client_capabilities: can.to_string().into(),
            cancel,
            observer: Arc::new(Shown),
        };
        let mut answers = None;
        let mut rounds = 0;
        let answered = loop {
            let (host, catalog) = (running.host.clone(), catalog.clone());
            let answered = wanting.round(host, catalog, context.clone(), answers.take()).await;
            match &answered {
                Ok(Answered { end: End::Ask(question), .. })
                    if rounds < MAX_ROUNDS && undeclared(&question.requests, &can).is_none() =>
                {
                    let given = self.asked(question, &context.cancel).await?;
                    let items = asking::answers(&question.requests, &given);
                    answers = Some(Answers { items, state: question.state.clone() });
                    rounds += 1;
                }
                _ => break answered,
            }
        };
        running.finish().await;
        match answered {
            Ok(answered) => self.print(&answered),
            Err(refused) => Err(self.refused(&refused)),
        }
    }

    /// Asks the person. Whoever interrupts instead of answering ends the program.
    async fn asked(
        &self,
        question: &Question,
        cancel: &CancellationToken,
    ) -> Result<Map<String, Value>, Failure> {
        let requests = question.requests.clone();
        let asking = tokio::task::spawn_blocking(move || questions::ask(&requests));
        let answered = tokio::select! {
            answered = asking => answered,
            () = cancel.cancelled() => return Err(Failure::failed("interrupted: nothing more was called")),
        };
        let failed = |error: &dyn std::fmt::Display| {
            Failure::failed(format!("the question was not answered: {error}"))
        };
        answered.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }

    fn refused(&self, refused: &Refused) -> Failure {
        if self.json {
            output::json(&json!({ "reference": &**refused.reference(), "refused": refused.to_string() }));
            return Failure::said();
        }
        let failure = Failure::failed(refused);
        match refused {
            Refused::Forbidden { scopes, .. } => {
                let roles: Vec<String> = scopes.iter().map(|scope| format!("--role {scope}")).collect();
                failure.help(format!("call with {}", roles.join(" ")))
            }
            Refused::Unknown { kind: Kind::Tool, .. } => {
                failure.help("`fleetgate check` names the tools of each binding")
            }
            Refused::Unknown { .. } => {
                failure.help("`fleetgate inspect FILE.wasm` names the resources and prompts of a plugin")
            }
            Refused::Unrecorded { .. } => failure.help("a call that may change something is recorded first"),
        }
    }

    fn print<T: Printed>(&self, answered: &Answered<T>) -> Result<(), Failure> {
        let reference = &*answered.reference;
        match &answered.end {
            End::Done(done) => {
                if self.json {
                    let mut facts = done.facts();
                    facts["reference"] = reference.into();
                    output::json(&facts);
                } else {
                    done.show();
                }
                if done.failed() { Err(Failure::said()) } else { Ok(()) }
            }
            End::Fault(fault) => {
                if self.json {
                    output::json(&json!({ "reference": reference, "fault": fault }));
                    return Err(Failure::said());
                }
                Err(fault_said(fault, reference))
            }
            End::Ask(question) => {
                if self.json {
                    let requests: Vec<Value> = question
                        .requests
                        .iter()
                        .map(|asked| json!({ "key": asked.key, "kind": asked.kind, "params": asked.params }))
                        .collect();
                    output::json(&json!({ "reference": reference, "asks": requests }));
                    return Err(Failure::said());
                }
                let kinds: Vec<&str> = question.requests.iter().map(|asked| asked.kind.as_str()).collect();
                Err(Failure::failed(format!("the plugin asks something back ({})", kinds.join(", ")))
                    .help("ask from a terminal for forms and web pages, from an MCP client for the rest"))
            }
        }
    }
}

fn fault_said(fault: &Fault, reference: &str) -> Failure {
    // The host's own messages begin with the field already.
    let field = fault.field.as_ref().filter(|field| !fault.message.contains(field.as_str()));
    let field = field.map_or_else(String::new, |field| format!(" at {field}"));
    let failure = Failure::failed(format!("{}{field}: {}", fault.code, fault.message));
    let why = format!("`fleetgate why {reference}` says more");
    failure.help(if fault.retryable { format!("the same call may succeed later; {why}") } else { why })
}

/// One content block as JSON; of data only how much there is.
pub fn block(content: &Content) -> Value {
    let fields = [
        ("kind", Some(json!(content.kind))),
        ("text", content.text.as_ref().map(|text| json!(text))),
        ("bytes", content.data.as_ref().map(|data| json!(data.len()))),
        ("mime_type", content.mime_type.as_ref().map(|kind| json!(kind))),
        ("uri", content.uri.as_ref().map(|uri| json!(uri))),
    ];
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Text as it may be printed. The host has cleaned it, unless its entry is `verbatim`: then the terminal is protected
/// here, and a pipe gets all of it.
pub fn text(text: &str) -> Cow<'_, str> {
    if std::io::stdout().is_terminal() { fleetgate_core::text::clean(text) } else { text.into() }
}

/// Text as it is, everything else by what it is.
pub fn show(content: &Content) {
    if let Some(said) = &content.text {
        output::line(text(said));
    }
    if content.kind != "text" {
        let facts = [
            content.mime_type.clone(),
            content.uri.clone(),
            content.data.as_ref().map(|data| format!("{} bytes", data.len())),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        output::line(format_args!("[{}]", one_line(&format!("{} {}", content.kind, facts.join(", ")))));
    }
}

/// Progress and log lines of the call, on stderr where a person looks.
struct Shown;

impl Observer for Shown {
    fn progress(&self, done: f64, total: Option<f64>, message: Option<String>) {
        if stderr().is_terminal() {
            let total = total.map_or_else(String::new, |total| format!(" of {total}"));
            eprintln!("{}", one_line(&format!("{done}{total} {}", message.unwrap_or_default())));
        }
    }

    fn log(&self, level: Level, message: &str, _: Option<&Value>) {
        if level >= Level::Notice && stderr().is_terminal() {
            eprintln!("{}: {}", level.name(), one_line(message));
        }
    }

    fn list_changed(&self, _: &'static str) {}

    fn resource_updated(&self, _: &str) {}
}
