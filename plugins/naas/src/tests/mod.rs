//! Promises, one file for each part of the contract. [`played`] plays the server.

mod arguments;
mod declaration;
mod deduplication;
mod direct;
mod ending;
mod keys;
mod lists;
mod logins;
mod ownership;
mod played;
mod prompts;
mod refusals;
mod resources;
mod sending;
mod waiting;
