//! Keeps a credential out of what a guest reads.
//!
//! An upstream may echo what it got: a debug endpoint, an error page, a header, a device's running configuration.
//! So the value that was sent is looked for in all that comes back, in each form that it may come back in, and
//! replaced. All forms are one Aho-Corasick automaton, made once per value; what arrives is searched as it streams,
//! and only as much of it is held back as could be the beginning of a form.

mod forms;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use bytes::{Bytes, BytesMut};

use forms::forms;

/// What the guest reads instead.
pub const MASKED: &[u8] = b"[masked]";

/// Shorter values, and shorter pieces of encoded ones, are in every text by chance.
pub(crate) const SHORTEST: usize = 4;

/// The forms of some secret values.
pub struct Mask {
    automaton: AhoCorasick,
    /// Sorted, for the search for beginnings.
    forms: Vec<Vec<u8>>,
    /// The bytes that forms begin with.
    first: [bool; 256],
    longest: usize,
    /// For header names, which arrive in lower case.
    names: AhoCorasick,
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask(…)")
    }
}

impl Mask {
    /// A mask of these values. None: all are too short to be told from ordinary text.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Arc<Self>> {
        let values: Vec<&str> = values.into_iter().collect();
        let forms: BTreeSet<Vec<u8>> =
            values.iter().flat_map(|value| forms(value)).filter(|form| form.len() >= SHORTEST).collect();
        let forms: Vec<_> = forms.into_iter().collect();
        let longest = forms.iter().map(Vec::len).max()?;
        let mut first = [false; 256];
        forms.iter().for_each(|form| first[usize::from(form[0])] = true);
        // Nearly everything is skipped by a prefilter, so the small automaton is as fast as the large one, which
        // has megabytes where a credential is a long token.
        let small = Some(AhoCorasickKind::ContiguousNFA);
        let automaton =
            AhoCorasick::builder().kind(small).match_kind(MatchKind::LeftmostLongest).build(&forms).ok()?;
        let raw = values.iter().filter(|value| value.len() >= SHORTEST);
        let names = AhoCorasick::builder().kind(small).ascii_case_insensitive(true).build(raw).ok()?;
        Some(Arc::new(Self { automaton, forms, first, longest, names }))
    }

    /// Whether any form stands in there.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        self.automaton.is_match(bytes)
    }

    /// A short text that holds a value in any case, masked: field names arrive in lower case. None: it holds none.
    pub fn replace_any_case(&self, text: &[u8]) -> Option<Vec<u8>> {
        if !self.finds(text) && !self.names.is_match(text) {
            return None;
        }
        Some(
            self.names.replace_all_bytes(&self.replace_bytes(text), &vec![MASKED; self.names.patterns_len()]),
        )
    }

    /// A text without any form; as it is where none stands in it.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.finds(text.as_bytes()) { self.replace(text).into() } else { text.into() }
    }

    /// Bytes without any form; as they are where none stands in them.
    pub fn hide_bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.finds(bytes) { self.replace_bytes(bytes).into() } else { bytes.into() }
    }

    /// A whole text, masked.
    pub fn replace(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.replace_bytes(text.as_bytes())).into_owned()
    }

    /// Bytes, masked.
    pub fn replace_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut clean = Vec::with_capacity(bytes.len());
        let mut from = 0;
        for found in self.automaton.find_iter(bytes) {
            clean.extend_from_slice(&bytes[from..found.start()]);
            clean.extend_from_slice(MASKED);
            from = found.end();
        }
        clean.extend_from_slice(&bytes[from..]);
        clean
    }

    /// Where the earliest piece begins that could be the beginning of a form, at the end of `bytes`.
    fn undecided(&self, bytes: &[u8]) -> usize {
        let from = bytes.len().saturating_sub(self.longest - 1);
        let begins = |at: &usize| self.first[usize::from(bytes[*at])] && self.begins_form(&bytes[*at..]);
        (from..bytes.len()).find(begins).unwrap_or(bytes.len())
    }

    /// Whether a piece is the beginning of a form, and half of it at least.
    fn begins_half(&self, piece: &[u8]) -> bool {
        let at = self.forms.partition_point(|form| form.as_slice() < piece);
        let mut longer = self.forms[at..].iter().take_while(|form| form.starts_with(piece));
        longer.any(|form| form.len() <= 2 * piece.len())
    }

    fn begins_form(&self, piece: &[u8]) -> bool {
        let at = self.forms.partition_point(|form| form.as_slice() < piece);
        self.forms.get(at).is_some_and(|form| form.len() > piece.len() && form.starts_with(piece))
            || self.forms.get(at + 1).is_some_and(|form| form.len() > piece.len() && form.starts_with(piece))
    }
}

/// Masks a body that comes in pieces.
pub struct Masker {
    mask: Arc<Mask>,
    held: BytesMut,
    /// So much of what is held was passed on in a pause.
    passed: usize,
}

impl Masker {
    /// With nothing held back yet.
    pub fn new(mask: Arc<Mask>) -> Self {
        Self { mask, held: BytesMut::new(), passed: 0 }
    }

    /// What masks.
    pub fn mask(&self) -> &Arc<Mask> {
        &self.mask
    }

    /// Whether something is held back that could be the beginning of a form.
    pub fn holds(&self) -> bool {
        self.held.len() > self.passed
    }

    /// Takes the next piece and returns what may go on, perhaps nothing yet.
    pub fn push(&mut self, piece: Bytes) -> Bytes {
        if self.held.is_empty() {
            let undecided = self.mask.undecided(&piece);
            if !self.mask.finds(&piece) {
                // The usual case: the piece goes on as it is, without its last bytes at most.
                self.held.extend_from_slice(&piece[undecided..]);
                return piece.slice(..undecided);
            }
            self.held.extend_from_slice(&piece);
        } else {
            self.held.extend_from_slice(&piece);
        }
        self.pass(self.mask.undecided(&self.held))
    }

    /// What is held back, where nothing comes for a while and somebody waits: it could be all that comes. It is still
    /// known as the beginning of a form; half of one and more is masked, so that pauses do not spell it.
    pub fn pause(&mut self) -> Bytes {
        if !self.holds() {
            return Bytes::new();
        }
        let passed = std::mem::replace(&mut self.passed, self.held.len());
        match self.mask.begins_half(&self.held) {
            true => Bytes::from_static(MASKED),
            false => Bytes::copy_from_slice(&self.held[passed..]),
        }
    }

    /// The rest, at the end of the body.
    pub fn finish(&mut self) -> Bytes {
        self.pass(self.held.len())
    }

    /// Masks what begins before `decided` and passes it on; the rest stays held.
    fn pass(&mut self, decided: usize) -> Bytes {
        let mut clean = BytesMut::with_capacity(decided);
        let mut from = 0;
        for found in self.mask.automaton.find_iter(&self.held[..]) {
            // What could still become a longer form waits for the next piece.
            if found.start() >= decided {
                break;
            }
            clean.extend_from_slice(&self.held[from.max(self.passed.min(found.start()))..found.start()]);
            clean.extend_from_slice(MASKED);
            from = found.end();
        }
        let from_here = from.max(self.passed);
        if from_here < decided {
            clean.extend_from_slice(&self.held[from_here..decided]);
        }
        let gone = from.max(decided);
        let _ = self.held.split_to(gone);
        self.passed = self.passed.saturating_sub(gone);
        clean.freeze()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    const SECRET: &str = "k3y/with+odd=\"chars\"&<more>\\é end";

    fn masked(mask: &Arc<Mask>, text: &[u8], piece: usize) -> Vec<u8> {
        let mut masker = Masker::new(Arc::clone(mask));
        let mut out = Vec::new();
        for piece in text.chunks(piece) {
            out.extend_from_slice(&masker.push(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&masker.finish());
        out
    }

    #[test]
    fn every_form_is_masked_however_the_body_is_cut() {
        let mask = Mask::new([SECRET]).unwrap();
        for form in forms(SECRET) {
            if form.len() < SHORTEST {
                continue;
            }
            let mut text = b"{\"before\":\"".to_vec();
            text.extend_from_slice(&form);
            text.extend_from_slice(b"\",\"after\":1}");
            for piece in [1, 2, 3, 5, 7, 16, 1024] {
                let out = masked(&mask, &text, piece);
                let shown = String::from_utf8_lossy(&out).into_owned();
                assert!(!mask.finds(&out), "{shown}");
                assert!(shown.contains("[masked]") && shown.starts_with("{\"before\":\""), "{shown}");
                assert!(shown.ends_with(",\"after\":1}"), "{shown}");
            }
        }
    }

    #[test]
    fn base64_of_a_text_that_holds_the_value_is_masked() {
        let secret = "s3cr3t-t0k3n-value";
        let mask = Mask::new([secret]).unwrap();
        for before in ["", "x", "xy", "xyz", "Authorization: Bearer "] {
            for engine in [&STANDARD, &URL_SAFE_NO_PAD] {
                let text = engine.encode(format!("{before}{secret} and more"));
                let out = masked(&mask, text.as_bytes(), 5);
                let shown = String::from_utf8(out).unwrap();
                assert!(shown.contains("[masked]"), "{before}: {shown}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_passes_unchanged_and_is_not_held_back() {
        let mask = Mask::new(["s3cr3t-t0k3n"]).unwrap();
        let mut masker = Masker::new(Arc::clone(&mask));
        assert_eq!(masker.push(Bytes::from_static(b"data: one\n\n")), &b"data: one\n\n"[..]);
        assert_eq!(masker.push(Bytes::from_static(b"data: s3cr")), &b"data: "[..]);
        assert_eq!(masker.push(Bytes::from_static(b"atch\n")), &b"s3cratch\n"[..]);
        assert_eq!(masker.push(Bytes::from_static(b"s3cr3t-t0k3")), &b""[..]);
        assert_eq!(masker.finish(), &b"s3cr3t-t0k3"[..]);
    }

    #[test]
    fn pauses_do_not_spell_a_value() {
        let mask = Mask::new(["s3cr3t-t0k3n"]).unwrap();
        for first in 1..12 {
            let mut masker = Masker::new(Arc::clone(&mask));
            let mut said = masker.push(Bytes::from("<s3cr3t-t0k3n"[..1 + first].to_owned())).to_vec();
            said.extend_from_slice(&masker.pause());
            assert!(!masker.holds() && masker.pause().is_empty());
            said.extend_from_slice(&masker.push(Bytes::from("<s3cr3t-t0k3n>"[1 + first..].to_owned())));
            let said = String::from_utf8(said).unwrap();
            assert!(
                said.ends_with("[masked]>") && !said.contains("s3cr3t") && !said.contains("k3n"),
                "{said}"
            );
        }
        let mut masker = Masker::new(mask);
        let mut said = Vec::new();
        for byte in b"<s3cr3t-t0k3n> and s3cretly" {
            said.extend_from_slice(&masker.push(Bytes::copy_from_slice(&[*byte])));
            said.extend_from_slice(&masker.pause());
        }
        let said = String::from_utf8(said).unwrap();
        assert!(said.starts_with("<s3cr3[masked]") && said.ends_with("[masked]> and s3cretly"), "{said}");
    }

    #[test]
    fn of_two_values_the_longer_is_masked_whole() {
        let mask = Mask::new(["abcdef", "abcdefghij"]).unwrap();
        for piece in 1..12 {
            assert_eq!(masked(&mask, b"<abcdefghij>", piece), b"<[masked]>", "{piece}");
            assert_eq!(masked(&mask, b"<abcdefgh>", piece), b"<[masked]gh>", "{piece}");
        }
    }

    #[test]
    fn overlapping_beginnings_do_not_hide_a_value() {
        let mask = Mask::new(["aaab"]).unwrap();
        for piece in 1..8 {
            assert_eq!(masked(&mask, b"aaaaaab", piece), b"aaa[masked]", "{piece}");
        }
    }

    #[test]
    fn a_value_of_three_characters_is_not_looked_for() {
        assert!(Mask::new(["abc"]).is_none());
        assert!(Mask::new([""]).is_none());
    }
}
