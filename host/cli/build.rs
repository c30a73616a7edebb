//! Embeds the SDK's sources, so that `fleetgate new` makes crates that build anywhere.
//!
//! Within this workspace the SDK inherits versions and finds the interface beside it. Here both are written out:
//! the copies stand alone in `fleetgate-sdk/`, with `macros/` and `wit/` inside.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// The interfaces of the SDK's bindings, and where they look for them, here and in the copy.
const WIT: [&str; 4] = ["fleetgate-plugin", "fleetgate-ssh", "fleetgate-keyvalue", "fleetgate-mqtt"];
const WIT_HERE: &str = "\"../../wit/";
const WIT_THERE: &str = "\"wit/";

fn main() {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../..");
    let root: Table = read_toml(&workspace.join("Cargo.toml"));
    let mut files = Vec::new();
    for (from, to) in [("sdk/rust", ""), ("sdk/rust/macros", "macros/")] {
        let manifest = stand_alone(read_toml(&workspace.join(from).join("Cargo.toml")), &root);
        files.push((format!("{to}Cargo.toml"), manifest));
        sources(&workspace.join(from), "src", to, &mut files);
    }
    for package in WIT {
        sources(&workspace, &format!("wit/{package}"), "", &mut files);
    }
    let bindings =
        files.iter_mut().find(|(path, _)| path == "src/bindings.rs").expect("the SDK has bindings");
    bindings.1 = bindings.1.replace(WIT_HERE, WIT_THERE);
    for package in WIT {
        let path = format!("{WIT_THERE}{package}\"");
        assert!(bindings.1.contains(&path), "the bindings name {package}");
    }

    let toolchain: Table = read_toml(&workspace.join("rust-toolchain.toml"));
    let channel = toolchain["toolchain"]["channel"].as_str().expect("the toolchain has a channel");
    let version = |name: &str| {
        let dependency = &root["workspace"]["dependencies"][name];
        dependency.as_str().or_else(|| dependency["version"].as_str()).expect("it has a version").to_owned()
    };
    let mut code = format!(
        "/// The toolchain that this workspace is built with.\npub const CHANNEL: &str = {channel:?};\n\
         /// Versions of what the example uses.\n\
         pub const SERDE: &str = {:?};\npub const SCHEMARS: &str = {:?};\n\
         /// Every file of the SDK: its path and its text.\npub const FILES: &[(&str, &str)] = &[\n",
        version("serde"),
        version("schemars"),
    );
    files.sort();
    for (path, text) in files {
        code.push_str(&format!("    ({path:?}, {text:?}),\n"));
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("sdk.rs");
    fs::write(out, code).expect("the build directory can be written");
}

fn read(path: &Path) -> String {
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read_toml(path: &Path) -> Table {
    read(path).parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below `base/directory`, but for the SDK's own tests.
fn sources(base: &Path, directory: &str, to: &str, files: &mut Vec<(String, String)>) {
    let here = base.join(directory);
    // New and removed files count as well.
    println!("cargo::rerun-if-changed={}", here.display());
    for entry in fs::read_dir(&here).unwrap_or_else(|error| panic!("{}: {error}", here.display())) {
        let entry = entry.expect("the directory can be listed");
        let name = entry.file_name().into_string().expect("sources have plain names");
        let path = format!("{directory}/{name}");
        if name == "tests" {
            continue;
        }
        if entry.path().is_dir() {
            sources(base, &path, to, files);
        } else if name.ends_with(".rs") || name.ends_with(".wit") {
            files.push((format!("{to}{path}"), read(&entry.path())));
        }
    }
}

/// A crate's manifest with everything written out that it inherits.
fn stand_alone(mut manifest: Table, root: &Table) -> String {
    let workspace = &root["workspace"];
    let package = manifest["package"].as_table_mut().expect("a package");
    let inherited: Vec<String> =
        package.iter().filter(|(_, value)| is_inherited(value)).map(|(key, _)| key.clone()).collect();
    for key in inherited {
        package[&key] = workspace["package"][&key].clone();
    }
    manifest.remove("lints");
    dependencies(&mut manifest, workspace);
    if let Some(Value::Table(targets)) = manifest.get_mut("target") {
        for (_, target) in targets.iter_mut() {
            dependencies(target.as_table_mut().expect("a target"), workspace);
        }
    }
    toml::to_string(&manifest).expect("a manifest is TOML")
}

fn dependencies(table: &mut Table, workspace: &Value) {
    // A path dependency's tests are never run.
    table.remove("dev-dependencies");
    let Some(Value::Table(dependencies)) = table.get_mut("dependencies") else { return };
    for (name, wanted) in dependencies.iter_mut() {
        if !is_inherited(wanted) {
            continue;
        }
        let mut whole = match &workspace["dependencies"][name] {
            Value::String(version) => Table::from_iter([("version".to_owned(), version.as_str().into())]),
            Value::Table(table) => table.clone(),
            other => panic!("{name} is {other}"),
        };
        if whole.contains_key("path") {
            // The only crate of the workspace that the SDK may use.
            assert_eq!(name, "fleetgate-sdk-macros", "the SDK stands alone");
            whole.insert("path".to_owned(), "macros".into());
        }
        for (key, value) in
            wanted.as_table().expect("it is inherited").iter().filter(|(key, _)| *key != "workspace")
        {
            match (whole.get_mut(key), value) {
                (Some(Value::Array(before)), Value::Array(more)) => before.extend(more.clone()),
                _ => drop(whole.insert(key.clone(), value.clone())),
            }
        }
        *wanted = Value::Table(whole);
    }
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}
