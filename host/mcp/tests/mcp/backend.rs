//! A backend whose tools are written here instead of compiled.

use std::sync::{Arc, Mutex};

use fleetgate_core::artifact::Digest;
use fleetgate_core::call::{
    Answered, Complete, End, Kind, PromptGet, Refused, ResourceList, ResourceRead, ToolCall,
};
use fleetgate_core::catalog::{Change, Scope};
use fleetgate_core::domain::{
    Answers, Completion, Content, Fault, PromptMessage, ResourcePage, Tool, ToolResult,
};
use fleetgate_core::principal::{HeldRole, Principal};
use fleetgate_core::sandbox::Level;
use fleetgate_mcp::{
    About, Answering, Backend, Definition, Features, Found, PromptDefinition, SkillDefinition,
    TemplateDefinition, View,
};
use serde_json::{Value, json};
use tokio::sync::{Notify, broadcast};

/// Serves whatever it was given last.
pub struct Fake {
    now: Mutex<Arc<Snapshot>>,
    changes: broadcast::Sender<Change>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// What arrived at the core.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub principal: String,
    pub scope: Scope,
    pub tool: String,
    pub arguments: String,
    pub session: String,
    pub capabilities: Value,
}

#[derive(Clone)]
pub struct FakeBinding {
    pub name: &'static str,
    pub session_header: Option<&'static str>,
    pub tools: Vec<FakeTool>,
    /// Stands for the plugin's file.
    pub file: &'static str,
}

#[derive(Clone)]
pub struct FakeTool {
    pub name: String,
    pub role: Option<&'static str>,
    pub read_only: bool,
    pub input: Value,
    pub output: Option<Value>,
    pub does: Does,
}

#[derive(Clone)]
pub enum Does {
    /// Returns its arguments.
    Echo,
    /// 0, 50, 50, 40, 100 of 100.
    Progress,
    /// Reports far more progress than anybody can watch.
    Flood,
    /// One line of each level, then says that tools changed.
    Talk,
    /// Says that it began, then waits.
    Wait(Arc<Gate>),
    Fail,
    /// Answers by what it was answered. The core has checked what it asks.
    Ask(fn(Option<Answers>) -> End),
    Return(ToolResult),
    /// Tells that its binding's tools changed.
    Change,
}

/// A call that ends when it is told to, or when it is cancelled.
#[derive(Default)]
pub struct Gate {
    pub started: Notify,
    pub cancelled: Notify,
    pub release: Notify,
}

pub fn tool(name: &str, does: Does) -> FakeTool {
    let input = json!({"type": "object", "$comment": "as it is"});
    FakeTool { name: name.into(), role: None, read_only: true, input, output: None, does }
}

impl FakeTool {
    pub fn needs(mut self, role: &'static str) -> Self {
        self.role = Some(role);
        self
    }
}

pub fn binding(name: &'static str, tools: impl IntoIterator<Item = FakeTool>) -> FakeBinding {
    FakeBinding { name, session_header: None, tools: tools.into_iter().collect(), file: "1" }
}

pub fn principal(name: &str, roles: &[&str]) -> Principal {
    Principal::new(name, roles.iter().map(|role| HeldRole::parse(role).unwrap()))
}

impl Fake {
    pub fn new(bindings: impl IntoIterator<Item = FakeBinding>) -> Arc<Self> {
        let seen = Arc::default();
        let now = Arc::new(Snapshot {
            revision: 1,
            bindings: bindings.into_iter().collect(),
            seen: Arc::clone(&seen),
        });
        Arc::new(Self { now: Mutex::new(now), changes: broadcast::Sender::new(16), seen })
    }

    pub fn publish(&self, bindings: impl IntoIterator<Item = FakeBinding>, changed: &[&'static str]) {
        let mut now = self.now.lock().unwrap();
        let revision = now.revision + 1;
        *now = Arc::new(Snapshot {
            revision,
            bindings: bindings.into_iter().collect(),
            seen: self.seen.clone(),
        });
        drop(now);
        let tools = changed.iter().map(|name| Arc::from(*name)).collect();
        self.changes.send(Change { revision, tools, ..Change::default() }).ok();
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Backend for Fake {
    fn view(&self) -> Arc<dyn View> {
        self.now.lock().unwrap().clone()
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }
}

struct Snapshot {
    revision: u64,
    bindings: Vec<FakeBinding>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Snapshot {
    fn tools<'a>(
        &'a self,
        scope: &'a Scope,
    ) -> impl Iterator<Item = (String, &'a FakeBinding, &'a FakeTool)> {
        self.bindings.iter().flat_map(move |binding| {
            binding.tools.iter().filter_map(move |tool| match scope {
                Scope::Shared => Some((format!("{}_{}", binding.name, tool.name), binding, tool)),
                Scope::Binding(name) => (**name == *binding.name).then(|| (tool.name.clone(), binding, tool)),
            })
        })
    }
}

fn allows(binding: &FakeBinding, tool: &FakeTool, principal: &Principal) -> bool {
    tool.role.is_none_or(|role| principal.roles_of(binding.name).any(|held| held == role || held == "*"))
}

impl View for Snapshot {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn serves(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Shared => true,
            Scope::Binding(name) => self.bindings.iter().any(|binding| *binding.name == **name),
        }
    }

    fn about(&self, scope: &Scope) -> Vec<About> {
        self.bindings
            .iter()
            .filter(|binding| *scope == Scope::Shared || *scope == Scope::Binding(binding.name.into()))
            .map(|binding| About {
                binding: binding.name.into(),
                label: Some("TEST".into()),
                title: format!("The {}", binding.name),
                description: "Things to try.".into(),
            })
            .collect()
    }

    fn definitions(&self, scope: &Scope) -> Vec<Definition> {
        self.tools(scope)
            .map(|(name, binding, tool)| Definition {
                name,
                binding: binding.name.into(),
                tool: Tool {
                    name: tool.name.clone(),
                    title: Some(tool.name.to_uppercase()),
                    description: Some(format!("Does {}.", tool.name)),
                    input_schema: Arc::new(tool.input.clone()),
                    output_schema: tool.output.clone().map(Arc::new),
                    meta: None,
                    extra: None,
                },
                read_only: tool.read_only,
                destructive: !tool.read_only,
                idempotent: false,
                open_world: Some(true),
            })
            .collect()
    }

    fn visible(&self, scope: &Scope, principal: &Principal, each: &mut dyn FnMut(&str)) {
        let mut names: Vec<_> = self
            .tools(scope)
            .filter(|(_, binding, tool)| allows(binding, tool, principal))
            .map(|(name, ..)| name)
            .collect();
        names.sort();
        names.iter().for_each(|name| each(name));
    }

    fn find(&self, scope: &Scope, name: &str, principal: &Principal) -> Option<Found> {
        let (_, binding, tool) = self.tools(scope).find(|(own, ..)| own == name)?;
        Some(Found { binding: binding.name.into(), allowed: allows(binding, tool, principal) })
    }

    fn call(self: Arc<Self>, call: ToolCall) -> Answering {
        Box::pin(async move {
            let scope = call.context.scope.clone();
            let found = self.tools(&scope).find(|(name, ..)| *name == call.tool);
            let Some((_, binding, tool)) = found else {
                return Err(Refused::Unknown { kind: Kind::Tool, name: call.tool, reference: "ref0".into() });
            };
            if !allows(binding, tool, &call.context.principal) {
                let scopes = vec![format!("{}:{}", binding.name, tool.role.unwrap())];
                return Err(Refused::Forbidden {
                    kind: Kind::Tool,
                    name: call.tool,
                    scopes,
                    reference: "ref0".into(),
                });
            }
            self.seen.lock().unwrap().push(Seen {
                principal: call.context.principal.name().into(),
                scope: call.context.scope.clone(),
                tool: tool.name.clone(),
                arguments: call.arguments.clone(),
                session: call.context.session.clone(),
                capabilities: serde_json::from_str(&call.context.client_capabilities).unwrap(),
            });
            let end = tool.does.clone().run(call).await;
            Ok(Answered { reference: "ref1".into(), binding: binding.name.into(), end })
        })
    }

    fn session_header(&self, binding: &str) -> Option<Arc<str>> {
        self.bindings.iter().find(|one| one.name == binding)?.session_header.map(Arc::from)
    }
    fn digest(&self, binding: &str) -> Option<Digest> {
        let found = self.bindings.iter().find(|known| known.name == binding)?;
        Some(Digest::of(found.file.as_bytes()))
    }
    fn features(&self, _: &Scope) -> Features {
        Features::default()
    }
    fn prompts(&self, _: &Scope, _: &Principal) -> Vec<PromptDefinition> {
        Vec::new()
    }
    fn find_prompt(&self, _: &Scope, _: &str, _: &Principal) -> Option<Found> {
        None
    }
    fn get_prompt(self: Arc<Self>, get: PromptGet) -> Answering<Vec<PromptMessage>> {
        absent(Kind::Prompt, get.prompt)
    }
    fn resource_bindings(&self, _: &Scope, _: &Principal) -> Vec<Arc<str>> {
        Vec::new()
    }
    fn templates(&self, _: &Scope, _: &Principal) -> Vec<TemplateDefinition> {
        Vec::new()
    }
    fn find_resource(&self, _: &Scope, _: &str, _: &str, _: &Principal) -> Option<Found> {
        None
    }
    fn list_resources(self: Arc<Self>, list: ResourceList) -> Answering<ResourcePage> {
        absent(Kind::Resource, list.binding.to_string())
    }
    fn read_resource(self: Arc<Self>, read: ResourceRead) -> Answering<Vec<Content>> {
        absent(Kind::Resource, read.uri)
    }
    fn complete(self: Arc<Self>, complete: Complete) -> Answering<Completion> {
        absent(Kind::Prompt, complete.argument)
    }
    fn skills(&self, _: &Scope, _: &Principal) -> Vec<SkillDefinition> {
        Vec::new()
    }
}

fn absent<T: Send + 'static>(kind: Kind, name: String) -> Answering<T> {
    Box::pin(async move { Err(Refused::Unknown { kind, name, reference: "ref0".into() }) })
}

impl Does {
    async fn run(self, call: ToolCall) -> End {
        let text =
            |text: &str| End::Done(ToolResult { content: vec![Content::text(text)], ..Default::default() });
        match self {
            Self::Echo => text(&call.arguments),
            Self::Progress => {
                for done in [0.0, 50.0, 50.0, 40.0, f64::NAN, 100.0] {
                    call.context.observer.progress(done, Some(100.0), Some(format!("{done} %")));
                    tokio::task::yield_now().await;
                }
                text("done")
            }
            Self::Flood => {
                for done in 0..100_000 {
                    call.context.observer.progress(f64::from(done), None, None);
                    if done % 100 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
                text("done")
            }
            Self::Talk => {
                for level in ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
                {
                    call.context.observer.log(Level::parse(level), level, Some(&json!({"n": 1})));
                }
                text("said")
            }
            Self::Wait(gate) => {
                call.context.observer.progress(1.0, None, None);
                gate.started.notify_one();
                tokio::select! {
                    () = call.context.cancel.cancelled() => {
                        call.context.observer.log(Level::Emergency, "too late", None);
                        call.context.observer.progress(7.0, None, None);
                        gate.cancelled.notify_one();
                        End::Fault(Fault::new("cancelled", "cancelled"))
                    }
                    () = gate.release.notified() => text("released"),
                }
            }
            Self::Fail => {
                End::Fault(Fault::new("upstream", "The API said 503.").retryable().at("/identifier"))
            }
            Self::Ask(answer) => answer(call.answers),
            Self::Return(result) => End::Done(result),
            Self::Change => {
                call.context.observer.list_changed("tools");
                text("told")
            }
        }
    }
}
