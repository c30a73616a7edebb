//! Bindings: what changes with their table, and what is left alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use fleetgate_core::catalog::{BindingState, Environment, Host, PluginState, Problem, environment_says};

use super::guest::Tool;
use super::host::{Place, Plugin, in_time, served, version_of, why_broken, write};

const NAAS: &str = "[plugins.naas]\n";

#[tokio::test]
async fn a_removed_table_takes_its_binding_along_and_leaves_the_others() {
    let place = Place::new("[plugins.naas]\n[plugins.lab]\nuse = \"naas\"\n");
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    assert_eq!(served(&host), ["lab", "naas"]);
    let naas = host.catalog().binding("naas").expect("served").clone();
    place.settings(NAAS);
    host.reload().await;
    assert_eq!(served(&host), ["naas"]);
    assert!(Arc::ptr_eq(&naas, host.catalog().binding("naas").expect("served")), "it was left alone");
}

#[tokio::test]
async fn only_the_binding_that_changed_is_made_anew() {
    let place = Place::new("[plugins.naas]\n[plugins.lab]\nuse = \"naas\"\n");
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    let before = host.catalog();
    let mut changes = host.changes();
    place.settings("# A comment.\n[plugins.lab]\nuse = \"naas\"\nlabel = \"LAB\"\n[plugins.naas]\n");
    host.reload().await;
    let after = host.catalog();
    let of = |name: &str| (before.binding(name).expect("served"), after.binding(name).expect("served"));
    let (old, new) = of("naas");
    assert!(Arc::ptr_eq(old, new));
    let (old, new) = of("lab");
    assert!(!Arc::ptr_eq(old, new));
    assert!(Arc::ptr_eq(&old.plugin, &new.plugin) && Arc::ptr_eq(&old.memory, &new.memory));
    assert_eq!(new.tools["look"].definition.description.as_deref(), Some("[LAB] What look does."));
    assert_eq!(in_time(changes.recv()).await.expect("a change").tools, ["lab".into()]);
}

#[tokio::test]
async fn looking_without_a_change_changes_nothing() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    let before = host.catalog();
    // The same bytes, written again.
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    place.settings("[plugins.naas]   # the same, spelled differently\n");
    host.reload().await;
    assert!(Arc::ptr_eq(&before, &host.catalog()));
}

#[tokio::test]
async fn old_and_new_version_share_their_permits() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    let old = host.catalog().binding("naas").expect("served").clone();
    let held = in_time(old.permits.acquire()).await;
    let free = old.permits.free();
    place.drop_plugin(&Plugin::new("naas", "0.2.0"));
    host.reload().await;
    let new = host.catalog().binding("naas").expect("served").clone();
    assert!(!Arc::ptr_eq(&old, &new));
    assert_eq!(new.permits.free(), free);
    drop(held);
    assert_eq!(new.permits.free(), free + 1);
}

const GRANTED: &str = "[secrets]\nstamp = { file = \"stamp\" }\n[plugins.naas.grant.post.letters]\nurl = \"post://here\"\nstamp = \"stamp\"\n";

fn writer() -> Plugin {
    Plugin::new("naas", "0.1.0").and("[capabilities.post.letters]\nwhy = \"To write\"\nboxes = [\"a\"]\n")
}

#[tokio::test]
async fn a_grant_that_is_missing_or_wrong_is_named_and_the_old_binding_serves_on() {
    let place = Place::new(NAAS);
    place.drop_plugin(&writer());
    let host = place.start().await;
    let why = why_broken(&host.survey(), "naas");
    assert!(why.contains("post.letters") && why.contains("url = "), "{why}");

    write(&place.path("stamp"), b"red");
    fs::set_permissions(place.path("stamp"), fs::Permissions::from_mode(0o600)).expect("its mode");
    place.settings(GRANTED);
    host.reload().await;
    let live = host.catalog().binding("naas").expect("served").clone();
    assert_eq!(live.granted.iter().collect::<Vec<_>>(), ["post.letters"]);

    place.settings(&GRANTED.replace("url", "ulr"));
    let survey = host.reload().await;
    let binding = survey.binding("naas").expect("listed");
    let BindingState::Broken { why } = &binding.state else { panic!("{:?}", binding.state) };
    let problems = why.diagnostics().expect("with spans");
    assert!(problems.iter().any(|problem| problem.help.contains("url")), "{problems}");
    assert!(Arc::ptr_eq(&live, host.catalog().binding("naas").expect("served")));
}

#[tokio::test]
async fn a_secret_that_changes_makes_the_bindings_that_name_it_anew() {
    let place = Place::new(&format!("{GRANTED}[plugins.other]\n"));
    write(&place.path("stamp"), b"red");
    fs::set_permissions(place.path("stamp"), fs::Permissions::from_mode(0o600)).expect("its mode");
    place.drop_plugin(&writer());
    place.drop_plugin(&Plugin::new("other", "0.1.0"));
    let host = place.start().await;
    let before = host.catalog();
    write(&place.path("stamp"), b"blue");
    host.reload().await;
    let same = |name: &str| {
        let after = host.catalog();
        Arc::ptr_eq(before.binding(name).expect("served"), after.binding(name).expect("served"))
    };
    assert!(!same("naas") && same("other"));
}

#[tokio::test]
async fn a_pin_lets_one_file_in_and_no_other() {
    let good = Plugin::new("naas", "0.1.0");
    let digest = fleetgate_core::artifact::Digest::of(&good.bytes());
    let place = Place::new(&format!("[plugins.naas]\npin = \"{digest}\"\n[plugins.free]\nuse = \"naas\"\n"));
    place.drop_plugin(&good);
    let host = place.start().await;
    assert_eq!(served(&host), ["free", "naas"]);

    place.drop_plugin(&Plugin::new("naas", "0.2.0"));
    let survey = host.reload().await;
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.1.0");
    assert_eq!(version_of(&host, "free").await.expect("it answers"), "0.2.0");
    let BindingState::Broken { why } = &survey.binding("naas").expect("listed").state else { panic!() };
    assert!(matches!(**why, Problem::Pinned { .. }), "{why}");

    // A pin on a file that is not there stops what runs, since it is not the pinned one.
    place.settings(&format!("[plugins.naas]\npin = \"sha256:{}\"\n", "0".repeat(64)));
    host.reload().await;
    assert!(served(&host).is_empty());
}

#[tokio::test]
async fn tools_that_the_operator_switches_off_or_on_are_served_accordingly() {
    let plugin = Plugin::new("naas", "0.1.0")
        .tools(vec![Tool::new("look"), Tool::new("wipe"), Tool::new("peek")])
        .and("[tools.wipe]\nrequires = \"any\"\ndestructive = true\nopt_in = true\n[tools.peek]\nrequires = \"any\"\n");
    let place = Place::new(NAAS);
    place.drop_plugin(&plugin);
    let host = place.start().await;
    let names = || host.catalog().binding("naas").expect("served").tools.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(), ["look", "peek"]);
    place.settings("[plugins.naas.tools]\nwipe.enabled = true\npeek.enabled = false\n");
    host.reload().await;
    assert_eq!(names(), ["look", "wipe"]);
}

#[tokio::test]
async fn a_binding_whose_names_do_not_fit_stays_out_and_the_rest_is_served() {
    let long = "x".repeat(60);
    let plugin = Plugin::new("naas", "0.1.0").tools(vec![Tool::new("look"), Tool::new(&long)]);
    let plugin = plugin.and(&format!("[tools.{long}]\nrequires = \"any\"\n"));
    let place = Place::new("[plugins.naas]\n[plugins.a]\nuse = \"naas\"\n[plugins.other]\n");
    place.drop_plugin(&plugin);
    place.drop_plugin(&Plugin::new("other", "0.1.0"));
    let host = place.start().await;
    assert_eq!(served(&host), ["a", "other"]);
    let survey = host.survey();
    let BindingState::Broken { why } = &survey.binding("naas").expect("listed").state else { panic!() };
    assert!(matches!(**why, Problem::Clash(_)), "{why}");

    // A version that no longer fits leaves the one before.
    let longer = "y".repeat(63);
    let next = Plugin { version: "0.2.0".into(), ..plugin.clone() }
        .tools(vec![Tool::new("look"), Tool::new(&long), Tool::new(&longer)])
        .and(&format!("[tools.{longer}]\nrequires = \"any\"\nopt_in = true\n"));
    place.settings(&format!("[plugins.a]\nuse = \"naas\"\ntools.{longer}.enabled = true\n[plugins.other]\n"));
    place.drop_plugin(&next);
    host.reload().await;
    assert_eq!(version_of(&host, "a").await.expect("it answers"), "0.1.0");
}

#[tokio::test]
async fn a_host_for_one_plugin_serves_it_alone_and_without_a_table_too() {
    let place = Place::new("[plugins.other]\n");
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    place.drop_plugin(&Plugin::new("other", "0.1.0"));
    let mut options = place.options();
    options.only_plugin = Some("naas".into());
    let host = place.try_start(options.clone()).await.expect("it starts");
    assert_eq!(served(&host), ["naas"]);
    assert!(!place.path("fleetgate.lock").exists());
    options.only_plugin = Some("other".into());
    let host = place.try_start(options).await.expect("it starts");
    assert_eq!(served(&host), ["other"]);
}

#[tokio::test]
async fn a_plugin_without_a_table_is_granted_what_its_environment_variables_say() {
    let manifest = "[config.pause]\ntype = \"duration\"\ndefault = \"2s\"\ndescription = \"Pause\"\nenv = \"NAAS_PAUSE\"\n\
                    [capabilities.post.letters]\nwhy = \"To write\"\nboxes = [\"a\"]\nenv = { url = [\"NAAS_POST_URL\", \"NAAS_URL\"] }\n";
    let place = Place::new("");
    place.drop_plugin(&Plugin::new("naas", "0.1.0").and(manifest));
    let mut options = place.options();
    options.only_plugin = Some("naas".into());
    options.environment = Environment::of(|name| match name {
        "NAAS_URL" => Some("post://from \"here\"".into()),
        "NAAS_PAUSE" => Some("5s".into()),
        _ => None,
    });
    let host = place.try_start(options.clone()).await.expect("it starts");
    let live = host.catalog().binding("naas").expect("served").clone();
    assert_eq!(live.granted.iter().collect::<Vec<_>>(), ["post.letters"]);
    assert_eq!(live.config["pause"].text, "5s");

    // A table, even an empty one, is the operator's word.
    place.settings(NAAS);
    let host = place.try_start(options).await.expect("it starts");
    assert!(served(&host).is_empty());
    assert!(why_broken(&host.survey(), "naas").contains("post.letters"));
}

const LETTERS: &str =
    "[capabilities.post.letters]\nwhy = \"To write\"\nboxes = [\"a\"]\nenv = { url = [\"NAAS_URL\"] }\n";

/// A host for naas alone, without a table, whose environment has a variable for everything.
async fn by_environment(place: &Place) -> Arc<Host> {
    let mut options = place.options();
    options.only_plugin = Some("naas".into());
    options.environment = Environment::of(|name| Some(format!("post://{name}")));
    place.try_start(options).await.expect("it starts")
}

#[tokio::test]
async fn by_environment_a_dropped_version_that_asks_for_more_is_held_until_the_next_start() {
    let wider_request = LETTERS.replace("[\"a\"]", "[\"a\", \"b\"]");
    let other_variable = LETTERS.replace("\"NAAS_URL\"", "\"NAAS_OTHER_URL\"");
    for (wider, said) in [(wider_request, "the box b"), (other_variable, "NAAS_OTHER_URL")] {
        let place = Place::new("");
        place.drop_plugin(&Plugin::new("naas", "0.1.0").and(LETTERS));
        let host = by_environment(&place).await;
        let before = host.catalog().binding("naas").expect("served").clone();

        place.drop_plugin(&Plugin::new("naas", "0.2.0").and(&wider));
        let survey = host.reload().await;
        let PluginState::Held { widening } = &survey.plugin("naas").expect("found").state else {
            panic!("{survey:?}")
        };
        assert!(widening.iter().any(|line| line.contains(said)), "{widening:?}");
        let after = host.catalog().binding("naas").expect("served").clone();
        assert!(Arc::ptr_eq(&before, &after), "the first version serves on, with what it was granted");
        assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.1.0");

        let host = by_environment(&place).await;
        assert_eq!(version_of(&host, "naas").await.expect("starting accepts it"), "0.2.0");
        assert!(!place.path("fleetgate.lock").exists());
    }
}

#[tokio::test]
async fn by_environment_a_dropped_version_that_asks_for_no_more_goes_live() {
    let place = Place::new("");
    place.drop_plugin(&Plugin::new("naas", "0.1.0").and(LETTERS));
    let host = by_environment(&place).await;
    place.drop_plugin(&Plugin::new("naas", "0.2.0"));
    host.reload().await;
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.2.0");
    // What the first one had is no more than what was accepted.
    place.drop_plugin(&Plugin::new("naas", "0.3.0").and(LETTERS));
    assert!(host.reload().await.is_fine());
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.3.0");
    let live = host.catalog().binding("naas").expect("served").clone();
    assert_eq!(live.granted.iter().collect::<Vec<_>>(), ["post.letters"]);
}

#[tokio::test]
async fn by_environment_a_setting_that_is_not_a_number_is_refused_once() {
    let place = Place::new("");
    let rate = "[config.rate]\ntype = \"number\"\ndescription = \"Rate\"\nenv = \"NAAS_RATE\"\n";
    place.drop_plugin(&Plugin::new("naas", "0.1.0").and(rate));
    let mut options = place.options();
    options.only_plugin = Some("naas".into());
    options.environment = Environment::of(|name| (name == "NAAS_RATE").then(|| "nan".into()));
    let host = place.try_start(options).await.expect("it starts, and does not try for ever");
    assert!(served(&host).is_empty());
    let why = why_broken(&host.survey(), "naas");
    assert!(why.contains("expected a number") && why.contains("the environment (NAAS_RATE):"), "{why}");
}

const WITH_DEFAULT: &str = "[config.pause]\ntype = \"duration\"\ndescription = \"Pause\"\nenv = \"NAAS_PAUSE\"\n\
    [capabilities.post.letters]\nwhy = \"To write\"\nboxes = [\"a\"]\noptional = true\n\
    env = { url = { variables = [\"NAAS_POST_URL\"], default = \"post://localhost\" }, bearer = \"NAAS_POST_KEY\" }\n";

/// A host for naas alone, without a table, with these variables.
async fn with_variables(
    place: &Place,
    variables: &'static [(&'static str, &'static str)],
) -> (Arc<Host>, Vec<String>) {
    let mut options = place.options();
    options.only_plugin = Some("naas".into());
    options.environment = Environment::of(move |name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    });
    let environment = options.environment.clone();
    let host = place.try_start(options).await.expect("it starts");
    let live = host.catalog().binding("naas").expect("served").clone();
    (host, environment_says(&live.plugin.manifest, &environment))
}

#[tokio::test]
async fn by_environment_a_default_counts_only_where_the_person_set_some_variable() {
    let place = Place::new("");
    place.drop_plugin(&Plugin::new("naas", "0.1.0").and(WITH_DEFAULT));
    let (host, said) = with_variables(&place, &[]).await;
    assert!(
        host.catalog().binding("naas").expect("served").granted.is_empty(),
        "an author's word grants nothing"
    );
    assert_eq!(
        said,
        ["the environment grants nothing: none of NAAS_PAUSE, NAAS_POST_KEY, NAAS_POST_URL is set"]
    );

    let (host, said) = with_variables(&place, &[("NAAS_PAUSE", "0.5")]).await;
    let live = host.catalog().binding("naas").expect("served").clone();
    assert_eq!(live.granted.iter().collect::<Vec<_>>(), ["post.letters"]);
    assert_eq!(live.config["pause"].text, "500ms", "plain numbers are seconds");
    assert_eq!(
        said,
        [
            "the setting pause is read from NAAS_PAUSE",
            "post.letters is granted: url is \"post://localhost\", since NAAS_POST_URL is not set"
        ]
    );
}

#[tokio::test]
async fn by_environment_what_was_read_is_said_without_a_value() {
    let place = Place::new("");
    place.drop_plugin(&Plugin::new("naas", "0.1.0").and(WITH_DEFAULT));
    let variables = &[("NAAS_PAUSE", "30"), ("NAAS_POST_URL", "post://c4n4ry")];
    let (host, said) = with_variables(&place, variables).await;
    assert_eq!(host.catalog().binding("naas").expect("served").config["pause"].text, "30s");
    assert_eq!(
        said,
        [
            "the setting pause is read from NAAS_PAUSE",
            "post.letters is granted: url is read from NAAS_POST_URL"
        ]
    );
}

/// A plugin that names whatever is worth having.
const GREEDY: &str = "[config.path]\ntype = \"string\"\ndescription = \"Where\"\nenv = [\"PATH\", \"NAAS_PLACE\"]\n\
    [capabilities.post.letters]\nwhy = \"To write\"\nboxes = [\"a\"]\noptional = true\n\
    env = { url = { variables = [\"SECRETS_URL\"], default = \"post://localhost\" }, bearer = \"GITHUB_TOKEN\" }\n";

#[tokio::test]
async fn by_environment_a_variable_that_is_not_the_plugins_is_neither_read_nor_a_reason_to_grant() {
    let place = Place::new("");
    place.drop_plugin(&Plugin::new("naas", "0.1.0").and(GREEDY));
    let variables =
        &[("PATH", "/c4n4ry"), ("SECRETS_URL", "post://c4n4ry"), ("GITHUB_TOKEN", "c4n4ry-token")];
    let (host, said) = with_variables(&place, variables).await;
    let live = host.catalog().binding("naas").expect("served").clone();
    assert!(live.granted.is_empty() && live.config.is_empty(), "{:?} {:?}", live.granted, live.config);
    let not_read = |name: &str| {
        format!("{name} is set and not read, since it is not naas's by name; to give it, add --env {name}")
    };
    assert_eq!(
        said,
        [
            "the environment grants nothing: none of NAAS_PLACE is set".to_owned(),
            not_read("GITHUB_TOKEN"),
            not_read("PATH"),
            not_read("SECRETS_URL"),
        ]
    );
}

#[tokio::test]
async fn by_environment_the_operator_gives_a_foreign_variable_by_naming_it() {
    let place = Place::new("");
    place.drop_plugin(&Plugin::new("naas", "0.1.0").and(GREEDY));
    let mut options = place.options();
    options.only_plugin = Some("naas".into());
    options.environment = Environment::of(|name| Some(format!("post://{name}")))
        .giving(["SECRETS_URL".into(), "MISSPELT".into()]);
    let environment = options.environment.clone();
    let host = place.try_start(options).await.expect("it starts");
    let live = host.catalog().binding("naas").expect("served").clone();
    assert_eq!(live.granted.iter().collect::<Vec<_>>(), ["post.letters"]);
    assert_eq!(live.config["path"].text, "post://NAAS_PLACE", "its own comes behind one that is not given");
    let said = environment_says(&live.plugin.manifest, &environment);
    for line in [
        "the setting path is read from NAAS_PLACE",
        "post.letters is granted: url is read from SECRETS_URL",
        "--env \"MISSPELT\" gives nothing: the plugin reads no such variable",
    ] {
        assert!(said.iter().any(|said| said == line), "{line}: {said:?}");
    }
    assert!(!said.iter().any(|line| line.contains("bearer is read")), "{said:?}");
}
