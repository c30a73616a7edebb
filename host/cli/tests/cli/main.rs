//! The program as a person meets it: help, exit codes, and the sentences when something is wrong.

mod asking;
mod configuration;
mod events;
mod home;
mod new_plugin;
mod packing;
mod serving;
mod usage;
