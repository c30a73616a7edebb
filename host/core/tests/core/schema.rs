//! The JSON Schemas for editors say the same as the readers.

use fleetgate_core::{manifest, settings};
use jsonschema::Validator;
use serde_json::Value;

use super::fake::capabilities;
use super::manifest::{ABOUT, FULL as MANIFEST};
use super::settings::FULL as SETTINGS;

fn compiled(schema: &Value) -> Validator {
    jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|error| panic!("{error}"));
    jsonschema::draft202012::new(schema).unwrap_or_else(|error| panic!("{error}"))
}

fn json(toml: &str) -> Value {
    let table: toml::Table = toml.parse().unwrap_or_else(|error| panic!("{error}"));
    serde_json::to_value(table).unwrap()
}

#[track_caller]
fn assert_valid(schema: &Validator, toml: &str) {
    let json = json(toml);
    let errors: Vec<_> =
        schema.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn every_key_of_a_manifest_stands_in_its_schema() {
    let schema = compiled(&manifest::json_schema(&capabilities()));
    assert_valid(&schema, MANIFEST);
    assert_valid(&schema, ABOUT);
}

#[test]
fn the_schema_refuses_what_the_reader_of_manifests_refuses() {
    let schema = compiled(&manifest::json_schema(&capabilities()));
    for wrong in [
        "[tool.x]\nrequires = \"any\"",
        "[tools.x]\nread_only = true",
        "[tools.x]\nrequires = []",
        "[tools.x]\nrequires = [\"any\", \"any\"]",
        "[tools.x]\nrequires = \"any\"\nread_onyl = true",
        "[tools.x]\nrequires = \"any\"\nread_only = true\ndestructive = true",
        "[tools.x]\nrequires = \"any\"\ntimeout = \"30\"",
        "[tools.x]\nrequires = \"any\"\nsecret = [\"password\"]",
        "[tools.x]\nrequires = \"any\"\ntask = \"always\"",
        "[tools.x]\nrequires = \"any\"\nreach = { \"pots.x\" = {} }",
        "[tools.x]\nrequires = \"any\"\nreach = { \"post.x\" = { boxs = [] } }",
        "[tools.\"a b\"]\nrequires = \"any\"",
        "[resources.jobs]\nrequires = \"any\"",
        "[prompts.x]",
        "[session]",
        "[session]\nheader = \"Cookie\"",
        "[session]\nheader = \"X-a\"\nheaders = []",
        "[roles]\nany = {}",
        "[roles]\nView = {}",
        "[roles]\na = { include = [] }",
        "[capabilities.pots.x]\nwhy = \"x\"",
        "[capabilities.post.x]\nboxes = []",
        "[capabilities.post.x]\nwhy = \"x\"",
        "[capabilities.post.x]\nwhy = \"x\"\nboxes = []\nboxen = []",
        "[config.x]\ntype = \"string\"",
        "[config.x]\ntype = \"int\"\ndescription = \"d\"",
        "[config.x]\ntype = \"bool\"\ndescription = \"d\"\ndefault = 1",
        "[config.x]\ntype = \"duration\"\ndescription = \"d\"\ndefault = \"2\"",
        "[limits]\nmemory = 64",
        "[limits]\nconcurrency = 0",
        "[client]\nsampling = \"\"",
        "[client]\nelicitations = \"x\"",
        "[client.elicitation]\noptional = true",
        "[client.elicitation]\nwhy = \"x\"\nmodes = [\"page\"]",
        "[client.roots]\nwhy = \"x\"\nmodes = [\"form\"]",
        "[capabilities.client.x]\nwhy = \"x\"",
    ] {
        let text = format!("{ABOUT}{wrong}");
        assert!(!schema.is_valid(&json(&text)), "the schema accepts {wrong}");
        assert!(super::manifest::read(text).is_err(), "the reader accepts {wrong}");
    }
    for (from, to) in
        [("\"naas\"", "\"Naas\""), ("\"0.1.0\"", "\"1\""), ("\"0.1\"", "\"0.2\""), ("title", "titel")]
    {
        assert!(!schema.is_valid(&json(&ABOUT.replacen(from, to, 1))), "the schema accepts {to}");
    }
}

#[test]
fn every_key_of_the_settings_stands_in_their_schema() {
    let schema = compiled(&settings::json_schema(&capabilities()));
    assert_valid(&schema, SETTINGS);
    assert_valid(&schema, "");
}

#[test]
fn the_schema_refuses_what_the_reader_of_settings_refuses() {
    let schema = compiled(&settings::json_schema(&capabilities()));
    for wrong in [
        "[server]",
        "[serve]\nlisten_on = \"x\"",
        "[serve]\nunlisted = \"sevre\"",
        "[serve]\npublic_url = \"fleetgate.example.com\"",
        "[serve]\nlocal_roles = [\"view\"]",
        "[secrets]\na = \"hunter2\"",
        "[secrets]\na = {}",
        "[secrets]\na = { env = \"A\", file = \"b\" }",
        "[limits]\ntimeout = 30",
        "[limits]\nmemory = \"64\"",
        "[plugins.a_b]",
        "[plugins.a]\nlable = \"x\"",
        "[plugins.a]\npin = \"sha256:12\"",
        "[plugins.a.limits]\nmemori = \"1MiB\"",
        "[groups]\nops = [\"view\"]",
    ] {
        assert!(!schema.is_valid(&json(wrong)), "the schema accepts {wrong}");
        assert!(super::settings::read(wrong).is_err(), "the reader accepts {wrong}");
    }
    // What the reader refuses only beside a manifest.
    for wrong in [
        "[plugins.a.grant.pots.x]\nurl = \"x\"",
        "[plugins.a.grant.post.x]\n",
        "[plugins.a.grant.post.x]\nurl = \"x\"\nboxs = []",
        "[plugins.a.tools.x]\nenable = false",
        "[plugins.a.grant.client.sampling]\nhosts = [\"a.example\"]",
        "[plugins.a.grant.client.sampling]\nmax_tokens = 0",
        "[plugins.a.grant.client.voice]",
    ] {
        assert!(!schema.is_valid(&json(wrong)), "the schema accepts {wrong}");
    }
}
