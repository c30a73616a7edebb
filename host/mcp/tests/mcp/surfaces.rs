//! What a binding of the backend has besides tools: prompts, resources, templates, completions, skills.

use std::sync::Arc;

use fleetgate_core::call::{
    CallContext, Complete, Completed, End, Kind, PromptGet, Refused, ResourceList, ResourceRead,
};
use fleetgate_core::domain::{
    Answers, Completion, Content, Fault, InputRequest, Prompt, PromptArgument, PromptMessage, Question,
    ResourceInfo, ResourcePage, ResourceTemplate, Skill, SkillFile,
};
use fleetgate_core::principal::Principal;
use fleetgate_core::sandbox::Level;
use serde_json::{Value, json};

use crate::backend::{FakeBinding, Gate};

#[derive(Clone)]
pub struct FakePrompt {
    pub name: &'static str,
    pub role: Option<&'static str>,
    /// Name, and whether it is required.
    pub arguments: Vec<(&'static str, bool)>,
    pub does: Fills,
}

#[derive(Clone)]
pub enum Fills {
    /// Says its arguments.
    Echo,
    Messages(Vec<PromptMessage>),
    /// Asks for a name, and says it.
    Ask,
    Fail(Fault),
    Wait(Arc<Gate>),
}

#[derive(Clone)]
pub struct FakeResource {
    pub info: ResourceInfo,
    pub role: Option<&'static str>,
    pub does: Reads,
}

#[derive(Clone)]
pub enum Reads {
    /// Its own URI.
    Echo,
    Contents(Vec<Content>),
    /// Says that this URI has new contents.
    Update(&'static str),
    /// Says a line of each of two levels and some progress.
    Talk,
    /// Asks for a name, and says it.
    Ask,
    Fail(Fault),
    Wait(Arc<Gate>),
}

#[derive(Clone)]
pub struct FakeTemplate {
    pub template: ResourceTemplate,
    pub role: Option<&'static str>,
}

/// How the guest lists its resources.
#[derive(Clone, Default)]
pub enum Lists {
    #[default]
    AtOnce,
    InPagesOf(usize),
    /// A page of one after the other.
    Endless,
    /// Always the same cursor.
    Stuck,
    Fail,
    Wait(Arc<Gate>),
}

pub fn prompt(name: &'static str, does: Fills) -> FakePrompt {
    FakePrompt { name, role: None, arguments: Vec::new(), does }
}

pub fn resource(uri: &str, does: Reads) -> FakeResource {
    let info = ResourceInfo { uri: uri.into(), name: uri.into(), ..ResourceInfo::default() };
    FakeResource { info, role: None, does }
}

pub fn template(uri_template: &str) -> FakeTemplate {
    let template = ResourceTemplate {
        uri_template: uri_template.into(),
        name: uri_template.into(),
        ..ResourceTemplate::default()
    };
    FakeTemplate { template, role: None }
}

/// A skill with files of this text.
pub fn skill(path: &str, files: &[(&str, &str)]) -> Arc<Skill> {
    let name = path.rsplit('/').next().unwrap();
    let mut files: Vec<_> = files
        .iter()
        .map(|(file, text)| SkillFile {
            uri: format!("skill://{path}/{file}"),
            mime_type: if file.ends_with(".md") { "text/markdown" } else { "text/plain" }.into(),
            data: text.as_bytes().into(),
            digest: [u8::try_from(file.len()).unwrap(); 32],
        })
        .collect();
    files.sort_by(|one, other| one.uri.cmp(&other.uri));
    let frontmatter = json!({"name": name, "description": format!("How to {name}."), "x": [1]});
    Arc::new(Skill { path: path.into(), name: name.into(), frontmatter: Arc::new(frontmatter), files })
}

impl FakePrompt {
    pub fn needs(self, role: &'static str) -> Self {
        Self { role: Some(role), ..self }
    }

    pub fn with(mut self, name: &'static str, required: bool) -> Self {
        self.arguments.push((name, required));
        self
    }

    pub fn definition(&self) -> Prompt {
        Prompt {
            name: self.name.into(),
            title: Some(self.name.to_uppercase()),
            description: Some(format!("Says {}.", self.name)),
            arguments: self
                .arguments
                .iter()
                .map(|(name, required)| PromptArgument {
                    name: (*name).into(),
                    title: Some(name.to_uppercase()),
                    description: None,
                    required: *required,
                })
                .collect(),
            meta: Some(json!({"mcp.dev/x": 1, "com.example/x": 2})),
            extra: Some(
                json!({"icons": [{"src": "data:image/png;base64,AAAA"}, {"src": "https://x.example/i"}]}),
            ),
        }
    }
}

impl FakeResource {
    pub fn needs(self, role: &'static str) -> Self {
        Self { role: Some(role), ..self }
    }
}

impl FakeTemplate {
    pub fn needs(self, role: &'static str) -> Self {
        Self { role: Some(role), ..self }
    }
}

impl FakeBinding {
    pub fn prompts(mut self, prompts: impl IntoIterator<Item = FakePrompt>) -> Self {
        self.prompts.extend(prompts);
        self
    }

    pub fn resources(mut self, resources: impl IntoIterator<Item = FakeResource>) -> Self {
        self.resources.extend(resources);
        self
    }

    pub fn templates(mut self, templates: impl IntoIterator<Item = FakeTemplate>) -> Self {
        self.templates.extend(templates);
        self
    }

    pub fn skills(mut self, skills: impl IntoIterator<Item = Arc<Skill>>) -> Self {
        self.skills.extend(skills);
        self
    }

    pub fn listing(self, lists: Lists) -> Self {
        Self { lists, ..self }
    }

    pub fn completing(self) -> Self {
        Self { completes: true, ..self }
    }

    pub fn allows(&self, role: Option<&str>, principal: &Principal) -> bool {
        role.is_none_or(|role| principal.roles_of(self.name).any(|held| held == role || held == "*"))
    }

    /// The role that a URI needs, if there is an entry for it.
    pub fn covers(&self, uri: &str) -> Option<Option<&'static str>> {
        let literal = |template: &str| template.split('{').next().unwrap().to_owned();
        let resource = self.resources.iter().find(|resource| resource.info.uri == uri);
        let template =
            self.templates.iter().find(|one| uri.starts_with(&literal(&one.template.uri_template)));
        resource
            .map(|resource| resource.role)
            .or_else(|| template.map(|template| template.role))
            .or_else(|| self.file(uri).map(|_| None))
    }

    fn file(&self, uri: &str) -> Option<&SkillFile> {
        self.skills.iter().flat_map(|skill| &skill.files).find(|file| file.uri == uri)
    }

    pub async fn list(&self, list: ResourceList) -> End<ResourcePage> {
        let all: Vec<_> = self
            .resources
            .iter()
            .filter(|resource| self.allows(resource.role, &list.context.principal))
            .map(|resource| resource.info.clone())
            .collect();
        let at: usize = list.cursor.as_deref().map_or(0, |cursor| cursor.parse().unwrap());
        let (resources, next) = match &self.lists {
            Lists::AtOnce => (all, None),
            Lists::InPagesOf(size) => {
                let end = (at + size).min(all.len());
                (all[at..end].to_vec(), (end < all.len()).then(|| end.to_string()))
            }
            Lists::Endless => {
                let info = ResourceInfo { uri: format!("x://{at}"), ..ResourceInfo::default() };
                (vec![info], Some((at + 1).to_string()))
            }
            Lists::Stuck => (Vec::new(), Some("7".into())),
            Lists::Fail => return End::Fault(Fault::new("upstream", "The API said 503.").retryable()),
            Lists::Wait(gate) => return waited(gate, &list.context).await.unwrap_or_else(End::Fault),
        };
        End::Done(ResourcePage { resources, next })
    }

    pub async fn read(&self, read: ResourceRead) -> End<Vec<Content>> {
        if let Some(file) = self.file(&read.uri) {
            let text = String::from_utf8(file.data.to_vec()).unwrap();
            let mime_type = Some(file.mime_type.clone());
            return End::Done(vec![Content { mime_type, ..text_at(&read.uri, &text) }]);
        }
        let Some(found) = self.resources.iter().find(|resource| resource.info.uri == read.uri) else {
            // A template's; `gone` is covered and not there.
            return match read.uri.ends_with("gone") {
                true => End::Fault(Fault::new("unknown", "There is no such thing.")),
                false => End::Done(vec![text_at(&read.uri, &read.uri)]),
            };
        };
        match &found.does {
            Reads::Echo => End::Done(vec![text_at(&read.uri, &read.uri)]),
            Reads::Contents(contents) => End::Done(contents.clone()),
            Reads::Update(uri) => {
                read.context.observer.resource_updated(uri);
                End::Done(vec![text_at(&read.uri, "said")])
            }
            Reads::Talk => {
                read.context.observer.progress(1.0, None, None);
                read.context.observer.log(Level::Debug, "debug", None);
                read.context.observer.log(Level::Error, "error", None);
                End::Done(vec![text_at(&read.uri, "said")])
            }
            Reads::Ask => match named(read.answers) {
                Ok(name) => End::Done(vec![text_at(&read.uri, &name)]),
                Err(question) => End::Ask(question),
            },
            Reads::Fail(fault) => End::Fault(fault.clone()),
            Reads::Wait(gate) => waited(gate, &read.context).await.map_or_else(
                End::Fault,
                |end: End<ResourcePage>| match end {
                    End::Done(_) => End::Done(vec![text_at(&read.uri, "released")]),
                    _ => unreachable!("it is released or cancelled"),
                },
            ),
        }
    }

    pub async fn fill(&self, prompt: &FakePrompt, get: PromptGet) -> End<Vec<PromptMessage>> {
        let missing =
            prompt.arguments.iter().find(|(name, required)| *required && !get.arguments.contains_key(*name));
        if let Some((name, _)) = missing {
            let fault = Fault::new("invalid-arguments", format!("{name} is missing"));
            return End::Fault(fault.at(format!("/{name}")));
        }
        match &prompt.does {
            Fills::Echo => {
                let content = Content::text(Value::Object(get.arguments).to_string());
                End::Done(vec![PromptMessage { role: "user".into(), content }])
            }
            Fills::Messages(messages) => End::Done(messages.clone()),
            Fills::Ask => match named(get.answers) {
                Ok(name) => {
                    End::Done(vec![PromptMessage { role: "user".into(), content: Content::text(name) }])
                }
                Err(question) => End::Ask(question),
            },
            Fills::Fail(fault) => End::Fault(fault.clone()),
            Fills::Wait(gate) => match waited(gate, &get.context).await {
                Ok(_) => End::Done(Vec::new()),
                Err(fault) => End::Fault(fault),
            },
        }
    }

    /// One value that says what was asked; as many as the argument's value says, if that is a number.
    pub fn complete(&self, complete: &Complete) -> End<Completion> {
        let reference = match &complete.of {
            Completed::Prompt(name) => format!("prompt:{name}"),
            Completed::Template { uri_template, .. } => format!("resource:{uri_template}"),
        };
        let given = Value::Object(complete.given.clone());
        let values = match complete.value.parse() {
            Ok(count) => (0..count).map(|n: usize| n.to_string()).collect(),
            Err(_) => vec![format!("{reference} {}={} {given}", complete.argument, complete.value)],
        };
        End::Done(Completion { values, total: Some(1000), has_more: false })
    }
}

pub fn refused<T>(kind: Kind, name: &str, scope: Option<String>) -> Result<T, Refused> {
    let (name, reference) = (name.to_owned(), "ref0".into());
    Err(match scope {
        None => Refused::Unknown { kind, name, reference },
        Some(scope) => Refused::Forbidden { kind, name, scopes: vec![scope], reference },
    })
}

fn text_at(uri: &str, text: &str) -> Content {
    Content { kind: "resource".into(), uri: Some(uri.into()), ..Content::text(text) }
}

/// The name that was answered, or the question for it.
fn named(answers: Option<Answers>) -> Result<String, Question> {
    let answered =
        answers.and_then(|answers| Some(answers.items.first()?.1["content"]["name"].as_str()?.to_owned()));
    answered.ok_or_else(|| {
        let schema =
            json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
        let params = json!({"mode": "form", "message": "[lab] Who?", "requestedSchema": schema});
        let request = InputRequest { key: "who".into(), kind: "elicitation-form".into(), params };
        Question { requests: vec![request], state: None }
    })
}

/// An empty page once it is released.
async fn waited(gate: &Gate, context: &CallContext) -> Result<End<ResourcePage>, Fault> {
    gate.started.notify_one();
    tokio::select! {
        () = context.cancel.cancelled() => {
            gate.cancelled.notify_one();
            Err(Fault::new("cancelled", "cancelled"))
        }
        () = gate.release.notified() => Ok(End::Done(ResourcePage::default())),
    }
}
