//! Which roles a caller holds now, rather than when he came.

use crate::principal::Principal;
use crate::settings::Settings;

/// Knows what callers hold at this moment. A principal is of the request that it came with; whatever outlives that (a job
/// that waits, a subscription, the one caller of stdio) asks again before it does something in its name.
pub trait Holders: Send + Sync + 'static {
    /// The same caller, with the roles that these settings give. Whoever is not known here holds what he held.
    fn holding(&self, principal: &Principal, settings: &Settings) -> Principal;
}
