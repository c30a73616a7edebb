//! A backend whose tools are written here instead of compiled.

use std::sync::{Arc, Mutex};

use fleetgate_core::artifact::Digest;
use fleetgate_core::call::{
    Answered, CallContext, Complete, Completed, End, Kind, PromptGet, Refused, ResourceList, ResourceRead,
    ToolCall,
};
use fleetgate_core::catalog::{Change, Scope};
use fleetgate_core::domain::{
    Answers, Completion, Content, Fault, PromptMessage, ResourcePage, Skill, Tool, ToolResult,
};
use fleetgate_core::principal::{HeldRole, Principal};
use fleetgate_core::sandbox::Level;
use fleetgate_mcp::{
    About, Answering, Backend, Definition, Features, Found, PromptDefinition, SkillDefinition,
    TemplateDefinition, View,
};
use serde_json::{Value, json};
use tokio::sync::{Notify, broadcast};

use crate::surfaces::{FakePrompt, FakeResource, FakeTemplate, Lists, refused};

/// Serves whatever it was given last.
pub struct Fake {
    now: Mutex<Arc<Snapshot>>,
    changes: broadcast::Sender<Change>,
    seen: Arc<Mutex<Vec<Seen>>>,
    lost: Arc<Mutex<Vec<String>>>,
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
    pub prompts: Vec<FakePrompt>,
    pub resources: Vec<FakeResource>,
    pub templates: Vec<FakeTemplate>,
    pub skills: Vec<Arc<Skill>>,
    pub lists: Lists,
    pub completes: bool,
}

#[derive(Clone)]
pub struct FakeTool {
    pub name: String,
    pub role: Option<&'static str>,
    pub read_only: bool,
    pub input: Value,
    pub output: Option<Value>,
    pub meta: Option<Value>,
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
    /// Tells that a list of its binding changed.
    Changes(&'static str),
    /// Tells that these resources of its binding have new contents.
    Update(&'static [&'static str]),
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
    FakeTool { name: name.into(), role: None, read_only: true, input, output: None, meta: None, does }
}

impl FakeTool {
    pub fn needs(mut self, role: &'static str) -> Self {
        self.role = Some(role);
        self
    }
}

pub fn binding(name: &'static str, tools: impl IntoIterator<Item = FakeTool>) -> FakeBinding {
    FakeBinding {
        name,
        session_header: None,
        tools: tools.into_iter().collect(),
        prompts: Vec::new(),
        resources: Vec::new(),
        templates: Vec::new(),
        skills: Vec::new(),
        lists: Lists::default(),
        completes: false,
        file: "1",
    }
}

pub fn principal(name: &str, roles: &[&str]) -> Principal {
    Principal::new(name, roles.iter().map(|role| HeldRole::parse(role).unwrap()))
}

impl Fake {
    pub fn new(bindings: impl IntoIterator<Item = FakeBinding>) -> Arc<Self> {
        let (seen, lost) = (Arc::default(), Arc::default());
        let now = Arc::new(Snapshot {
            revision: 1,
            bindings: bindings.into_iter().collect(),
            seen: Arc::clone(&seen),
            lost: Arc::clone(&lost),
        });
        Arc::new(Self { now: Mutex::new(now), changes: broadcast::Sender::new(16), seen, lost })
    }

    pub fn publish(&self, bindings: impl IntoIterator<Item = FakeBinding>, changed: &[&'static str]) {
        self.publish_all(bindings, changed, &[], &[]);
    }

    pub fn publish_all(
        &self,
        bindings: impl IntoIterator<Item = FakeBinding>,
        tools: &[&'static str],
        prompts: &[&'static str],
        resources: &[&'static str],
    ) {
        let mut now = self.now.lock().unwrap();
        let revision = now.revision + 1;
        *now = Arc::new(Snapshot {
            revision,
            bindings: bindings.into_iter().collect(),
            seen: self.seen.clone(),
            lost: self.lost.clone(),
        });
        drop(now);
        let named = |names: &[&'static str]| names.iter().map(|name| Arc::from(*name)).collect();
        let change =
            Change { revision, tools: named(tools), prompts: named(prompts), resources: named(resources) };
        self.changes.send(change).ok();
    }

    /// From now on this caller holds no role, whatever he held.
    pub fn loses(&self, principal: &str) {
        self.lost.lock().unwrap().push(principal.into());
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
    lost: Arc<Mutex<Vec<String>>>,
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
    fn holding(&self, principal: &Principal) -> Principal {
        match self.lost.lock().unwrap().iter().any(|lost| *lost == principal.name()) {
            true => Principal::new(principal.name(), []),
            false => principal.clone(),
        }
    }

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
                    meta: tool.meta.clone(),
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
                arguments: call.arguments.as_str().to_owned(),
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
    fn features(&self, scope: &Scope) -> Features {
        let any = |has: fn(&FakeBinding) -> bool| self.of(scope).any(has);
        Features {
            resources: any(|one| {
                !(one.resources.is_empty() && one.templates.is_empty() && one.skills.is_empty())
            }),
            prompts: any(|one| !one.prompts.is_empty()),
            completions: any(|one| one.completes),
            skills: any(|one| !one.skills.is_empty()),
        }
    }

    fn prompts(&self, scope: &Scope, principal: &Principal) -> Vec<PromptDefinition> {
        let mut prompts: Vec<_> = self
            .prompts_of(scope)
            .filter(|(_, binding, prompt)| binding.allows(prompt.role, principal))
            .map(|(name, binding, prompt)| PromptDefinition {
                name,
                binding: binding.name.into(),
                prompt: prompt.definition(),
            })
            .collect();
        prompts.sort_by(|one, other| one.name.cmp(&other.name));
        prompts
    }

    fn find_prompt(&self, scope: &Scope, name: &str, principal: &Principal) -> Option<Found> {
        let (_, binding, prompt) = self.prompts_of(scope).find(|(own, ..)| own == name)?;
        Some(Found { binding: binding.name.into(), allowed: binding.allows(prompt.role, principal) })
    }

    fn get_prompt(self: Arc<Self>, get: PromptGet) -> Answering<Vec<PromptMessage>> {
        Box::pin(async move {
            let scope = get.context.scope.clone();
            let Some((_, binding, prompt)) = self.prompts_of(&scope).find(|(name, ..)| *name == get.prompt)
            else {
                return refused(Kind::Prompt, &get.prompt, None);
            };
            if !binding.allows(prompt.role, &get.context.principal) {
                let role = format!("{}:{}", binding.name, prompt.role.unwrap());
                return refused(Kind::Prompt, &get.prompt, Some(role));
            }
            self.saw(&get.context, prompt.name, &Value::Object(get.arguments.clone()).to_string());
            Ok(answered(binding, binding.fill(prompt, get).await))
        })
    }

    fn resource_bindings(&self, scope: &Scope, principal: &Principal) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self
            .of(scope)
            .filter(|one| {
                one.resources.iter().any(|resource| one.allows(resource.role, principal))
                    || one.templates.iter().any(|template| one.allows(template.role, principal))
            })
            .map(|one| one.name.into())
            .collect();
        names.sort();
        names
    }

    fn templates(&self, scope: &Scope, principal: &Principal) -> Vec<TemplateDefinition> {
        let mut templates: Vec<_> = self
            .of(scope)
            .flat_map(|binding| binding.templates.iter().map(move |template| (binding, template)))
            .filter(|(binding, template)| binding.allows(template.role, principal))
            .map(|(binding, template)| TemplateDefinition {
                binding: binding.name.into(),
                template: template.template.clone(),
            })
            .collect();
        templates.sort_by_key(|one| (one.binding.clone(), one.template.uri_template.clone()));
        templates
    }

    fn find_template(
        &self,
        scope: &Scope,
        binding: &str,
        uri_template: &str,
        principal: &Principal,
    ) -> Option<Found> {
        let binding = self.of(scope).find(|one| one.name == binding)?;
        let found = binding.templates.iter().find(|one| one.template.uri_template == uri_template)?;
        Some(Found { binding: binding.name.into(), allowed: binding.allows(found.role, principal) })
    }

    fn find_resource(&self, scope: &Scope, binding: &str, uri: &str, principal: &Principal) -> Option<Found> {
        let binding = self.of(scope).find(|one| one.name == binding)?;
        let role = binding.covers(uri)?;
        Some(Found { binding: binding.name.into(), allowed: binding.allows(role, principal) })
    }

    fn list_resources(self: Arc<Self>, list: ResourceList) -> Answering<ResourcePage> {
        Box::pin(async move {
            let scope = list.context.scope.clone();
            let Some(binding) = self.of(&scope).find(|one| *one.name == *list.binding) else {
                return refused(Kind::Resource, &list.binding, None);
            };
            self.saw(&list.context, "resources/list", list.cursor.as_deref().unwrap_or_default());
            Ok(answered(binding, binding.list(list).await))
        })
    }

    fn read_resource(self: Arc<Self>, read: ResourceRead) -> Answering<Vec<Content>> {
        Box::pin(async move {
            let scope = read.context.scope.clone();
            let binding = self.of(&scope).find(|one| *one.name == *read.binding);
            let Some((binding, role)) = binding.and_then(|one| Some((one, one.covers(&read.uri)?))) else {
                return refused(Kind::Resource, &read.uri, None);
            };
            if !binding.allows(role, &read.context.principal) {
                let role = format!("{}:{}", binding.name, role.unwrap());
                return refused(Kind::Resource, &read.uri, Some(role));
            }
            self.saw(&read.context, &read.uri, "");
            Ok(answered(binding, binding.read(read).await))
        })
    }

    fn complete(self: Arc<Self>, complete: Complete) -> Answering<Completion> {
        Box::pin(async move {
            let scope = complete.context.scope.clone();
            let (kind, name, found) = match &complete.of {
                Completed::Prompt(name) => {
                    let found = self.prompts_of(&scope).find(|(own, ..)| own == name);
                    (Kind::Prompt, name, found.map(|(_, binding, prompt)| (binding, prompt.role)))
                }
                Completed::Template { binding, uri_template } => {
                    let found = self.of(&scope).find(|one| *one.name == **binding).and_then(|one| {
                        let mut templates = one.templates.iter();
                        let found = templates.find(|one| one.template.uri_template == *uri_template)?;
                        Some((one, found.role))
                    });
                    (Kind::Template, uri_template, found)
                }
            };
            let Some((binding, role)) = found else { return refused(kind, name, None) };
            if !binding.allows(role, &complete.context.principal) {
                return refused(kind, name, Some(format!("{}:{}", binding.name, role.unwrap())));
            }
            self.saw(&complete.context, "complete", &complete.value);
            Ok(answered(binding, binding.complete(&complete)))
        })
    }

    fn skills(&self, scope: &Scope, principal: &Principal) -> Vec<SkillDefinition> {
        let mut skills: Vec<_> = self
            .of(scope)
            .flat_map(|binding| binding.skills.iter().map(move |skill| (binding, skill)))
            // Whoever has a skill in this backend has it as somebody of that binding.
            .filter(|(binding, _)| principal.roles_of(binding.name).next().is_some())
            .map(|(binding, skill)| SkillDefinition { binding: binding.name.into(), skill: skill.clone() })
            .collect();
        skills.sort_by_key(|one| (one.binding.clone(), one.skill.path.clone()));
        skills
    }
}

impl Snapshot {
    fn of<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a FakeBinding> {
        self.bindings.iter().filter(move |one| match scope {
            Scope::Shared => true,
            Scope::Binding(name) => *one.name == **name,
        })
    }

    fn prompts_of<'a>(
        &'a self,
        scope: &'a Scope,
    ) -> impl Iterator<Item = (String, &'a FakeBinding, &'a FakePrompt)> {
        self.of(scope).flat_map(move |binding| {
            binding.prompts.iter().map(move |prompt| match scope {
                Scope::Shared => (format!("{}_{}", binding.name, prompt.name), binding, prompt),
                Scope::Binding(_) => (prompt.name.to_owned(), binding, prompt),
            })
        })
    }

    fn saw(&self, context: &CallContext, what: &str, arguments: &str) {
        self.seen.lock().unwrap().push(Seen {
            principal: context.principal.name().into(),
            scope: context.scope.clone(),
            tool: what.into(),
            arguments: arguments.into(),
            session: context.session.clone(),
            capabilities: serde_json::from_str(&context.client_capabilities).unwrap(),
        });
    }
}

fn answered<T>(binding: &FakeBinding, end: End<T>) -> Answered<T> {
    Answered { reference: "ref1".into(), binding: binding.name.into(), end }
}

impl Does {
    async fn run(self, call: ToolCall) -> End {
        let text =
            |text: &str| End::Done(ToolResult { content: vec![Content::text(text)], ..Default::default() });
        match self {
            Self::Echo => text(call.arguments.as_str()),
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
            Self::Changes(list) => {
                call.context.observer.list_changed(list);
                text("told")
            }
            Self::Update(uris) => {
                uris.iter().for_each(|uri| call.context.observer.resource_updated(uri));
                text("told")
            }
        }
    }
}
