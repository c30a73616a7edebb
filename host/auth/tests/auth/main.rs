//! The audit log and the local caller, as promises.

mod damage;
mod disk;
mod finding;
mod following;
mod local;
mod recording;
mod rotating;
mod sample;
