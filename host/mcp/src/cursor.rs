//! Where a page of a list ended. A cursor holds the last name of its page and continues after that name in whatever
//! the list is by then, so a reload between two pages neither repeats a tool nor skips one that stayed. It is opaque
//! (the specification's word) and signed: only what this process gave out, on the same endpoint, is taken back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fleetgate_core::catalog::Scope;
use rmcp::ErrorData;

use crate::keys::{Key, TAG};

/// Makes and reads the cursors of one endpoint.
pub(crate) struct Cursors {
    key: Key,
    /// Part of what is signed, so that a cursor of one endpoint is none on another.
    endpoint: String,
}

impl Cursors {
    pub(crate) fn new(key: Key, scope: &Scope) -> Self {
        let endpoint = match scope {
            Scope::Shared => String::new(),
            Scope::Binding(name) => name.to_string(),
        };
        Self { key, endpoint }
    }

    /// The cursor that continues after this name.
    pub(crate) fn after(&self, name: &str) -> String {
        let mut bytes = self.key.tag(&self.parts(name)).to_vec();
        bytes.extend_from_slice(name.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The name to continue after. An empty cursor was never given out, so it is as wrong as any other.
    pub(crate) fn read(&self, cursor: &str) -> Result<String, ErrorData> {
        self.open(cursor).ok_or_else(|| {
            ErrorData::invalid_params(
                "this cursor is not one of this endpoint's: start the list again without one",
                None,
            )
        })
    }

    fn open(&self, cursor: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, name) = bytes.split_at_checked(TAG)?;
        let name = std::str::from_utf8(name).ok()?;
        self.key.verify(&self.parts(name), tag).then(|| name.to_owned())
    }

    fn parts<'a>(&'a self, name: &'a str) -> [&'a [u8]; 3] {
        [b"tools/list", self.endpoint.as_bytes(), name.as_bytes()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_on_its_own_endpoint_alone() {
        let key = Key::new();
        let shared = Cursors::new(key.clone(), &Scope::Shared);
        let naas = Cursors::new(key, &Scope::Binding("naas".into()));
        let cursor = shared.after("naas_ping");
        assert_eq!(shared.read(&cursor).unwrap(), "naas_ping");
        assert!(naas.read(&cursor).is_err());
    }

    #[test]
    fn a_changed_truncated_empty_or_foreign_cursor_is_refused() {
        let cursors = Cursors::new(Key::new(), &Scope::Shared);
        let cursor = cursors.after("b");
        for position in 0..cursor.len() {
            let mut changed: Vec<char> = cursor.chars().collect();
            changed[position] = if changed[position] == 'A' { 'B' } else { 'A' };
            let changed: String = changed.into_iter().collect();
            // The last digit carries bits that mean nothing; a decoder may take or refuse them.
            if let Ok(name) = cursors.read(&changed) {
                assert_eq!(name, "b");
                assert_eq!(position, cursor.len() - 1);
            }
        }
        for wrong in [
            "",
            "b",
            &cursor[1..],
            &cursor[..20],
            "====",
            &Cursors::new(Key::new(), &Scope::Shared).after("b"),
        ] {
            let error = cursors.read(wrong).unwrap_err();
            assert_eq!(error.code.0, -32602, "{wrong}");
        }
    }
}
