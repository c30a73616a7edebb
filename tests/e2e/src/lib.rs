//! What the end-to-end tests are made of: an [`Installation`] in a folder of its own, the real [`Server`] over it, and
//! a client of today's protocol ([`Modern`]). Clients of older protocols are rmcp's own and other people's.

pub mod direct;
mod fleet;
mod installation;
mod lab;
mod modern;
pub mod network;
mod node;
mod packing;
pub mod platform;
mod said;
mod server;
mod upstream;

use std::path::PathBuf;

pub use direct::Direct;
pub use fleet::{Fleet, kiosk, with};
pub use installation::Installation;
pub use lab::{LOGIN, Lab, on};
pub use modern::{Answer, Modern, http_client};
pub use network::Network;
pub use node::Node;
pub use packing::{packed, repacked};
pub use platform::Platform;
pub use said::Said;
pub use server::{PATIENCE, Server};
pub use upstream::{Arrived, Upstream};

/// A program of this workspace, as `cargo build --workspace --bins` left it.
pub fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("a test has a path");
    // target/debug/deps/e2e-… lies two folders below.
    let program = tests.ancestors().nth(2).expect("tests lie in target/<profile>/deps").join(name);
    assert!(program.exists(), "{} is missing: run `cargo build --workspace --bins`", program.display());
    program
}

/// A packed plugin, as `cargo xtask plugins` left it.
pub fn plugin(id: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("a test has a path");
    let target = tests.ancestors().nth(3).expect("tests lie in target/<profile>/deps");
    let file = format!("{id}.wasm");
    ["plugins", "test-plugins"]
        .map(|folder| target.join(folder).join(&file))
        .into_iter()
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("there is no packed plugin {id}: run `cargo xtask plugins`"))
}
