//! A guest for jobs: what a tool does is said by the first letter of its name.
//!
//! `d…` is done at once; `l…` reports progress and computes for ever; `t…` traps; `f…` fails with a fault of its own;
//! `a…` asks for a name, each time anew; `s-NAME` submits the tool `NAME` with its own arguments and answers with the
//! job's id or the fault's code; `g…` submits itself; `e…` answers with its arguments; `c…` stops the job of its
//! arguments, `{"id":"…"}`, and answers as `s-NAME` does.

use std::fmt::Write;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::guest::Tool;
use super::memory::{BASE, Memory, WIT};

/// The component, with these tools.
pub fn component(tools: &[&str]) -> Vec<u8> {
    let tool = |name: &&str| match *name {
        "c" => Tool { input: r#"{"type":"object"}"#.into(), ..Tool::new(name) },
        name => Tool::new(name),
    };
    component_of(&tools.iter().map(tool).collect::<Vec<_>>())
}

/// The same with tools of any shape.
pub fn component_of(tools: &[Tool]) -> Vec<u8> {
    let mut memory = Memory(Vec::new());
    let list = memory.tools(tools);
    let done = memory.outcome(r#"{"done":true}"#);
    let fault = memory.fault("the device said no");
    let schema = r#"{"type":"object","properties":{"name":{"type":"string"}}}"#;
    let params = format!(r#"{{"message":"Who?","requestedSchema":{schema}}}"#);
    let ask = memory.question("who", "elicitation-form", &params);
    let said = memory.room(16);
    memory.text(said, "half way");
    // `{"job":"…"}` is put together here: where the text begins and ends, and room for what lies between.
    let answer = memory.room(128);
    let (before, after) = (memory.room(16), memory.room(16));
    memory.text(before, r#"{"said":""#);
    memory.text(after, r#""}"#);
    let returned = memory.room(256);
    let text = memory.room(512);
    let pages = (BASE as usize + memory.0.len()) / 65536 + 2;
    let data = memory.0.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:02x}");
        text
    });
    let wat = format!(
        r#"(module
            (import "fleetgate:plugin/jobs@0.1.0" "submit"
                (func $submit (param i32 i32 i32 i32 i32 i32 i32 i32)))
            (import "fleetgate:plugin/jobs@0.1.0" "cancel" (func $cancel (param i32 i32 i32)))
            (import "fleetgate:plugin/call@0.1.0" "progress"
                (func $progress (param f64 i32 f64 i32 i32 i32)))
            (memory (export "memory") {pages})
            (data (i32.const {BASE}) "{data}")
            (global $free (mut i32) (i32.const {free}))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
                (global.set $free (i32.add (local.get $at) (local.get 3)))
                (local.get $at))
            (func (export "fleetgate:plugin/tools@0.1.0#list-tools") (result i32) (i32.const {list}))
            (func $append (param $from i32) (param $length i32) (param $at i32) (result i32)
                (memory.copy (local.get $at) (local.get $from) (local.get $length))
                (i32.add (local.get $at) (local.get $length)))
            (func $submitted (param $name i32) (param $length i32) (param $with i32) (param $bytes i32)
                (result i32)
                (call $submit (local.get $name) (local.get $length)
                    (local.get $with) (local.get $bytes)
                    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {returned}))
                (call $say))
            (func $cancelled (param $id i32) (result i32)
                (call $cancel (local.get $id) (i32.const 26) (i32.const {returned}))
                (call $say))
            (func $say (result i32)
                (local $at i32)
                ;; The id of a job and the code of a fault come first in both.
                (local.set $at (i32.const {text}))
                (local.set $at (call $append (i32.load (i32.const {before}))
                    (i32.load offset=4 (i32.const {before})) (local.get $at)))
                (local.set $at (call $append (i32.load offset=8 (i32.const {returned}))
                    (i32.load offset=12 (i32.const {returned})) (local.get $at)))
                (local.set $at (call $append (i32.load (i32.const {after}))
                    (i32.load offset=4 (i32.const {after})) (local.get $at)))
                (i32.store offset=16 (i32.const {answer}) (i32.const 1))
                (i32.store offset=20 (i32.const {answer}) (i32.const {text}))
                (i32.store offset=24 (i32.const {answer}) (i32.sub (local.get $at) (i32.const {text})))
                (i32.const {answer}))
            (func (export "fleetgate:plugin/tools@0.1.0#call-tool")
                (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
                (local $c i32)
                (local.set $c (i32.load8_u (local.get 0)))
                (if (i32.eq (local.get $c) (i32.const 97)) (then (return (i32.const {ask}))))
                (if (i32.eq (local.get $c) (i32.const 100)) (then (return (i32.const {done}))))
                (if (i32.eq (local.get $c) (i32.const 102)) (then (return (i32.const {fault}))))
                (if (i32.eq (local.get $c) (i32.const 116)) (then (unreachable)))
                (if (i32.eq (local.get $c) (i32.const 103))
                    (then (return (call $submitted (local.get 0) (local.get 1) (local.get 2) (local.get 3)))))
                (if (i32.eq (local.get $c) (i32.const 101))
                    (then
                        (i32.store offset=16 (i32.const {answer}) (i32.const 1))
                        (i32.store offset=20 (i32.const {answer}) (local.get 2))
                        (i32.store offset=24 (i32.const {answer}) (local.get 3))
                        (return (i32.const {answer}))))
                (if (i32.eq (local.get $c) (i32.const 99))
                    (then (return (call $cancelled (i32.add (local.get 2) (i32.const 7))))))
                (if (i32.eq (local.get $c) (i32.const 115))
                    (then (return (call $submitted (i32.add (local.get 0) (i32.const 2))
                        (i32.sub (local.get 1) (i32.const 2)) (local.get 2) (local.get 3)))))
                (call $progress (f64.const 1) (i32.const 1) (f64.const 2) (i32.const 1)
                    (i32.load (i32.const {said})) (i32.load offset=4 (i32.const {said})))
                (loop $ever (br $ever))
                (unreachable)))"#,
        free = BASE as usize + memory.0.len(),
    );
    let mut module = wat::parse_str(wat).expect("a module");
    let (resolve, world) = &*WIT;
    embed_component_metadata(&mut module, resolve, *world, StringEncoding::UTF8).expect("its types");
    let mut encoder =
        ComponentEncoder::default().module(&module).expect("a module of that world").validate(true);
    encoder.encode().expect("a component")
}
