//! Damaged files are answered, never with a panic: every prefix, and thousands of flipped bytes.

use std::sync::Arc;

use fleetgate_core::artifact::{Artifact, exports, imports, pack};
use fleetgate_core::diagnostic::Document;
use fleetgate_core::manifest::widening;

use super::artifact::component;
use super::fake::capabilities;
use super::{manifest, settings};

/// Every prefix of a text, and the text with one byte replaced by another, `count` times: always the same ones.
fn damaged(bytes: &[u8], count: usize) -> impl Iterator<Item = Vec<u8>> + '_ {
    let prefixes = (0..bytes.len()).map(|end| bytes[..end].to_vec());
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let flips = (0..count).map(move |_| {
        // xorshift64: any spread will do.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let mut copy = bytes.to_vec();
        copy[seed as usize % bytes.len()] ^= (seed >> 32) as u8 | 1;
        copy
    });
    prefixes.chain(flips)
}

#[test]
fn a_damaged_manifest_never_panics_and_its_problems_can_be_shown() {
    let whole = manifest::read(manifest::FULL).unwrap();
    let mut refused = 0;
    for bytes in damaged(manifest::FULL.as_bytes(), 2000) {
        match manifest::read(String::from_utf8_lossy(&bytes).into_owned()) {
            Ok(read) => drop((widening(&whole, &read), widening(&read, &whole))),
            Err(problems) => {
                refused += 1;
                assert!(!problems.is_empty() && !problems.to_string().is_empty());
                assert!(problems.to_json().as_array().is_some_and(|all| !all.is_empty()));
                drop(format!("{:?}", miette::Report::new(problems.summary())));
            }
        }
    }
    assert!(refused > 2000, "{refused}");
}

#[test]
fn damaged_settings_never_panic_and_neither_do_their_grants() {
    let plugin = manifest::read(manifest::FULL).unwrap();
    let mut refused = 0;
    for bytes in damaged(settings::FULL.as_bytes(), 2000) {
        match settings::read(String::from_utf8_lossy(&bytes).into_owned()) {
            Ok(read) => {
                for binding in read.bindings.values() {
                    match binding.grants(&plugin, &capabilities(), &read.secrets, &read.limits) {
                        Ok(grants) => drop(binding.missing(&plugin, &grants)),
                        Err(problems) => assert!(!problems.is_empty()),
                    }
                }
            }
            Err(problems) => {
                refused += 1;
                drop(format!("{:?}", miette::Report::new(problems.summary())));
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn a_damaged_artifact_never_panics() {
    let whole = component(&[manifest::FULL.as_bytes()]);
    let toml = Arc::new(Document::new("plugin.toml", manifest::ABOUT));
    let mut refused = 0;
    for bytes in damaged(&whole, 4000) {
        drop((imports(&bytes), exports(&bytes)));
        drop(pack(&bytes, &toml, &capabilities()));
        match Artifact::from_bytes("naas.wasm", bytes) {
            Ok(artifact) => drop(artifact.manifest(&capabilities())),
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty() && !error.help().is_empty());
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn a_key_of_a_hundred_thousand_parts_is_refused_and_the_host_lives() {
    for text in [
        format!("{}a = 1\n", "a.".repeat(100_000)),
        format!("[{}a]\n", "a.".repeat(100_000)),
        format!("a = {}{}\n", "[".repeat(100_000), "]".repeat(100_000)),
        format!("a = {}{}\n", "{a=".repeat(60_000), "}".repeat(60_000)),
        format!("a = {{ {}a = 1 }}\n", "a.".repeat(100_000)),
    ] {
        assert!(manifest::read(text.clone()).is_err());
        assert!(settings::read(text).is_err());
    }
}
