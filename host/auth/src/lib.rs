//! Who is calling, what they may do, and the record of what they did.
//!
//! - [`local`]: the caller without a credential, and the roles that such a caller holds
//! - [`audit`]: the log that [`fleetgate_core::audit::Audit`] asks for, and the way to find something in it

pub mod audit;
pub mod local;
