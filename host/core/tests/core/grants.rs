//! What a binding grants and sets, read against its plugin's manifest.

use std::any::Any;
use std::time::Duration;

use fleetgate_core::diagnostic::Diagnostics;
use fleetgate_core::manifest::Manifest;
use fleetgate_core::settings::{Grants, Settings};

use super::fake::{Address, capabilities};
use super::manifest::{FULL as MANIFEST, after_about};
use super::said::assert_said;
use super::settings::{FULL, read};

fn settings(text: &str) -> Settings {
    read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn grants(settings: &Settings, binding: &str, manifest: &Manifest) -> Result<Grants, Diagnostics> {
    let binding = &settings.bindings[binding];
    binding.grants(manifest, &capabilities(), &settings.secrets, &settings.limits)
}

/// A plugin that asks for letters, has a setting and two tools, one of them read-only.
fn manifest() -> Manifest {
    after_about(
        "[roles]
view = {}
manage = { includes = [\"view\"] }
audit = {}
[capabilities.post.letters]
why = \"Letters\"
boxes = [\"in\", \"out\"]
[config.pause]
type = \"duration\"
default = \"2s\"
description = \"Pause.\"
[tools.look]
requires = \"view\"
read_only = true
[tools.act]
requires = \"manage\"
opt_in = true
",
    )
}

#[track_caller]
fn refused(text: &str) -> Diagnostics {
    grants(&settings(text), "naas", &manifest()).expect_err("it must be refused")
}

#[test]
fn what_is_granted_and_set_is_read() {
    let manifest = super::manifest::read(MANIFEST).unwrap();
    let settings = settings(FULL);
    let naas = grants(&settings, "naas", &manifest).unwrap_or_else(|problems| panic!("{problems}"));
    let letters = (&*naas.granted["post.letters"] as &dyn Any).downcast_ref::<Address>().unwrap();
    assert_eq!(letters.url, "post://naas");
    assert_eq!(letters.boxes.iter().collect::<Vec<_>>(), ["in"]);
    assert_eq!(letters.stamp.as_deref(), Some("naas-key"));
    assert_eq!(naas.granted["post.replies"].describe(), ["letters at post://naas"]);
    assert!(naas.missing.is_empty());
    assert_eq!(naas.config["poll_interval"].text, "500ms");
    assert_eq!(naas.config["ratio"].text, "0.5");
    assert!(!naas.enabled("both", &manifest.tools["both"]));
    assert!(naas.enabled("list_jobs", &manifest.tools["list_jobs"]));
    assert!(!naas.enabled("send_config", &manifest.tools["send_config"]));
    assert_eq!(naas.tools["list_jobs"].requires.as_ref().unwrap().to_string(), "operator");
}

#[test]
fn a_grant_that_is_not_asked_for_is_refused_with_the_nearest() {
    let problems = refused("[plugins.naas.grant.post.leters]\nurl = \"x\"\n");
    let pieces = ["the plugin naas does not ask for \"post.leters\"", "did you mean \"post.letters\"?"];
    assert_said(&problems, 1, "plugins.naas.grant.post.leters", &pieces);
    let problems = refused("[plugins.naas.grant.pots.letters]\nurl = \"x\"\n");
    assert_said(&problems, 1, "plugins.naas.grant.pots.letters", &["did you mean \"post.letters\"?"]);
    let settings = settings("[plugins.naas.grant.post.letters]\nurl = \"x\"\n");
    let problems = grants(&settings, "naas", &after_about("")).unwrap_err();
    assert_said(&problems, 1, "plugins.naas.grant.post.letters", &["it asks for nothing: remove this table"]);
}

#[test]
fn a_grant_wider_than_the_request_is_refused() {
    let problems = refused("[plugins.naas.grant.post.letters]\nurl = \"x\"\nboxes = [\"in\", \"all\"]\n");
    assert_said(&problems, 3, "plugins.naas.grant.post.letters.boxes", &["the box all was not asked for"]);
}

#[test]
fn an_unknown_or_missing_key_of_a_grant_is_refused() {
    let problems = refused("[plugins.naas.grant.post.letters]\nurl = \"x\"\nboxs = [\"in\"]\n");
    assert_said(&problems, 3, "plugins.naas.grant.post.letters.boxs", &["did you mean \"boxes\"?"]);
    let problems = refused("[plugins.naas.grant.post.letters]\n");
    assert_said(&problems, 1, "plugins.naas.grant.post.letters", &["missing key \"url\"", "add url = …"]);
}

#[test]
fn a_secret_that_is_not_there_is_refused_and_its_text_not_repeated() {
    let text = "[secrets]\nnaas-key = { env = \"X\" }\n[plugins.naas.grant.post.letters]\nurl = \"x\"\n";
    let problems = refused(&format!("{text}stamp = \"nas-key\"\n"));
    assert_said(&problems, 5, "plugins.naas.grant.post.letters.stamp", &["did you mean \"naas-key\"?"]);
    let problems = refused(&format!("{text}stamp = \"Hunter2-and-more\"\n"));
    assert_said(&problems, 5, "plugins.naas.grant.post.letters.stamp", &["add it under [secrets]"]);
    assert!(!problems.to_string().contains("Hunter2"));
}

#[test]
fn a_missing_grant_is_named_with_the_table_to_add() {
    let settings = settings("[groups]\n\n[plugins.naas]\nlabel = \"LAB\"\n");
    let manifest = manifest();
    let grants = grants(&settings, "naas", &manifest).unwrap();
    assert_eq!(grants.missing, ["post.letters"]);
    let problems = settings.bindings["naas"].missing(&manifest, &grants).unwrap();
    let pieces = [
        "needs post.letters (Letters), which is not granted",
        "[plugins.naas.grant.post.letters]\nurl = \"post://…\"",
    ];
    assert_said(&problems, 3, "plugins.naas", &pieces);
}

#[test]
fn nothing_is_missing_that_is_granted_or_optional() {
    let manifest = super::manifest::read(MANIFEST).unwrap();
    let settings = settings(
        "[plugins.naas]\nconfig = { region = \"eu\" }\n[plugins.naas.grant.post.replies]\nurl = \"x\"\n",
    );
    let grants = grants(&settings, "naas", &manifest).unwrap();
    assert!(grants.missing.is_empty());
    assert!(settings.bindings["naas"].missing(&manifest, &grants).is_none());
}

#[test]
fn a_setting_that_is_unknown_or_of_the_wrong_type_is_refused() {
    let problems = refused("[plugins.naas.config]\npaus = \"1s\"\n");
    assert_said(&problems, 2, "plugins.naas.config.paus", &["unknown key", "did you mean \"pause\"?"]);
    let problems = refused("[plugins.naas]\nconfig = { pause = 2 }\n");
    assert_said(&problems, 2, "plugins.naas.config.pause", &["expected a duration in quotes"]);
    let settings = settings("[plugins.naas]\nconfig = { x = 1 }\n");
    let problems = grants(&settings, "naas", &after_about("")).unwrap_err();
    assert_said(&problems, 2, "plugins.naas.config", &["the plugin naas has no settings"]);
}

#[test]
fn a_required_setting_that_is_missing_is_refused() {
    let manifest =
        after_about("[config.region]\ntype = \"string\"\ndescription = \"Where.\"\nrequired = true\n");
    let problems = grants(&settings("[plugins.naas]\n"), "naas", &manifest).unwrap_err();
    let pieces =
        ["the setting region is missing: Where.", "add region = <string> under [plugins.naas.config]"];
    assert_said(&problems, 1, "plugins.naas.config", &pieces);
}

#[test]
fn an_override_of_an_unknown_tool_or_role_is_refused() {
    let problems = refused("[plugins.naas.tools.lok]\nenabled = false\n");
    assert_said(&problems, 1, "plugins.naas.tools.lok", &["has no tool \"lok\"", "did you mean \"look\"?"]);
    let problems = refused("[plugins.naas.tools.look]\nrequires = \"mange\"\n");
    assert_said(&problems, 2, "plugins.naas.tools.look.requires", &["did you mean \"manage\"?"]);
    let problems = refused("[plugins.naas.tools.look]\nenable = false\n");
    assert_said(&problems, 2, "plugins.naas.tools.look.enable", &["did you mean \"enabled\"?"]);
}

#[test]
fn requires_is_raised_by_an_override_and_never_lowered() {
    for lower in ["\"any\"", "\"view\""] {
        let problems = refused(&format!("[plugins.naas.tools.act]\nrequires = {lower}\n"));
        let pieces = ["would lower what the manifest requires: manage", "raised here, never lowered"];
        assert_said(&problems, 2, "plugins.naas.tools.act.requires", &pieces);
    }
    for raised in ["\"manage\"", "\"audit\"", "[\"manage\", \"audit\"]"] {
        let settings = settings(&format!("[plugins.naas.tools.act]\nrequires = {raised}\n"));
        grants(&settings, "naas", &manifest()).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn an_opt_in_tool_is_registered_only_when_it_is_enabled() {
    let manifest = manifest();
    let closed = grants(&settings("[plugins.naas]\n"), "naas", &manifest).unwrap();
    assert!(
        !closed.enabled("act", &manifest.tools["act"]) && closed.enabled("look", &manifest.tools["look"])
    );
    let open = grants(&settings("[plugins.naas.tools.act]\nenabled = true\n"), "naas", &manifest).unwrap();
    assert!(open.enabled("act", &manifest.tools["act"]));
}

#[test]
fn a_plugin_gets_what_it_asks_for_up_to_the_ceilings() {
    let asked = "[limits]\nmemory = \"900MiB\"\ncpu = \"1m\"\nconcurrency = 999\n[tools.slow]\nrequires = \"any\"\ntimeout = \"1h\"\n[tools.usual]\nrequires = \"any\"\n";
    let manifest = after_about(asked);
    let got = grants(&settings("[plugins.naas]\n"), "naas", &manifest).unwrap();
    assert_eq!(
        (got.limits.memory, got.limits.cpu, got.limits.concurrency),
        (256 << 20, Duration::from_secs(2), 64)
    );
    assert_eq!(got.timeout(&manifest.tools["slow"]), Duration::from_secs(15 * 60));
    assert_eq!(got.timeout(&manifest.tools["usual"]), Duration::from_secs(30));

    let small = after_about("[limits]\nmemory = \"8MiB\"\ncpu = \"100ms\"\nconcurrency = 3\n");
    let got = grants(&settings("[plugins.naas]\n"), "naas", &small).unwrap();
    assert_eq!(
        (got.limits.memory, got.limits.cpu, got.limits.concurrency),
        (8 << 20, Duration::from_millis(100), 3)
    );

    let silent = after_about("");
    let got = grants(&settings("[plugins.naas]\n"), "naas", &silent).unwrap();
    assert_eq!((got.limits.memory, got.limits.concurrency), (64 << 20, 64));
}

#[test]
fn what_a_bindings_own_limits_say_is_the_last_word() {
    let manifest = super::manifest::read(MANIFEST).unwrap();
    let settings = settings(FULL);
    let lab = grants(&settings, "naas-lab", &manifest).unwrap();
    assert_eq!(
        (lab.limits.memory, lab.limits.cpu, lab.limits.concurrency),
        (128 << 20, Duration::from_secs(10), 2)
    );
    assert_eq!(lab.timeout(&manifest.tools["send_config"]), Duration::from_secs(120));
    assert_eq!(lab.timeout(&manifest.tools["whoami"]), Duration::from_secs(60));
    assert_eq!(lab.limits.response, 2 << 20);
}

#[test]
fn problems_of_one_binding_are_not_those_of_another() {
    let text = "[plugins.other.grant.nonsense.x]\nurl = 1\n[plugins.naas.grant.post.letters]\nurl = \"x\"\n";
    assert!(grants(&settings(text), "naas", &manifest()).is_ok());
}
