//! From a request to what it is about: the caller, the org, the product, the device. Extractors that refuse in
//! the order of the real pipeline: token (401), membership (404), product (404), device (404). The role comes
//! last, with [`InOrg::require`] and its siblings, as the real one checks it in the controller.

use std::collections::HashMap;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::auth;
use super::errors::ApiError;
use super::model::{Id, Role};
use super::params::segment;
use super::state::State;

/// Whoever the token belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) user: Id,
}

/// A member in one org.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InOrg {
    pub(crate) org: Id,
    role: Role,
}

/// A member in one product of the org.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InProduct {
    pub(crate) product: Id,
    role: Role,
}

/// A member at one device, by its long address or its short one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AtDevice {
    pub(crate) user: Id,
    pub(crate) device: Id,
    role: Role,
}

impl InOrg {
    pub(crate) fn require(self, role: Role) -> Result<Self, ApiError> {
        allow(self.role, role).map(|()| self)
    }
}

impl InProduct {
    pub(crate) fn require(self, role: Role) -> Result<Self, ApiError> {
        allow(self.role, role).map(|()| self)
    }
}

impl AtDevice {
    pub(crate) fn require(self, role: Role) -> Result<Self, ApiError> {
        allow(self.role, role).map(|()| self)
    }
}

/// A role that is too low is 401, not 403.
fn allow(has: Role, needs: Role) -> Result<(), ApiError> {
    if has >= needs { Ok(()) } else { Err(ApiError::Unauthorized) }
}

impl FromRequestParts<State> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        auth::user(&parts.headers, state).map(|user| Self { user }).ok_or(ApiError::Unauthorized)
    }
}

impl FromRequestParts<State> for InOrg {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let path = segments(parts).await?;
        let world = state.lock();
        let org = world.org_named(segment(&path, "org")).ok_or(ApiError::NotFound)?.id;
        let role = world.role(caller.user, org).ok_or(ApiError::NotFound)?;
        Ok(Self { org, role })
    }
}

impl FromRequestParts<State> for InProduct {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let InOrg { org, role } = InOrg::from_request_parts(parts, state).await?;
        let path = segments(parts).await?;
        let world = state.lock();
        let product = world.product_named(org, segment(&path, "product")).ok_or(ApiError::NotFound)?.id;
        Ok(Self { product, role })
    }
}

impl FromRequestParts<State> for AtDevice {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let Caller { user } = Caller::from_request_parts(parts, state).await?;
        let path = segments(parts).await?;
        let identifier = segment(&path, "identifier");
        if path.contains_key("org") {
            let org = InOrg::from_request_parts(parts, state).await?;
            // The product has to exist, and that is all: the device may belong to another one.
            InProduct::from_request_parts(parts, state).await?;
            let world = state.lock();
            let device = world.device_named(org.org, identifier).ok_or(ApiError::NotFound)?.id;
            return Ok(Self { user, device, role: org.role });
        }
        let world = state.lock();
        let mut found = world
            .devices
            .iter()
            .filter(|device| device.identifier == identifier)
            .filter_map(|device| world.role(user, device.org).map(|role| (device.id, role)));
        let (device, role) = found.next().ok_or(ApiError::NotFound)?;
        // The same identifier in two of the caller's orgs: the real query expects one row and raises.
        if found.next().is_some() { Err(ApiError::Fault) } else { Ok(Self { user, device, role }) }
    }
}

/// Percent-decoded path parameters; what is not UTF-8 then is a bad request.
pub(crate) async fn segments(parts: &mut Parts) -> Result<HashMap<String, String>, ApiError> {
    Path::from_request_parts(parts, &()).await.map(|Path(path)| path).map_err(|_| ApiError::InvalidRequest)
}
