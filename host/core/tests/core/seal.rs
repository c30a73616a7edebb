//! The sealed state of a question: good for its own matter, once, for a while, and nothing else.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use fleetgate_core::artifact::Digest;
use fleetgate_core::asking::{Matter, Opened, Sealer, TTL, Unopenable, answers};
use fleetgate_core::call::Kind;
use fleetgate_core::catalog::Scope;
use fleetgate_core::domain::{InputRequest, Question};
use serde_json::{Map, Value, json};

const MATTER: Matter<'static> = Matter {
    principal: "ann",
    scope: &Scope::Shared,
    binding: "lab",
    kind: Kind::Tool,
    name: "lab_reboot",
    arguments: r#"{"device": "sn-1", "force": true}"#,
};

fn question(state: Option<Vec<u8>>) -> Question {
    let schema = json!({"type": "object", "properties": {"sure": {"type": "boolean"}}, "required": ["sure"]});
    let form = json!({"mode": "form", "message": "[lab] Sure?", "requestedSchema": schema});
    let of = |key: &str, kind: &str, params| InputRequest { key: key.into(), kind: kind.into(), params };
    let sampling = json!({"messages": [], "maxTokens": 1});
    Question { requests: vec![of("sure", "elicitation-form", form), of("text", "sampling", sampling)], state }
}

fn plugin() -> Digest {
    Digest::of(b"plugin")
}

fn sealed(sealer: &Sealer) -> String {
    sealer.seal(&MATTER, &plugin(), &question(Some(b"step 2".to_vec())))
}

#[test]
fn what_was_sealed_is_opened_once() {
    let sealer = Sealer::new(TTL);
    let token = sealed(&sealer);
    let Opened { plugin: by, asked, state } = sealer.open(&MATTER, &token).unwrap();
    assert_eq!((by, state.as_deref()), (plugin(), Some(&b"step 2"[..])));
    let given: Map<String, Value> = Map::from_iter([(
        "sure".to_owned(),
        json!({"action": "accept", "content": {"sure": true, "more": 1}}),
    )]);
    let fits = [("sure".to_owned(), json!({"action": "accept", "content": {"sure": true}}))];
    assert_eq!(answers(&asked, &given), fits, "what was asked is known again");
    assert_eq!(sealer.open(&MATTER, &token), Err(Unopenable::Used));
    assert_eq!(sealer.open(&MATTER, &token), Err(Unopenable::Used));
    let other = sealed(&sealer);
    assert!(other != token && sealer.open(&MATTER, &other).is_ok());
}

#[test]
fn no_state_and_an_empty_state_are_two_things() {
    let sealer = Sealer::new(TTL);
    for state in [None, Some(Vec::new()), Some(vec![0; 64 << 10])] {
        let token = sealer.seal(&MATTER, &plugin(), &question(state.clone()));
        assert_eq!(sealer.open(&MATTER, &token).unwrap().state, state);
    }
}

#[test]
fn a_token_tells_its_holder_nothing() {
    let sealer = Sealer::new(TTL);
    let canary = b"canary-7c1f".repeat(40);
    let token = sealer.seal(&MATTER, &plugin(), &question(Some(canary)));
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap();
    for known in [&b"canary"[..], b"sure", b"elicitation", b"ann", b"sn-1", plugin().as_bytes()] {
        assert!(!bytes.windows(known.len()).any(|window| window == known));
        assert!(!token.as_bytes().windows(known.len()).any(|window| window == known));
    }
}

#[test]
fn a_token_with_any_byte_changed_is_no_token() {
    let sealer = Sealer::new(TTL);
    let token = sealed(&sealer);
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap();
    for at in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            let changed = BASE64_URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(sealer.open(&MATTER, &changed), Err(Unopenable::Foreign), "byte {at}");
        }
    }
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(sealer.open(&MATTER, &changed), Err(Unopenable::Foreign), "character {at}");
    }
    for length in 0..token.len() {
        assert_eq!(sealer.open(&MATTER, &token[..length]), Err(Unopenable::Foreign), "{length} characters");
    }
    for changed in [
        format!("{token}-TAMPERED"),
        format!("{token}A"),
        format!("{token}="),
        "ä".into(),
        "A".repeat(2 << 20),
    ] {
        assert_eq!(sealer.open(&MATTER, &changed), Err(Unopenable::Foreign));
    }
    assert!(sealer.open(&MATTER, &token).is_ok(), "none of them used it up");
}

#[test]
fn a_token_is_good_for_its_own_matter_alone() {
    let sealer = Sealer::new(TTL);
    let token = sealed(&sealer);
    let (lab, twin) = (Scope::Binding("lab".into()), Scope::Binding("twin".into()));
    for other in [
        Matter { principal: "bob", ..MATTER },
        Matter { principal: "annl", binding: "ab", ..MATTER },
        Matter { scope: &lab, ..MATTER },
        Matter { scope: &twin, ..MATTER },
        Matter { binding: "lab2", ..MATTER },
        Matter { kind: Kind::Prompt, ..MATTER },
        Matter { kind: Kind::Resource, ..MATTER },
        Matter { name: "lab_wipe", ..MATTER },
        Matter { arguments: r#"{"device": "sn-2", "force": true}"#, ..MATTER },
        Matter { arguments: r#"{"device": "sn-1"}"#, ..MATTER },
        Matter { arguments: "{}", ..MATTER },
        Matter { arguments: "", ..MATTER },
    ] {
        assert_eq!(sealer.open(&other, &token), Err(Unopenable::Foreign), "{other:?}");
    }
    let reordered = Matter { arguments: r#"{ "force":true,"device":"sn-1"}"#, ..MATTER };
    assert!(sealer.open(&reordered, &token).is_ok(), "the same arguments, spelled otherwise");
}

#[test]
fn a_token_of_before_a_restart_is_no_token() {
    let token = sealed(&Sealer::new(TTL));
    assert_eq!(Sealer::new(TTL).open(&MATTER, &token), Err(Unopenable::Foreign));
}

#[test]
fn a_token_ends() {
    let sealer = Sealer::new(Duration::ZERO);
    let token = sealed(&sealer);
    assert_eq!(sealer.open(&MATTER, &token), Err(Unopenable::Expired));
}

#[test]
fn one_callers_answers_do_not_use_up_anothers_room() {
    let sealer = Sealer::new(TTL);
    let small =
        |matter: &Matter<'_>| sealer.seal(matter, &plugin(), &Question { requests: Vec::new(), state: None });
    for _ in 0..1 << 14 {
        sealer.open(&MATTER, &small(&MATTER)).unwrap();
    }
    assert_eq!(sealer.open(&MATTER, &small(&MATTER)), Err(Unopenable::Busy));
    let bob = Matter { principal: "bob", ..MATTER };
    assert!(sealer.open(&bob, &small(&bob)).is_ok());
}
