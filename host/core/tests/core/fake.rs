//! A capability that is not HTTP, so that these tests exercise the seam and nothing else.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use fleetgate_core::asking::ClientCapability;
use fleetgate_core::capability::{
    BindingParts, Bound, Capabilities, Capability, Grant, Reach, Request, Schemas,
};
use fleetgate_core::diagnostic::{Diagnostics, TableReader};
use fleetgate_core::events::EventsCapability;
use fleetgate_core::sandbox::{CallInfo, CallState};
use fleetgate_core::settings::Secrets;
use serde_json::json;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use super::radio::Radio;

/// A broker of letters: one asks for mailboxes, and is granted some of them.
pub struct Post;

#[derive(Debug)]
pub struct Boxes(pub BTreeSet<String>);

#[derive(Debug)]
pub struct Address {
    pub url: String,
    pub boxes: BTreeSet<String>,
    pub stamp: Option<String>,
}

/// The host's capabilities in these tests.
pub fn capabilities() -> Capabilities {
    Capabilities::new().with(ClientCapability).with(EventsCapability).with(Post).with(Radio)
}

pub fn boxes(table: &mut TableReader<'_>) -> Option<BTreeSet<String>> {
    Some(table.required_strings("boxes")?.into_iter().collect())
}

pub fn within(table: &mut TableReader<'_>, request: &dyn Request) -> Option<BTreeSet<String>> {
    let asked = (request as &dyn Any).downcast_ref::<Boxes>()?;
    let Some(named) = table.spanned_strings("boxes") else { return Some(asked.0.clone()) };
    for name in &named {
        if !asked.0.contains(name.get_ref()) {
            let message = format!("the box {} was not asked for", name.get_ref());
            table.error_at(name, message, "name only boxes of the request");
            return None;
        }
    }
    Some(named.into_iter().map(|name| name.into_inner()).collect())
}

impl Capability for Post {
    fn kind(&self) -> &'static str {
        "post"
    }

    fn parse_request(&self, table: &mut TableReader<'_>) -> Option<Arc<dyn Request>> {
        Some(Arc::new(Boxes(boxes(table)?)))
    }

    fn parse_reach(&self, table: &mut TableReader<'_>, request: &dyn Request) -> Option<Arc<dyn Reach>> {
        Some(Arc::new(Boxes(within(table, request)?)))
    }

    fn parse_grant(
        &self,
        table: &mut TableReader<'_>,
        request: &dyn Request,
        secrets: &Secrets,
    ) -> Option<Arc<dyn Grant>> {
        let url = table.required_string("url");
        let boxes = within(table, request);
        let stamp = secrets.take(table, "stamp");
        Some(Arc::new(Address { url: url?, boxes: boxes?, stamp }))
    }

    fn bind(&self, _: BindingParts<'_>) -> Result<Arc<dyn Bound>, Diagnostics> {
        Ok(Arc::new(Office))
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        let mut office = linker.instance("test:office/office")?;
        office.func_wrap("now", |store: StoreContextMut<'_, CallState>, (): ()| {
            Ok((now(&store.data().call().binding),))
        })?;
        office.func_wrap("tick", |_: StoreContextMut<'_, CallState>, (): ()| {
            Ok((TICKS.fetch_add(1, Ordering::Relaxed),))
        })
    }

    fn schemas(&self) -> Schemas {
        let boxes = json!({ "type": "array", "items": { "type": "string" } });
        let table = |properties: serde_json::Value, required: &[&str]| {
            json!({
                "type": "object", "additionalProperties": false,
                "required": required, "properties": properties
            })
        };
        Schemas {
            request: table(json!({ "boxes": boxes }), &["boxes"]),
            reach: table(json!({ "boxes": boxes }), &[]),
            grant: table(
                json!({ "url": { "type": "string" }, "boxes": boxes, "stamp": { "type": "string" } }),
                &["url"],
            ),
        }
    }
}

/// What guests are steered by: a number of each binding, and one that grows with each look.
struct Office;

static NUMBERS: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());
static LOOKS: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());
static TICKS: AtomicU32 = AtomicU32::new(0);

fn now(binding: &str) -> u32 {
    *LOOKS.lock().expect("no test fails under it").entry(binding.to_owned()).or_default() += 1;
    NUMBERS.lock().expect("no test fails under it").get(binding).copied().unwrap_or_default()
}

/// How often guests of this binding have chosen.
pub fn looks(binding: &str) -> u32 {
    LOOKS.lock().expect("no test fails under it").get(binding).copied().unwrap_or_default()
}

/// The guests of this binding choose this answer from now on. Bindings of all tests are in one process: use a name
/// that no other test uses.
pub fn choose(binding: &str, number: u32) {
    NUMBERS.lock().expect("no test fails under it").insert(binding.to_owned(), number);
}

impl Bound for Office {
    fn state(&self, _: &Arc<CallInfo>) -> Box<dyn Any + Send> {
        Box::new(())
    }
}

fn beyond(new: &BTreeSet<String>, old: &BTreeSet<String>) -> Vec<String> {
    new.difference(old).map(|name| format!("the box {name}")).collect()
}

impl Request for Boxes {
    fn widens(&self, old: &dyn Request) -> Vec<String> {
        (old as &dyn Any)
            .downcast_ref::<Boxes>()
            .map_or_else(|| Request::describe(self), |old| beyond(&self.0, &old.0))
    }

    fn describe(&self) -> Vec<String> {
        self.0.iter().map(|name| format!("letters of the box {name}")).collect()
    }

    fn grant_template(&self) -> String {
        "url = \"post://…\"\n".into()
    }
}

impl Reach for Boxes {
    fn widens(&self, old: &dyn Reach) -> Vec<String> {
        (old as &dyn Any).downcast_ref::<Boxes>().map_or_else(Vec::new, |old| beyond(&self.0, &old.0))
    }

    fn describe(&self) -> String {
        format!("the boxes {:?}", self.0)
    }
}

impl Grant for Address {
    fn describe(&self) -> Vec<String> {
        vec![format!("letters at {}", self.url)]
    }
}
