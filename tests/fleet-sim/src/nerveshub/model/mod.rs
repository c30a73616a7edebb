//! The rows that the simulated hub keeps: what section 2 of the contract shows, and what stands behind it.

mod accounts;
mod device;
mod history;
mod releases;
mod scripts;

pub use accounts::{Membership, Org, Product, Role, Token, User};
pub use device::{Connection, ConnectionStatus, Device, Health};
pub use history::{AuditRow, Event, EventKind};
pub use releases::{DeploymentGroup, Firmware, FirmwareMetadata, InflightUpdate};
pub use scripts::{Prints, Script};

/// A row's number. Orgs, products and devices never show theirs over REST; scripts do.
pub type Id = u64;
