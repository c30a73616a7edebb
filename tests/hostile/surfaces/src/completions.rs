//! What may follow in an argument.

use crate::bindings::exports::fleetgate::plugin::completions::{Completion, Fault, Guest};
use crate::{Liar, lie};

impl Guest for Liar {
    fn complete(_: String, _: String, _: String, _: String) -> Result<Completion, Fault> {
        let mut values = vec!["one".to_owned()];
        match lie().as_str() {
            "completes-many" => values = (0..100_000).map(|n| n.to_string()).collect(),
            "completes-long" => values.push("x".repeat(1 << 20)),
            "completes-hidden" => values = vec!["one\u{202e}\u{1b}[2J".to_owned()],
            "completes-huge" => values = (0..64).map(|_| "x".repeat(1 << 20)).collect(),
            "completes-trap" => panic!("while completing"),
            _ => {}
        }
        Ok(Completion { values, total: None, has_more: false })
    }
}
