use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::home::Home;

/// `audit find` reads the configuration and nothing else.
const READS: &[&str] = &["audit", "find"];

#[test]
fn without_a_configuration_the_places_are_named() {
    let home = Home::new();
    let users = home.path().join(".config/fleetgate/fleetgate.toml");
    home.run(READS).refused(
        2,
        &[
            &format!("there is no configuration at {} or /etc/fleetgate/fleetgate.toml", users.display()),
            "--config FILE",
        ],
    );
}

#[test]
fn a_configuration_in_the_working_directory_is_used_only_when_it_is_named() {
    let home = Home::new();
    home.write("work/fleetgate.toml", "");
    home.run(READS).refused(2, &["there is no configuration", "--config fleetgate.toml"]);
    assert_eq!(home.run(&[READS, &["--config", "fleetgate.toml"]].concat()).code(), 0);
}

#[test]
fn the_users_configuration_is_found() {
    let home = Home::new();
    home.config("");
    assert_eq!(home.run(READS).code(), 0);
}

#[test]
fn another_configuration_directory_is_used_when_it_is_set() {
    let home = Home::new();
    home.config("this is broken");
    home.write("elsewhere/fleetgate/fleetgate.toml", "");
    let ran = home.command(READS).env("XDG_CONFIG_HOME", home.path().join("elsewhere")).status().unwrap();
    assert!(ran.success());
    // The XDG base directory specification: a relative path counts as unset.
    let ran = home.command(READS).env("XDG_CONFIG_HOME", "elsewhere").status().unwrap();
    assert_eq!(ran.code(), Some(1));
}

#[test]
fn a_named_configuration_that_is_not_there_is_refused() {
    Home::new().run(&["audit", "find", "--config", "none.toml"]).refused(1, &["none.toml"]);
}

#[test]
fn what_is_wrong_in_the_configuration_is_said_with_file_line_key_and_advice() {
    let home = Home::new();
    let path =
        home.config("[serve]\nlisten = \"127.0.0.1:8080\"\nplugin = \"here\"\n\n[limits]\ntimeout = 30\n");
    home.run(READS).refused(
        1,
        &[
            &format!("error: {}:3:", path.display()),
            "did you mean \"plugins\"?",
            &format!("error: {}:6:", path.display()),
            "limits.timeout",
        ],
    );
}

#[test]
fn a_configuration_that_others_can_write_is_refused() {
    let home = Home::new();
    let path = home.config("");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    home.run(READS).refused(1, &[&path.display().to_string()]);
}

#[test]
fn what_a_configuration_says_cannot_steer_the_terminal() {
    let home = Home::new();
    home.config("[serve]\n\"\\u001b[31m\\nforged\" = 1\n");
    let ran = home.run(READS);
    assert_eq!(ran.code(), 1);
    assert!(!ran.err().contains('\u{1b}'), "{}", ran.err());
    assert!(!ran.err().lines().any(|line| line.starts_with("forged")), "{}", ran.err());
}
