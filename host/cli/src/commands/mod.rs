//! One file for each command.

pub mod approve;
pub mod audit;
pub mod call;
pub mod check;
pub mod enable;
pub mod events;
pub mod inspect;
pub mod jobs;
pub mod new;
pub mod pack;
pub mod prompt;
pub mod read;
mod request;
pub mod schema;
pub mod serve;
pub mod state;
pub mod stdio;
pub mod why;
