//! What buckets promise.

mod bounds;
mod buckets;
mod kept;
mod many;
mod owners;
mod quotas;
mod tables;
mod world;
