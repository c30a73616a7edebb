//! Guests made on the spot: a core module whose memory holds the answers, encoded as a component of the plugin
//! interface. No toolchain for WebAssembly is needed, and each may lie in its own way.

use std::fmt::Write;
use std::path::Path;
use std::sync::LazyLock;

use fleetgate_core::manifest::SECTION;
use wasm_encoder::{ComponentSection, CustomSection};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

/// Where the answers begin in the guest's memory.
pub const BASE: u32 = 1024;
/// Bytes of a `tool` record: `name`, `title`, `description`, `input-schema`, `output-schema`, `meta`, `extra`.
const TOOL: usize = 76;

pub static WIT: LazyLock<(Resolve, WorldId)> = LazyLock::new(|| {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/fleetgate-plugin");
    let (package, _) = resolve.push_dir(wit).expect("the interface");
    let world = resolve.select_world(&[package], Some("with-tools")).expect("its world");
    (resolve, world)
});

/// One tool of a guest.
#[derive(Debug, Clone)]
pub struct Tool {
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub input: String,
    pub output: Option<String>,
    pub meta: Option<String>,
    pub extra: Option<String>,
}

impl Tool {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: Some(format!("What {name} does.")),
            input: r#"{"type":"object","additionalProperties":false}"#.into(),
            output: None,
            meta: None,
            extra: None,
        }
    }

    pub fn described(self, description: &str) -> Self {
        Self { description: Some(description.into()), ..self }
    }
}

/// What the guest does when its tools are listed.
#[derive(Debug, Clone)]
pub enum Listing {
    Tools(Vec<Tool>),
    Fault(String),
    Trap,
    Forever,
}

/// A component whose tools answer every call with this structured result.
pub fn component(listing: &Listing, answer: &str) -> Vec<u8> {
    let mut memory = Memory(Vec::new());
    let (list, trap) = match listing {
        Listing::Tools(tools) => (memory.tools(tools), ""),
        Listing::Fault(message) => (memory.fault(message), ""),
        Listing::Trap => (0, "unreachable"),
        Listing::Forever => (0, "(loop (br 0))"),
    };
    let call = memory.outcome(answer);
    let pages = (BASE as usize + memory.0.len()) / 65536 + 2;
    let data = memory.0.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:02x}");
        text
    });
    let text = format!(
        r#"(module
            (memory (export "memory") {pages})
            (data (i32.const {BASE}) "{data}")
            (global $free (mut i32) (i32.const {free}))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
                (global.set $free (i32.add (local.get $at) (local.get 3)))
                (local.get $at))
            (func (export "fleetgate:plugin/tools@0.1.0#list-tools") (result i32)
                {trap}
                (i32.const {list}))
            (func (export "fleetgate:plugin/tools@0.1.0#call-tool")
                (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
                (i32.const {call})))"#,
        free = BASE as usize + memory.0.len(),
    );
    let mut module = wat::parse_str(text).expect("a module");
    let (resolve, world) = &*WIT;
    embed_component_metadata(&mut module, resolve, *world, StringEncoding::UTF8).expect("its types");
    let mut encoder =
        ComponentEncoder::default().module(&module).expect("a module of that world").validate(true);
    encoder.encode().expect("a component")
}

/// Appends a manifest.
pub fn packed(mut component: Vec<u8>, manifest: &str) -> Vec<u8> {
    CustomSection { name: SECTION.into(), data: manifest.as_bytes().into() }
        .append_to_component(&mut component);
    component
}

/// The guest's memory from [`BASE`] on, laid out by the canonical ABI.
pub struct Memory(pub Vec<u8>);

impl Memory {
    /// Room for so many bytes, zeroed; where it is in the guest.
    pub fn room(&mut self, bytes: usize) -> u32 {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        let at = self.0.len();
        self.0.resize(at + bytes, 0);
        BASE + at as u32
    }

    pub fn put(&mut self, at: u32, number: u32) {
        let at = (at - BASE) as usize;
        self.0[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }

    pub fn text(&mut self, at: u32, text: &str) {
        let bytes = self.room(text.len());
        let start = (bytes - BASE) as usize;
        self.0[start..start + text.len()].copy_from_slice(text.as_bytes());
        self.put(at, bytes);
        self.put(at + 4, text.len() as u32);
    }

    pub fn optional(&mut self, at: u32, text: Option<&str>) {
        if let Some(text) = text {
            self.put(at, 1);
            self.text(at + 4, text);
        }
    }

    /// `result<list<tool>, fault>`, the first case.
    pub fn tools(&mut self, tools: &[Tool]) -> u32 {
        let answer = self.room(128);
        let list = self.room(tools.len() * TOOL);
        self.put(answer + 4, list);
        self.put(answer + 8, tools.len() as u32);
        for (index, tool) in tools.iter().enumerate() {
            let at = list + (index * TOOL) as u32;
            self.text(at, &tool.name);
            self.optional(at + 8, tool.title.as_deref());
            self.optional(at + 20, tool.description.as_deref());
            self.text(at + 32, &tool.input);
            self.optional(at + 40, tool.output.as_deref());
            self.optional(at + 52, tool.meta.as_deref());
            self.optional(at + 64, tool.extra.as_deref());
        }
        answer
    }

    /// `result<list<tool>, fault>`, the second case: `code` and `message` come first in a fault.
    pub fn fault(&mut self, message: &str) -> u32 {
        let answer = self.room(128);
        self.put(answer, 1);
        self.text(answer + 4, "internal");
        self.text(answer + 12, message);
        answer
    }

    /// `result<outcome, fault>`: done, with a structured result. Before it lie the two tags and the content.
    pub fn outcome(&mut self, structured: &str) -> u32 {
        let answer = self.room(128);
        self.optional(answer + 16, Some(structured));
        answer
    }
}
