//! The template project's own samples: outputs of real devices beside what they must become. They are not in this
//! repository. With a checkout of networktocode/ntc-templates, and a plugin with templates (see the README):
//!
//! ```text
//! NTC_TEMPLATES=<checkout> cargo test -p fleetgate-plugin-naas -- --ignored samples
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use saphyr::{LoadableYamlNode, ScalarOwned, YamlOwned};
use serde_json::Value;

use super::super::own::OwnTemplates;
use super::super::packed::platforms;
use super::super::rows;
use super::super::textfsm::Budget;

#[test]
#[ignore = "needs NTC_TEMPLATES, a checkout of the template project"]
fn every_sample_of_the_template_project_becomes_what_the_project_says() {
    let folder = env::var_os("NTC_TEMPLATES").expect("NTC_TEMPLATES is a checkout of the template project");
    let mut samples = 0;
    let mut wrong = Vec::new();
    for platform in platforms() {
        for raw in outputs(&Path::new(&folder).join("tests").join(platform)) {
            samples += 1;
            if let Err(difference) = check(platform, &raw) {
                wrong.push(format!("{}: {difference}", raw.display()));
            }
        }
    }
    assert!(samples > 0, "{} has no samples", Path::new(&folder).display());
    println!("{} of {samples} samples are as the project says", samples - wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The `.raw` files in the folders of a platform's commands.
fn outputs(platform: &Path) -> Vec<PathBuf> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.expect("an entry").path()).collect()
    };
    let commands = inside(platform).into_iter().filter(|path| path.is_dir());
    let mut raw: Vec<PathBuf> = commands.flat_map(|command| inside(&command)).collect();
    raw.retain(|path| path.extension().is_some_and(|extension| extension == "raw"));
    raw.sort();
    raw
}

/// The command is the name of the folder, with `_` for each space.
fn check(platform: &str, raw: &Path) -> Result<(), String> {
    let folder = raw.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    let command = folder.replace('_', " ");
    let output = fs::read_to_string(raw).map_err(|error| error.to_string())?;
    // As Python reads a text file.
    let output = output.replace("\r\n", "\n").replace('\r', "\n");
    let mut budget = Budget::new(Duration::from_secs(60));
    let found = rows(&OwnTemplates::default(), platform, &command, &output, &mut budget)
        .map_err(|error| error.to_string())?
        .ok_or_else(|| format!("no template for `{command}`"))?;
    let expected = expected(&raw.with_extension("yml"))?;
    if found.len() != expected.len() {
        return Err(format!("{} rows, and not {}", found.len(), expected.len()));
    }
    for (number, (found, expected)) in found.into_iter().zip(expected).enumerate() {
        let found = Value::Object(found);
        if found != expected {
            return Err(format!("row {number} is\n  {found}\nand not\n  {expected}"));
        }
    }
    Ok(())
}

fn expected(file: &Path) -> Result<Vec<Value>, String> {
    // A list's end in the column of its key is allowed by the project's reader alone.
    let text =
        fs::read_to_string(file).map_err(|error| error.to_string())?.replace("\n    ]\n", "\n     ]\n");
    let documents = YamlOwned::load_from_str(&text).map_err(|error| error.to_string())?;
    let sample = documents.first().and_then(|document| document.as_mapping_get("parsed_sample"));
    let rows = sample.and_then(YamlOwned::as_sequence).ok_or("no parsed_sample")?;
    Ok(rows.iter().map(json).collect())
}

fn json(yaml: &YamlOwned) -> Value {
    if let Some(map) = yaml.as_mapping() {
        let pair = |(key, value): (&YamlOwned, &YamlOwned)| {
            (key.as_str().expect("keys are text").to_lowercase(), json(value))
        };
        return Value::Object(map.iter().map(pair).collect());
    }
    if let Some(list) = yaml.as_sequence() {
        return list.iter().map(json).collect();
    }
    match yaml {
        YamlOwned::Value(ScalarOwned::String(text)) => text.as_str().into(),
        other => panic!("{other:?} is neither text nor a list nor a mapping"),
    }
}
