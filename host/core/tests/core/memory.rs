//! A guest's memory, laid out by hand: for guests that do more than answer.

use std::path::Path;
use std::sync::LazyLock;

use wit_parser::{Resolve, WorldId};

use super::guest::Tool;

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

    /// `result<outcome, fault>`: a question with one request and no state.
    pub fn question(&mut self, key: &str, kind: &str, params: &str) -> u32 {
        let answer = self.room(128);
        self.put(answer + 4, 1);
        let request = self.room(24);
        self.text(request, key);
        self.text(request + 8, kind);
        self.text(request + 16, params);
        self.put(answer + 8, request);
        self.put(answer + 12, 1);
        answer
    }

    /// `result<outcome, fault>`: done, with a structured result. Before it lie the two tags and the content.
    pub fn outcome(&mut self, structured: &str) -> u32 {
        let answer = self.room(128);
        self.optional(answer + 16, Some(structured));
        answer
    }
}
