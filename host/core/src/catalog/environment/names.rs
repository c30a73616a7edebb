//! Which variables a plugin may have: those that are its own by name, and those that the operator names.
//!
//! A manifest is an author's, and may name any variable. The words of a variable's name are what the operator can see
//! of whom it is for: `NAAS_MCP_API_KEY` is for the plugin `naas`, since that is the id that he wrote after
//! `--plugin`; `GITHUB_TOKEN` is not, whatever a manifest says.

use std::collections::BTreeSet;
use std::sync::Arc;

/// A variable's value by its name.
type Read = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where variables are read from, and which of them the operator gave by name.
#[derive(Clone)]
pub struct Environment {
    read: Arc<Read>,
    named: Arc<BTreeSet<String>>,
}

/// Every login sets them, so that they say nothing of a plugin, also of one with such an id.
const OF_EVERYBODY: [&str; 10] =
    ["HOME", "LANG", "LOGNAME", "MAIL", "PATH", "PWD", "SHELL", "TERM", "TZ", "USER"];

impl Environment {
    /// The environment of this process. What is empty or not text counts as not set.
    pub fn of_this_process() -> Self {
        Self::of(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// Another one.
    pub fn of(read: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { read: Arc::new(read), named: Arc::default() }
    }

    /// The operator gives these variables, whatever they are called.
    #[must_use]
    pub fn giving(self, names: impl IntoIterator<Item = String>) -> Self {
        Self { named: Arc::new(names.into_iter().collect()), ..self }
    }

    /// What the operator gave by name.
    pub(super) fn given(&self) -> &BTreeSet<String> {
        &self.named
    }

    /// A variable's value, if the plugin may have it.
    pub(super) fn value(&self, plugin: &str, name: &str) -> Option<String> {
        (self.named.contains(name) || is_of(plugin, name)).then(|| (self.read)(name))?
    }

    /// Whether a variable is set, and the plugin may not have it.
    pub(super) fn withholds(&self, plugin: &str, name: &str) -> bool {
        !self.named.contains(name) && !is_of(plugin, name) && (self.read)(name).is_some()
    }
}

/// Whether a variable is the plugin's by name: its first words, joined, are the plugin's id without hyphens.
/// `NERVESHUB_URL` and `NERVES_HUB_URL` are the plugin `nerveshub`'s, `NERVESHUBS_URL` is not.
fn is_of(plugin: &str, name: &str) -> bool {
    let id = plugin.replace('-', "");
    let mut joined = String::new();
    for word in name.split('_') {
        joined.push_str(&word.to_ascii_lowercase());
        if joined == id {
            return !OF_EVERYBODY.contains(&name);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_a_plugins_if_its_first_words_are_the_id() {
        for (plugin, name) in [
            ("naas", "NAAS_MCP_API_KEY"),
            ("naas", "NAAS"),
            ("naas", "naas_url"),
            ("nerveshub", "NERVESHUB_URL"),
            ("nerveshub", "NERVES_HUB_TOKEN"),
            ("opendevicecloud", "OPEN_DEVICE_CLOUD_API_KEY"),
            ("open-device-cloud", "OPENDEVICECLOUD_API_KEY"),
            ("open-device-cloud", "OPEN_DEVICE_CLOUD"),
            ("home", "HOME_ASSISTANT_URL"),
        ] {
            assert!(is_of(plugin, name), "{plugin} {name}");
        }
        for (plugin, name) in [
            ("naas", "GITHUB_TOKEN"),
            ("naas", "NAASX_URL"),
            ("naas", "NAA_URL"),
            ("naas", "MY_NAAS_URL"),
            ("naas", "XNAAS"),
            ("naas", ""),
            ("naas", "_"),
            ("nerveshub", "NH_TOKEN"),
            ("nerveshub", "NERVES_TOKEN"),
            ("nerveshub", "NERVES_HUBS"),
            ("git", "GITHUB_TOKEN"),
            ("path", "PATH"),
            ("home", "HOME"),
        ] {
            assert!(!is_of(plugin, name), "{plugin} {name}");
        }
    }

    #[test]
    fn what_is_not_the_plugins_is_read_only_where_the_operator_names_it() {
        let everything = Environment::of(|name| Some(name.to_owned()));
        assert_eq!(everything.value("naas", "NAAS_URL").as_deref(), Some("NAAS_URL"));
        assert_eq!(everything.value("naas", "NH_TOKEN"), None);
        assert!(everything.withholds("naas", "NH_TOKEN") && !everything.withholds("naas", "NAAS_URL"));
        let given = everything.giving(["NH_TOKEN".to_owned()]);
        assert_eq!(given.value("naas", "NH_TOKEN").as_deref(), Some("NH_TOKEN"));
        assert_eq!(given.value("naas", "GITHUB_TOKEN"), None);
        assert!(!given.withholds("naas", "NH_TOKEN"));
        assert!(!Environment::of(|_| None).withholds("naas", "NH_TOKEN"), "it is not set");
    }
}
