//! A new plugin's crate, as text. It brings the SDK along, so that it builds outside this repository.

mod sdk {
    include!(concat!(env!("OUT_DIR"), "/sdk.rs"));
}

/// Every file of a new plugin: its path within the crate, and its text.
pub fn files(id: &str) -> Vec<(String, String)> {
    let title = title(id);
    let fill = |text: &str| {
        text.replace("{{id}}", id)
            .replace("{{title}}", &title)
            .replace("{{channel}}", sdk::CHANNEL)
            .replace("{{serde}}", sdk::SERDE)
            .replace("{{schemars}}", sdk::SCHEMARS)
    };
    let own = [
        ("Cargo.toml", include_str!("template/Cargo.toml.txt")),
        ("plugin.toml", include_str!("template/plugin.toml")),
        ("src/lib.rs", include_str!("template/lib.rs.txt")),
        ("README.md", include_str!("template/README.md")),
        (".gitignore", "/target\n*.wasm\n"),
        (".cargo/config.toml", include_str!("template/cargo-config.toml")),
        ("rust-toolchain.toml", include_str!("template/rust-toolchain.toml.txt")),
    ];
    let own = own.into_iter().map(|(path, text)| (path.to_owned(), fill(text)));
    let sdk = sdk::FILES.iter().map(|(path, text)| (format!("fleetgate-sdk/{path}"), (*text).to_owned()));
    own.chain(sdk).collect()
}

/// `weather-lab` is "Weather lab" to people.
fn title(id: &str) -> String {
    let words = id.replace('-', " ");
    let words = words.trim();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::files;

    fn text(path: &str) -> String {
        files("weather-lab").into_iter().find(|(name, _)| name == path).map(|(_, text)| text).expect(path)
    }

    #[test]
    fn nothing_in_a_new_plugin_points_into_this_repository() {
        for (path, text) in files("weather-lab") {
            // In the SDK's own code two braces are one of a format string.
            let code = path.starts_with("fleetgate-sdk/") && path.ends_with(".rs");
            assert!(code || !text.contains("{{"), "{path} has a place that was not filled");
            if path.ends_with("Cargo.toml") {
                let manifest: toml::Table = text.parse().expect(&path);
                let package = manifest["package"].as_table().expect("a package");
                assert!(package.values().all(|value| !value.is_table()), "{path} inherits: {package:?}");
                assert!(!text.contains("../") && !text.contains("workspace = true"), "{path}:\n{text}");
            }
        }
        let bindings = text("fleetgate-sdk/src/bindings.rs");
        assert!(!bindings.contains("\"../"), "{bindings}");
        assert!(bindings.contains("\"wit/fleetgate-plugin\""));
        for package in ["ssh", "keyvalue", "mqtt"] {
            assert!(bindings.contains(&format!("\"wit/fleetgate-{package}\"")), "{bindings}");
            let wit = text(&format!("fleetgate-sdk/wit/fleetgate-{package}/{package}.wit"));
            assert!(wit.contains(&format!("package fleetgate:{package}")), "{wit}");
        }
        assert!(
            text("fleetgate-sdk/wit/fleetgate-plugin/worlds.wit").contains("package fleetgate:plugin")
                || text("fleetgate-sdk/wit/fleetgate-plugin/types.wit").contains("package fleetgate:plugin")
        );
    }

    #[test]
    fn a_new_plugin_is_no_member_of_a_workspace_around_it() {
        let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
        assert!(manifest.contains_key("workspace"));
    }

    #[test]
    fn a_title_is_made_of_the_id() {
        assert!(text("plugin.toml").contains("title = \"Weather lab\""));
        assert!(text("plugin.toml").contains("id = \"weather-lab\""));
    }
}
