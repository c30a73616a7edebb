//! The tables as people write them.

use fleetgate_core::capability::Capability;
use fleetgate_keyvalue::KeyValue;
use serde_json::{Value, json};

use crate::world::asking;

fn said(request: &str, grant: &str) -> (String, String) {
    let (request, grant) =
        asking(request).granting(grant).read().unwrap_or_else(|problems| panic!("{problems}"));
    (request.describe().join("\n"), grant.expect("granted").describe().join("\n"))
}

#[test]
fn tables_are_read_and_said_in_sentences() {
    let (request, grant) = said("", "");
    assert_eq!(request, "keeps entries for each caller alone, up to 16MiB and 65536 entries");
    assert_eq!(
        grant,
        "keeps up to 16MiB and 65536 entries for each caller, and 256MiB and 1048576 entries altogether"
    );
    let (request, grant) = said("scope = \"shared\"\nquota = \"64MiB\"", "quota = \"128KiB\"");
    assert_eq!(request, "keeps entries for all its callers together, up to 64MiB and 262144 entries");
    assert_eq!(grant, "keeps up to 128KiB and 1000 entries for all its callers together");
    let (_, grant) = said(
        "scope = \"principal\"",
        "quota = \"1MiB\"\nentries = 7\ntotal_quota = \"1GiB\"\ntotal_entries = 70",
    );
    assert_eq!(grant, "keeps up to 1MiB and 7 entries for each caller, and 1GiB and 70 entries altogether");
}

#[test]
fn everything_that_is_wrong_with_a_table_is_said_with_what_to_do() {
    for (request, grant, message) in [
        ("scope = \"private\"", "", "scope"),
        ("quota = \"1B\"", "", "so much cannot be a quota"),
        ("quota = 5", "", "a size in quotes"),
        ("entries = 0", "", "out of range"),
        ("shared = true", "", "shared"),
        ("", "quota = \"9999GiB\"", "so much cannot be a quota"),
        ("", "entries = -1", "out of range"),
        ("", "size = \"1MiB\"", "size"),
        ("", "quota = \"2MiB\"\ntotal_quota = \"1MiB\"", "less for all callers together"),
        ("", "entries = 10\ntotal_entries = 9", "less for all callers together"),
        ("scope = \"shared\"", "total_quota = \"1MiB\"", "all callers share the entries"),
    ] {
        let problem = asking(request).granting(grant).problem();
        assert!(problem.contains(message), "{message:?} is not in\n{problem}");
    }
}

#[test]
fn a_version_that_keeps_more_or_for_others_asks_for_more() {
    let request = |text: &str| asking(text).read().unwrap().0;
    let widens = |new: &str, old: &str| request(new).widens(&*request(old));
    assert!(widens("", "").is_empty());
    assert!(widens("quota = \"1MiB\"", "").is_empty());
    assert_eq!(
        widens("quota = \"64MiB\"", ""),
        ["up to 64MiB and 262144 entries (so far: 16MiB and 65536 entries)"]
    );
    assert_eq!(
        widens("scope = \"shared\"", ""),
        ["keeps entries for all its callers together (so far: for each caller alone)"]
    );
    let world = asking("");
    for (new, old, more) in [
        ("", "", false),
        ("write = true", "", true),
        ("write = true", "write = true", false),
        ("", "write = false", true),
        ("write = false", "", false),
        ("", "write = true", false),
    ] {
        assert_eq!(!world.reach(new).widens(&*world.reach(old)).is_empty(), more, "{new:?} after {old:?}");
    }
}

#[test]
fn the_template_of_a_grant_is_a_grant() {
    for request in ["", "scope = \"shared\"", "quota = \"1MiB\"\nentries = 9"] {
        let template = asking(request).read().unwrap().0.grant_template();
        let bare: String =
            template.lines().map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line))).collect();
        for grant in [&template, &bare] {
            asking(request).granting(grant).read().unwrap_or_else(|problems| panic!("{grant}\n{problems}"));
        }
        assert_eq!(said(request, &bare), said(request, ""));
    }
}

#[test]
fn the_schemas_take_what_the_parsers_take() {
    let schemas = KeyValue.schemas();
    let fits =
        |schema: &Value, value: Value| jsonschema::validator_for(schema).expect("a schema").is_valid(&value);
    assert!(fits(&schemas.request, json!({"scope": "shared", "quota": "64MiB", "entries": 5})));
    assert!(!fits(&schemas.request, json!({"scope": "all"})));
    assert!(fits(&schemas.reach, json!({"write": true})) && !fits(&schemas.reach, json!({"write": 1})));
    assert!(!fits(&schemas.reach, json!({"read": true})));
    let grant = json!({"quota": "1GiB", "entries": 5, "total_quota": "2GiB", "total_entries": 9});
    assert!(fits(&schemas.grant, grant) && fits(&schemas.grant, json!({})));
    assert!(!fits(&schemas.grant, json!({"quota": 5})) && !fits(&schemas.grant, json!({"room": "1GiB"})));
}
