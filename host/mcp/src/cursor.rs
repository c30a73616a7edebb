//! Where a page of a list ended. A cursor holds the last name of its page and continues after that name in whatever
//! the list is by then, so a reload between two pages neither repeats an item nor skips one that stayed; a list that
//! is taken from guests holds the guest's own cursor as well. It is opaque (the specification's word) and signed: only
//! what this process gave out, for the same list on the same endpoint, is taken back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fleetgate_core::catalog::Scope;
use rmcp::ErrorData;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::keys::{Key, TAG};

/// Makes and reads the cursors of one endpoint.
pub(crate) struct Cursors {
    key: Key,
    /// Part of what is signed, so that a cursor of one endpoint is none on another.
    endpoint: String,
}

/// The list that a cursor is for; part of what is signed, too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Of<'a> {
    /// Its method.
    pub(crate) list: &'static str,
    /// Whose it is, where the guest makes it for its caller: a guest's cursor is for nobody else. Else empty.
    pub(crate) principal: &'a str,
}

impl Of<'_> {
    /// A list whose cursors hold nothing but names.
    pub(crate) fn named(list: &'static str) -> Self {
        Self { list, principal: "" }
    }
}

impl Cursors {
    pub(crate) fn new(key: Key, scope: &Scope) -> Self {
        let endpoint = match scope {
            Scope::Shared => String::new(),
            Scope::Binding(name) => name.to_string(),
        };
        Self { key, endpoint }
    }

    /// The cursor that continues at this place.
    pub(crate) fn at(&self, of: Of<'_>, place: &impl Serialize) -> Result<String, ErrorData> {
        let place =
            serde_json::to_vec(place).map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        let mut bytes = self.key.tag(&self.parts(of, &place)).to_vec();
        bytes.extend_from_slice(&place);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The place to continue at. An empty cursor was never given out, so it is as wrong as any other.
    pub(crate) fn read<T: DeserializeOwned>(&self, of: Of<'_>, cursor: &str) -> Result<T, ErrorData> {
        self.open(of, cursor).ok_or_else(|| {
            ErrorData::invalid_params(
                "this cursor is not one of this list's on this endpoint: start the list again without one",
                None,
            )
        })
    }

    fn open<T: DeserializeOwned>(&self, of: Of<'_>, cursor: &str) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, place) = bytes.split_at_checked(TAG)?;
        let place = self.key.verify(&self.parts(of, place), tag).then_some(place)?;
        serde_json::from_slice(place).ok()
    }

    fn parts<'a>(&'a self, of: Of<'a>, place: &'a [u8]) -> [&'a [u8]; 4] {
        [of.list.as_bytes(), of.principal.as_bytes(), self.endpoint.as_bytes(), place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLS: Of<'static> = Of { list: "tools/list", principal: "" };

    #[test]
    fn a_cursor_is_read_back_for_its_own_list_on_its_own_endpoint_alone() {
        let key = Key::new();
        let shared = Cursors::new(key.clone(), &Scope::Shared);
        let naas = Cursors::new(key, &Scope::Binding("naas".into()));
        let cursor = shared.at(TOOLS, &"naas_ping").unwrap();
        assert_eq!(shared.read::<String>(TOOLS, &cursor).unwrap(), "naas_ping");
        assert!(naas.read::<String>(TOOLS, &cursor).is_err());
        assert!(shared.read::<String>(Of::named("prompts/list"), &cursor).is_err());
        assert!(shared.read::<String>(Of { principal: "ann", ..TOOLS }, &cursor).is_err());
    }

    #[test]
    fn a_changed_truncated_empty_or_foreign_cursor_is_refused() {
        let cursors = Cursors::new(Key::new(), &Scope::Shared);
        let cursor = cursors.at(TOOLS, &"b").unwrap();
        for position in 0..cursor.len() {
            let mut changed: Vec<char> = cursor.chars().collect();
            changed[position] = if changed[position] == 'A' { 'B' } else { 'A' };
            let changed: String = changed.into_iter().collect();
            // The last digit carries bits that mean nothing; a decoder may take or refuse them.
            if let Ok(name) = cursors.read::<String>(TOOLS, &changed) {
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
            &Cursors::new(Key::new(), &Scope::Shared).at(TOOLS, &"b").unwrap(),
        ] {
            let error = cursors.read::<String>(TOOLS, wrong).unwrap_err();
            assert_eq!(error.code.0, -32602, "{wrong}");
        }
    }
}
