//! What the command line says to people and programs: places and suggestions, JSON, exit codes, and whose files it
//! trusts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use fleetgate_e2e::{Installation, Said, Server, Upstream, plugin, program};
use serde_json::json;

/// With two plugins, one of which asks for HTTP.
fn installation() -> Installation {
    let installation = Installation::new();
    installation.install("hostile");
    installation.install("lists");
    installation
}

fn fleetgate(arguments: &[&str]) -> Said {
    Said::by(Command::new(program("fleetgate")).args(arguments).env("NO_COLOR", "1"))
}

#[test]
fn each_mistake_in_the_configuration_is_told_with_its_line_its_key_and_what_to_do() {
    let installation = installation();
    let url = "url = \"http://127.0.0.1:1\"";
    let granted = "[plugins.hostile.grant.http.api]";
    for (config, place, what, advice) in [
        ("[serve]\nlisen = \"127.0.0.1:0\"\n", "2:1: serve.lisen", "unknown key", "did you mean \"listen\"?"),
        ("[serv]\n", "1:2: serv", "unknown key", "did you mean \"serve\"?"),
        ("[serve]\nlisten = 7\n", "2:10: serve.listen", "found a number", "write listen as a text"),
        ("[serve]\nlisten = \"here\"\n", "2:10: serve.listen", "not an address", "127.0.0.1:8080"),
        ("[serve]\nlocal_roles = [\"view\"]\n", "2:16: serve.local_roles", "view", "write <binding>:<role>"),
        ("[limits]\n\ntimeout = 30\n", "3:11: limits.timeout", "expected a duration", "\"30s\""),
        ("[limits]\nmemory = \"64\"\n", "2:10: limits.memory", "64", "64MiB"),
        ("[secrets]\na = { fil = \"x\" }\n", "2:7: secrets.a.fil", "unknown key", "did you mean \"file\"?"),
        ("[serve\n", "1:7: not valid TOML", "unclosed table", "key = value"),
        (
            "[plugins.lists]\nlabl = \"LAB\"\n",
            "2:1: plugins.lists.labl",
            "unknown key",
            "did you mean \"label\"?",
        ),
        (
            "[plugins.lists]\nconfig = { lye = \"x\" }\n",
            "2:12: plugins.lists.config.lye",
            "unknown key",
            "did you mean \"lie\"?",
        ),
        (
            "[plugins.lists]\nconfig = { lie = 7 }\n",
            "2:18: plugins.lists.config.lie",
            "found a number",
            "write lie as a text",
        ),
        (
            "[plugins.lists.tools.two]\nenabled = true\n",
            "1:22: plugins.lists.tools.two",
            "has no tool \"two\"",
            "\"one\"",
        ),
        (
            "[plugins.lists.tools.one]\nrequires = \"any\"\n",
            "2:12: plugins.lists.tools.one.requires",
            "would lower what the manifest requires",
            "never lowered",
        ),
        // A grant without what it needs.
        (
            &format!("{granted}\nmethods = [\"GET\"]\n"),
            "1:1: plugins.hostile.grant.http.api",
            "missing key \"url\"",
            "url = \"https://api.example.com\"",
        ),
        // Granted and not requested.
        (
            &format!("[plugins.lists.grant.http.api]\n{url}\n"),
            "plugins.lists.grant.http.api",
            "does not ask for",
            "asks for nothing",
        ),
        (
            &format!("[plugins.hostile.grant.http.apy]\n{url}\n"),
            "1:29: plugins.hostile.grant.http.apy",
            "does not ask for \"http.apy\"",
            "did you mean \"http.api\"?",
        ),
        (
            &format!("[plugins.hostile.grant.ssh.api]\n{url}\n"),
            "1:28: plugins.hostile.grant.ssh.api",
            "does not ask for \"ssh.api\"",
            "http.api",
        ),
        // Wider than requested.
        (
            &format!("{granted}\n{url}\nmethods = [\"GET\", \"DELETE\"]\n"),
            "3:19: plugins.hostile.grant.http.api.methods",
            "does not ask for DELETE",
            "less may be named here, not more",
        ),
        (
            &format!("{granted}\n{url}\npaths = [\"/**\"]\n"),
            "3:10: plugins.hostile.grant.http.api.paths",
            "does not ask for all of /**",
            "/granted/**",
        ),
        (
            &format!(
                "{granted}\n{url}\ncredential = {{ bearer = \"tokn\" }}\n\n[secrets]\ntoken = {{ env = \"T\" }}\n"
            ),
            "3:25: plugins.hostile.grant.http.api.credential.bearer",
            "there is no secret of this name",
            "did you mean \"token\"?",
        ),
    ] {
        installation.config(config);
        let said = installation.run(&["check"]);
        assert_eq!(said.code, 1, "{config}{said:?}");
        let all = said.all();
        let line = all.lines().find(|line| line.contains(place));
        let line = line.unwrap_or_else(|| panic!("{place:?} is not told of\n{config}{all}"));
        for part in ["fleetgate.toml:", what, advice] {
            assert!(line.contains(part), "{part:?} is not in {line}\n{config}");
        }
    }
}

#[test]
fn each_mistake_in_a_manifest_is_told_with_its_line_its_key_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = folder.path().join("plugin.toml");
    let head = "[plugin]\nid = \"lists\"\nversion = \"0.1.0\"\ninterface = \"0.1\"\ntitle = \"L\"\n\
                description = \"L.\"\n[roles]\nview = {}\n";
    let tool = "[tools.one]\nrequires = \"view\"\n";
    for (rest, place, what, advice) in [
        (
            &format!("{tool}read_onli = true\n")[..],
            "11:1: tools.one.read_onli",
            "unknown key",
            "\"read_only\"",
        ),
        (
            &format!("{tool}read_only = \"yes\"\n"),
            "11:13: tools.one.read_only",
            "found a text",
            "true or false",
        ),
        (&format!("{tool}timeout = 30\n"), "11:11: tools.one.timeout", "expected a duration", "\"30s\""),
        ("[tools.one]\nread_only = true\n", "9:1: tools.one", "`requires` is missing", "\"any\""),
        (
            "[tools.one]\nrequires = \"vew\"\n",
            "10:12: tools.one.requires",
            "not declared",
            "did you mean \"view\"?",
        ),
        (&format!("{tool}read_only = true\ndestructive = true\n"), "tools.one", "destructive", "read_only"),
        (
            &format!("{tool}[capabilities.htpp.api]\nwhy = \"x\"\n"),
            "11:15: capabilities.htpp",
            "no capability \"htpp\"",
            "did you mean \"http\"?",
        ),
        (
            &format!("{tool}[capabilities.http.api]\nmethods = [\"GET\"]\npaths = [\"/**\"]\n"),
            "11:1: capabilities.http.api",
            "missing key \"why\"",
            "add why",
        ),
        (
            &format!("{tool}reach = {{ \"http.api\" = {{ methods = [\"GET\"], paths = [\"/**\"] }} }}\n"),
            "tools.one.reach",
            "http.api",
            "",
        ),
    ] {
        fs::write(&text, format!("{head}{rest}")).expect("room on the disk");
        let said = fleetgate(&[
            "pack",
            plugin("lists").to_str().expect("text"),
            text.to_str().expect("text"),
            "-o",
            folder.path().to_str().expect("text"),
        ]);
        assert_eq!(said.code, 1, "{rest}{said:?}");
        let line = said.stderr.lines().find(|line| line.contains(place));
        let line = line.unwrap_or_else(|| panic!("{place:?} is not told of\n{rest}{}", said.stderr));
        for part in ["plugin.toml:", what, advice] {
            assert!(line.contains(part), "{part:?} is not in {line}\n{rest}");
        }
        assert!(!folder.path().join("lists.wasm").exists(), "nothing is written");
    }
}

#[tokio::test]
async fn every_command_that_prints_data_prints_json() {
    let upstream = Upstream::start().await;
    let installation = Installation::of("hostile", &upstream.url(), "a-token", &[]);
    installation.install("hello");
    let file = installation.plugin_path("hostile");
    let file = file.to_str().expect("text");

    let checked = installation.run_well(&["check", "--json"]).json();
    assert_eq!((&checked["fine"], &checked["plugins"][0]["state"]), (&json!(true), &json!("found")));
    let inspected = fleetgate(&["inspect", file, "--json"]);
    assert_eq!((inspected.code, &inspected.json()["id"]), (0, &json!("hostile")));
    let enabled = installation.run_well(&["enable", "hello", "--json"]).json();
    assert_eq!(enabled["id"], "hello");
    let called = installation.run_well(&["call", "hello", "greet", "{\"name\":\"Ann\"}", "--json"]).json();
    assert_eq!(called["content"][0]["text"], "Hello, Ann!");
    let reference = called["reference"].as_str().expect("a reference").to_owned();
    let why = installation.run_well(&["why", &reference, "--json"]).json();
    assert_eq!((&why["call"], &why["outcome"]), (&json!(reference), &json!("ok")));
    let found = installation.run_well(&["audit", "find", "--tool", "greet", "--json"]).json_lines();
    assert_eq!(found[0]["call"], json!(reference));
    let tail = installation.run_well(&["audit", "tail", "--json"]).json_lines();
    assert_eq!((&tail[0]["kind"], &tail[0]["call"]), (&json!("outcome"), &json!(reference)));
    for of in ["manifest", "config"] {
        let schema = fleetgate(&["schema", of]);
        assert_eq!((schema.code, schema.json()["type"].as_str()), (0, Some("object")), "{of}");
    }
    // `approve`, `pack` and `serve` say theirs where they are tried: approval, new_plugin and every server.

    // What fails says so in JSON as well.
    let failed = installation.run(&["call", "hello", "greet", "{\"name\":7}", "--json"]);
    assert_eq!(
        (failed.code, &failed.json()["fault"]["code"]),
        (1, &json!("invalid-arguments")),
        "{failed:?}"
    );
    let unknown = installation.run(&["call", "hello", "gret", "{}", "--json"]);
    assert_eq!(unknown.code, 1);
    assert!(unknown.json()["refused"].as_str().is_some_and(|why| why.contains("gret")), "{unknown:?}");
    installation.install_bytes("hello", b"no longer a plugin");
    let broken = installation.run(&["check", "--json"]);
    assert_eq!((broken.code, &broken.json()["fine"]), (1, &json!(false)), "{broken:?}");
    assert_eq!(broken.json()["plugins"][0]["state"], "broken");
}

#[test]
fn exit_codes_tell_what_is_fine_what_failed_and_what_was_typed_wrongly() {
    let installation = installation();
    installation.config("[serve]\n\n[plugins.lists]\n");
    let config = installation.config_path();
    let config = config.to_str().expect("text");
    for (code, arguments, said) in [
        (0, &["--help"][..], "Exit codes"),
        (0, &["--version"], "fleetgate"),
        (0, &["check", "--config", config], "Everything is fine"),
        (1, &["inspect", config], "is not named after a plugin"),
        (1, &["why", "nothing2call", "--config", config], "has no call"),
        (1, &["call", "lists", "one", "--config", config], "--role lists:view"),
        (0, &["call", "lists", "one", "--role", "lists:view", "--config", config], "one"),
        (1, &["call", "lists", "two", "--config", config], "there is no tool \"two\""),
        (2, &["chek"], "check"),
        (2, &["check", "--confg", config], "--config"),
        (2, &["call", "list", "one", "--config", config], "did you mean \"lists\"?"),
        (2, &["call", "lists", "one", "[]", "--config", config], "JSON object"),
        (2, &["call", "lists", "one", "{", "--config", config], "not JSON"),
        (2, &["call", "lists", "one", "--role", "view", "--config", config], "view"),
        (2, &["call", "lists", "one", "--role", "lists:vew", "--config", config], "view"),
        (2, &["inspect", "/nowhere/at.wasm"], "cannot read"),
        (2, &["new", "Not An Id"], "not-an-id"),
        (2, &["audit", "find", "--since", "yesteryear", "--config", config], "yesteryear"),
        (2, &["audit", "find", "--arg", "identifier", "--config", config], "NAME=VALUE"),
        (2, &["serve", "--listen", "0.0.0.0:0", "--config", config], "--i-know-that-nobody-authenticates"),
    ] {
        let answer = fleetgate(arguments);
        assert_eq!(answer.code, code, "{arguments:?}: {answer:?}");
        assert!(answer.all().contains(said), "{arguments:?} does not say {said:?}: {answer:?}");
    }
}

/// In this working directory, with this home, and nothing configured elsewhere.
fn at_home(home: &Path, working: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(program("fleetgate"));
    command.args(arguments).current_dir(working).env("HOME", home).env_remove("XDG_CONFIG_HOME");
    Said::by(&mut command)
}

#[test]
fn a_configuration_in_the_working_directory_is_used_only_when_it_is_named() {
    let repository = installation();
    repository.config("[serve]\n\n[plugins.lists]\n");
    let home = tempfile::tempdir().expect("a temporary folder");
    let said = at_home(home.path(), repository.path(), &["check"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("--config fleetgate.toml"), "{said:?}");
    assert!(!repository.path().join(".fleetgate").exists(), "nothing of it was run");
    let said = at_home(home.path(), repository.path(), &["check", "--config", "fleetgate.toml"]);
    assert_eq!(said.code, 0, "{said:?}");

    // The user's own is found, wherever the user is.
    let own = home.path().join(".config/fleetgate");
    fs::create_dir_all(&own).expect("a folder");
    fs::write(own.join("fleetgate.toml"), "[serve]\n").expect("a file");
    let said = at_home(home.path(), repository.path(), &["check"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.contains(own.to_str().expect("text")), "{said:?}");
    assert!(!said.stdout.contains("lists"), "{said:?}");
}

#[tokio::test]
async fn what_others_can_write_or_read_is_refused_with_the_command_that_mends_it() {
    let installation = installation();
    installation.config("[serve]\n\n[plugins.lists]\n");
    let set = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("our own file");
    };
    let config = installation.config_path();
    for mode in [0o666, 0o664] {
        set(&config, mode);
        for command in
            [&["check"][..], &["call", "lists", "one"], &["serve", "--listen", "127.0.0.1:0"], &["stdio"]]
        {
            let said = installation.run(command);
            assert_eq!(said.code, 1, "{command:?}: {said:?}");
            assert!(said.stderr.contains("can be written by others"), "{said:?}");
            assert!(said.stderr.contains(&format!("chmod go-w {}", config.display())), "{said:?}");
        }
    }
    set(&config, 0o644);
    installation.run_well(&["check"]);

    // A folder in which others can replace the file is no better.
    set(installation.path(), 0o777);
    let said = installation.run(&["check"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("can be written by others"), "{said:?}");
    set(installation.path(), 0o700);

    // A secret that everybody can read is none.
    let upstream = Upstream::start().await;
    let installation = Installation::of("hostile", &upstream.url(), "a-token", &[]);
    installation.run_well(&["check"]);
    set(&installation.path().join("token"), 0o644);
    let said = installation.run(&["check"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.stdout.contains("can be read by everybody") && said.stdout.contains("chmod o-r"),
        "{said:?}"
    );
    let server = Server::start(&installation);
    assert!(server.client().tool_names().await.is_empty(), "without its credential it is not served");
}
