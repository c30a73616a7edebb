//! One granted capability of a binding, ready for calls.

use std::sync::Arc;

use governor::DefaultDirectRateLimiter;

use crate::calls::Calls;
use crate::filter::Filters;
use crate::grant::MqttLimits;
use crate::rate::Rate;
use crate::request::MqttRequest;
use crate::standing::Stand;

/// What becomes of a request and its grant.
pub(crate) struct Route {
    /// `mqtt.broker`
    pub(crate) capability: String,
    /// `plugins.jettyd.grant.mqtt.broker`
    pub(crate) grant: String,
    /// What the manifest asks for.
    pub(crate) request: MqttRequest,
    pub(crate) publish: Filters,
    pub(crate) subscribe: Filters,
    pub(crate) limits: MqttLimits,
    pub(crate) rate: (Rate, DefaultDirectRateLimiter),
    /// The connection for calls.
    pub(crate) calls: Calls,
    /// The connection for events.
    pub(crate) stand: Arc<Stand>,
}

/// A binding's granted routes, and what it asked for in vain.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) granted: Vec<Arc<Route>>,
    /// `mqtt.broker` with the key that its grant would have.
    pub(crate) missing: Vec<(String, String)>,
}
