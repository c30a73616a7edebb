//! What every store promises, and what the one on disk promises beside it.

mod contract;
mod files;
mod killed;
mod shared;
