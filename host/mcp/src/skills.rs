//! Skills: instructions for a model, with the files that belong to them (extension `io.modelcontextprotocol/skills`,
//! SEP-2640). The host keeps the files, so none of this runs a guest; they are read by `resources/read`.
//!
//! `skills/list`, `skills/get` and `resources/directory/read` are requests that rmcp does not know.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetgate_core::catalog::Scope;
use fleetgate_core::domain::{Skill, SkillFile};
use fleetgate_core::principal::Principal;
use rmcp::model::{CustomResult, ErrorCode, MetaObject, Resource, ResultType};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::caller::Era;
use crate::cursor::Of;
use crate::keys::hex;
use crate::list::{FRESH, cache_hints, cut};
use crate::meta;
use crate::request::Incoming;
use crate::server::Server;
use crate::uri::{self, Located};
use crate::view::View;

/// Its name among the capabilities.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/skills";
/// The file that every skill has.
const MANIFEST: &str = "SKILL.md";
/// Media type of what has children instead of contents.
const DIRECTORY: &str = "inode/directory";

/// The methods of the extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    List,
    Get,
    ReadDirectory,
}

impl Method {
    /// By its name on the wire.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "skills/list" => Some(Self::List),
            "skills/get" => Some(Self::Get),
            "resources/directory/read" => Some(Self::ReadDirectory),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::List => "skills/list",
            Self::Get => "skills/get",
            Self::ReadDirectory => "resources/directory/read",
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct ListParams {
    #[serde(default)]
    cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct UriParams {
    uri: String,
    #[serde(default)]
    cursor: Option<String>,
}

/// A skill that a caller may have.
pub(crate) struct Shown {
    pub(crate) binding: Arc<str>,
    skill: Arc<Skill>,
}

/// The skills of an endpoint that its caller may have, sorted by binding and path.
pub(crate) fn shown(view: &dyn View, scope: &Scope, principal: &Principal) -> Vec<Shown> {
    let definitions = view.skills(scope, principal).into_iter();
    definitions.map(|definition| Shown { binding: definition.binding, skill: definition.skill }).collect()
}

impl Shown {
    /// Where it lies, within its binding.
    pub(crate) fn path(&self) -> &str {
        &self.skill.path
    }

    /// The URI of its `SKILL.md`, as the plugin would write it.
    pub(crate) fn manifest_uri(&self) -> Option<&str> {
        Some(&self.manifest()?.uri)
    }

    fn manifest(&self) -> Option<&SkillFile> {
        self.skill.files.iter().find(|file| self.relative(file) == Some(MANIFEST))
    }

    /// A file's path within the skill.
    fn relative<'a>(&self, file: &'a SkillFile) -> Option<&'a str> {
        file.uri.strip_prefix("skill://")?.strip_prefix(&self.skill.path)?.strip_prefix('/')
    }

    fn said(&self, key: &str) -> Option<&str> {
        self.skill.frontmatter.get(key)?.as_str()
    }

    /// Its `SKILL.md` as `resources/list` shows it: with the skill's own name and description.
    pub(crate) fn item(&self, scope: &Scope) -> Resource {
        let own = format!("skill://{}/{MANIFEST}", self.skill.path);
        let mut item = Resource::new(uri::outward(scope, &self.binding, &own), &self.skill.name);
        item.description = self.said("description").map(str::to_owned);
        if let Some(file) = self.manifest() {
            item.mime_type = Some(file.mime_type.clone());
            item.size = Some(file.data.len() as u64);
        }
        item.meta = Some(meta::of_binding(None, scope, &self.binding));
        item
    }

    fn file_item(&self, scope: &Scope, file: &SkillFile, name: &str) -> Resource {
        if self.relative(file) == Some(MANIFEST) {
            return self.item(scope);
        }
        let mut item = Resource::new(uri::outward(scope, &self.binding, &file.uri), name);
        item.mime_type = Some(file.mime_type.clone());
        item.size = Some(file.data.len() as u64);
        item.meta = Some(meta::of_binding(None, scope, &self.binding));
        item
    }

    /// Its entry in `skills/list`.
    fn entry(&self, scope: &Scope) -> Value {
        let shown = |own: &str| uri::outward(scope, &self.binding, own).into_owned();
        let resources: Vec<_> = self
            .skill
            .files
            .iter()
            .map(|file| {
                let digest = format!("sha256:{}", hex(&file.digest));
                json!({"uri": shown(&file.uri), "digest": digest, "size": file.data.len()})
            })
            .collect();
        json!({
            "uri": shown(&format!("skill://{}/{MANIFEST}", self.skill.path)),
            "frontmatter": *self.skill.frontmatter,
            "resources": resources,
            "_meta": meta::of_binding(None, scope, &self.binding),
        })
    }
}

impl Server {
    /// One request of the extension.
    pub(crate) fn skill_request(
        &self,
        method: Method,
        params: Option<Value>,
        context: &RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let incoming = self.incoming(context)?;
        if !incoming.view.features(&self.serving.scope).skills {
            return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method.name(), None));
        }
        let result = match method {
            Method::List => self.skills(&incoming, read(method, params)?)?,
            Method::Get => self.skill(&incoming, &read::<UriParams>(method, params)?.uri)?,
            Method::ReadDirectory => self.directory(&incoming, &read(method, params)?)?,
        };
        Ok(finished(incoming.era, result))
    }

    fn skills(&self, incoming: &Incoming, params: ListParams) -> Result<Map<String, Value>, ErrorData> {
        let serving = &self.serving;
        let list = Of::named(Method::List.name());
        let after: Option<(String, String)> =
            params.cursor.map(|cursor| serving.cursors.read(list, &cursor)).transpose()?;
        let shown = shown(&*incoming.view, &serving.scope, &incoming.principal);
        let named = shown.iter().map(|skill| ((skill.binding.to_string(), skill.path().to_owned()), skill));
        let (page, next) = cut(named, after.as_ref(), serving.limits.page_size);
        let entries: Vec<_> = page.into_iter().map(|skill| skill.entry(&serving.scope)).collect();
        let mut result = Map::from_iter([("skills".to_owned(), Value::from(entries))]);
        if let Some(last) = next {
            result.insert("nextCursor".to_owned(), serving.cursors.at(list, &last)?.into());
        }
        Ok(result)
    }

    fn skill(&self, incoming: &Incoming, asked: &str) -> Result<Map<String, Value>, ErrorData> {
        let Located { binding, uri } = self.located(incoming, asked)?;
        let shown = shown(&*incoming.view, &self.serving.scope, &incoming.principal);
        let found = shown.iter().find(|skill| skill.binding == binding && skill.manifest_uri() == Some(&uri));
        let skill = found.ok_or_else(|| nothing("there is no skill at this URI", asked))?;
        Ok(Map::from_iter([("skill".to_owned(), skill.entry(&self.serving.scope))]))
    }

    /// The direct children of a directory, sorted by name.
    fn directory(&self, incoming: &Incoming, params: &UriParams) -> Result<Map<String, Value>, ErrorData> {
        let serving = &self.serving;
        let scope = &serving.scope;
        let list = Of::named(Method::ReadDirectory.name());
        let Located { binding, uri } = self.located(incoming, &params.uri)?;
        // A cursor is of its own directory alone.
        let after: Option<(String, String)> =
            params.cursor.as_deref().map(|cursor| serving.cursors.read(list, cursor)).transpose()?;
        if after.as_ref().is_some_and(|(directory, _)| *directory != uri) {
            return Err(ErrorData::invalid_params("this cursor is of another directory", None));
        }
        let within = format!("{}/", uri.strip_suffix('/').unwrap_or(&uri));
        let mut children = BTreeMap::new();
        let shown = shown(&*incoming.view, scope, &incoming.principal);
        for skill in shown.iter().filter(|skill| skill.binding == binding) {
            for file in &skill.skill.files {
                let Some(path) = file.uri.strip_prefix(&within) else { continue };
                let (name, item) = match path.split_once('/') {
                    None => (path, skill.file_item(scope, file, path)),
                    Some((name, _)) => {
                        let own = format!("{within}{name}");
                        let mut item = Resource::new(uri::outward(scope, &binding, &own), name);
                        item.mime_type = Some(DIRECTORY.to_owned());
                        item.meta = Some(meta::of_binding(None, scope, &binding));
                        (name, item)
                    }
                };
                children.entry((uri.clone(), name.to_owned())).or_insert(item);
            }
        }
        if children.is_empty() {
            return Err(nothing("there is no directory at this URI", &params.uri));
        }
        let (page, next) = cut(children, after.as_ref(), serving.limits.page_size);
        let mut result = Map::from_iter([("resources".to_owned(), json!(page))]);
        if let Some(last) = next {
            result.insert("nextCursor".to_owned(), serving.cursors.at(list, &last)?.into());
        }
        Ok(result)
    }
}

fn read<T: for<'de> Deserialize<'de>>(method: Method, params: Option<Value>) -> Result<T, ErrorData> {
    serde_json::from_value(params.unwrap_or_else(|| json!({}))).map_err(|error| {
        ErrorData::invalid_params(format!("the parameters of {} are malformed: {error}", method.name()), None)
    })
}

fn nothing(what: &'static str, asked: &str) -> ErrorData {
    ErrorData::invalid_params(what, Some(json!({"uri": asked})))
}

/// What rmcp does for the results that it knows.
fn finished(era: Era, mut result: Map<String, Value>) -> CustomResult {
    if let (Some(ttl), Some(scope)) = cache_hints(era, FRESH) {
        result.insert("resultType".to_owned(), json!(ResultType::COMPLETE));
        result.insert("ttlMs".to_owned(), ttl.into());
        result.insert("cacheScope".to_owned(), json!(scope));
    }
    let mut said: Option<MetaObject> = None;
    meta::stamp(era, &mut said);
    if let Some(said) = said {
        result.insert("_meta".to_owned(), json!(said));
    }
    CustomResult::new(Value::Object(result))
}
