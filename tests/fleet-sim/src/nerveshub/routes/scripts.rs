//! Support scripts: the lists (25 per page), one script, and running one.

use std::collections::HashMap;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, State as Of};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::super::errors::ApiError;
use super::super::ilike::Like;
use super::super::model::{EventKind, Id, Role, Script};
use super::super::pagination::Page;
use super::super::params::{Params, segment};
use super::super::state::State;
use super::super::targets::{AtDevice, InProduct};
use super::super::{filters, runner, shapes};

/// Scripts per page unless the client says otherwise.
const PAGE_SIZE: usize = 25;
/// Milliseconds a request waits for a device unless the client says otherwise.
const TIMEOUT: u64 = 30_000;

/// A condition on a script.
type Wanted = Box<dyn Fn(&Script) -> bool>;

pub(super) async fn of_product(
    here: InProduct,
    Of(state): Of<State>,
    Extension(params): Extension<Params>,
) -> Result<Response, ApiError> {
    let here = here.require(Role::View)?;
    list(&state, here.product, &params)
}

/// The scripts of the device's own product.
pub(super) async fn of_device(
    here: AtDevice,
    Of(state): Of<State>,
    Extension(params): Extension<Params>,
) -> Result<Response, ApiError> {
    let here = here.require(Role::View)?;
    let product = state.lock().device_row(here.device).product;
    list(&state, product, &params)
}

fn list(state: &State, product: Id, params: &Params) -> Result<Response, ApiError> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for (key, value) in filters::asked(params)? {
        let like = Like::containing(value);
        match key {
            _ if value.is_empty() && known(key) => {}
            "name" => wanted.push(Box::new(move |script| like.finds(&script.name))),
            "tags" => {
                for like in filters::tags(value) {
                    wanted.push(Box::new(move |script| tags(script).is_some_and(|tags| like.finds(&tags))));
                }
            }
            "search" => wanted.push(Box::new(move |script| {
                like.finds(&script.name) || like.finds(&tags(script).unwrap_or_default())
            })),
            other if known(other) => {}
            _ => return Err(ApiError::Fault),
        }
    }
    let page = Page::parse(params, PAGE_SIZE)?;
    let world = state.lock();
    let mut scripts: Vec<&Script> = world
        .scripts
        .iter()
        .filter(|script| script.product == product && wanted.iter().all(|wanted| wanted(script)))
        .collect();
    scripts.sort_by(|left, right| left.name.cmp(&right.name));
    let (scripts, pagination) = page.cut(scripts);
    Ok(shapes::page(scripts.into_iter().map(shapes::script_item).collect(), pagination))
}

/// A key that exists somewhere in the server; others raise.
fn known(key: &str) -> bool {
    matches!(key, "name" | "tags" | "search") || filters::known_atom(key)
}

fn tags(script: &Script) -> Option<String> {
    script.tags.as_ref().map(|tags| tags.join(" "))
}

/// By number only.
pub(super) async fn show(
    here: InProduct,
    Of(state): Of<State>,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Response, ApiError> {
    let id: Id = segment(&path, "id").parse().map_err(|_| ApiError::NotFound)?;
    let world = state.lock();
    let mut scripts = world.scripts.iter();
    let script = scripts.find(|script| script.product == here.product && script.id == id);
    Ok(shapes::data(StatusCode::OK, shapes::script(&world, script.ok_or(ApiError::NotFound)?)))
}

/// `view` is enough here, whatever one would expect.
pub(super) async fn run(
    here: AtDevice,
    Of(state): Of<State>,
    Path(path): Path<HashMap<String, String>>,
    Extension(params): Extension<Params>,
) -> Result<Response, ApiError> {
    let here = here.require(Role::View)?;
    let (device, script, timeout) = {
        let mut world = state.lock();
        let device = world.device_row(here.device).clone();
        let script = world.script_of(device.product, segment(&path, "name_or_id"));
        let script = script.ok_or(ApiError::NotFound)?.clone();
        let timeout = timeout(&params)?;
        world.tell(here.device, EventKind::RunScript { script: script.name.clone() });
        (device, script, timeout)
    };
    let output = runner::run(&device, &script, timeout, &state.seed).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], output).into_response())
}

/// An integer or the text of one; anything else, and a negative one, raises.
fn timeout(params: &Params) -> Result<Duration, ApiError> {
    let millis = match params.get("timeout") {
        None => Some(TIMEOUT),
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_u64(),
    };
    millis.map(Duration::from_millis).ok_or(ApiError::Fault)
}
