//! The tables as people write them.

use fleetgate_core::capability::{Capability, Request};
use serde_json::{Value, json};

use crate::sshd::keygen;
use crate::world::World;

const FINE: &str = "targets = [\"*.lab.example.com:22\", \"10.1.0.0/16:22\"]\nnetworks = [\"10.1.0.0/16\"]\n\
                    known_hosts = \"known_hosts\"\ncredential = { user = \"netops\", password = \"password\" }";

/// A private key with this passphrase.
fn key(passphrase: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    keygen(&directory.path().join("key"), "ed25519", passphrase);
    std::fs::read_to_string(directory.path().join("key")).unwrap()
}

fn world(grant: &str) -> World {
    let world =
        World::new(grant).secret("password", "p4ssw0rd").secret("enable", "en4ble").secret("key", &key(""));
    world.write("known_hosts", "");
    world
}

#[test]
fn a_whole_grant_is_read_and_said_in_sentences() {
    let grant = format!(
        "{FINE}\nenable = \"enable\"\nfrom_call = true\ncommands = [\"show *\"]\nmethods = [\"exec\"]\n\
         trust_on_first_use = true\nlegacy = [\"diffie-hellman-group14-sha1\", \"ssh-rsa\"]\nconnections = 8\n\
         connections_per_target = 1\nchannels = 1\nsessions = 4\nconnect_timeout = \"5s\"\nidle = \"10s\"\n\
         timeout = \"2m\"\noutput = \"1MiB\"\n\
         jump = {{ host = \"bastion.example.com:2222\", credential = {{ user = \"hop\", key = \"key\" }}, known_hosts = \"known_hosts\", resolves = true }}"
    );
    let world = world(&grant);
    let said = world.read().unwrap().1.unwrap().describe().join("\n");
    world.try_bind().map(drop).unwrap_or_else(|problems| panic!("{problems}"));
    for sentence in [
        "exec on *.lab.example.com:22, 10.1.0.0/16:22",
        "the commands \"show *\"",
        "as user \"netops\" with a password, from the secret password",
        "as whom the call's secret arguments say",
        "the enable password is the secret enable",
        "names may lead to 10.1.0.0/16 beside public addresses",
        "by way of bastion.example.com:2222, as user \"hop\" with a key, from the secret key",
        "bastion.example.com looks the names up: where they lead is not checked",
        "an unknown host is trusted the first time",
        "old algorithms: diffie-hellman-group14-sha1, ssh-rsa",
        "at most 8 connections (1 to one target), 4 sessions, 1MiB of output",
        "at most 2m for a command",
    ] {
        assert!(said.contains(sentence), "{sentence:?} is not in\n{said}");
    }
    assert!(!said.contains("p4ssw0rd") && !said.contains("en4ble") && !said.contains("BEGIN"), "{said}");
}

#[test]
fn everything_that_is_wrong_with_a_grant_is_said_with_what_to_do() {
    let with = |line: &str| format!("{FINE}\n{line}");
    let without =
        |key: &str| FINE.lines().filter(|line| !line.starts_with(key)).collect::<Vec<_>>().join("\n");
    for (grant, said) in [
        (without("targets"), "missing key \"targets\""),
        (FINE.replace("*.lab.example.com:22", "*"), "every host would match"),
        (FINE.replace("10.1.0.0/16:22", "127.0.0.0/8:22"), "which no network opens"),
        (FINE.replace("10.1.0.0/16:22", "10.1.2.3/16:22"), "bits set behind its prefix"),
        (FINE.replace("[\"*.lab.example.com:22\", \"10.1.0.0/16:22\"]", "[]"), "no target is named"),
        (without("known_hosts"), "nothing says how a device proves that it is itself"),
        (FINE.replace("\"known_hosts\"", "\"elsewhere\""), "elsewhere"),
        (without("credential"), "nothing says with what to log in"),
        (
            FINE.replace("password = \"password\" }", "password = \"nothing\" }"),
            "there is no secret of this name",
        ),
        (FINE.replace("password = \"password\" }", "}"), "a credential is one of password, key and agent"),
        (FINE.replace("\"password\" }", "\"password\", key = \"key\" }"), "a credential is one of"),
        (FINE.replace("\"password\" }", "\"password\", passphrase = \"key\" }"), "passphrase belongs to key"),
        (FINE.replace("\"netops\"", "\"net ops\""), "not a user's name"),
        (with("enable = \"nothing\""), "there is no secret of this name"),
        (with("commands = []"), "no command is named"),
        (with("commands = [\"show\\nversion\"]"), "not printable"),
        (with("methods = [\"exec\", \"sftp\"]"), "\"sftp\" is not known here"),
        (with("legacy = [\"diffie-hellman-group14-sha256\"]"), "is not known here"),
        (with("legacy = [\"none\"]"), "is not known here"),
        (FINE.replace("[\"10.1.0.0/16\"]", "[\"169.254.169.254\"]"), "which no network opens"),
        (with("channels = 0"), "out of range"),
        (with("connections = 5000"), "out of range"),
        (with("output = \"1GiB\""), "so much is not kept"),
        (with("timeout = \"0s\""), "nothing is done in no time"),
        (with("idle = \"2h\""), "not kept so long"),
        (with("port = 22"), "unknown key \"port\""),
        (
            with("jump = { credential = { user = \"hop\", key = \"key\" }, known_hosts = \"known_hosts\" }"),
            "missing key \"host\"",
        ),
        (
            with("jump = { host = \"b:22\", known_hosts = \"known_hosts\" }"),
            "a jump host has a login of its own",
        ),
        (
            with("jump = { host = \"b:22\", credential = { user = \"hop\", key = \"key\" } }"),
            "nothing says how a device proves",
        ),
        (
            with(
                "jump = { host = \"b:x\", credential = { user = \"hop\", key = \"key\" }, known_hosts = \"known_hosts\" }",
            ),
            "is not a host",
        ),
        (
            with(
                "jump = { host = \"0.0.0.0:22\", credential = { user = \"hop\", key = \"key\" }, known_hosts = \"known_hosts\" }",
            ),
            "cannot be granted",
        ),
    ] {
        assert_ne!(grant, FINE, "{said}");
        let problem = world(&grant).problem();
        assert!(problem.contains(said), "{grant}\n{problem}");
        assert!(!problem.contains("p4ssw0rd"), "{problem}");
    }
}

#[test]
fn a_secret_that_is_no_key_or_no_password_is_said_at_load_without_its_value() {
    let grant = FINE.replace("password = \"password\"", "key = \"password\"");
    let problem = world(&grant).problem();
    assert!(problem.contains("not a private key") && !problem.contains("p4ssw0rd"), "{problem}");
    let problem = world(FINE).secret("password", "first half\nsecond half").problem();
    assert!(problem.contains("several lines") && !problem.contains("half"), "{problem}");
    let encrypted = FINE.replace("password = \"password\"", "key = \"locked\"");
    let locked = &key("of thirteen characters");
    let problem = world(&encrypted).secret("locked", locked).problem();
    assert!(problem.contains("a key with a passphrase"), "{problem}");
    let with = encrypted.replace("key = \"locked\"", "key = \"locked\", passphrase = \"passphrase\"");
    world(&with).secret("locked", locked).secret("passphrase", "of thirteen characters").bind();
    let problem = world(&with).secret("locked", locked).secret("passphrase", "wrong").problem();
    assert!(problem.contains("its passphrase is another"), "{problem}");
}

#[test]
fn a_grant_gives_less_than_is_asked_for_and_never_more() {
    let request = "methods = [\"exec\"]\ncommands = [\"show *\", \"ping *\"]";
    for (line, said) in [
        ("methods = [\"shell\"]", "the plugin does not ask for shell"),
        ("commands = [\"reload\"]", "the plugin does not ask for all of reload"),
        ("commands = [\"*\"]", "the plugin does not ask for all of *"),
        ("commands = [\"show version | include x\"]", "does not ask for all of"),
    ] {
        let problem = world(&format!("{FINE}\n{line}")).request(request).problem();
        assert!(problem.contains(said), "{problem}");
    }
    world(&format!("{FINE}\nmethods = [\"exec\"]\ncommands = [\"show ip *\"]")).request(request).bind();
    let world = world(FINE).request(request);
    for (reach, fine) in [
        ("commands = [\"show version\"]", true),
        ("methods = [\"exec\"]\ncommands = [\"ping *\"]", true),
        ("commands = [\"reload\"]", false),
        ("methods = [\"shell\"]", false),
        ("paths = [\"/\"]", false),
    ] {
        let (request, _) = world.read().unwrap();
        let document = std::sync::Arc::new(fleetgate_core::diagnostic::Document::new("x", reach.to_owned()));
        let read = document.read(|table| world.capability.parse_reach(table, &*request));
        assert_eq!(read.is_ok(), fine, "{reach}");
    }
}

#[test]
fn a_new_version_that_asks_for_more_says_what() {
    let request = |text: &str| world(FINE).request(text).read().unwrap().0;
    let more = |new: &str, old: &str| request(new).widens(&*request(old) as &dyn Request);
    let narrow = "methods = [\"exec\"]\ncommands = [\"show *\"]";
    assert!(more(narrow, "").is_empty());
    assert!(more("commands = [\"show ip *\"]\nmethods = [\"exec\"]", narrow).is_empty());
    assert_eq!(more("", narrow), ["terminals (shell)", "every command"]);
    assert_eq!(
        more("methods = [\"exec\"]\ncommands = [\"show *\", \"reload\"]", narrow),
        ["the commands reload"]
    );
    let reach = |text: &str| world(FINE).reach(text);
    let more = |new: &str, old: &str| reach(new).widens(&*reach(old));
    assert!(more("commands = [\"show ip *\"]", "commands = [\"show *\"]").is_empty());
    assert_eq!(more("", "commands = [\"show *\"]\nmethods = [\"exec\"]").len(), 2);
    assert_eq!(more("commands = [\"show *\"]", ""), ["the commands \"show *\", where the tool is read-only"]);
}

#[test]
fn the_template_of_a_grant_can_be_filled_in_and_read() {
    for request in ["", "methods = [\"exec\"]\ncommands = [\"show *\"]"] {
        let template = world(FINE).request(request).read().unwrap().0.grant_template();
        let filled = template
            .replace("user = \"…\", password = \"…\"", "user = \"netops\", password = \"password\"")
            .replace("# enable = \"…\"", "enable = \"enable\"")
            .replace("# ", "");
        let filled: String = filled.lines().map(|line| format!("{}\n", uncommented(line))).collect();
        world(&filled)
            .request(request)
            .try_bind()
            .map(drop)
            .unwrap_or_else(|problems| panic!("{filled}{problems}"));
    }
}

/// Without what stands behind the value.
fn uncommented(line: &str) -> &str {
    line.split("  ").next().unwrap()
}

#[test]
fn the_schemas_say_what_the_parsers_take() {
    let schemas = world(FINE).capability.schemas();
    let grants = jsonschema::validator_for(&schemas.grant).unwrap();
    let fine = json!({
        "targets": ["*.lab.example.com:22"], "networks": ["10.0.0.0/8"], "known_hosts": "known_hosts",
        "credential": {"user": "netops", "password": "password"}, "enable": "enable", "from_call": true,
        "commands": ["show *"], "methods": ["exec"], "legacy": ["ssh-rsa"], "channels": 1, "output": "1MiB",
        "timeout": "30s", "jump": {"host": "b:22", "credential": {"user": "hop", "agent": true}, "trust_on_first_use": true},
    });
    assert!(
        grants.is_valid(&fine),
        "{:?}",
        grants.iter_errors(&fine).map(|e| e.to_string()).collect::<Vec<_>>()
    );
    for (key, value) in [
        ("targets", json!([])),
        ("methods", json!(["sftp"])),
        ("legacy", json!(["none"])),
        ("credential", json!({"user": "netops"})),
        ("credential", json!({"user": "netops", "password": "a", "key": "b"})),
        ("channels", json!(0)),
        ("output", json!("much")),
        ("port", json!(22)),
    ] {
        let mut wrong = fine.clone();
        wrong[key] = value;
        assert!(!grants.is_valid(&wrong), "{key}: {}", wrong[key]);
    }
    for schema in [&schemas.request, &schemas.reach] {
        let validator = jsonschema::validator_for(schema).unwrap();
        assert!(validator.is_valid(&json!({"commands": ["show *"], "methods": ["exec", "shell"]})));
        assert!(!validator.is_valid(&json!({"commands": [], "methods": ["exec"]})));
    }
    assert!(!jsonschema::validator_for(&schemas.reach).unwrap().is_valid(&json!({"targets": []})));
    assert!(!has_reference(&schemas.grant));
}

fn has_reference(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key("$ref") || map.values().any(has_reference),
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}
