//! `fleetgate new`: a plugin's crate that builds anywhere.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;
use crate::new_plugin::files;
use crate::output::{self, bold};

/// Makes a crate for a new plugin, with everything that it needs to be built.
#[derive(Debug, Args)]
pub struct New {
    /// The plugin's id, and the directory's name: lower-case letters, digits and hyphens, a letter first.
    name: String,
    /// Where the directory is made instead of here.
    #[arg(long = "in", value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl New {
    pub fn run(self) -> Result<(), Failure> {
        check(&self.name)?;
        let target = self.directory.clone().unwrap_or_default().join(&self.name);
        match fs::create_dir(&target) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(Failure::usage(format!("{} is there already", target.display()))
                    .help("choose another name, or remove it first"));
            }
            Err(error) => return Err(cannot("create", &target)(error)),
        }
        for (path, text) in files(&self.name) {
            let path = target.join(path);
            let parent = path.parent().unwrap_or(&target);
            fs::create_dir_all(parent).map_err(cannot("create", parent))?;
            fs::write(&path, text).map_err(cannot("write", &path))?;
        }
        self.next_steps(&target);
        Ok(())
    }

    fn next_steps(&self, target: &Path) {
        let id = &self.name;
        output::line(format_args!("{} is a plugin with one tool. Next:\n", bold(target.display())));
        output::line(format_args!("  cd {}", target.display()));
        output::line("  cargo test");
        output::line("  cargo build --release --target wasm32-wasip2");
        output::line(format_args!(
            "  fleetgate pack target/wasm32-wasip2/release/plugin.wasm plugin.toml -o {id}.wasm"
        ));
        output::line(format_args!("  fleetgate inspect {id}.wasm\n"));
        output::line(format_args!(
            "Then copy {id}.wasm into the plugin directory of your host and run fleetgate enable {id}."
        ));
    }
}

fn cannot<'a>(action: &'a str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Failure + 'a {
    move |error| Failure::failed(format!("cannot {action} {}: {error}", path.display()))
}

/// The same rule as the manifest's for `id`.
fn check(name: &str) -> Result<(), Failure> {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|first| first.is_ascii_lowercase());
    let rest = letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
    if first && rest && name.len() <= 32 {
        return Ok(());
    }
    let refused = Failure::usage(format!("{name:?} is not a plugin's id"));
    Err(match suggestion(name) {
        Some(better) => refused.help(format!("write {better}")),
        None => refused.help("write 1 to 32 lower-case letters, digits and hyphens, a letter first"),
    })
}

fn suggestion(name: &str) -> Option<String> {
    let lower = name.to_lowercase().replace(['_', ' ', '.'], "-");
    let kept: String =
        lower.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    let better = kept.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let better = better.trim_start_matches(|letter: char| !letter.is_ascii_lowercase());
    (!better.is_empty() && better.len() <= 32).then(|| better.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{check, suggestion};

    #[test]
    fn a_name_that_is_no_id_gets_one_that_is() {
        assert_eq!(suggestion("My_Plugin").as_deref(), Some("my-plugin"));
        assert_eq!(suggestion("3d printer").as_deref(), Some("d-printer"));
        assert_eq!(suggestion("../evil").as_deref(), Some("evil"));
        assert_eq!(suggestion("日本"), None);
        for name in ["", "A", "1a", "a_b", "a/b", "..", "-a", &"a".repeat(33)] {
            assert!(check(name).is_err(), "{name}");
        }
        for name in ["a", "naas-2", "weather"] {
            assert!(check(name).is_ok(), "{name}");
        }
    }
}
