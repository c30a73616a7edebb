//! Guests made on the spot: a core module whose memory holds the answers, encoded as a component of the plugin
//! interface. No toolchain for WebAssembly is needed, and each may lie in its own way.
//!
//! What a function answers is JSON in the shape of its WIT type: records are objects, variants and results an object
//! of one key (`{"ok": …}`, `{"err": …}`), tuples arrays; what is left out is zero, and a list of bytes is text.
//! A text `$1` is the function's first text argument, `$2` its second, and so on; `$tick` is another one each time.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::LazyLock;

use fleetgate_core::manifest::SECTION;
use serde_json::{Value, json};
use wasm_encoder::{ComponentSection, CustomSection};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Function, Int, InterfaceId, Resolve, SizeAlign, Type, TypeDefKind};

/// Where the answers begin in the guest's memory.
const BASE: u32 = 1024;
/// The package of the interface.
const PACKAGE: &str = "fleetgate:plugin";
const VERSION: &str = "@0.1.0";

/// The interface, and what tests steer a guest by: see [`super::fake::Office`].
static WIT: LazyLock<Resolve> = LazyLock::new(|| {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/fleetgate-plugin");
    resolve.push_dir(wit).expect("the interface");
    let office = "package test:office; interface office { now: func() -> u32; tick: func() -> u32; }";
    resolve.push_str("office.wit", office).expect("what tests steer by");
    resolve
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

    pub fn value(&self) -> Value {
        json!({
            "name": self.name, "title": self.title, "description": self.description,
            "input-schema": self.input, "output-schema": self.output, "meta": self.meta, "extra": self.extra,
        })
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

/// What a function does.
#[derive(Debug, Clone)]
pub enum Does {
    Answers(Value),
    /// One of these, by the number that the test gave the binding.
    Chooses(Vec<Value>),
    /// Calls these functions of `call` (`tools-changed`) before it answers.
    Says(Vec<&'static str>, Value),
    Traps,
    Forever,
}

/// What a guest exports: what its functions do, by interface and name. The other functions of an interface answer with
/// nothing.
#[derive(Debug, Clone, Default)]
pub struct Guest(BTreeMap<&'static str, BTreeMap<&'static str, Does>>);

impl Guest {
    /// With `function` of `interface`.
    pub fn with(mut self, interface: &'static str, function: &'static str, does: Does) -> Self {
        self.0.entry(interface).or_default().insert(function, does);
        self
    }

    /// With a list that succeeds.
    pub fn lists(self, interface: &'static str, function: &'static str, items: Value) -> Self {
        self.with(interface, function, Does::Answers(json!({ "ok": items })))
    }

    /// With tools that answer every call with this structured result.
    pub fn tools(self, listing: &Listing, answer: &str) -> Self {
        let list = match listing {
            Listing::Tools(tools) => {
                Does::Answers(json!({ "ok": tools.iter().map(Tool::value).collect::<Vec<_>>() }))
            }
            Listing::Fault(message) => {
                Does::Answers(json!({ "err": { "code": "internal", "message": message } }))
            }
            Listing::Trap => Does::Traps,
            Listing::Forever => Does::Forever,
        };
        let answer = json!({ "ok": { "done": { "structured": answer } } });
        self.with("tools", "list-tools", list).with("tools", "call-tool", Does::Answers(answer))
    }

    pub fn component(&self) -> Vec<u8> {
        let mut resolve = WIT.clone();
        let exports = self.0.keys().map(|name| format!("export {PACKAGE}/{name}{VERSION};"));
        let world = format!(
            "package test:guest; world guest {{ import test:office/office; import {PACKAGE}/call{VERSION}; {} }}",
            exports.collect::<String>()
        );
        let package = resolve.push_str("guest.wit", &world).expect("a world");
        let world = resolve.select_world(&[package], Some("guest")).expect("the world");
        let mut sizes = SizeAlign::default();
        sizes.fill(&resolve);
        let mut maker = Maker { resolve: &resolve, sizes, memory: Vec::new(), code: String::new() };
        for (interface, functions) in &self.0 {
            maker.interface(interface, functions);
        }
        let mut module = wat::parse_str(maker.module()).expect("a module");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("its types");
        let mut encoder =
            ComponentEncoder::default().module(&module).expect("a module of that world").validate(true);
        encoder.encode().expect("a component")
    }
}

/// Appends a manifest.
pub fn packed(mut component: Vec<u8>, manifest: &str) -> Vec<u8> {
    CustomSection { name: SECTION.into(), data: manifest.as_bytes().into() }
        .append_to_component(&mut component);
    component
}

/// Lays answers out in the guest's memory by the canonical ABI, and writes the functions that return them.
struct Maker<'a> {
    resolve: &'a Resolve,
    sizes: SizeAlign,
    /// From [`BASE`] on.
    memory: Vec<u8>,
    code: String,
}

impl Maker<'_> {
    fn interface(&mut self, name: &str, functions: &BTreeMap<&'static str, Does>) {
        let id = self.find(name);
        for (function_name, function) in &self.resolve.interfaces[id].functions {
            let does = functions.get(function_name.as_str()).cloned().unwrap_or(Does::Answers(Value::Null));
            self.function(name, function, &does);
        }
        let known = |name: &&'static str| self.resolve.interfaces[id].functions.contains_key(*name);
        assert!(functions.keys().all(known), "{name} has no such function: {functions:?}");
    }

    fn find(&self, name: &str) -> InterfaceId {
        let named = |id: &InterfaceId| self.resolve.interfaces[*id].name.as_deref() == Some(name);
        let mut all = self.resolve.interfaces.iter().map(|(id, _)| id);
        all.find(named).unwrap_or_else(|| panic!("no interface {name}"))
    }

    fn function(&mut self, interface: &str, function: &Function, does: &Does) {
        let signature = self.resolve.wasm_signature(AbiVariant::GuestExport, function);
        let params = signature.params.iter().map(|kind| match kind {
            WasmType::I64 | WasmType::PointerOrI64 => "i64",
            WasmType::F32 => "f32",
            WasmType::F64 => "f64",
            WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        });
        let params: Vec<&str> = params.collect();
        let result = function.result.expect("every function of an export answers");
        let mut body = String::new();
        match does {
            Does::Traps => body.push_str("unreachable"),
            Does::Forever => body.push_str("(loop (br 0)) unreachable"),
            Does::Answers(value) => {
                let at = self.answer(&result, value, &mut body);
                let _ = write!(body, "(i32.const {at})");
            }
            Does::Says(words, value) => {
                words.iter().for_each(|word| body.push_str(&format!("(call ${word})")));
                let at = self.answer(&result, value, &mut body);
                let _ = write!(body, "(i32.const {at})");
            }
            Does::Chooses(values) => {
                let places: Vec<u32> =
                    values.iter().map(|value| self.answer(&result, value, &mut body)).collect();
                let table = self.room(4 * places.len(), 4);
                places.iter().enumerate().for_each(|(index, at)| self.put(table + 4 * index as u32, *at));
                let _ = write!(
                    body,
                    "(i32.load (i32.add (i32.const {table}) (i32.mul (i32.const 4) (i32.rem_u (call $now) (i32.const {})))))",
                    places.len()
                );
            }
        }
        let params = params.join(" ");
        let name = format!("{PACKAGE}/{interface}{VERSION}#{}", function.name);
        let _ = write!(self.code, "(func (export \"{name}\") (param {params}) (result i32) {body})");
    }

    fn module(&self) -> String {
        let data = self.memory.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "\\{byte:02x}");
            text
        });
        let free = BASE as usize + self.memory.len();
        let says = ["tools-changed", "prompts-changed", "resources-changed"]
            .iter()
            .fold(String::new(), |text, word| {
                format!("{text}(import \"{PACKAGE}/call{VERSION}\" \"{word}\" (func ${word}))")
            });
        format!(
            r#"(module
                {says}
                (import "test:office/office" "now" (func $now (result i32)))
                (import "test:office/office" "tick" (func $tick (result i32)))
                (memory (export "memory") {pages})
                (data (i32.const {BASE}) "{data}")
                (global $free (mut i32) (i32.const {free}))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
                    (global.set $free (i32.add (local.get $at) (local.get 3)))
                    (local.get $at))
                {code})"#,
            pages = free / 65536 + 2,
            code = self.code,
        )
    }

    fn answer(&mut self, kind: &Type, value: &Value, body: &mut String) -> u32 {
        let at = self.room(self.sizes.size(kind).size_wasm32(), 8);
        self.lower(kind, value, at, body);
        at
    }

    /// Writes a value; null is all zeros.
    fn lower(&mut self, kind: &Type, value: &Value, at: u32, body: &mut String) {
        if value.is_null() {
            return;
        }
        match kind {
            Type::Bool => self.memory[(at - BASE) as usize] = value.as_bool().expect("true or false").into(),
            Type::U32 => self.put(at, value.as_u64().expect("a number") as u32),
            Type::U64 => {
                let number = value.as_u64().expect("a number");
                self.put(at, number as u32);
                self.put(at + 4, (number >> 32) as u32);
            }
            Type::String => self.text(at, value.as_str().expect("a text"), body),
            Type::Id(id) => {
                let kind = self.resolve.types[*id].kind.clone();
                self.lower_defined(&kind, value, at, body);
            }
            other => panic!("{value} is no {other:?}"),
        }
    }

    fn lower_defined(&mut self, kind: &TypeDefKind, value: &Value, at: u32, body: &mut String) {
        match kind {
            TypeDefKind::Type(other) => self.lower(other, value, at, body),
            TypeDefKind::Record(record) => {
                let types: Vec<Type> = record.fields.iter().map(|field| field.ty).collect();
                let keys: Vec<&String> = value.as_object().expect("a record").keys().collect();
                let known = |key: &&String| record.fields.iter().any(|field| field.name == ***key);
                assert!(keys.iter().all(known), "{keys:?} are no fields of {record:?}");
                for (field, (offset, kind)) in record.fields.iter().zip(self.sizes.field_offsets(&types)) {
                    self.lower(kind, &value[&field.name], at + offset.size_wasm32() as u32, body);
                }
            }
            TypeDefKind::Tuple(tuple) => {
                for (index, (offset, kind)) in self.sizes.field_offsets(&tuple.types).into_iter().enumerate()
                {
                    self.lower(kind, &value[index], at + offset.size_wasm32() as u32, body);
                }
            }
            TypeDefKind::List(Type::U8) => self.text(at, value.as_str().expect("bytes as text"), body),
            TypeDefKind::List(element) => {
                let items = value.as_array().expect("a list");
                let size = self.sizes.size(element).size_wasm32();
                let list = self.room(items.len() * size, 8);
                self.put(at, list);
                self.put(at + 4, items.len() as u32);
                for (index, item) in items.iter().enumerate() {
                    self.lower(element, item, list + (index * size) as u32, body);
                }
            }
            TypeDefKind::Option(inner) => {
                let payload = self.sizes.payload_offset(Int::U8, [None, Some(inner)]).size_wasm32();
                self.memory[(at - BASE) as usize] = 1;
                self.lower(inner, value, at + payload as u32, body);
            }
            TypeDefKind::Result(result) => {
                let cases = [("ok", result.ok), ("err", result.err)];
                self.case(&cases, value, at, body);
            }
            TypeDefKind::Variant(variant) => {
                let cases: Vec<(&str, Option<Type>)> =
                    variant.cases.iter().map(|case| (case.name.as_str(), case.ty)).collect();
                self.case(&cases, value, at, body);
            }
            other => panic!("{other:?} is not made here"),
        }
    }

    fn case(&mut self, cases: &[(&str, Option<Type>)], value: &Value, at: u32, body: &mut String) {
        let (name, value) = value.as_object().and_then(|object| object.iter().next()).expect("one case");
        let index =
            cases.iter().position(|(case, _)| case == name).unwrap_or_else(|| panic!("no case {name}"));
        self.memory[(at - BASE) as usize] = index as u8;
        let types = cases.iter().map(|(_, kind)| kind.as_ref());
        let payload = self.sizes.payload_offset(Int::U8, types).size_wasm32() as u32;
        if let Some(kind) = &cases[index].1 {
            self.lower(kind, value, at + payload, body);
        }
    }

    /// Room for so many bytes, zeroed; where it is in the guest.
    fn room(&mut self, bytes: usize, align: usize) -> u32 {
        self.memory.resize(self.memory.len().next_multiple_of(align), 0);
        let at = self.memory.len();
        self.memory.resize(at + bytes, 0);
        BASE + at as u32
    }

    fn put(&mut self, at: u32, number: u32) {
        let at = (at - BASE) as usize;
        self.memory[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }

    fn text(&mut self, at: u32, text: &str, body: &mut String) {
        if let Some(number) = text.strip_prefix('$').and_then(|number| number.parse::<u32>().ok()) {
            let (start, length) = (2 * (number - 1), 2 * (number - 1) + 1);
            let _ = write!(body, "(i32.store (i32.const {at}) (local.get {start}))");
            let _ = write!(body, "(i32.store (i32.const {}) (local.get {length}))", at + 4);
            return;
        }
        let bytes = self.room(text.len(), 1);
        if text == "$tick" {
            // Four letters, of which the first is another one at each tick.
            let _ = write!(
                body,
                "(i32.store (i32.const {bytes}) (i32.or (i32.const 0x41414141) (i32.shl (i32.and (call $tick) (i32.const 7)) (i32.const 1))))"
            );
            self.put(at, bytes);
            return self.put(at + 4, 4);
        }
        let start = (bytes - BASE) as usize;
        self.memory[start..start + text.len()].copy_from_slice(text.as_bytes());
        self.put(at, bytes);
        self.put(at + 4, text.len() as u32);
    }
}
