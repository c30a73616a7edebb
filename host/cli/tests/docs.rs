//! The guides say what is so: their examples are valid, their links lead somewhere, and the tests that they name exist.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fleetgate_core::asking::ClientCapability;
use fleetgate_core::capability::Capabilities;
use fleetgate_core::diagnostic::Document;
use fleetgate_core::events::EventsCapability;
use fleetgate_core::manifest::{self, Manifest};
use fleetgate_core::settings;
use fleetgate_http::Http;
use fleetgate_keyvalue::KeyValue;
use fleetgate_mqtt::Mqtt;
use fleetgate_ssh::Ssh;

/// What an example leaves out, since its page has said it before.
const PLUGIN: &str = "[plugin]\nid = \"example\"\nversion = \"0.1.0\"\ninterface = \"0.1\"\n\
                      title = \"Example\"\ndescription = \"Of a guide.\"\n";

/// Where the tests lie that the threat model names by the beginning of this. Longer ones first.
const TESTS: [(&str, &str); 17] = [
    ("core/src/", "host/core/src/"),
    ("http/src/", "host/capabilities/http/src/"),
    ("ssh/src/", "host/capabilities/ssh/src/"),
    ("mqtt/src/", "host/capabilities/mqtt/src/"),
    ("store/src/", "host/store/src/"),
    ("mcp/src/", "host/mcp/src/"),
    ("cli/src/", "host/cli/src/"),
    ("core/", "host/core/tests/core/"),
    ("http/", "host/capabilities/http/tests/http/"),
    ("ssh/", "host/capabilities/ssh/tests/ssh/"),
    ("mqtt/", "host/capabilities/mqtt/tests/mqtt/"),
    ("keyvalue/", "host/capabilities/keyvalue/tests/keyvalue/"),
    ("store/", "host/store/tests/store/"),
    ("mcp/", "host/mcp/tests/mcp/"),
    ("auth/", "host/auth/tests/auth/"),
    ("cli/", "host/cli/tests/cli/"),
    ("e2e/", "tests/e2e/tests/e2e/"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// The README and the guides, by path.
fn pages() -> BTreeMap<PathBuf, String> {
    let guides =
        fs::read_dir(root().join("docs")).expect("docs").map(|entry| entry.expect("an entry").path());
    let all = guides.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    all.chain([root().join("README.md")])
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a page");
            (path, text)
        })
        .collect()
}

/// The fenced blocks whose fence says this.
fn blocks<'a>(text: &'a str, fence: &str) -> Vec<&'a str> {
    let start = format!("```{fence}\n");
    let after = text.split(start.as_str()).skip(1);
    after.map(|rest| rest.split("\n```").next().unwrap_or_default()).collect()
}

fn capabilities() -> Capabilities {
    Capabilities::new()
        .with(ClientCapability)
        .with(EventsCapability)
        .with(Http::default())
        .with(Ssh::default())
        .with(Mqtt::default())
        .with(KeyValue)
}

fn read_manifest(name: &str, text: &str) -> Manifest {
    let whole = if text.contains("[plugin]") { text.to_owned() } else { format!("{PLUGIN}{text}") };
    let document = Arc::new(Document::new(name, whole));
    manifest::parse(&document, &capabilities())
        .unwrap_or_else(|problems| panic!("{name}:\n{text}\n\n{problems}"))
}

/// The manifests of the guides' examples and of the plugins that are shipped, by id.
fn manifests() -> HashMap<String, Manifest> {
    let mut found = HashMap::new();
    for (path, text) in pages() {
        for block in blocks(&text, "toml manifest") {
            let manifest = read_manifest(&path.display().to_string(), block);
            found.insert(manifest.plugin.id.clone(), manifest);
        }
    }
    for entry in fs::read_dir(root().join("plugins")).expect("plugins") {
        let path = entry.expect("an entry").path().join("plugin.toml");
        let manifest =
            read_manifest(&path.display().to_string(), &fs::read_to_string(&path).expect("a manifest"));
        found.insert(manifest.plugin.id.clone(), manifest);
    }
    found
}

#[test]
fn every_example_of_a_configuration_is_valid_and_grants_what_its_plugins_need() {
    let (manifests, mut examples, mut granted) = (manifests(), 0, 0);
    for (path, text) in pages() {
        for block in blocks(&text, "toml config") {
            examples += 1;
            let document = Arc::new(Document::new(&path, block));
            let settings = settings::parse(&document, Path::new("/etc/fleetgate"))
                .unwrap_or_else(|problems| panic!("{block}\n\n{problems}"));
            for binding in settings.bindings.values() {
                let manifest = manifests.get(&binding.plugin);
                let manifest =
                    manifest.unwrap_or_else(|| panic!("no manifest of {}:\n{block}", binding.plugin));
                let grants = binding.grants(manifest, &capabilities(), &settings.secrets, &settings.limits);
                let grants = grants.unwrap_or_else(|problems| panic!("{block}\n\n{problems}"));
                assert!(grants.missing.is_empty(), "{:?} is not granted:\n{block}", grants.missing);
                granted += grants.granted.len();
            }
        }
    }
    assert!(examples >= 5 && granted >= 5, "{examples} examples with {granted} grants were found");
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let (mut links, mut broken) = (0, Vec::new());
    for (path, text) in pages() {
        for target in targets(&text) {
            links += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = path.parent().expect("a folder");
            let file = if file.is_empty() { path.clone() } else { folder.join(file) };
            let leads = match anchor {
                "" => file.exists(),
                anchor => {
                    fs::read_to_string(&file).is_ok_and(|text| anchors(&text).iter().any(|one| one == anchor))
                }
            };
            if !leads {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "these links lead nowhere:\n{}", broken.join("\n"));
    assert!(links >= 30, "{links} links were found");
}

#[test]
fn every_test_that_the_docs_name_exists() {
    let page = |name: &str| fs::read_to_string(root().join("docs").join(name)).expect(name);
    let text = page("threat-model.md") + &page("protocol.md");
    let named: Vec<_> = text.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    let named: Vec<_> =
        named.into_iter().filter(|(file, _)| file.contains('/') && *file != "folder/file").collect();
    for (file, test) in &named {
        let (prefix, folder) = TESTS.iter().find(|(prefix, _)| file.starts_with(prefix)).expect(file);
        let path = root().join(folder).join(format!("{}.rs", &file[prefix.len()..]));
        let code = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(code.contains(&format!("fn {test}(")), "{} has no test {test}", path.display());
    }
    assert!(named.len() >= 120, "{} tests are named", named.len());
}

/// The targets of links that stay within the repository, outside of code.
fn targets(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    let links = prose.flat_map(|prose| prose.split("](").skip(1));
    links
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .filter(|target| !target.contains("://") && !target.contains(char::is_whitespace))
        .collect()
}

/// The anchors that a forge makes of the headings.
fn anchors(text: &str) -> Vec<String> {
    let (mut known, mut code): (Vec<String>, bool) = (Vec::new(), false);
    let mut seen: HashMap<String, usize> = HashMap::new();
    for line in text.lines() {
        if line.starts_with("```") {
            code = !code;
        }
        let Some(heading) = Some(line.trim_start_matches('#')).filter(|rest| !code && *rest != line) else {
            continue;
        };
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let slug: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let before = seen.entry(slug.clone()).or_default();
        known.push(if *before == 0 { slug } else { format!("{slug}-{before}") });
        *before += 1;
    }
    known
}
