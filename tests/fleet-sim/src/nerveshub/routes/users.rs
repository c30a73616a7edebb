//! `GET /api/users/me`, and the login that issues tokens.

use axum::Extension;
use axum::extract::State as Of;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::super::dice::Dice;
use super::super::errors::ApiError;
use super::super::model::Token;
use super::super::params::Params;
use super::super::shapes;
use super::super::state::State;
use super::super::targets::Caller;
use super::super::token;

pub(super) async fn me(caller: Caller, Of(state): Of<State>) -> Response {
    let world = state.lock();
    shapes::data(StatusCode::OK, shapes::user(world.user_row(caller.user)))
}

/// Every login is a new token; the old ones stay good, they never expire.
pub(super) async fn login(
    Of(state): Of<State>,
    Extension(params): Extension<Params>,
) -> Result<Response, ApiError> {
    let (email, password) = (params.text("email"), params.text("password"));
    let mut world = state.lock();
    let mut users = world.users.iter();
    let user = users
        .find(|user| Some(user.email.as_str()) == email && Some(user.password.as_str()) == password)
        .ok_or(ApiError::LoginFailed)?
        .clone();
    let mut dice = Dice::new(state.seed.number ^ (world.tokens.len() as u64) << 32);
    let token = token::mint(dice.bytes());
    let note = params.text("note").map(|note| note.split_whitespace().collect::<Vec<_>>().join(" "));
    world.tokens.insert(token.clone(), Token { user: user.id, note, last_used: None });
    let data = json!({"name": user.name, "email": user.email, "token": token});
    Ok(shapes::data(StatusCode::OK, data))
}
