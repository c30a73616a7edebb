//! The core of Fleetgate: it runs plugins, each call in a fresh sandbox, and knows what each may do.
//!
//! Read along the way of a call: [`catalog`] (what is live) → [`authorize`] (may this caller) → [`validate`]
//! (are the arguments right) → [`sandbox`] (run it) → [`capability`] (what it may reach) → [`audit`] (what
//! happened). [`call`] strings them together, [`asking`] is where one ends with a question, [`jobs`] runs calls that
//! nobody waits for, and keeps them in a [`store`]. [`manifest`] is what a plugin's author asks for, [`settings`] is
//! what the operator gives, [`artifact`] is the file that arrives.
//!
//! The core names no capability, speaks no MCP and opens no port: those crates depend on this one.

pub mod abi;
pub mod address;
pub mod artifact;
pub mod asking;
pub mod audit;
pub mod authorize;
pub mod call;
pub mod capability;
pub mod catalog;
pub mod diagnostic;
pub mod domain;
pub mod duty;
pub mod events;
pub mod holders;
pub mod jobs;
pub mod key_file;
pub mod manifest;
pub mod mask;
pub mod meta;
pub mod ownership;
pub mod principal;
pub mod sandbox;
pub mod secret_arguments;
pub mod settings;
pub mod store;
pub mod text;
pub mod tls;
pub mod units;
pub mod uri;
pub mod validate;
pub mod whole_file;
