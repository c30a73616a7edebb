//! Promises, one file for each part of the contract. [`played`] plays the host and the API.

mod acting;
mod alerts;
mod declaration;
mod direct;
mod fleet;
mod history;
mod names;
mod played;
mod refusals;
mod sensors;
