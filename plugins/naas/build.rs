//! Packs the templates of the ntc-templates package: for each platform one compressed JSON document with its part of
//! the index and the templates that it names. `FLEETGATE_NTC_TEMPLATES` is the folder into which the package was
//! installed (`cargo xtask plugins` does that), or a checkout of the project. Without it the plugin has no templates but
//! the operator's own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The platforms that the plugin drives.
const PLATFORMS: [&str; 10] = [
    "arista_eos",
    "cisco_ios",
    "cisco_nxos",
    "cisco_xr",
    "fortinet",
    "hp_procurve",
    "juniper_junos",
    "linux",
    "mikrotik_routeros",
    "paloalto_panos",
];

const FOLDER: &str = "FLEETGATE_NTC_TEMPLATES";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={FOLDER}");
    println!("cargo::rustc-check-cfg=cfg(ntc_templates)");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut source = String::new();
    match env::var_os(FOLDER).filter(|folder| !folder.is_empty()) {
        Some(folder) => {
            println!("cargo::rustc-cfg=ntc_templates");
            pack(Path::new(&folder), &out, &mut source);
        }
        None => source.push_str(
            "pub(super) static PLATFORMS: [(&str, &[u8]); 0] = [];\npub(super) static NOTICES: &str = \"\";\n",
        ),
    }
    write(&out.join("packed.rs"), source.as_bytes());
}

fn pack(folder: &Path, out: &Path, source: &mut String) {
    let templates = folder.join("ntc_templates/templates");
    println!("cargo::rerun-if-changed={}", templates.display());
    let index = read(&templates.join("index"));
    let count = PLATFORMS.len();
    let _ = writeln!(source, "pub(super) static PLATFORMS: [(&str, &[u8]); {count}] = [");
    for platform in PLATFORMS {
        let document = document(&index, platform, &templates);
        let file = out.join(format!("{platform}.json.deflate"));
        write(&file, &miniz_oxide::deflate::compress_to_vec(document.as_bytes(), 10));
        let _ = writeln!(source, "    ({platform:?}, include_bytes!({file:?})),");
    }
    let notices = out.join("NOTICES");
    write(&notices, self::notices(folder).as_bytes());
    let _ = writeln!(source, "];\npub(super) static NOTICES: &str = include_str!({notices:?});");
}

/// The rows of the index for a platform, in their order, and the templates that they name.
fn document(index: &str, platform: &str, folder: &Path) -> String {
    let mut rows = Vec::new();
    let mut templates = BTreeMap::new();
    let lines = index.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    for line in lines.skip(1) {
        // As the reference reads it: a row with another number of columns is none.
        let columns: Vec<&str> = line.split(',').map(str::trim).collect();
        let [names, _, platforms, command] = columns[..] else { continue };
        if !is_for(platforms, platform) {
            continue;
        }
        let names: Vec<&str> = names.split(':').collect();
        for name in &names {
            templates.entry((*name).to_owned()).or_insert_with(|| read(&folder.join(name)));
        }
        rows.push(serde_json::json!({ "templates": names, "command": command }));
    }
    assert!(!rows.is_empty(), "the index of ntc-templates has nothing for {platform}");
    serde_json::json!({ "index": rows, "templates": templates }).to_string()
}

/// Whether the index's pattern for platforms is for this one. The patterns are names, with at most one group of
/// alternatives.
fn is_for(pattern: &str, platform: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('(') else {
        return platform.starts_with(&pattern.replace('\\', ""));
    };
    let (inside, after) =
        rest.split_once(')').unwrap_or_else(|| panic!("{pattern:?} in the index is not understood"));
    inside
        .trim_start_matches("?:")
        .split('|')
        .any(|part| platform.starts_with(&format!("{before}{part}{after}")))
}

/// Who made the templates, and under which licence: part of every copy.
fn notices(folder: &Path) -> String {
    let (version, license) = installed(folder).unwrap_or_else(|| checked_out(folder));
    let apache = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../LICENSE"));
    format!(
        "This plugin contains templates of ntc-templates {version}, unchanged: those of {}.\n\
         ntc-templates is made by Network to Code and its contributors, and says of its licence:\n\n\
         {license}\nThe licence:\n\n{apache}",
        PLATFORMS.join(", ")
    )
}

/// Version and licence of the package, where it was installed into this folder.
fn installed(folder: &Path) -> Option<(String, String)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let about = entries.filter_map(|entry| Some(entry.ok()?.path())).find(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("ntc_templates-") && name.ends_with(".dist-info")
    })?;
    let metadata = read(&about.join("METADATA"));
    let version = metadata.lines().find_map(|line| line.strip_prefix("Version: ")).expect("a version");
    let license = ["LICENSE", "licenses/LICENSE"]
        .into_iter()
        .find_map(|name| fs::read_to_string(about.join(name)).ok())
        .expect("the licence of ntc-templates");
    Some((version.to_owned(), license))
}

/// The same of a checkout of the project.
fn checked_out(folder: &Path) -> (String, String) {
    let project = read(&folder.join("pyproject.toml"));
    let version = project.lines().find_map(|line| line.strip_prefix("version = ")).unwrap_or_else(|| {
        panic!("{} is neither an installed ntc-templates nor a checkout of it", folder.display())
    });
    (version.trim_matches('"').to_owned(), read(&folder.join("LICENSE")))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, content: &[u8]) {
    fs::write(path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
