//! A machine with one user and nothing on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use tempfile::{TempDir, tempdir};

/// A component that imports nothing, and exports as much as a plugin must: it would complete arguments.
pub static COMPONENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let text = r#"(component
        (core module $code (func (export "complete")))
        (core instance $code (instantiate $code))
        (func $complete (canon lift (core func $code "complete")))
        (instance $completions (export "complete" (func $complete)))
        (export "fleetgate:plugin/completions@0.1.0" (instance $completions)))"#;
    wat::parse_str(text).unwrap()
});

pub struct Home {
    folder: TempDir,
}

impl Home {
    pub fn new() -> Self {
        let folder = tempdir().unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The working directory of every command.
    pub fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    /// Writes a file, with the directories above it.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The user's configuration.
    pub fn config(&self, text: &str) -> PathBuf {
        self.write(".config/fleetgate/fleetgate.toml", text)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetgate"));
        command.args(arguments).current_dir(self.work());
        command.env_clear().env("HOME", self.path()).env("PATH", "/usr/bin:/bin");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran(self.command(arguments).output().unwrap())
    }

    /// A plugin in a file of its own, with this id and what follows `[plugin]` in its manifest.
    pub fn packed(&self, id: &str, rest: &str) -> PathBuf {
        self.write("work/component.wasm", &*COMPONENT);
        self.write("work/plugin.toml", manifest(id, rest));
        let ran = self.run(&["pack", "component.wasm", "plugin.toml", "-o", &format!("{id}.wasm")]);
        assert_eq!(ran.code(), 0, "{}", ran.err());
        self.work().join(format!("{id}.wasm"))
    }
}

impl Home {
    /// A plugin in the user's plugin directory.
    pub fn plugin(&self, id: &str, version: &str, rest: &str) {
        self.write("build/component.wasm", &*COMPONENT);
        self.write("build/plugin.toml", manifest(id, rest).replace("1.2.3", version));
        let plugins = self.path().join(".config/fleetgate/plugins");
        fs::create_dir_all(&plugins).unwrap();
        let (component, plugin_toml) =
            (self.path().join("build/component.wasm"), self.path().join("build/plugin.toml"));
        let paths = [&component, &plugin_toml, &plugins].map(|path| path.to_str().unwrap());
        let ran = self.run(&["pack", paths[0], paths[1], "-o", paths[2]]);
        assert_eq!(ran.code(), 0, "{}", ran.err());
    }
}

pub fn manifest(id: &str, rest: &str) -> String {
    format!(
        "[plugin]\nid = \"{id}\"\nversion = \"1.2.3\"\ninterface = \"0.1\"\ntitle = \"A test\"\n\
         description = \"Says nothing.\"\n{rest}"
    )
}

pub struct Ran(Output);

impl Ran {
    pub fn code(&self) -> i32 {
        self.0.status.code().expect("it ended by itself")
    }

    pub fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out())
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.out(), self.err()))
    }

    /// It ended with this code, and said all of this on stderr.
    #[track_caller]
    pub fn refused(&self, code: i32, said: &[&str]) {
        assert_eq!(self.code(), code, "{}{}", self.out(), self.err());
        for said in said {
            assert!(self.err().contains(said), "{said:?} is not in:\n{}", self.err());
        }
    }
}
