//! The tools, one file for each group.

pub mod account;
pub mod actions;
pub mod device;
pub mod filters;
pub mod fleet;
pub mod health;
pub mod history;
pub mod releases;
pub mod scripts;
pub mod spread;
pub mod summary;
pub mod upgrade;
