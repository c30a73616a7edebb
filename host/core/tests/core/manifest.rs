//! What a manifest may say, and how it is refused.

use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::diagnostic::{Diagnostics, Document};
use fleetgate_core::manifest::{ConfigKind, MAX_BYTES, Manifest, Requirement, TaskMode, parse};
use serde_json::json;

use super::fake::capabilities;
use super::said::assert_said;

/// Every key that a manifest can have.
pub const FULL: &str = include_str!("fixtures/plugin.toml");

/// The seven lines that every manifest has. Text after it starts in line 8.
pub const ABOUT: &str = "[plugin]
id = \"naas\"
version = \"0.1.0\"
interface = \"0.1\"
title = \"Network automation\"
description = \"Run commands.\"
license = \"Apache-2.0\"
";

pub fn read(text: impl Into<Arc<str>>) -> Result<Manifest, Diagnostics> {
    parse(&Arc::new(Document::new("plugin.toml", text)), &capabilities())
}

#[track_caller]
pub fn after_about(text: &str) -> Manifest {
    read(format!("{ABOUT}{text}")).unwrap_or_else(|problems| panic!("{problems}"))
}

#[track_caller]
fn refused(text: &str) -> Diagnostics {
    read(text).expect_err("it must be refused")
}

#[track_caller]
fn refused_after_about(text: &str) -> Diagnostics {
    refused(&format!("{ABOUT}{text}"))
}

fn roles(names: &[&str]) -> Requirement {
    Requirement::All(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn a_manifest_with_every_key_is_read() {
    let manifest = read(FULL).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(manifest.plugin.id, "naas");
    assert_eq!(manifest.plugin.license.as_deref(), Some("Apache-2.0"));
    assert_eq!(manifest.limits.memory, Some(64 << 20));
    assert_eq!(manifest.limits.cpu, Some(Duration::from_secs(1)));
    assert_eq!(manifest.limits.concurrency, Some(8));
    assert_eq!(manifest.session.as_ref().map(|header| header.as_str()), Some("x-conversation-id"));
    assert_eq!(&*manifest.text, FULL);

    let poll = &manifest.config["poll_interval"];
    assert_eq!(poll.kind, ConfigKind::Duration);
    assert_eq!(poll.default.as_ref().map(|value| value.text.as_str()), Some("2s"));
    assert_eq!(poll.env, ["NAAS_MCP_JOB_POLL_INTERVAL"]);
    assert_eq!(manifest.config["sites"].default.as_ref().map(|value| &value.json), Some(&json!(["a", "b"])));
    assert_eq!(
        manifest.config["sites"].default.as_ref().map(|value| value.text.as_str()),
        Some("[\"a\",\"b\"]")
    );
    assert_eq!(manifest.config["ratio"].default.as_ref().map(|value| value.text.as_str()), Some("0.5"));
    assert!(manifest.config["region"].required);

    let letters = &manifest.capabilities["post.letters"];
    assert!(letters.optional);
    assert_eq!((letters.kind.as_str(), letters.name.as_str()), ("post", "letters"));
    assert_eq!(letters.env["url"].names, ["POST_URL", "OLD_POST_URL"]);

    let send = &manifest.tools["send_config"];
    assert_eq!(send.requires, roles(&["operator"]));
    assert!(send.destructive && send.idempotent && send.opt_in && send.verbatim && !send.read_only);
    assert_eq!(send.open_world, Some(false));
    assert_eq!(send.timeout, Some(Duration::from_secs(330)));
    assert_eq!(send.secret, ["/password", "/enable"]);
    assert_eq!(send.audit, ["/host", "/platform"]);
    assert_eq!((send.task, send.asks_first), (TaskMode::Optional, true));
    assert_eq!(send.reach["post.letters"].describe(), "the boxes {\"in\"}");
    assert_eq!(manifest.tools["whoami"].requires, Requirement::Any);
    assert_eq!(manifest.tools["both"].requires, roles(&["commands:write", "viewer"]));
    assert_eq!(manifest.resources["naas://jobs/*"].requires, roles(&["operator"]));
    assert_eq!(manifest.prompts["config_push"].requires, roles(&["operator"]));
}

#[test]
fn a_role_includes_what_its_included_roles_include() {
    let manifest = read(FULL).unwrap();
    assert!(manifest.roles.covers("admin", "viewer"));
    assert!(!manifest.roles.covers("viewer", "operator"));
    assert!(!manifest.roles.covers("commands:write", "viewer"));
}

#[test]
fn the_smallest_manifest_has_only_a_plugin_table() {
    let manifest = after_about("");
    assert!(
        manifest.tools.is_empty()
            && manifest.capabilities.is_empty()
            && manifest.roles.names().next().is_none()
    );
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    assert_said(&refused_after_about("licence = \"MIT\""), 8, "plugin.licence", &["unknown key \"licence\""]);
    let problems = refused_after_about("homepag = \"https://example.com\"");
    assert_said(&problems, 8, "plugin.homepag", &["unknown key", "did you mean \"homepage\"?"]);
    let problems = refused_after_about("[tool.x]\nrequires = \"any\"");
    assert_said(&problems, 8, "tool", &["did you mean \"tools\"?"]);
    let problems = refused_after_about("[tools.x]\nrequires = \"any\"\nread_onyl = true");
    assert_said(&problems, 10, "tools.x.read_onyl", &["did you mean \"read_only\"?"]);
    let problems = refused_after_about("[capabilities.post.letters]\nwhy = \"x\"\nboxes = []\nboxen = []");
    assert_said(&problems, 11, "capabilities.post.letters.boxen", &["unknown key \"boxen\""]);
    let problems = refused_after_about("[limits]\nmemroy = \"1MiB\"");
    assert_said(&problems, 9, "limits.memroy", &["did you mean \"memory\"?"]);
}

#[test]
fn all_problems_of_a_file_are_said_at_once_in_the_order_of_the_file() {
    let problems = refused(
        "[plugin]\nid = \"NAAS\"\nversion = \"1\"\ninterface = \"9\"\n[tools.a]\n[prompts.b]\nrequires = \"x\"\nnonsense = 1\n",
    );
    assert_said(&problems, 2, "plugin.id", &["\"NAAS\" is not an id", "lower-case letter first"]);
    assert_said(&problems, 3, "plugin.version", &["not a version", "0.1.0"]);
    assert_said(
        &problems,
        4,
        "plugin.interface",
        &["does not speak the plugin interface \"9\"", "it speaks 0.1"],
    );
    assert_said(&problems, 1, "plugin", &["missing key \"title\""]);
    assert_said(&problems, 1, "plugin", &["missing key \"description\""]);
    assert_said(&problems, 5, "tools.a", &["`requires` is missing"]);
    assert_said(&problems, 7, "prompts.b.requires", &["the role \"x\" is not declared"]);
    assert_said(&problems, 8, "prompts.b.nonsense", &["unknown key"]);
    let lines: Vec<_> = problems.iter().filter_map(|problem| problem.position()).collect();
    assert!(lines.is_sorted(), "{lines:?}");
}

#[test]
fn a_file_without_a_plugin_table_is_refused() {
    assert_said(&refused("[roles]\n"), 1, "", &["missing table [plugin]"]);
}

#[test]
fn text_that_is_not_toml_is_refused_with_its_line() {
    assert_said(&refused("[plugin]\nid = \"x\ntitle = \"y\"\n"), 2, "", &["not valid TOML"]);
    let twice = refused("[plugin]\nid = \"a\"\nid = \"b\"\n");
    assert_said(&twice, 3, "", &["duplicate key", "each key and each [table] stands once"]);
}

#[test]
fn a_wrong_type_is_refused_with_the_right_one() {
    let problems =
        refused_after_about("[tools.x]\nrequires = 1\nread_only = \"yes\"\ntimeout = 30\nsecret = \"/a\"");
    assert_said(
        &problems,
        9,
        "tools.x.requires",
        &["expected a text in quotes or a list of them, found a number"],
    );
    assert_said(&problems, 10, "tools.x.read_only", &["expected true or false, found a text"]);
    assert_said(
        &problems,
        11,
        "tools.x.timeout",
        &["expected a duration in quotes, like \"30s\", found a number"],
    );
    assert_said(&problems, 12, "tools.x.secret", &["expected a list of texts"]);
    assert_said(&refused("plugin = 1\n"), 1, "plugin", &["expected a table, found a number"]);
    assert_said(&refused_after_about("[tools]\nx = []"), 9, "tools.x", &["expected a table, found a list"]);
}

#[test]
fn an_id_is_short_and_lower_case() {
    for id in ["", "1a", "a_b", "A", "a.b", "../x", &"a".repeat(33), "é"] {
        let problems = refused(&ABOUT.replace("\"naas\"", &format!("{id:?}")));
        assert_said(&problems, 2, "plugin.id", &["is not an id", "1 to 32 characters"]);
    }
}

#[test]
fn a_title_that_could_deceive_is_refused() {
    for title in ["", "   ", "a\\nb", "\\u001b[2J", "a\\u202eb", "a\\u200bb"] {
        let problems = refused(&ABOUT.replace("Network automation", title));
        assert_said(&problems, 5, "plugin.title", &["no line of text for people"]);
    }
}

#[test]
fn an_unknown_role_is_refused_with_the_nearest() {
    let problems = refused_after_about("[roles]\noperator = {}\n[tools.x]\nrequires = \"oprator\"");
    assert_said(
        &problems,
        11,
        "tools.x.requires",
        &["\"oprator\" is not declared", "did you mean \"operator\"?"],
    );
    let problems = refused_after_about("[tools.x]\nrequires = \"viewer\"");
    assert_said(&problems, 9, "tools.x.requires", &["is not declared", "declare it under [roles]"]);
    let problems = refused_after_about("[roles]\na = {}\nb = { includes = [\"a\", \"zzz\"] }");
    assert_said(&problems, 10, "roles.b.includes", &["\"zzz\" is not declared"]);
}

#[test]
fn roles_that_include_each_other_are_refused() {
    let problems = refused_after_about(
        "[roles]\na = { includes = [\"b\"] }\nb = { includes = [\"c\"] }\nc = { includes = [\"a\"] }",
    );
    assert_said(&problems, 9, "roles.a", &["include each other", "make `includes` an order"]);
    let problems = refused_after_about("[roles]\na = { includes = [\"a\"] }");
    assert_said(&problems, 9, "roles.a", &["the role a includes itself"]);
}

#[test]
fn reserved_and_misspelled_role_names_are_refused() {
    assert_said(&refused_after_about("[roles]\nany = {}"), 9, "roles.any", &["\"any\" is reserved"]);
    assert_said(&refused_after_about("[roles]\n\"*\" = {}"), 9, "roles.\"*\"", &["\"*\" is reserved"]);
    assert_said(&refused_after_about("[roles]\nView = {}"), 9, "roles.View", &["is not a role name"]);
}

#[test]
fn requires_is_never_empty_and_any_stands_alone() {
    let problems = refused_after_about("[tools.x]\nrequires = []");
    assert_said(&problems, 9, "tools.x.requires", &["an empty list requires nothing"]);
    let problems = refused_after_about("[roles]\na = {}\n[tools.x]\nrequires = [\"a\", \"any\"]");
    assert_said(&problems, 11, "tools.x.requires", &["\"any\" stands alone"]);
}

#[test]
fn a_tool_resource_or_prompt_without_requires_is_refused() {
    let problems = refused_after_about("[tools.x]\n[resources.\"a://b\"]\n[prompts.y]\n");
    assert_said(&problems, 8, "tools.x", &["`requires` is missing", "write requires ="]);
    assert_said(&problems, 9, "resources.\"a://b\"", &["`requires` is missing"]);
    assert_said(&problems, 10, "prompts.y", &["`requires` is missing"]);
    let problems = refused_after_about("[tools.x]\nrequire = \"any\"");
    assert_said(&problems, 9, "tools.x.require", &["did you mean \"requires\"?"]);
}

#[test]
fn a_tool_that_reads_only_and_destroys_is_refused() {
    let problems = refused_after_about("[tools.x]\nrequires = \"any\"\nread_only = true\ndestructive = true");
    assert_said(&problems, 11, "tools.x.destructive", &["contradict each other"]);
}

#[test]
fn durations_and_sizes_without_a_unit_are_refused_with_the_right_spelling() {
    let problems = refused_after_about(
        "[tools.x]\nrequires = \"any\"\ntimeout = \"30\"\n[limits]\nmemory = \"64\"\ncpu = \"0s\"",
    );
    assert_said(&problems, 10, "tools.x.timeout", &["\"30\" has no unit", "write 30s or 30ms"]);
    assert_said(&problems, 12, "limits.memory", &["\"64\" has no unit", "write 64MiB or 64KiB"]);
    assert_said(&problems, 13, "limits.cpu", &["without time"]);
    let problems = refused_after_about("[limits]\nconcurrency = 0\nmemory = \"0B\"");
    assert_said(&problems, 9, "limits.concurrency", &["out of range", "from 1 to 1024"]);
    assert_said(&problems, 10, "limits.memory", &["without memory"]);
    let problems = refused_after_about("[tools.x]\nrequires = \"any\"\ntimeout = \"0s\"");
    assert_said(&problems, 10, "tools.x.timeout", &["no time cannot run"]);
}

#[test]
fn a_pointer_that_is_none_is_refused() {
    for pointer in ["password", "", "/a~b", "/a~", "/a\\u0000"] {
        let problems =
            refused_after_about(&format!("[tools.x]\nrequires = \"any\"\nsecret = [\"{pointer}\"]"));
        assert_said(&problems, 10, "tools.x.secret", &["is not a JSON pointer", "RFC 6901"]);
    }
    after_about("[tools.x]\nrequires = \"any\"\nsecret = [\"/a~1b/~0\"]");
}

#[test]
fn a_secret_never_stands_in_the_audit_record() {
    for (secret, audit) in
        [("/password", "/password"), ("/login/password", "/login"), ("/login", "/login/user")]
    {
        let text = format!("[tools.x]\nrequires = \"any\"\nsecret = [\"{secret}\"]\naudit = [\"{audit}\"]");
        assert_said(&refused_after_about(&text), 11, "tools.x.audit", &["would stand in the audit record"]);
    }
    after_about("[tools.x]\nrequires = \"any\"\nsecret = [\"/pass\"]\naudit = [\"/password\"]");
}

#[test]
fn a_capability_that_this_host_does_not_have_is_refused() {
    let problems = refused_after_about("[capabilities.pots.letters]\nwhy = \"x\"");
    assert_said(&problems, 8, "capabilities.pots", &["no capability \"pots\"", "did you mean \"post\"?"]);
}

#[test]
fn a_request_says_why_and_its_capability_reads_the_rest() {
    let problems = refused_after_about(
        "[capabilities.post.letters]\nboxes = [\"in\"]\n[capabilities.post.Bad_Name]\nwhy = \"x\"\nboxes = 1",
    );
    assert_said(&problems, 8, "capabilities.post.letters", &["missing key \"why\""]);
    assert_said(&problems, 10, "capabilities.post.Bad_Name", &["is not a name for a capability"]);
    assert_said(&problems, 12, "capabilities.post.Bad_Name.boxes", &["expected a list of texts"]);
}

#[test]
fn reach_names_a_requested_capability_and_stays_within_it() {
    let request =
        "[capabilities.post.letters]\nwhy = \"x\"\nboxes = [\"in\"]\n[tools.x]\nrequires = \"any\"\n";
    let problems = refused_after_about(&format!("{request}reach = {{ \"post.leters\" = {{}} }}"));
    let pieces = ["not a capability that this manifest requests", "did you mean \"post.letters\"?"];
    assert_said(&problems, 13, "tools.x.reach.\"post.leters\"", &pieces);
    let problems =
        refused_after_about(&format!("{request}reach = {{ \"post.letters\" = {{ boxes = [\"out\"] }} }}"));
    assert_said(&problems, 13, "tools.x.reach.\"post.letters\".boxes", &["the box out was not asked for"]);
    let problems =
        refused_after_about(&format!("{request}reach = {{ \"post.letters\" = {{ boxs = [\"in\"] }} }}"));
    assert_said(&problems, 13, "tools.x.reach.\"post.letters\".boxs", &["did you mean \"boxes\"?"]);
    let problems = refused_after_about("[tools.x]\nrequires = \"any\"\nreach = { \"post.letters\" = {} }");
    assert_said(&problems, 10, "tools.x.reach.\"post.letters\"", &["request it under [capabilities"]);
}

#[test]
fn a_wrong_request_is_said_once_and_not_again_for_each_tool_that_reaches_it() {
    let problems = refused_after_about(
        "[capabilities.post.letters]\nwhy = \"x\"\n[tools.x]\nrequires = \"any\"\nreach = { \"post.letters\" = {} }",
    );
    assert_eq!(problems.0.len(), 1, "{problems}");
    assert_said(&problems, 8, "capabilities.post.letters", &["missing key \"boxes\""]);
}

#[test]
fn a_setting_has_a_type_a_description_and_a_default_that_fits() {
    let setting = |lines: &str| refused_after_about(&format!("[config.x]\n{lines}"));
    assert_said(&setting("type = \"string\""), 8, "config.x", &["missing key \"description\""]);
    assert_said(&setting("description = \"d\""), 8, "config.x", &["missing key \"type\""]);
    let problems = setting("type = \"int\"\ndescription = \"d\"");
    assert_said(&problems, 9, "config.x.type", &["\"int\" is not known here", "\"integer\""]);
    for (kind, wrong) in [
        ("string", "1"),
        ("bool", "\"true\""),
        ("integer", "1.5"),
        ("number", "nan"),
        ("duration", "\"2\""),
        ("size", "\"2 MiB\""),
        ("strings", "[1]"),
        ("integer", "99999999999999999999"),
    ] {
        let problems = setting(&format!("type = \"{kind}\"\ndescription = \"d\"\ndefault = {wrong}"));
        assert_said(&problems, 11, "config.x.default", &[]);
    }
    let problems = setting("type = \"bool\"\ndescription = \"d\"\ndefault = true\nrequired = true");
    assert_said(&problems, 12, "config.x.required", &["contradict"]);
    let problems = setting("type = \"bool\"\ndescription = \"d\"\nenv = [\"A B\"]");
    assert_said(&problems, 11, "config.x.env", &["no name of an environment variable"]);
    let letters = |env: &str| {
        refused_after_about(&format!(
            "[capabilities.post.letters]\nwhy = \"w\"\nboxes = []\nenv = {{ {env} }}"
        ))
    };
    let problems = letters("bearer = { variables = \"KEY\", default = \"k\" }");
    assert_said(&problems, 11, "capabilities.post.letters.env.bearer.default", &["a secret has no default"]);
    let problems = letters("url = { variables = \"URL\", default = \"http://169.254.169.254/\" }");
    assert_said(
        &problems,
        11,
        "capabilities.post.letters.env.url.default",
        &["no place that an author may choose"],
    );
    let problems = letters("url = { default = \"post://localhost\" }");
    assert_said(&problems, 11, "capabilities.post.letters.env.url", &["missing key \"variables\""]);
    let problems = refused_after_about("[config.\"a b\"]\ntype = \"bool\"\ndescription = \"d\"");
    assert_said(&problems, 8, "config.\"a b\"", &["not a name for a setting"]);
}

#[test]
fn a_variable_that_holds_a_credential_fills_no_setting() {
    let setting = |kind: &str, variable: &str| {
        format!("[config.x]\ntype = \"{kind}\"\ndescription = \"d\"\nenv = [\"NAAS_X\", \"{variable}\"]\n")
    };
    for kind in ["string", "strings"] {
        let problems = refused_after_about(&setting(kind, "GITHUB_TOKEN"));
        let said = ["GITHUB_TOKEN is named like a credential", "the plugin sees its settings", "bearer"];
        assert_said(&problems, 11, "config.x.env", &said);
    }
    // A time is no password.
    assert!(read(format!("{ABOUT}{}", setting("duration", "NAAS_TOKEN_TTL"))).is_ok());
    // Whatever it is called, a variable is a secret or it is not.
    let both = setting("string", "NAAS_LOGIN")
        + "[capabilities.post.letters]\nwhy = \"w\"\nboxes = []\nenv = { bearer = [\"NAAS_LOGIN\"] }";
    let said = ["NAAS_LOGIN is a secret here and fills the setting x", "[config.x]"];
    assert_said(&refused_after_about(&both), 15, "capabilities.post.letters.env.bearer", &said);
}

#[test]
fn a_setting_read_from_the_environment_is_checked_like_one_that_was_written() {
    assert_eq!(ConfigKind::Duration.parse("500ms").unwrap().text, "500ms");
    assert_eq!(ConfigKind::Strings.parse("a, b,").unwrap().json, json!(["a", "b"]));
    assert_eq!(ConfigKind::Bool.parse("1").unwrap().json, json!(true));
    assert_eq!(ConfigKind::Integer.parse("-3").unwrap().text, "-3");
    for (kind, wrong) in [
        (ConfigKind::Duration, "hunter2"),
        (ConfigKind::Bool, "hunter2"),
        (ConfigKind::Number, "inf"),
        (ConfigKind::Size, "hunter2"),
        (ConfigKind::Integer, "hunter2"),
    ] {
        let said = kind.parse(wrong).unwrap_err().to_string();
        assert!(said.contains(kind.word()) && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn names_of_tools_prompts_and_resources_are_checked() {
    let problems = refused_after_about(
        "[tools.\"a b\"]\nrequires = \"any\"\n[prompts.\"\"]\nrequires = \"any\"\n[resources.jobs]\nrequires = \"any\"",
    );
    assert_said(&problems, 8, "tools.\"a b\"", &["not a name for a tool"]);
    assert_said(&problems, 10, "prompts.\"\"", &["not a name for a prompt"]);
    assert_said(&problems, 12, "resources.jobs", &["not a URI pattern"]);
}

#[test]
fn an_unknown_task_mode_is_refused() {
    let problems = refused_after_about("[tools.x]\nrequires = \"any\"\ntask = \"always\"");
    assert_said(&problems, 10, "tools.x.task", &["write \"optional\" or \"required\""]);
}

#[test]
fn only_a_task_asks_before_it_begins() {
    for never in ["", "asks_first = false\n"] {
        assert!(!after_about(&format!("[tools.x]\nrequires = \"any\"\n{never}")).tools["x"].asks_first);
    }
    let problems = refused_after_about("[tools.x]\nrequires = \"any\"\nasks_first = true");
    let said = ["only a task can ask before it begins", "remove asks_first, or add task"];
    assert_said(&problems, 10, "tools.x.asks_first", &said);
    let wrong = refused_after_about("[tools.x]\nrequires = \"any\"\ntask = \"optional\"\nasks_first = 1");
    assert_said(&wrong, 11, "tools.x.asks_first", &["expected true or false"]);
    for mode in ["optional", "required"] {
        let tool = format!("[tools.x]\nrequires = \"any\"\ntask = \"{mode}\"\nasks_first = true");
        assert!(after_about(&tool).tools["x"].asks_first);
    }
}

#[test]
fn a_task_is_no_matter_of_prompts_and_resources() {
    for entry in ["prompts.x", "resources.\"a://b\""] {
        for key in ["task = \"optional\"", "asks_first = true"] {
            let problems = refused_after_about(&format!("[{entry}]\nrequires = \"any\"\n{key}"));
            let name = key.split(' ').next().unwrap();
            assert_said(&problems, 10, &format!("{entry}.{name}"), &["unknown key"]);
        }
    }
}

#[test]
fn a_manifest_over_its_size_cap_is_refused_unread() {
    let long = format!("{ABOUT}# {}", "x".repeat(MAX_BYTES));
    assert_said(&refused(&long), 0, "", &["the manifest has", "at most 256KiB"]);
}

#[test]
fn a_flood_of_problems_is_cut_off() {
    let many: String = (0..5000).map(|n| format!("x{n} = 1\n")).collect();
    let problems = refused_after_about(&many);
    assert_eq!(problems.0.len(), 201);
    assert!(problems.to_string().contains("there are more problems than these 200"));
}

#[test]
fn a_section_with_too_many_entries_is_refused_unread() {
    for (section, most, entry) in [
        ("roles", 64, "{}"),
        ("config", 256, "{ type = \"bool\", description = \"d\" }"),
        ("tools", 512, "{ requires = \"any\" }"),
        ("prompts", 512, "{ requires = \"any\" }"),
    ] {
        let entries = |count: usize| (0..count).map(|n| format!("x{n} = {entry}\n")).collect::<String>();
        after_about(&format!("[{section}]\n{}", entries(most)));
        let problems = refused_after_about(&format!("[{section}]\n{}", entries(most + 1)));
        let said = format!("{} entries are too many", most + 1);
        assert_said(&problems, 8, section, &[&said, &format!("at most {most} are read")]);
    }
    let requests: String = (0..65).map(|n| format!("x{n} = {{ why = \"w\", boxes = [] }}\n")).collect();
    let problems = refused_after_about(&format!("[capabilities.post]\n{requests}"));
    assert_said(&problems, 8, "capabilities.post", &["65 entries are too many"]);
}

#[test]
fn messages_show_no_control_characters_of_a_strangers_file() {
    let problems = refused_after_about("[tools.\"\\u001b[2Jx\\u202e\"]\nrequires = \"\\u001b]0;x\\u0007\"");
    assert!(
        !problems.to_string().contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'),
        "{problems:?}"
    );
    let raw = refused_after_about("# \u{202e}hidden\u{200b}\n[tools.x]\n");
    let drawn = format!("{:?}", miette::Report::new(raw.summary()));
    assert!(!drawn.contains(['\u{202e}', '\u{200b}']), "{drawn}");
}

#[test]
fn a_problem_reads_as_file_line_column_key_sentence_and_advice() {
    let problems = refused_after_about("[tools.x]\nrequires = \"any\"\nread_onyl = true");
    assert_eq!(
        problems.to_string(),
        "plugin.toml:10:1: tools.x.read_onyl: unknown key \"read_onyl\" (did you mean \"read_only\"?)"
    );
    assert_eq!(
        problems.to_json(),
        json!([{
            "file": "plugin.toml", "line": 10, "column": 1, "key": "tools.x.read_onyl",
            "message": "unknown key \"read_onyl\"", "help": "did you mean \"read_only\"?"
        }])
    );
}

#[test]
fn miette_draws_every_problem_with_its_line_once() {
    let problems = refused_after_about("[tools.x]\nrequires = \"any\"\nread_onyl = true\nfoo = 1");
    let theme = miette::GraphicalTheme::unicode_nocolor();
    let mut drawn = String::new();
    miette::GraphicalReportHandler::new_themed(theme).render_report(&mut drawn, &problems.summary()).unwrap();
    assert!(drawn.contains("2 problems in plugin.toml"), "{drawn}");
    assert_eq!(drawn.matches("unknown key").count(), 2, "{drawn}");
    assert!(drawn.contains("plugin.toml:10:1") && drawn.contains("read_onyl = true"), "{drawn}");
}

#[test]
fn a_session_header_is_one_that_clients_set_for_it() {
    for fine in ["X-Conversation-Id", "x-chat", "X-My-Session-2"] {
        let manifest = after_about(&format!("[session]\nheader = \"{fine}\""));
        assert_eq!(manifest.session.unwrap().as_str(), fine.to_ascii_lowercase());
    }
    assert!(after_about("").session.is_none());
    for (wrong, why) in [
        ("Authorization", "says who a caller is"),
        ("cookie", "says who a caller is"),
        ("Proxy-Authorization", "says who a caller is"),
        ("X-Api-Key", "says who a caller is"),
        ("X-Auth-Token", "says who a caller is"),
        ("Mcp-Session-Id", "of the protocol's own"),
        ("MCP-Protocol-Version", "of the protocol's own"),
        ("X-Mcp-Anything", "of the protocol's own"),
        ("X-Forwarded-For", "written by proxies"),
        ("x-forwarded-proto", "written by proxies"),
        ("X-Real-IP", "written by proxies"),
        ("Forwarded", "written by proxies"),
        ("Via", "written by proxies"),
        ("X-Envoy-External-Address", "written by proxies"),
        ("Conversation-Id", "not a name for a header of one's own"),
        ("X-", "not a name for a header of one's own"),
        ("X--a", "not a name for a header of one's own"),
        ("X-a b", "not a name for a header of one's own"),
        ("X-aä", "not a name for a header of one's own"),
        ("", "not a name for a header of one's own"),
    ] {
        let problems = refused_after_about(&format!("[session]\nheader = \"{wrong}\""));
        assert_said(&problems, 9, "session.header", &[why, "X-Conversation-Id"]);
    }
    let long = format!("X-{}", "a".repeat(63));
    assert_said(
        &refused_after_about(&format!("[session]\nheader = \"{long}\"")),
        9,
        "session.header",
        &["not a name"],
    );
    assert_said(&refused_after_about("[session]"), 8, "session", &["missing key \"header\""]);
    assert_said(
        &refused_after_about("[session]\nheaders = \"X-a\""),
        9,
        "session.headers",
        &["did you mean"],
    );
}
