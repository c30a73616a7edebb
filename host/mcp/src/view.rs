//! The host, as this crate needs it: what is live, whether it changed, and a way to call it. [`Host`] is the one that
//! runs; a test brings its own, since a live binding needs a compiled plugin.

use std::sync::Arc;

use fleetgate_core::artifact::Digest;
use fleetgate_core::asking::SKILLS;
use fleetgate_core::call::{Answered, Complete, PromptGet, Refused, ResourceList, ResourceRead, ToolCall};
use fleetgate_core::catalog::{Catalog, Change, Guarded, Host, Scope};
use fleetgate_core::domain::{
    Completion, Content, Prompt, PromptMessage, ResourcePage, ResourceTemplate, Skill, Tool,
};
use fleetgate_core::jobs::{Begun, Jobs, Tools};
use fleetgate_core::manifest::TaskMode;
use fleetgate_core::principal::Principal;
use futures_util::future::BoxFuture;
use tokio::sync::broadcast;

/// Something that serves tools.
pub trait Backend: Send + Sync + 'static {
    /// What is live at this moment. Taken once for a whole request.
    fn view(&self) -> Arc<dyn View>;
    /// From now on, what changes.
    fn changes(&self) -> broadcast::Receiver<Change>;
}

/// One snapshot of what is live.
pub trait View: Send + Sync + 'static {
    /// Grows with each change; 0 before the first catalog.
    fn revision(&self) -> u64;
    /// Whether this endpoint exists.
    fn serves(&self, scope: &Scope) -> bool;
    /// What an endpoint consists of, sorted by binding.
    fn about(&self, scope: &Scope) -> Vec<About>;
    /// Every tool of an endpoint, whoever asks. Called once per endpoint and revision.
    fn definitions(&self, scope: &Scope) -> Vec<Definition>;
    /// The names of the tools that this principal may call, sorted.
    fn visible(&self, scope: &Scope, principal: &Principal, each: &mut dyn FnMut(&str));
    /// One tool, whoever asks.
    fn find(&self, scope: &Scope, name: &str, principal: &Principal) -> Option<Found>;
    /// Runs one call over this snapshot.
    fn call(self: Arc<Self>, call: ToolCall) -> Answering;

    /// The request header by which this binding's plugin tells conversations apart, in lower case.
    fn session_header(&self, binding: &str) -> Option<Arc<str>>;
    /// The plugin of a binding, by its file.
    fn digest(&self, binding: &str) -> Option<Digest>;

    /// What an endpoint has besides tools, whoever asks.
    fn features(&self, scope: &Scope) -> Features;
    /// The prompts of an endpoint that this principal may have, sorted by name.
    fn prompts(&self, scope: &Scope, principal: &Principal) -> Vec<PromptDefinition>;
    /// One prompt, whoever asks.
    fn find_prompt(&self, scope: &Scope, name: &str, principal: &Principal) -> Option<Found>;
    /// Fills in a prompt.
    fn get_prompt(self: Arc<Self>, get: PromptGet) -> Answering<Vec<PromptMessage>>;

    /// The bindings of an endpoint that have resources of which this principal may see any, sorted.
    fn resource_bindings(&self, scope: &Scope, principal: &Principal) -> Vec<Arc<str>>;
    /// The templates of an endpoint that this principal may use, sorted by binding and URI template.
    fn templates(&self, scope: &Scope, principal: &Principal) -> Vec<TemplateDefinition>;
    /// One template, whoever asks, by the URI template that it has in its plugin.
    fn find_template(
        &self,
        scope: &Scope,
        binding: &str,
        uri_template: &str,
        principal: &Principal,
    ) -> Option<Found>;
    /// Whether a binding of this endpoint exposes a URI (in the plugin's own scheme). None: no entry covers it.
    fn find_resource(&self, scope: &Scope, binding: &str, uri: &str, principal: &Principal) -> Option<Found>;
    /// One page of one binding's resources, filtered by role.
    fn list_resources(self: Arc<Self>, list: ResourceList) -> Answering<ResourcePage>;
    /// Reads one resource. A skill's file is read here too, and runs no guest.
    fn read_resource(self: Arc<Self>, read: ResourceRead) -> Answering<Vec<Content>>;

    /// Completes an argument.
    fn complete(self: Arc<Self>, complete: Complete) -> Answering<Completion>;

    /// The skills of an endpoint that this principal may have, sorted by binding and path.
    fn skills(&self, scope: &Scope, principal: &Principal) -> Vec<SkillDefinition>;

    /// A caller with the roles that he holds at this moment, for what outlives the request that he came with.
    fn holding(&self, principal: &Principal) -> Principal {
        principal.clone()
    }

    /// The host's jobs. None: it keeps none, and the rest of this has nothing to say.
    fn jobs(&self) -> Option<Arc<Jobs>> {
        None
    }
    /// Whether a tool of this endpoint may run as a task, whoever asks.
    fn has_tasks(&self, _: &Scope) -> bool {
        false
    }
    /// Whether one tool may, whoever asks.
    fn task_mode(&self, _: &Scope, _: &str) -> TaskMode {
        TaskMode::Never
    }
    /// What decides who may see a job.
    fn job_tools(&self) -> Arc<dyn Tools> {
        Arc::new(Catalog::default())
    }
    /// Runs one call over this snapshot, as a job if its tool may be one.
    fn begin(self: Arc<Self>, call: ToolCall) -> BoxFuture<'static, Result<Begun, Refused>> {
        let ended = self.call(call);
        Box::pin(async move { ended.await.map(Begun::Ended) })
    }
}

/// A call that is under way.
pub type Answering<T = fleetgate_core::domain::ToolResult> = BoxFuture<'static, Result<Answered<T>, Refused>>;

/// What an endpoint has besides tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Features {
    /// At least one of its plugins exports resources, or has skills.
    pub resources: bool,
    /// At least one exports prompts.
    pub prompts: bool,
    /// At least one completes arguments.
    pub completions: bool,
    /// At least one has skills and is granted to show them.
    pub skills: bool,
}

/// A prompt as clients will see it.
#[derive(Debug, Clone)]
pub struct PromptDefinition {
    /// Its name on this endpoint.
    pub name: String,
    /// Whose it is.
    pub binding: Arc<str>,
    /// Everything else, labelled, with the name that it has in its plugin.
    pub prompt: Prompt,
}

/// A template as clients will see it, but for its URI on the shared endpoint.
#[derive(Debug, Clone)]
pub struct TemplateDefinition {
    /// Whose it is.
    pub binding: Arc<str>,
    /// Labelled, with the URI template that it has in its plugin.
    pub template: ResourceTemplate,
}

/// A skill as clients will see it, but for its URIs on the shared endpoint.
#[derive(Debug, Clone)]
pub struct SkillDefinition {
    /// Whose it is.
    pub binding: Arc<str>,
    /// The skill.
    pub skill: Arc<Skill>,
}

/// One binding, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// From `fleetgate.toml`.
    pub binding: Arc<str>,
    /// The operator's label.
    pub label: Option<String>,
    /// The plugin's title.
    pub title: String,
    /// What the plugin is, in a sentence.
    pub description: String,
}

/// A tool as clients will see it.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Its name on this endpoint.
    pub name: String,
    /// Whose it is.
    pub binding: Arc<str>,
    /// Everything else, with the name that it has in its plugin.
    pub tool: Tool,
    /// MCP's `readOnlyHint`.
    pub read_only: bool,
    /// MCP's `destructiveHint`.
    pub destructive: bool,
    /// MCP's `idempotentHint`.
    pub idempotent: bool,
    /// MCP's `openWorldHint`.
    pub open_world: Option<bool>,
}

/// A tool that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whose it is.
    pub binding: Arc<str>,
    /// Whether the principal may call it.
    pub allowed: bool,
}

/// A running host.
pub(crate) struct Live(pub(crate) Arc<Host>);

/// One catalog, and the host that runs its calls.
struct Snapshot {
    host: Arc<Host>,
    catalog: Arc<Catalog>,
}

impl Backend for Live {
    fn view(&self) -> Arc<dyn View> {
        Arc::new(Snapshot { host: self.0.clone(), catalog: self.0.catalog() })
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.0.changes()
    }
}

impl View for Snapshot {
    fn revision(&self) -> u64 {
        self.catalog.revision
    }

    fn serves(&self, scope: &Scope) -> bool {
        self.catalog.serves(scope)
    }

    fn about(&self, scope: &Scope) -> Vec<About> {
        self.catalog
            .all_shown(scope)
            .map(|binding| About {
                binding: binding.name.clone(),
                label: binding.label.clone(),
                title: binding.plugin.manifest.plugin.title.clone(),
                description: binding.plugin.manifest.plugin.description.clone(),
            })
            .collect()
    }

    fn definitions(&self, scope: &Scope) -> Vec<Definition> {
        self.catalog
            .all_shown(scope)
            .flat_map(|binding| binding.tools.iter().map(move |(own_name, tool)| (binding, own_name, tool)))
            .map(|(binding, own_name, tool)| Definition {
                name: match scope {
                    Scope::Shared => format!("{}_{own_name}", binding.name),
                    Scope::Binding(_) => own_name.clone(),
                },
                binding: binding.name.clone(),
                tool: tool.definition.clone(),
                read_only: tool.policy.read_only,
                destructive: tool.destructive,
                idempotent: tool.idempotent,
                open_world: tool.open_world,
            })
            .collect()
    }

    fn visible(&self, scope: &Scope, principal: &Principal, each: &mut dyn FnMut(&str)) {
        for (name, _) in self.catalog.tools(scope, principal) {
            each(name);
        }
    }

    fn find(&self, scope: &Scope, name: &str, principal: &Principal) -> Option<Found> {
        self.catalog.find_tool(scope, name).map(|found| self::found(&found, principal))
    }

    fn call(self: Arc<Self>, call: ToolCall) -> Answering {
        Box::pin(async move { self.host.call_tool(&self.catalog, call).await })
    }

    fn session_header(&self, binding: &str) -> Option<Arc<str>> {
        let binding = self.catalog.binding(binding)?;
        Some(binding.plugin.manifest.session.as_ref()?.as_str().into())
    }

    fn digest(&self, binding: &str) -> Option<Digest> {
        Some(self.catalog.binding(binding)?.plugin.digest)
    }

    fn features(&self, scope: &Scope) -> Features {
        let mut features = Features::default();
        for binding in self.catalog.all_shown(scope) {
            let exports = binding.exports();
            let skills = exports.skills && binding.granted.contains(SKILLS);
            features.skills |= skills;
            features.resources |= skills || exports.resources && !binding.rules.is_empty();
            features.prompts |= exports.prompts;
            features.completions |= exports.completions;
        }
        features
    }

    fn prompts(&self, scope: &Scope, principal: &Principal) -> Vec<PromptDefinition> {
        let all = self.catalog.prompts(scope, principal).into_iter();
        all.map(|(name, found)| PromptDefinition {
            name,
            binding: found.binding.name.clone(),
            prompt: found.prompt.definition.clone(),
        })
        .collect()
    }

    fn find_prompt(&self, scope: &Scope, name: &str, principal: &Principal) -> Option<Found> {
        self.catalog.find_prompt(scope, name).map(|found| self::found(&found, principal))
    }

    fn get_prompt(self: Arc<Self>, get: PromptGet) -> Answering<Vec<PromptMessage>> {
        Box::pin(async move { self.host.get_prompt(&self.catalog, get).await })
    }

    fn resource_bindings(&self, scope: &Scope, principal: &Principal) -> Vec<Arc<str>> {
        let all = self.catalog.all_shown(scope);
        all.filter(|binding| binding.lists_for(principal)).map(|binding| binding.name.clone()).collect()
    }

    fn templates(&self, scope: &Scope, principal: &Principal) -> Vec<TemplateDefinition> {
        let all = self.catalog.templates(scope, principal).into_iter();
        all.map(|found| TemplateDefinition {
            binding: found.binding.name.clone(),
            template: found.template.definition.clone(),
        })
        .collect()
    }

    fn find_template(
        &self,
        scope: &Scope,
        binding: &str,
        uri_template: &str,
        principal: &Principal,
    ) -> Option<Found> {
        let found = self.catalog.find_template(scope, binding, uri_template)?;
        Some(self::found(&found, principal))
    }

    fn find_resource(&self, scope: &Scope, binding: &str, uri: &str, principal: &Principal) -> Option<Found> {
        self.catalog.find_resource(scope, binding, uri).map(|found| self::found(&found, principal))
    }

    fn list_resources(self: Arc<Self>, list: ResourceList) -> Answering<ResourcePage> {
        Box::pin(async move { self.host.list_resources(&self.catalog, list).await })
    }

    fn read_resource(self: Arc<Self>, read: ResourceRead) -> Answering<Vec<Content>> {
        Box::pin(async move { self.host.read_resource(&self.catalog, read).await })
    }

    fn complete(self: Arc<Self>, complete: Complete) -> Answering<Completion> {
        Box::pin(async move { self.host.complete(&self.catalog, complete).await })
    }

    fn skills(&self, scope: &Scope, principal: &Principal) -> Vec<SkillDefinition> {
        let all = self.catalog.skills(scope, principal).into_iter();
        all.map(|found| SkillDefinition {
            binding: found.binding.name.clone(),
            skill: found.skill.skill.clone(),
        })
        .collect()
    }

    fn holding(&self, principal: &Principal) -> Principal {
        self.host.holding(principal)
    }

    fn jobs(&self) -> Option<Arc<Jobs>> {
        self.host.jobs().cloned()
    }

    fn has_tasks(&self, scope: &Scope) -> bool {
        let mut tools = self.catalog.all_shown(scope).flat_map(|binding| binding.tools.values());
        self.host.jobs().is_some() && tools.any(|tool| tool.task != TaskMode::Never)
    }

    fn task_mode(&self, scope: &Scope, name: &str) -> TaskMode {
        self.catalog.find_tool(scope, name).map_or(TaskMode::Never, |found| found.tool.task)
    }

    fn job_tools(&self) -> Arc<dyn Tools> {
        self.catalog.clone()
    }

    fn begin(self: Arc<Self>, call: ToolCall) -> BoxFuture<'static, Result<Begun, Refused>> {
        Box::pin(async move {
            match self.host.jobs() {
                Some(jobs) => jobs.begin(&self.catalog, call).await,
                None => self.host.call_tool(&self.catalog, call).await.map(Begun::Ended),
            }
        })
    }
}

fn found(found: &impl Guarded, principal: &Principal) -> Found {
    Found { binding: found.binding().name.clone(), allowed: found.allows(principal) }
}
