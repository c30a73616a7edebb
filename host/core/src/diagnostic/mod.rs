//! What is wrong with a file that somebody wrote: where, and what to do about it.
//!
//! A manifest and `fleetgate.toml` are read through a [`TableReader`], a cursor that hands out each key once, as
//! the type it should have. It collects every problem instead of stopping at the first, and at the end names the
//! keys that nobody took: a misspelled key that narrows a grant must never pass in silence.

mod document;
mod finite;
mod misspelt;
mod reader;
mod report;
mod suggestion;
mod takers;

pub use document::Document;
pub use misspelt::Misspelt;
pub use reader::{Place, TableReader};
pub use report::{Diagnostic, Diagnostics, Summary};
pub use suggestion::{did_you_mean, nearest, quoted};
/// A value and the bytes of the document that it was read from.
pub use toml::Spanned;
