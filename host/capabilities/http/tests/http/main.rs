//! The capability without a guest: tables as people write them, requests as a guest makes them, real servers on
//! loopback.

mod addresses;
mod connections;
mod credentials;
mod decisions;
mod headers;
mod limits;
mod redirects;
mod secret_arguments;
#[path = "../../../../core/tests/core/spellings.rs"]
mod spellings;
mod tables;
mod upstream;
mod world;
