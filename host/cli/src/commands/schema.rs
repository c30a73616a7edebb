//! `fleetgate schema`: JSON Schemas for editors.

use clap::{Args, ValueEnum};
use fleetgate_core::{manifest, settings};

use crate::failure::Failure;
use crate::output;
use crate::running::capabilities;

/// Prints the JSON Schema of plugin.toml or fleetgate.toml, for editors.
#[derive(Debug, Args)]
pub struct Schema {
    /// Of which file.
    of: File,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum File {
    /// plugin.toml
    Manifest,
    /// fleetgate.toml
    Config,
}

impl Schema {
    pub fn run(self) -> Result<(), Failure> {
        let capabilities = capabilities();
        output::json(&match self.of {
            File::Manifest => manifest::json_schema(&capabilities),
            File::Config => settings::json_schema(&capabilities),
        });
        Ok(())
    }
}
