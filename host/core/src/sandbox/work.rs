//! What a run does once its instance is there: one function of one export.

use std::future::Future;

use wasmtime::Store;
use wasmtime::component::Instance;

use super::state::CallState;
use crate::abi::v0_1::Exports;
use crate::domain::{
    Answers, Completion, Content, Event, Fault, ListedSkill, Outcome, Prompt, PromptMessage, ResourcePage,
    ResourceTemplate, Tool,
};

/// How the guest's function ends, unless the run is ended before.
pub(crate) type Ended<T> = wasmtime::Result<Result<T, Fault>>;

/// One function of a guest, with what it is given.
pub(crate) trait Work: Send + 'static {
    /// What it returns.
    type Done: Send + 'static;

    /// Calls it.
    fn perform(
        self,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> impl Future<Output = Ended<Self::Done>> + Send;
}

/// `tools.list-tools`
pub(crate) struct ListTools;

impl Work for ListTools {
    type Done = Vec<Tool>;

    async fn perform(
        self,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Ended<Self::Done> {
        exports.list_tools(store, instance).await
    }
}

/// `tools.call-tool`
pub(crate) struct CallTool {
    pub(crate) name: String,
    pub(crate) arguments: String,
    pub(crate) answers: Option<Answers>,
}

impl Work for CallTool {
    type Done = Outcome;

    async fn perform(
        self,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Ended<Self::Done> {
        exports.call_tool(store, instance, &self.name, &self.arguments, self.answers.as_ref()).await
    }
}

/// `events.handle`
pub(crate) struct HandleEvents(pub(crate) Vec<Event>);

impl Work for HandleEvents {
    type Done = Vec<Result<(), Fault>>;

    async fn perform(
        self,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Ended<Self::Done> {
        exports.handle_events(store, instance, self.0).await
    }
}

/// `resources.list-resources`
pub(crate) struct ListResources {
    pub(crate) cursor: Option<String>,
}

impl Work for ListResources {
    type Done = ResourcePage;

    async fn perform(
        self,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Ended<Self::Done> {
        exports.list_resources(store, instance, self.cursor.as_deref()).await
    }
}

/// `resources.list-templates`
pub(crate) struct ListTemplates;

impl Work for ListTemplates {
    type Done = Vec<ResourceTemplate>;

    async fn perform(
        self,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Ended<Self::Done> {
        exports.list_templates(store, instance).await
    }
}

/// `resources.read-resource`
pub(crate) struct ReadResource {
    pub(crate) uri: String,
    pub(crate) answers: Option<Answers>,
}

impl Work for ReadResource {
    type Done = Outcome<Vec<Content>>;

    async fn perform(
        self,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Ended<Self::Done> {
        exports.read_resource(store, instance, &self.uri, self.answers.as_ref()).await
    }
}

/// `prompts.list-prompts`
pub(crate) struct ListPrompts;

impl Work for ListPrompts {
    type Done = Vec<Prompt>;

    async fn perform(
        self,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Ended<Self::Done> {
        exports.list_prompts(store, instance).await
    }
}

/// `prompts.get-prompt`
pub(crate) struct GetPrompt {
    pub(crate) name: String,
    pub(crate) arguments: String,
    pub(crate) answers: Option<Answers>,
}

impl Work for GetPrompt {
    type Done = Outcome<Vec<PromptMessage>>;

    async fn perform(
        self,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Ended<Self::Done> {
        exports.get_prompt(store, instance, &self.name, &self.arguments, self.answers.as_ref()).await
    }
}

/// `completions.complete`
pub(crate) struct CompleteArgument {
    pub(crate) reference: String,
    pub(crate) argument: String,
    pub(crate) value: String,
    pub(crate) context: String,
}

impl Work for CompleteArgument {
    type Done = Completion;

    async fn perform(
        self,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Ended<Self::Done> {
        exports.complete(store, instance, &self.reference, &self.argument, &self.value, &self.context).await
    }
}

/// `skills.list-skills`
pub(crate) struct ListSkills;

impl Work for ListSkills {
    type Done = Vec<ListedSkill>;

    async fn perform(
        self,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Ended<Self::Done> {
        exports.list_skills(store, instance).await
    }
}
