//! A capability that speaks by itself, and a guest that handles what it says as the test decides: everything that the
//! guest is given comes to the test's own function, with the call that it runs in.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime};

use fleetgate_core::capability::{
    BindingParts, Bound, Capability, Grant, Heard, Listening, Origin, Reach, Request, Schemas, Sink, Standing,
};
use fleetgate_core::diagnostic::{Diagnostics, TableReader};
use fleetgate_core::sandbox::{CallInfo, CallState};
use fleetgate_core::settings::Secrets;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::sync::Semaphore;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, Lower};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::fake::Boxes;

/// Radio stations: one asks for boxes, as of [`super::fake::Post`], and hears what a test says.
pub struct Radio;

impl Capability for Radio {
    fn kind(&self) -> &'static str {
        "radio"
    }

    fn parse_request(&self, table: &mut TableReader<'_>) -> Option<Arc<dyn Request>> {
        Some(Arc::new(Boxes(super::fake::boxes(table)?)))
    }

    fn parse_reach(&self, table: &mut TableReader<'_>, request: &dyn Request) -> Option<Arc<dyn Reach>> {
        Some(Arc::new(Boxes(super::fake::within(table, request)?)))
    }

    fn parse_grant(
        &self,
        table: &mut TableReader<'_>,
        _: &dyn Request,
        _: &Secrets,
    ) -> Option<Arc<dyn Grant>> {
        Some(Arc::new(Tuned(table.string("wave").unwrap_or_default())))
    }

    fn bind(&self, binding: BindingParts<'_>) -> Result<Arc<dyn Bound>, Diagnostics> {
        Ok(Arc::new(station(binding.name)))
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        let mut desk = linker.instance("test:radio/desk")?;
        desk.func_wrap_async("handle", |store: StoreContextMut<'_, CallState>, (batch,): (Vec<Given>,)| {
            let call = store.data().call().clone();
            Box::new(async move {
                let handler = {
                    let station = station(&call.binding);
                    let mut known = station.0.lock().unwrap();
                    known.given.push(batch.clone());
                    known.handler.clone()
                };
                let answers = match handler {
                    Some(handler) => handler(call, batch).await?,
                    None => vec![Ok(()); batch.len()],
                };
                Ok((answers,))
            })
        })
    }

    fn acts(&self) -> Option<&'static [&'static str]> {
        Some(&["send", "tune"])
    }

    fn speaks(&self) -> bool {
        true
    }

    fn schemas(&self) -> Schemas {
        let boxes = json!({ "type": "array", "items": { "type": "string" } });
        let table =
            json!({ "type": "object", "additionalProperties": false, "properties": { "boxes": boxes } });
        let grant = json!({
            "type": "object", "additionalProperties": false, "properties": { "wave": { "type": "string" } }
        });
        Schemas { request: table.clone(), reach: table, grant }
    }
}

#[derive(Debug)]
struct Tuned(String);

impl Grant for Tuned {
    fn describe(&self) -> Vec<String> {
        vec![format!("the wave {}", self.0)]
    }
}

/// An event, as the guest got it.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift)]
#[component(record)]
pub struct Given {
    pub id: String,
    pub source: String,
    pub subject: String,
    #[component(name = "time-ms")]
    pub time_ms: u64,
    pub attempt: u32,
    pub data: Vec<u8>,
    pub attributes: String,
}

impl Given {
    pub fn text(&self) -> String {
        String::from_utf8(self.data.clone()).unwrap()
    }
}

pub fn texts(events: &[Given]) -> Vec<String> {
    events.iter().map(Given::text).collect()
}

/// What a handler answers to an event.
#[derive(Debug, Clone, Default, ComponentType, Lower)]
#[component(record)]
pub struct Fault {
    pub code: String,
    pub message: String,
    pub field: Option<String>,
    pub retryable: bool,
    #[component(name = "retry-after-ms")]
    pub retry_after_ms: Option<u32>,
    pub details: Option<String>,
}

impl Fault {
    pub fn new(code: &str, retryable: bool) -> Self {
        Self { code: code.into(), message: format!("it said {code}"), retryable, ..Self::default() }
    }
}

pub type Answers = Vec<Result<(), Fault>>;
type Handler =
    Arc<dyn Fn(Arc<CallInfo>, Vec<Given>) -> BoxFuture<'static, wasmtime::Result<Answers>> + Send + Sync>;

/// What belongs to one binding. Bindings of all tests are in one process: use a name that no other test uses.
#[derive(Clone, Default)]
pub struct Station(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    handler: Option<Handler>,
    given: Vec<Vec<Given>>,
    /// By event: who listens.
    sinks: BTreeMap<String, Arc<dyn Sink>>,
    listened: Vec<(String, Option<String>, String)>,
    given_up: Vec<String>,
    left_over: Vec<String>,
    forgotten: Vec<String>,
}

static STATIONS: Mutex<BTreeMap<String, Station>> = Mutex::new(BTreeMap::new());

pub fn station(binding: &str) -> Station {
    STATIONS.lock().expect("no test fails under it").entry(binding.to_owned()).or_default().clone()
}

struct Listener {
    station: Station,
    event: String,
    sink: Arc<dyn Sink>,
}

impl Bound for Station {
    fn state(&self, _: &Arc<CallInfo>) -> Box<dyn Any + Send> {
        Box::new(())
    }

    fn listen(&self, standing: Standing) -> Result<Box<dyn Listening>, String> {
        if standing.name == "mute" {
            return Err("this station is mute".into());
        }
        let mut known = self.0.lock().unwrap();
        let narrowed = standing.narrowed.as_ref().map(|narrowed| narrowed.describe());
        known.listened.push((standing.reach.describe(), narrowed, standing.client));
        known.sinks.insert(standing.event.clone(), standing.sink.clone());
        Ok(Box::new(Listener { station: self.clone(), event: standing.event, sink: standing.sink }))
    }

    fn left_over(&self) -> Vec<String> {
        self.0.lock().unwrap().left_over.clone()
    }

    fn forget(&self, name: &str) {
        let mut known = self.0.lock().unwrap();
        known.left_over.retain(|left| left != name);
        known.forgotten.push(name.to_owned());
    }
}

impl Listening for Listener {
    fn give_up(self: Box<Self>) {
        self.station.0.lock().unwrap().given_up.push(self.event.clone());
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut known = self.station.0.lock().unwrap();
        if known.sinks.get(&self.event).is_some_and(|sink| Arc::ptr_eq(sink, &self.sink)) {
            known.sinks.remove(&self.event);
        }
    }
}

/// What runs of a handler wait at.
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// Lets so many runs through.
    pub fn lets_through(&self, runs: usize) {
        self.0.add_permits(runs);
    }

    /// Lets through whatever comes.
    pub fn opens(&self) {
        self.0.close();
    }
}

/// A handler that is content with everything.
pub fn content(batch: &[Given]) -> wasmtime::Result<Answers> {
    Ok(vec![Ok(()); batch.len()])
}

impl Station {
    /// What the handler does from now on. Without, it is content with everything.
    pub fn handles<F>(&self, handler: impl Fn(Arc<CallInfo>, Vec<Given>) -> F + Send + Sync + 'static)
    where
        F: Future<Output = wasmtime::Result<Answers>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |call, batch| handler(call, batch).boxed());
        self.0.lock().unwrap().handler = Some(handler);
    }

    /// The same, event by event.
    pub fn answers(&self, answer: impl Fn(&Given) -> Result<(), Fault> + Send + Sync + 'static) {
        self.handles(move |_, batch| std::future::ready(Ok(batch.iter().map(&answer).collect())));
    }

    /// From now on each run waits until it is let through, and answers then.
    pub fn waits(
        &self,
        answer: impl Fn(&[Given]) -> wasmtime::Result<Answers> + Send + Sync + 'static,
    ) -> Gate {
        let gate = Arc::new(Semaphore::new(0));
        let (closed, answer) = (gate.clone(), Arc::new(answer));
        self.handles(move |_, batch| {
            let (closed, answer) = (closed.clone(), answer.clone());
            async move {
                // An error says that it stays open.
                if let Ok(permit) = closed.acquire().await {
                    permit.forget();
                }
                answer(&batch)
            }
        });
        Gate(gate)
    }

    /// Every batch that the handler was given.
    pub fn given(&self) -> Vec<Vec<Given>> {
        self.0.lock().unwrap().given.clone()
    }

    /// Every event that the handler was given, one after the other.
    pub fn events(&self) -> Vec<Given> {
        self.given().concat()
    }

    /// What was listened to: the manifest's reach, the grant's, and the client.
    pub fn listened(&self) -> Vec<(String, Option<String>, String)> {
        self.0.lock().unwrap().listened.clone()
    }

    pub fn given_up(&self) -> Vec<String> {
        self.0.lock().unwrap().given_up.clone()
    }

    /// Through this request something was listened to before.
    pub fn leaves_over(&self, name: &str) {
        self.0.lock().unwrap().left_over.push(name.to_owned());
    }

    pub fn forgotten(&self) -> Vec<String> {
        self.0.lock().unwrap().forgotten.clone()
    }

    pub fn is_heard(&self, event: &str) -> bool {
        self.0.lock().unwrap().sinks.contains_key(event)
    }

    /// Who listens, once somebody does.
    pub async fn sink(&self, event: &str) -> Arc<dyn Sink> {
        loop {
            if let Some(sink) = self.0.lock().unwrap().sinks.get(event).cloned() {
                return sink;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Says something, and waits until it is kept.
    pub async fn says(&self, event: &str, heard: Vec<Heard>) {
        self.sink(event).await.keep(heard).await.expect("it is kept");
    }
}

/// Something said: `order: text`.
pub fn heard(order: &str, text: &str) -> Heard {
    Heard {
        subject: format!("fleet/{order}"),
        order: order.into(),
        data: text.into(),
        left_out: None,
        attributes: json!({ "qos": 1 }),
        heard: SystemTime::now(),
        origin: None,
    }
}

/// The same, as a delivery with a name.
pub fn delivered(order: &str, text: &str, key: &str, again: bool) -> Heard {
    Heard { origin: Some(Origin { key: key.into(), again }), ..heard(order, text) }
}

/// A guest that handles events. `tools`: it exports a tool `look` besides.
pub fn component() -> Vec<u8> {
    static COMPONENT: LazyLock<Vec<u8>> = LazyLock::new(encoded);
    COMPONENT.clone()
}

fn encoded() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/fleetgate-plugin");
    resolve.push_dir(wit).expect("the interface");
    let desk = "package test:radio; interface desk { \
        record event { id: string, source: string, subject: string, time-ms: u64, attempt: u32, data: list<u8>, attributes: string } \
        record fault { code: string, message: string, field: option<string>, retryable: bool, retry-after-ms: option<u32>, details: option<string> } \
        handle: func(batch: list<event>) -> list<result<_, fault>>; }";
    resolve.push_str("desk.wit", desk).expect("the desk");
    let world = "package test:handler; world handler { import test:radio/desk; \
                 export fleetgate:plugin/events@0.1.0; }";
    let package = resolve.push_str("handler.wit", world).expect("a world");
    let world = resolve.select_world(&[package], Some("handler")).expect("the world");
    let wat = r#"(module
        (import "test:radio/desk" "handle" (func $handle (param i32 i32 i32)))
        (memory (export "memory") 128)
        (global $free (mut i32) (i32.const 2048))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
            (global.set $free (i32.add (local.get $at) (local.get 3)))
            (local.get $at))
        (func (export "fleetgate:plugin/events@0.1.0#handle") (param i32 i32) (result i32)
            (call $handle (local.get 0) (local.get 1) (i32.const 1024))
            (i32.const 1024)))"#;
    let mut module = wat::parse_str(wat).expect("a module");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("its types");
    let mut encoder =
        ComponentEncoder::default().module(&module).expect("a module of that world").validate(true);
    encoder.encode().expect("a component")
}
