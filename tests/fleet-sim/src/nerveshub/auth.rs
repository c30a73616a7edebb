//! Who is calling: the `Authorization` header of section 1 of the contract.

use axum::http::{HeaderMap, header};

use super::model::Id;
use super::state::State;
use super::token;

/// The user behind exactly one `Authorization` header with a valid token, which is stamped as used.
pub(crate) fn user(headers: &HeaderMap, state: &State) -> Option<Id> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    // Split at single spaces, as the real one does: two spaces make an empty token.
    let mut words = value.to_str().ok()?.split(' ');
    let (scheme, text) = (words.next()?, words.next()?);
    if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("token") {
        return None;
    }
    if !token::well_formed(text) {
        return None;
    }
    let mut world = state.lock();
    let now = world.now();
    let token = world.tokens.get_mut(text)?;
    token.last_used = Some(now);
    Some(token.user)
}
