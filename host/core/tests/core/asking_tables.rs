//! `[client]` in a manifest, and its grants.

use fleetgate_core::asking::Asks;
use fleetgate_core::diagnostic::Diagnostics;
use fleetgate_core::manifest::{Manifest, widening};
use fleetgate_core::settings::Grants;

use super::fake::capabilities;
use super::manifest::{ABOUT, after_about, read};
use super::said::assert_said;

/// What a binding `naas` with this table grants to a plugin with this `[client]`.
pub fn grants(client: &str, table: &str) -> Result<Grants, Diagnostics> {
    let manifest = after_about(client);
    let settings = super::settings::read(format!("[plugins.naas]\n{table}")).expect("valid settings");
    settings.bindings["naas"].grants(&manifest, &capabilities(), &settings.secrets, &settings.limits)
}

fn asked(client: &str) -> Manifest {
    after_about(client)
}

const ALL: &str = "[client]
elicitation = { why = \"To ask\", modes = [\"form\", \"url\"] }
sampling = \"To put in words\"
roots = \"To look around\"
skills = \"To teach\"
";

#[test]
fn an_ask_is_a_capability_that_is_optional_unless_it_says_otherwise() {
    let manifest = asked(ALL);
    let names: Vec<_> = manifest.capabilities.keys().map(String::as_str).collect();
    assert_eq!(names, ["client.elicitation", "client.roots", "client.sampling", "client.skills"]);
    for ask in manifest.capabilities.values() {
        assert!(ask.optional && ask.kind == "client", "{ask:?}");
    }
    assert_eq!(manifest.capabilities["client.sampling"].why, "To put in words");
    assert_eq!(
        manifest.capabilities["client.elicitation"].request.describe(),
        ["asks people to fill in forms", "sends people to web pages"]
    );
    let plain = asked("[client]\nelicitation = \"To ask\"\n");
    assert_eq!(plain.capabilities["client.elicitation"].request.describe(), ["asks people to fill in forms"]);
}

#[test]
fn a_needed_ask_that_is_not_granted_is_missing() {
    let needed = "[client.elicitation]\nwhy = \"To ask\"\noptional = false\n";
    assert_eq!(grants(needed, "").unwrap().missing, ["client.elicitation"]);
    assert!(grants(needed, "grant.client.elicitation = {}\n").unwrap().missing.is_empty());
    assert!(grants(ALL, "").unwrap().missing.is_empty());
}

#[test]
fn nothing_is_granted_by_itself_and_an_empty_table_grants_forms() {
    let none = grants(ALL, "").unwrap();
    assert!(none.granted.is_empty() && Asks::of(&none.granted) == Asks::default());
    let said = |table: &str, ask: &str| grants(ALL, table).unwrap().granted[ask].describe();
    assert_eq!(
        said("grant.client.elicitation = {}\n", "client.elicitation"),
        ["may ask people to fill in forms"]
    );
    let hosts = "grant.client.elicitation.hosts = [\"login.example.com\", \"SSO.example.com:8443\"]\n";
    assert_eq!(
        said(hosts, "client.elicitation"),
        ["may ask people to fill in forms", "may send people to login.example.com, sso.example.com:8443"]
    );
    let alone = "grant.client.elicitation = { modes = [\"url\"], hosts = [\"login.example.com\"] }\n";
    assert_eq!(said(alone, "client.elicitation"), ["may send people to login.example.com"]);
    assert!(said("grant.client.sampling = {}\n", "client.sampling")[0].contains("4096"));
    assert!(
        said("grant.client.sampling.max_tokens = 9\n", "client.sampling")[0].contains("at most 9 tokens")
    );
    assert_eq!(said("grant.client.skills = {}\n", "client.skills").len(), 1);
}

#[test]
fn a_grant_that_is_wider_than_asked_for_or_makes_no_sense_is_refused() {
    let forms = "[client]\nelicitation = \"To ask\"\n";
    let urls = "[client]\nelicitation = { why = \"To ask\", modes = [\"url\"] }\n";
    let key = "plugins.naas.grant.client.elicitation";
    for (client, table, at, pieces) in [
        (forms, "modes = [\"url\"]", "modes", &["does not ask for the mode url"][..]),
        (forms, "hosts = [\"a.example\"]", "hosts", &["hosts are for the mode url"]),
        (
            ALL,
            "modes = [\"form\"]\nhosts = [\"a.example\"]",
            "hosts",
            &["hosts are for the mode url", "modes"],
        ),
        (ALL, "modes = [\"url\"]", "modes", &["needs hosts"]),
        (ALL, "hosts = [\"https://a.example\"]", "hosts", &["is no host", "login.example.com"]),
        (ALL, "hosts = [\"*.example\"]", "hosts", &["is no host"]),
        (ALL, "modes = []", "modes", &["in no way"]),
        (ALL, "modes = [\"forms\"]", "modes", &["did you mean \"form\"?"]),
        (urls, "", "", &["no site is granted"]),
        (ALL, "url = \"x\"", "url", &["unknown key"]),
    ] {
        let problems = grants(client, &format!("[{key}]\n{table}\n")).expect_err(table);
        let line = if at.is_empty() {
            2
        } else {
            2 + table.lines().position(|line| line.starts_with(at)).unwrap() + 1
        };
        let at = if at.is_empty() { key.to_owned() } else { format!("{key}.{at}") };
        assert_said(&problems, line, &at, pieces);
    }
    let problems = grants(forms, "[plugins.naas.grant.client.sampling]\n").unwrap_err();
    assert!(problems.to_string().contains("does not ask for \"client.sampling\""), "{problems}");
    let problems = grants(ALL, "[plugins.naas.grant.client.sampling]\nmax_tokens = 0\n").unwrap_err();
    assert_said(&problems, 3, "plugins.naas.grant.client.sampling.max_tokens", &[]);
}

#[test]
fn what_is_wrong_in_client_is_said() {
    for (text, line, key, pieces) in [
        (
            "[client]\nelicitations = \"x\"\n",
            9,
            "client.elicitations",
            &["did you mean \"elicitation\"?"][..],
        ),
        ("[client]\nroots = \"\"\n", 9, "client.roots", &["no line of text"]),
        ("[client]\nroots = true\n", 9, "client.roots", &[]),
        ("[client.roots]\noptional = true\n", 8, "client.roots", &["missing key \"why\""]),
        ("[client.roots]\nwhy = \"x\"\nmodes = [\"form\"]\n", 10, "client.roots.modes", &["unknown key"]),
        ("[client.elicitation]\nwhy = \"x\"\nmodes = []\n", 10, "client.elicitation.modes", &["in no way"]),
        ("[capabilities.client.elicitation]\nwhy = \"x\"\n", 8, "capabilities.client", &["[client]"]),
        (
            "[client]\nroots = \"x\"\n[tools.a]\nrequires = \"any\"\nreach = { \"client.roots\" = {} }\n",
            12,
            "tools.a.reach.client.roots",
            &["says nothing about asking"],
        ),
    ] {
        let problems = read(format!("{ABOUT}{text}")).expect_err(text);
        let found = problems.iter().any(|problem| {
            problem.position().map_or(0, |(line, _)| line) == line
                && problem.key.replace('"', "") == key
                && pieces.iter().all(|piece| problem.line().contains(piece))
        });
        assert!(found, "nothing at line {line}, key {key}, with {pieces:?} in:\n{problems}");
    }
}

#[test]
fn a_new_ask_and_a_new_way_to_ask_widen() {
    let nothing = after_about("");
    let forms = asked("[client]\nelicitation = \"To ask\"\n");
    let urls = asked("[client]\nelicitation = { why = \"To ask\", modes = [\"form\", \"url\"] }\n");
    let said = widening(&nothing, &forms);
    assert!(said.iter().any(|line| line.contains("asks for client.elicitation: To ask")), "{said:?}");
    assert_eq!(widening(&forms, &urls), ["client.elicitation: sends people to web pages"]);
    assert!(widening(&urls, &forms).is_empty() && widening(&forms, &nothing).is_empty());
}

#[test]
fn the_table_to_paste_grants_what_is_asked_for() {
    let needed = ALL.replace("why = \"To ask\",", "why = \"To ask\", optional = false,");
    let table = fleetgate_core::catalog::grant_table(&asked(&needed), "naas");
    assert!(table.contains("\n[plugins.naas.grant.client.elicitation]\n# hosts"), "{table}");
    assert!(table.contains("\n# [plugins.naas.grant.client.sampling]\n# # max_tokens = 4096\n"), "{table}");
    let all = table.replace("# [plugins", "[plugins");
    let settings = super::settings::read(all).expect("valid settings");
    let binding = &settings.bindings["naas"];
    let granted =
        binding.grants(&asked(ALL), &capabilities(), &settings.secrets, &settings.limits).unwrap().granted;
    assert_eq!(granted.len(), 4, "{table}");
}
