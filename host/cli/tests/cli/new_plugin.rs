use std::fs;

use crate::home::{COMPONENT, Home};

#[test]
fn a_new_plugin_has_everything_and_says_what_comes_next() {
    let home = Home::new();
    let ran = home.run(&["new", "weather"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    for file in [
        "Cargo.toml",
        "plugin.toml",
        "src/lib.rs",
        "README.md",
        ".gitignore",
        "rust-toolchain.toml",
        ".cargo/config.toml",
        "fleetgate-sdk/Cargo.toml",
        "fleetgate-sdk/src/lib.rs",
        "fleetgate-sdk/macros/Cargo.toml",
        "fleetgate-sdk/macros/src/lib.rs",
        "fleetgate-sdk/wit/fleetgate-plugin/types.wit",
    ] {
        assert!(home.work().join("weather").join(file).is_file(), "{file}");
    }
    for step in [
        "cd weather",
        "cargo test",
        "cargo build --release --target wasm32-wasip2",
        "fleetgate pack target/wasm32-wasip2/release/plugin.wasm plugin.toml -o weather.wasm",
        "fleetgate enable weather",
    ] {
        assert!(ran.out().contains(step), "{step:?} is not in:\n{}", ran.out());
    }
}

#[test]
fn the_manifest_of_a_new_plugin_is_valid() {
    let home = Home::new();
    home.run(&["new", "weather-lab"]);
    home.write("work/component.wasm", &*COMPONENT);
    let ran = home.run(&["pack", "component.wasm", "weather-lab/plugin.toml", "-o", "weather-lab.wasm"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    assert_eq!(home.run(&["inspect", "weather-lab.wasm", "--json"]).json()["title"], "Weather lab");
}

#[test]
fn a_directory_that_is_there_is_left_alone() {
    let home = Home::new();
    home.write("work/weather/precious", "mine");
    home.run(&["new", "weather"]).refused(2, &["weather is there already"]);
    assert_eq!(fs::read_dir(home.work().join("weather")).unwrap().count(), 1);
}

#[test]
fn a_name_that_is_no_id_is_refused_with_a_better_one() {
    let home = Home::new();
    home.run(&["new", "My_Plugin"]).refused(2, &["\"My_Plugin\" is not a plugin's id", "write my-plugin"]);
    home.run(&["new", "../evil"]).refused(2, &["is not a plugin's id"]);
    home.run(&["new", ""]).refused(2, &["1 to 32 lower-case letters"]);
    assert_eq!(fs::read_dir(home.work()).unwrap().count(), 0);
}

#[test]
fn a_new_plugin_goes_where_it_is_told_to() {
    let home = Home::new();
    assert_eq!(home.run(&["new", "weather", "--in", home.path().to_str().unwrap()]).code(), 0);
    assert!(home.path().join("weather/Cargo.toml").is_file());
    home.run(&["new", "weather", "--in", "/nowhere"]).refused(1, &["cannot create /nowhere/weather"]);
}
