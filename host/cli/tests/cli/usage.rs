use crate::home::Home;

const COMMANDS: [&str; 16] = [
    "serve", "stdio", "check", "inspect", "enable", "approve", "call", "read", "prompt", "why", "audit",
    "jobs", "state", "pack", "new", "schema",
];

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let ran = Home::new().run(&["--help"]);
    assert_eq!(ran.code(), 0);
    for command in COMMANDS {
        assert!(
            ran.out().lines().any(|line| line.trim_start().starts_with(&format!("{command} "))),
            "{command}"
        );
    }
    assert!(ran.out().contains("Exit codes: 0 fine, 1 the thing checked or called failed, 2 wrong usage."));
}

#[test]
fn each_command_has_help_and_the_compiler_is_hidden() {
    let home = Home::new();
    for command in COMMANDS {
        let ran = home.run(&[command, "--help"]);
        assert_eq!(ran.code(), 0, "{command}");
        assert!(ran.out().contains("Usage: fleetgate"), "{command}");
    }
    assert!(!home.run(&["--help"]).out().contains("__compile"));
}

#[test]
fn commands_that_print_data_can_print_json() {
    let home = Home::new();
    for command in [
        &["serve"][..],
        &["check"],
        &["inspect"],
        &["enable"],
        &["approve"],
        &["call"],
        &["read"],
        &["prompt"],
        &["jobs", "list"],
        &["jobs", "dead"],
        &["state", "list"],
        &["state", "show"],
        &["why"],
        &["audit", "find"],
        &["audit", "tail"],
        &["pack"],
    ] {
        let ran = home.run(&[command, &["--help"]].concat());
        assert!(ran.out().contains("--json"), "{command:?}");
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    let home = Home::new();
    home.run(&[]).refused(2, &["Usage: fleetgate"]);
    home.run(&["sevre"]).refused(2, &["sevre", "serve"]);
    home.run(&["serve", "--rolle", "a:b"]).refused(2, &["--role"]);
    home.run(&["serve", "--role", "view"])
        .refused(2, &["write <binding>:<role>, for example nerveshub:view"]);
    home.run(&["serve", "--listen", "8080"]).refused(2, &["--listen"]);
    home.run(&["audit", "find", "--since", "yesterday"]).refused(2, &["write how long ago"]);
    home.run(&["audit", "find", "--arg", "pump-7"]).refused(2, &["write NAME=VALUE"]);
}

#[test]
fn the_version_is_this_programs() {
    let ran = Home::new().run(&["--version"]);
    assert_eq!(ran.out().trim(), concat!("fleetgate ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn whoever_stops_reading_ends_the_program_quietly() {
    use std::process::Stdio;
    let home = Home::new();
    let mut child =
        home.command(&["schema", "config"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
}

#[test]
fn the_schemas_are_schemas() {
    let home = Home::new();
    for of in ["manifest", "config"] {
        let schema = home.run(&["schema", of]).json();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{of}");
        assert!(schema["properties"].get("plugin").or(schema["properties"].get("plugins")).is_some(), "{of}");
    }
}

#[test]
fn only_the_host_itself_can_use_the_compiler() {
    Home::new().run(&["__compile"]).refused(1, &["this subcommand is for the program itself"]);
}
