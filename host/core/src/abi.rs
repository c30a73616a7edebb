//! Between the host's own types and those of each version of the WIT. A later version is a second module beside
//! [`v0_1`]; nothing outside this folder names a generated type.

pub mod log;
pub(crate) mod v0_1;
