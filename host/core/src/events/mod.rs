//! Events: what happened in a fleet when nobody called, and what should happen from time to time.

mod may;

pub use may::May;
