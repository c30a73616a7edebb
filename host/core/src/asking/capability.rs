//! `[client]` of a manifest, and what an operator grants of it. Within the host these are capability requests of the
//! kind `client`, so everything that holds for capabilities holds for them.
//!
//! A plugin cannot tell which client will call it, so an ask is optional unless its author says otherwise.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use toml::Spanned;
use toml::de::DeValue;
use wasmtime::component::Linker;

use super::website::Site;
use crate::capability::{BindingParts, Bound, Capabilities, Capability, Grant, Reach, Request, Schemas};
use crate::diagnostic::{Diagnostics, TableReader, quoted};
use crate::manifest::{CapabilityRequest, grammar, required_line};
use crate::sandbox::{CallInfo, CallState};
use crate::settings::Secrets;

/// The kind of these requests: `client.elicitation`.
pub const KIND: &str = "client";
/// The request to show skills to the client, and the grant without which none is shown.
pub const SKILLS: &str = "client.skills";

/// Tokens of one answer of the client's model where the grant says nothing, and the most that it may say.
const TOKENS: (i64, i64) = (4096, 1 << 20);
/// The most sites of a grant.
const MAX_SITES: usize = 64;

/// The asks, by their key in `[client]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Elicitation,
    Sampling,
    Roots,
    Skills,
}

const ASKS: [(&str, Ask); 4] = [
    ("elicitation", Ask::Elicitation),
    ("sampling", Ask::Sampling),
    ("roots", Ask::Roots),
    ("skills", Ask::Skills),
];

/// How a person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Form,
    Url,
}

const MODES: [(&str, Mode); 2] = [("form", Mode::Form), ("url", Mode::Url)];

/// Asking clients, as a capability. A host without it refuses manifests with `[client]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClientCapability;

/// One entry of `[client]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ClientRequest {
    ask: Ask,
    /// Of elicitation.
    modes: Vec<Mode>,
}

/// One `[plugins.<binding>.grant.client.<ask>]`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ClientGrant {
    Elicitation { form: bool, sites: Vec<Site> },
    Sampling { max_tokens: u32 },
    Roots,
    Skills,
}

/// What a binding may ask of its clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asks {
    form: bool,
    sites: Vec<Site>,
    max_tokens: Option<u32>,
    roots: bool,
}

impl Asks {
    /// What of a binding's grants is about asking.
    pub fn of(granted: &BTreeMap<String, Arc<dyn Grant>>) -> Self {
        let mut asks = Self::default();
        for grant in granted.values() {
            let grant: &dyn Any = &**grant;
            match grant.downcast_ref::<ClientGrant>() {
                Some(ClientGrant::Elicitation { form, sites }) => {
                    asks.form = *form;
                    asks.sites.clone_from(sites);
                }
                Some(ClientGrant::Sampling { max_tokens }) => asks.max_tokens = Some(*max_tokens),
                Some(ClientGrant::Roots) => asks.roots = true,
                Some(ClientGrant::Skills) | None => {}
            }
        }
        asks
    }

    pub(super) fn forms(&self) -> bool {
        self.form
    }

    pub(super) fn websites(&self) -> bool {
        !self.sites.is_empty()
    }

    pub(super) fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// None: the model may not be asked.
    pub(super) fn max_tokens(&self) -> Option<u32> {
        self.max_tokens
    }

    pub(super) fn roots(&self) -> bool {
        self.roots
    }
}

/// Whether this is granted to a plugin that serves one person alone, in the place of its own server. An empty grant: of
/// elicitation, forms.
pub(crate) fn granted_where_alone(asked: &CapabilityRequest) -> bool {
    let request: &dyn Any = &*asked.request;
    match request.downcast_ref::<ClientRequest>() {
        Some(request) => request.ask != Ask::Elicitation || request.asks(Mode::Form),
        None => false,
    }
}

/// Reads `[client]` of a manifest, by `client.<ask>`.
pub(crate) fn requests(
    root: &mut TableReader<'_>,
    capabilities: &Capabilities,
) -> BTreeMap<String, CapabilityRequest> {
    let mut requests = BTreeMap::new();
    let Some(mut client) = root.table("client") else { return requests };
    if capabilities.get(KIND).is_none() {
        root.error_at("client", "this host asks clients nothing", "");
        client.leave_rest();
        return requests;
    }
    for (key, ask) in ASKS {
        let Some(read) = entry(&mut client, key, ask) else { continue };
        requests.insert(format!("{KIND}.{key}"), read);
    }
    client.finish();
    requests
}

/// `elicitation = "why"`, or a table with `why`, `optional` and, for elicitation, `modes`.
fn entry(client: &mut TableReader<'_>, key: &str, ask: Ask) -> Option<CapabilityRequest> {
    let value: &Spanned<DeValue<'_>> = client.value(key)?;
    let (why, optional, modes) = if let DeValue::String(why) = value.get_ref() {
        if !grammar::is_line(why, 256) {
            let help = "write 1 to 256 characters on one line, none of them invisible";
            client.error_at(key, format!("{} is no line of text for people", quoted(why)), help);
            return None;
        }
        (why.to_string(), true, None)
    } else {
        let mut table = client.table(key)?;
        let why = required_line(&mut table, "why", 256);
        let optional = table.bool("optional").unwrap_or(true);
        let modes = if ask == Ask::Elicitation { read_modes(&mut table) } else { None };
        table.finish();
        (why?, optional, modes)
    };
    let modes = modes.unwrap_or_else(|| vec![Mode::Form]);
    Some(CapabilityRequest {
        kind: KIND.into(),
        name: key.into(),
        why,
        optional,
        env: BTreeMap::new(),
        request: Arc::new(ClientRequest { ask, modes }),
    })
}

fn read_modes(table: &mut TableReader<'_>) -> Option<Vec<Mode>> {
    let modes = table.enumerations("modes", &MODES)?;
    if modes.is_empty() {
        table.error_at(
            "modes",
            "a person who is asked in no way is not asked",
            "write [\"form\"], or leave it out",
        );
    }
    Some(modes.into_iter().map(Spanned::into_inner).collect())
}

impl ClientRequest {
    fn asks(&self, mode: Mode) -> bool {
        self.ask == Ask::Elicitation && self.modes.contains(&mode)
    }

    fn read_elicitation(&self, table: &mut TableReader<'_>) -> Option<ClientGrant> {
        let modes = read_modes(table);
        let listed = table.has("hosts");
        let mut sites = Vec::new();
        for host in table.spanned_strings("hosts").unwrap_or_default() {
            match Site::parse(host.get_ref()) {
                Some(site) => sites.push(site),
                None => {
                    let help = "write a name, perhaps with a port: \"login.example.com\"; the page is reached by https";
                    table.error_at(&host, format!("{} is no host", quoted(host.get_ref())), help);
                }
            }
        }
        if sites.len() > MAX_SITES {
            table.error_at(
                "hosts",
                format!("{} hosts are too many", sites.len()),
                format!("at most {MAX_SITES}"),
            );
        }
        for (word, mode) in MODES {
            if modes.as_ref().is_some_and(|modes| modes.contains(&mode)) && !self.asks(mode) {
                let help = "a grant may be narrower than the request, not wider";
                table.error_at("modes", format!("the plugin does not ask for the mode {word}"), help);
            }
        }
        let has =
            |mode: Mode, otherwise: bool| modes.as_ref().map_or(otherwise, |modes| modes.contains(&mode));
        let form = self.asks(Mode::Form) && has(Mode::Form, true);
        let url = self.asks(Mode::Url) && has(Mode::Url, listed);
        if url && sites.is_empty() && !table.failed() {
            let help = "add hosts = [\"login.example.com\"]: the sites that people may be sent to";
            table.error_at(if listed { "hosts" } else { "modes" }, "the mode url needs hosts", help);
        }
        if listed && !url && !table.failed() {
            let help =
                if self.asks(Mode::Url) { "add \"url\" to modes, or remove this" } else { "remove this" };
            table.error_at("hosts", "hosts are for the mode url, which is not granted here", help);
        }
        if !form && !url && !table.failed() {
            let help = "add hosts = [\"login.example.com\"], or remove this table";
            table.error("the plugin asks by the mode url alone, and no site is granted", help);
        }
        (!table.failed()).then_some(ClientGrant::Elicitation { form, sites })
    }
}

impl Capability for ClientCapability {
    fn kind(&self) -> &'static str {
        KIND
    }

    /// Never asked: `[client]` is read by [`requests`].
    fn parse_request(&self, table: &mut TableReader<'_>) -> Option<Arc<dyn Request>> {
        table.error("what is asked of clients stands elsewhere", "write it under [client]");
        None
    }

    fn parse_reach(&self, table: &mut TableReader<'_>, _: &dyn Request) -> Option<Arc<dyn Reach>> {
        table.error("a tool's reach says nothing about asking", "remove this");
        table.leave_rest();
        None
    }

    fn parse_grant(
        &self,
        table: &mut TableReader<'_>,
        request: &dyn Request,
        _: &Secrets,
    ) -> Option<Arc<dyn Grant>> {
        let request = (request as &dyn Any).downcast_ref::<ClientRequest>()?;
        Some(Arc::new(match request.ask {
            Ask::Elicitation => request.read_elicitation(table)?,
            Ask::Sampling => {
                let tokens = table.integer_within("max_tokens", 1, TOKENS.1).unwrap_or(TOKENS.0);
                ClientGrant::Sampling { max_tokens: u32::try_from(tokens).ok()? }
            }
            Ask::Roots => ClientGrant::Roots,
            Ask::Skills => ClientGrant::Skills,
        }))
    }

    fn bind(&self, _: BindingParts<'_>) -> Result<Arc<dyn Bound>, Diagnostics> {
        Ok(Arc::new(Nothing))
    }

    fn link(&self, _: &mut Linker<CallState>) -> wasmtime::Result<()> {
        Ok(())
    }

    /// See [`manifest_schema`] and [`grant_schemas`]: each ask has tables of its own.
    fn schemas(&self) -> Schemas {
        let nothing = json!({ "not": {} });
        Schemas { request: nothing.clone(), reach: nothing.clone(), grant: nothing }
    }
}

/// Asking has no host functions: a question is returned.
struct Nothing;

impl Bound for Nothing {
    fn state(&self, _: &Arc<CallInfo>) -> Box<dyn Any + Send> {
        Box::new(())
    }
}

impl Request for ClientRequest {
    fn widens(&self, old: &dyn Request) -> Vec<String> {
        match (old as &dyn Any).downcast_ref::<Self>() {
            Some(old) if old.ask == self.ask => self
                .modes
                .iter()
                .filter(|mode| !old.modes.contains(mode))
                .map(|mode| mode.says().into())
                .collect(),
            _ => self.describe(),
        }
    }

    fn describe(&self) -> Vec<String> {
        match self.ask {
            Ask::Elicitation => self.modes.iter().map(|mode| mode.says().into()).collect(),
            Ask::Sampling => vec!["asks the client's model".into()],
            Ask::Roots => vec!["asks which directories the client works in".into()],
            Ask::Skills => vec!["gives the client instructions for its model (skills)".into()],
        }
    }

    fn grant_template(&self) -> String {
        match self.ask {
            Ask::Elicitation if self.asks(Mode::Url) => {
                "# hosts = [\"…\"]  # the sites that people may be sent to; without, forms alone\n".into()
            }
            Ask::Elicitation | Ask::Roots | Ask::Skills => String::new(),
            Ask::Sampling => format!("# max_tokens = {}\n", TOKENS.0),
        }
    }
}

impl Mode {
    fn says(self) -> &'static str {
        match self {
            Self::Form => "asks people to fill in forms",
            Self::Url => "sends people to web pages",
        }
    }
}

impl Grant for ClientGrant {
    fn describe(&self) -> Vec<String> {
        match self {
            Self::Elicitation { form, sites } => {
                let to = sites.iter().map(Site::to_string).collect::<Vec<_>>().join(", ");
                let form = form.then(|| "may ask people to fill in forms".to_owned());
                form.into_iter()
                    .chain((!sites.is_empty()).then(|| format!("may send people to {to}")))
                    .collect()
            }
            Self::Sampling { max_tokens } => {
                vec![format!("may ask the client's model, for answers of at most {max_tokens} tokens")]
            }
            Self::Roots => vec!["may ask which directories the client works in".into()],
            Self::Skills => vec!["may give the client instructions for its model (skills)".into()],
        }
    }
}

fn modes_schema(description: &str) -> Value {
    let words = MODES.map(|(word, _)| word);
    json!({ "description": description, "type": "array", "minItems": 1, "items": { "enum": words } })
}

/// The JSON Schema of `[client]`, for editors.
pub(crate) fn manifest_schema() -> Value {
    let why = json!({ "description": "For the operator who grants it.", "type": "string", "minLength": 1, "maxLength": 256 });
    let asks: Map<String, Value> = ASKS
        .into_iter()
        .map(|(key, ask)| {
            let mut table = json!({
                "type": "object", "additionalProperties": false, "required": ["why"],
                "properties": {
                    "why": why,
                    "optional": {
                        "description": "The plugin works without it; unless this says false.",
                        "type": "boolean"
                    },
                }
            });
            if ask == Ask::Elicitation {
                table["properties"]["modes"] = modes_schema("How people are asked; by default with forms.");
            }
            (key.to_owned(), json!({ "oneOf": [why, table] }))
        })
        .collect();
    json!({
        "description": "What the plugin asks of its clients, and of the people in front of them.",
        "type": "object", "additionalProperties": false, "properties": asks,
    })
}

/// The JSON Schema of `[plugins.<name>.grant.client]`, for editors.
pub(crate) fn grant_schemas() -> Value {
    let asks: Map<String, Value> = ASKS
        .into_iter()
        .map(|(key, ask)| {
            let properties = match ask {
                Ask::Elicitation => json!({
                    "modes": modes_schema("How people may be asked; by default with forms, and with hosts by URL too."),
                    "hosts": {
                        "description": "The sites that people may be sent to, over https.",
                        "type": "array", "minItems": 1, "maxItems": MAX_SITES, "items": { "type": "string" }
                    },
                }),
                Ask::Sampling => json!({
                    "max_tokens": {
                        "description": "The longest answer of the client's model.",
                        "type": "integer", "minimum": 1, "maximum": TOKENS.1, "default": TOKENS.0
                    },
                }),
                Ask::Roots | Ask::Skills => json!({}),
            };
            (key.to_owned(), json!({ "type": "object", "additionalProperties": false, "properties": properties }))
        })
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": asks })
}
