//! What `fleetgate.toml` may say, and how it is refused.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::diagnostic::{Diagnostics, Document};
use fleetgate_core::settings::{JobSettings, Limits, SecretSource, Settings, Unlisted, load, parse};

use super::said::assert_said;

/// Every key that the file can have.
pub const FULL: &str = include_str!("fixtures/fleetgate.toml");

pub fn read(text: impl Into<Arc<str>>) -> Result<Settings, Diagnostics> {
    parse(&Arc::new(Document::new("fleetgate.toml", text)), Path::new("/etc/fleetgate"))
}

#[track_caller]
fn refused(text: &str) -> Diagnostics {
    read(text).expect_err("it must be refused")
}

#[test]
fn a_file_with_every_key_is_read() {
    let settings = read(FULL).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(settings.serve.listen, "0.0.0.0:9000".parse().unwrap());
    assert_eq!(settings.serve.public_url.as_deref(), Some("https://fleetgate.example.com"));
    assert_eq!(settings.serve.plugins, Path::new("/etc/fleetgate/drop"));
    assert_eq!(settings.serve.state, Path::new("/var/lib/fleetgate"));
    assert_eq!(settings.serve.unlisted, Unlisted::Serve);
    assert_eq!(settings.serve.stream_max, Some(Duration::from_secs(50)));
    assert_eq!(
        settings.serve.local_roles.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["naas:viewer", "*:*"]
    );
    assert_eq!(
        settings.secrets.source("relative"),
        Some(&SecretSource::File("/etc/fleetgate/keys/a".into()))
    );
    assert_eq!(settings.secrets.source("lab-key"), Some(&SecretSource::Systemd("lab-key".into())));
    assert_eq!(settings.secrets.source("broker"), Some(&SecretSource::Env("BROKER_PASSWORD".into())));
    assert_eq!(settings.limits.timeout, Duration::from_secs(10));
    assert_eq!(settings.limits.max_memory, 512 << 20);
    let lab = &settings.bindings["naas-lab"];
    assert_eq!((lab.plugin.as_str(), lab.label.as_deref()), ("naas", Some("LAB")));
    assert_eq!(lab.pin.unwrap().to_string(), format!("sha256:{}", "0123456789abcdef".repeat(4)));
    assert_eq!(settings.bindings["naas"].plugin, "naas");
    let held: Vec<_> = settings.groups["fleet-operator"].iter().map(ToString::to_string).collect();
    assert_eq!(held, ["nerveshub:manage", "naas:commands:write"]);
    let jobs = JobSettings {
        ttl: Duration::from_secs(2 * 60 * 60),
        max_ttl: Duration::from_secs(2 * 24 * 60 * 60),
        concurrency: 16,
        binding_concurrency: 4,
        queue: 100,
        per_principal: 10,
        kept_per_principal: 100,
        kept: 1000,
        results: 256 << 20,
    };
    assert_eq!(settings.jobs, jobs);
    assert_eq!(settings.directory(), Path::new("/etc/fleetgate"));
}

#[test]
fn an_empty_file_listens_on_loopback_and_serves_nothing() {
    let settings = read("").unwrap();
    assert_eq!(settings.serve.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(settings.serve.plugins, Path::new("/etc/fleetgate/plugins"));
    assert_eq!(settings.serve.state, Path::new("/etc/fleetgate/.fleetgate"));
    assert_eq!(settings.serve.unlisted, Unlisted::Hold);
    assert_eq!(settings.serve.stream_max, None);
    assert!(
        settings.serve.local_roles.is_empty() && settings.bindings.is_empty() && settings.groups.is_empty()
    );
    assert_eq!(settings.limits, Limits::default());
    assert_eq!(settings.jobs, JobSettings::default());
}

#[test]
fn an_unknown_key_is_refused_in_every_table() {
    assert_said(&refused("[server]\n"), 1, "server", &["unknown key", "did you mean \"serve\"?"]);
    assert_said(&refused("[serve]\nlisten_on = \"x\"\n"), 2, "serve.listen_on", &["unknown key"]);
    assert_said(
        &refused("[limits]\ntimeuot = \"1s\"\n"),
        2,
        "limits.timeuot",
        &["did you mean \"timeout\"?"],
    );
    assert_said(
        &refused("[secrets.a]\nenv = \"A\"\nfiel = \"b\"\n"),
        3,
        "secrets.a.fiel",
        &["did you mean \"file\"?"],
    );
    assert_said(&refused("[plugins.a]\nlable = \"x\"\n"), 2, "plugins.a.lable", &["did you mean \"label\"?"]);
    let problems = refused("[plugins.a.limits]\nmemori = \"1MiB\"\n");
    assert_said(&problems, 2, "plugins.a.limits.memori", &["did you mean \"memory\"?"]);
    assert_said(&refused("[plugins.a]\ngrants = {}\n"), 2, "plugins.a.grants", &["did you mean \"grant\"?"]);
}

#[test]
fn an_address_that_is_none_is_refused() {
    for listen in ["8080", "localhost:8080", "127.0.0.1", "127.0.0.1:99999"] {
        let problems = refused(&format!("[serve]\nlisten = \"{listen}\"\n"));
        assert_said(&problems, 2, "serve.listen", &["not an address and port", "127.0.0.1:8080"]);
    }
}

#[test]
fn a_public_url_is_an_origin_and_nothing_more() {
    for (url, said) in [
        ("fleetgate.example.com", "is not a URL"),
        ("ftp://a.example.com", "is not http or https"),
        ("https://a:b@a.example.com", "holds a user or password"),
        ("https://a.example.com/?x=1", "query or fragment"),
        ("https://a.example.com/#x", "query or fragment"),
        ("https://a.example.com/fleet", "has a path"),
    ] {
        let problems = refused(&format!("[serve]\npublic_url = \"{url}\"\n"));
        assert_said(&problems, 2, "serve.public_url", &[said, "https://fleetgate.example.com"]);
    }
    let settings = read("[serve]\npublic_url = \"https://A.example.com:443/\"\n").unwrap();
    assert_eq!(settings.serve.public_url.as_deref(), Some("https://a.example.com"));
}

#[test]
fn a_role_that_is_none_is_refused() {
    for (role, said) in [
        ("view", "is not a role"),
        (":view", "is not a role"),
        ("naas:", "is not a role"),
        ("Naas:view", "not the name of a binding"),
        ("naas:View", "not a role name"),
        ("naas:any", "not a role that is given"),
    ] {
        let problems = refused(&format!("[groups]\nops = [\"{role}\"]\n"));
        assert_said(&problems, 2, "groups.ops", &[said]);
        let problems = refused(&format!("[serve]\nlocal_roles = [\"{role}\"]\n"));
        assert_said(&problems, 2, "serve.local_roles", &[said]);
    }
    assert_said(&refused("[groups]\n\"a b\" = []\n"), 2, "groups.\"a b\"", &["not a name for a group"]);
}

#[test]
fn limits_that_contradict_each_other_are_refused() {
    let problems = refused("[limits]\ntimeout = \"20m\"\n");
    assert_said(&problems, 2, "limits.timeout", &["more than max_timeout (15m)", "raise max_timeout"]);
    let problems = refused("[limits]\nmax_timeout = \"10s\"\n");
    assert_said(&problems, 2, "limits.max_timeout", &["timeout is more than max_timeout (10s)"]);
    let problems = refused("[limits]\nmemory = \"300MiB\"\n");
    assert_said(&problems, 2, "limits.memory", &["more than max_memory (256MiB)"]);
    let problems = refused("[limits]\nmax_memory = \"2GiB\"\n");
    assert_said(&problems, 2, "limits.max_memory", &["more than binding_memory of all (1GiB)"]);
    let problems = refused("[limits]\nmax_memory = \"8GiB\"\nbinding_memory = \"9GiB\"\n");
    assert_said(&problems, 2, "limits.max_memory", &["more than 4GiB"]);
    let problems = refused("[limits]\nmax_memory = \"100MiB\"\n[plugins.a.limits]\nmemory = \"200MiB\"\n");
    assert_said(&problems, 4, "plugins.a.limits.memory", &["more than max_memory (100MiB)"]);
}

#[test]
fn a_limit_of_nothing_is_refused() {
    let problems = refused("[limits]\ntimeout = \"0s\"\nresult = \"0B\"\nconcurrency = 0\n");
    assert_said(&problems, 2, "limits.timeout", &["nothing runs"]);
    assert_said(&problems, 3, "limits.result", &["nothing runs"]);
    assert_said(&problems, 4, "limits.concurrency", &["out of range"]);
    assert_said(
        &refused("[limits]\ntimeout = 30\n"),
        2,
        "limits.timeout",
        &["expected a duration in quotes, like \"30s\""],
    );
}

#[test]
fn jobs_are_bounded_and_kept_for_a_while_and_not_for_ever() {
    for key in ["ttl", "max_ttl"] {
        for wrong in ["59s", "0s", "721h"] {
            let problems = refused(&format!("[jobs]\n{key} = \"{wrong}\"\n"));
            let said = ["is out of range", "write a duration from \"1m\" to \"720h\""];
            assert_said(&problems, 2, &format!("jobs.{key}"), &said);
        }
        let problems = refused(&format!("[jobs]\n{key} = 60\n"));
        assert_said(&problems, 2, &format!("jobs.{key}"), &["expected a duration in quotes"]);
    }
    let problems = refused("[jobs]\nttl = \"2h\"\nmax_ttl = \"1h\"\n");
    assert_said(&problems, 2, "jobs.ttl", &["ttl is more than max_ttl (1h)", "raise max_ttl or lower ttl"]);
    for (key, most) in [
        ("concurrency", 256),
        ("binding_concurrency", 256),
        ("queue", 10_000),
        ("per_principal", 10_000),
        ("kept_per_principal", 100_000),
        ("kept", 100_000),
    ] {
        for wrong in [0, -1, most + 1] {
            let problems = refused(&format!("[jobs]\n{key} = {wrong}\n"));
            let help = format!("write a number from 1 to {most}");
            assert_said(&problems, 2, &format!("jobs.{key}"), &["is out of range", &help]);
        }
        assert!(read(format!("[jobs]\n{key} = {most}\n")).is_ok(), "{key}");
    }
    assert_said(&refused("[jobs]\nresults = 5\n"), 2, "jobs.results", &["expected a size in quotes"]);
    assert_said(&refused("[jobs]\nresults = \"0B\"\n"), 2, "jobs.results", &["no result would ever be kept"]);
    assert_said(&refused("[jobs]\nttll = \"1h\"\n"), 2, "jobs.ttll", &["did you mean \"ttl\"?"]);
}

#[test]
fn one_of_the_two_times_of_jobs_moves_the_other() {
    let jobs = |text: &str| read(format!("[jobs]\n{text}\n")).unwrap().jobs;
    let shorter = jobs("max_ttl = \"10m\"");
    assert_eq!((shorter.ttl, shorter.max_ttl), (Duration::from_secs(600), Duration::from_secs(600)));
    let longer = jobs("ttl = \"48h\"");
    assert_eq!(longer.max_ttl, longer.ttl);
}

#[test]
fn a_secret_has_exactly_one_source() {
    assert_said(
        &refused("[secrets]\na = {}\n"),
        2,
        "secrets.a",
        &["nothing says where", "{ file = \"/path\" }"],
    );
    let problems = refused("[secrets]\na = { env = \"A\", file = \"b\" }\n");
    assert_said(&problems, 2, "secrets.a", &["a secret has one source"]);
    let problems = refused("[secrets]\na = { systemd = \"../shadow\" }\n");
    assert_said(&problems, 2, "secrets.a.systemd", &["not the name of a credential"]);
    assert_said(
        &refused("[secrets]\na = { env = \"\" }\n"),
        2,
        "secrets.a.env",
        &["not the name of an environment"],
    );
    assert_said(
        &refused("[secrets]\n\"A B\" = { env = \"X\" }\n"),
        2,
        "secrets.\"A B\"",
        &["not a name for a secret"],
    );
}

#[test]
fn a_secret_written_into_the_file_is_refused_and_not_repeated() {
    let problems = refused("[secrets]\na = \"hunter2\"\n");
    assert_said(&problems, 2, "secrets.a", &["expected a table, found a text"]);
    assert!(!problems.to_string().contains("hunter2"));
}

#[test]
fn names_of_bindings_have_no_underscore() {
    for name in ["na_as", "Naas", "\"a b\"", "\"\"", "1a"] {
        let problems = refused(&format!("[plugins.{name}]\n"));
        assert_said(&problems, 1, &format!("plugins.{name}"), &["is not a name for a binding", "hyphens"]);
    }
    assert_said(&refused("[plugins.a]\nuse = \"../b\"\n"), 2, "plugins.a.use", &["not the id of a plugin"]);
}

#[test]
fn a_label_is_short_and_shows_what_it_is() {
    for label in ["", "a\\nb", "\\u001b[31mred", "a\\u202eb", &"x".repeat(65)] {
        assert_said(
            &refused(&format!("[plugins.a]\nlabel = \"{label}\"\n")),
            2,
            "plugins.a.label",
            &["this is no label"],
        );
    }
}

#[test]
fn a_pin_that_is_no_digest_is_refused() {
    for pin in [
        "sha256:12",
        "0123456789abcdef",
        &format!("sha256:{}", "G".repeat(64)),
        &format!("sha256:{}", "A".repeat(64)),
    ] {
        let problems = refused(&format!("[plugins.a]\npin = \"{pin}\"\n"));
        assert_said(&problems, 2, "plugins.a.pin", &["not a digest", "fleetgate inspect"]);
    }
}

#[test]
fn an_unknown_word_for_unlisted_plugins_is_refused() {
    let problems = refused("[serve]\nunlisted = \"sevre\"\n");
    assert_said(&problems, 2, "serve.unlisted", &["did you mean \"serve\"?", "\"hold\" or \"serve\""]);
}

#[test]
fn a_file_is_loaded_with_paths_from_its_own_directory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fleetgate.toml");
    std::fs::write(&path, "[serve]\nplugins = \"drop\"\n").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let settings = load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(settings.serve.plugins, directory.path().join("drop"));
    assert_eq!(settings.directory(), directory.path());
}

#[test]
fn a_file_that_others_can_write_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fleetgate.toml");
    std::fs::write(&path, "").unwrap();
    for mode in [0o664, 0o646, 0o666] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let said = load(&path).unwrap_err().to_string();
        assert!(said.contains("can be written by others") && said.contains("chmod go-w"), "{said}");
    }
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let said = load(&path).unwrap_err().to_string();
    assert!(said.contains("can be written by others (mode 0777)"), "{said}");
}

#[test]
fn a_file_that_is_not_there_or_not_text_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fleetgate.toml");
    let said = load(&path).unwrap_err().to_string();
    assert!(said.contains("fleetgate.toml") && said.contains("there is no such file"), "{said}");
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let said = load(&path).unwrap_err().to_string();
    assert!(said.contains("not UTF-8"), "{said}");
}

#[test]
fn numbers_that_are_infinite_or_none_are_refused_wherever_a_binding_has_them() {
    for (table, value, key) in [
        ("config", "nan", "config.rate"),
        ("config", "-inf", "config.rate"),
        ("grant.http.api", "[1.0, inf]", "grant"),
    ] {
        let problems = refused(&format!("[plugins.naas.{table}]\nrate = {value}\n"));
        let key = format!("plugins.naas.{key}");
        assert_said(
            &problems,
            2,
            &key,
            &["the number is too large or not a number", "write a finite number"],
        );
    }
    read("[plugins.naas.config]\nrate = 1.5\nrates = [-1.0, 2e9]\n").expect("finite ones are fine");
}

#[test]
fn a_stream_that_hardly_stays_open_is_refused() {
    for (wrong, why) in [("999ms", "come back all the time"), ("0s", "at least 1s"), ("60", "no unit")] {
        let problems = refused(&format!("[serve]\nstream_max = \"{wrong}\"\n"));
        assert_said(&problems, 2, "serve.stream_max", &[why]);
    }
}
