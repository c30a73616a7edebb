//! What the SDK promises to plugin authors, tried natively.

mod arguments;
mod call;
mod client;
mod completions;
mod config;
mod events;
mod export;
mod faults;
mod harness;
mod http_failures;
mod http_paths;
mod http_requests;
mod http_responses;
mod jobs;
mod keyvalue;
mod log;
mod mqtt;
mod prompts;
mod questions;
mod resources;
mod results;
mod schemas;
mod skills;
mod ssh;
mod surfaces;
