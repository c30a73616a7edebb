//! The capability without a guest: tables as people write them, devices as a guest uses them. The devices are a real
//! OpenSSH server, and for what it does not do (a router's prompts, old algorithms, odd logins) one of our own.

mod addresses;
mod cancelling;
mod commands;
mod device;
mod exec;
mod guesses;
mod host_keys;
mod jumps;
mod leaks;
mod logins;
mod many;
mod patterns;
mod pooling;
mod records;
mod reflections;
mod secrets;
#[path = "../../../../core/tests/core/spellings.rs"]
mod spellings;
#[allow(dead_code, reason = "other tests need other parts of it")]
mod sshd;
mod tables;
mod targets;
mod terminals;
mod trouble;
mod typing;
mod world;
