//! What the SDK promises to plugin authors, tried natively.

mod arguments;
mod call;
mod config;
mod export;
mod faults;
mod harness;
mod http_failures;
mod http_paths;
mod http_requests;
mod http_responses;
mod log;
mod questions;
mod results;
mod schemas;
