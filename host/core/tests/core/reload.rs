//! Hot reload: what is dropped, replaced, held, broken and removed, and what keeps serving meanwhile.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use fleetgate_core::catalog::{Lock, PluginState, Problem, StartFailed, Survey};
use fleetgate_core::diagnostic::Diagnostics;

use super::fake::capabilities;
use super::guest::{Listing, Tool};
use super::host::{Place, Plugin, SANDBOX, in_time, served, version_of, why_broken, write};

const NAAS: &str = "[plugins.naas]\n";

#[tokio::test]
async fn a_plugin_with_a_table_is_served_and_recorded() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.1.0");
    let lock = Lock::read(&place.path("fleetgate.lock")).expect("the lock");
    assert_eq!(lock.plugins["naas"].version, "0.1.0");
    assert!(host.survey().is_fine(), "{:?}", host.survey());
}

#[tokio::test]
async fn a_plugin_without_a_table_is_found_and_not_served() {
    let place = Place::new("");
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    assert!(served(&host).is_empty());
    assert!(matches!(host.survey().plugin("naas").expect("found").state, PluginState::Found));
    assert!(!place.path("fleetgate.lock").exists(), "nothing was approved");
}

#[tokio::test]
async fn for_development_a_plugin_without_a_table_is_served_and_any_version_of_it() {
    let place = Place::new("[serve]\nunlisted = \"serve\"\n");
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.1.0");
    place.drop_plugin(&Plugin::new("naas", "0.2.0").and(POST));
    host.reload().await;
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.2.0");
    assert!(!place.path("fleetgate.lock").exists(), "nothing was approved");
}

#[tokio::test]
async fn a_table_without_a_file_is_missing_until_the_file_is_there() {
    let place = Place::new(NAAS);
    let host = place.start().await;
    assert!(matches!(host.survey().plugin("naas").expect("listed").state, PluginState::Missing));
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    host.reload().await;
    assert_eq!(served(&host), ["naas"]);
}

#[tokio::test]
async fn a_version_that_asks_for_no_more_goes_live_and_the_lock_follows() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    let before = Lock::read(&place.path("fleetgate.lock")).expect("the lock").plugins["naas"].clone();
    let mut changes = host.changes();

    place
        .drop_plugin(&Plugin::new("naas", "0.2.0").tools(vec![Tool::new("look").described("Looks closer.")]));
    host.reload().await;
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.2.0");
    let after = Lock::read(&place.path("fleetgate.lock")).expect("the lock").plugins["naas"].clone();
    assert_eq!(after.version, "0.2.0");
    assert_ne!(after.digest, before.digest);
    assert_eq!((after.approved_at, &after.by), (before.approved_at, &before.by), "the approval is the same");
    let change = in_time(changes.recv()).await.expect("a change");
    assert_eq!(change.tools, ["naas".into()]);
    assert_eq!(change.revision, host.catalog().revision);
}

#[tokio::test]
async fn clients_are_not_told_of_changes_that_they_cannot_see() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    let mut changes = host.changes();
    place.drop_plugin(&Plugin::new("naas", "0.2.0"));
    host.reload().await;
    let change = in_time(changes.recv()).await.expect("a new catalog");
    assert!(change.tools.is_empty(), "{change:?}");
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.2.0");
}

const POST: &str = "[capabilities.post.letters]\nwhy = \"To write\"\noptional = true\nboxes = [\"a\"]\n";

#[tokio::test]
async fn a_widening_version_is_held_and_the_old_one_serves_on() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    place.drop_plugin(&Plugin::new("naas", "0.2.0").and(POST));
    let survey = host.reload().await;
    let found = survey.plugin("naas").expect("found");
    let PluginState::Held { widening } = &found.state else { panic!("{:?}", found.state) };
    assert!(widening.iter().any(|line| line.contains("post.letters")), "{widening:?}");
    assert_eq!(found.version.as_ref().expect("read").manifest.plugin.version, "0.2.0");
    assert_eq!(found.serving.as_ref().expect("served").manifest.plugin.version, "0.1.0");
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.1.0");
    assert_eq!(Lock::read(&place.path("fleetgate.lock")).expect("the lock").plugins["naas"].version, "0.1.0");
}

#[tokio::test]
async fn after_a_restart_the_approved_version_serves_on_while_a_widening_one_is_held() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    drop(place.start().await);
    wait_for_copy(&place).await;
    place.drop_plugin(&Plugin::new("naas", "0.2.0").and(POST));
    let host = place.start().await;
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.1.0");
    assert!(matches!(host.survey().plugin("naas").expect("found").state, PluginState::Held { .. }));
}

#[tokio::test]
async fn after_a_restart_the_approved_version_serves_on_while_a_broken_one_lies_there() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    drop(place.start().await);
    wait_for_copy(&place).await;
    for broken in [Plugin::new("naas", "0.2.0").listing(Listing::Trap).bytes(), b"garbage".to_vec()] {
        place.drop_file("naas", &broken);
        let host = place.start().await;
        assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.1.0");
        assert!(matches!(host.survey().plugin("naas").expect("found").state, PluginState::Broken { .. }));
    }
}

#[tokio::test]
async fn a_copy_that_is_another_file_is_not_served_after_a_restart() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    drop(place.start().await);
    let copy = wait_for_copy(&place).await;
    write(&copy, &Plugin::new("naas", "6.6.6").bytes());
    place.drop_file("naas", b"garbage");
    let host = place.start().await;
    assert!(served(&host).is_empty());
}

/// The copy of what was approved is made in the background.
pub async fn wait_for_copy(place: &Place) -> std::path::PathBuf {
    in_time(async {
        loop {
            let copies = fs::read_dir(place.path(".fleetgate/approved")).into_iter().flatten().flatten();
            let copy = copies
                .map(|entry| entry.path())
                .find(|path| path.extension().is_some_and(|end| end == "wasm"));
            match copy {
                Some(copy) => return copy,
                None => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_removed_file_is_served_no_longer() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    let snapshot = host.catalog();
    place.remove("naas");
    host.reload().await;
    assert!(served(&host).is_empty());
    // Who took the old catalog before still gets an answer.
    assert!(snapshot.binding("naas").is_some());
}

#[tokio::test]
async fn what_is_broken_stays_out_and_everything_else_is_served() {
    let place = Place::new(
        "[plugins.honest]\n[plugins.garbage]\n[plugins.empty]\n[plugins.cut]\n[plugins.module]\n[plugins.bare]\n\
         [plugins.other]\n[plugins.crash]\n[plugins.import]\n[plugins.key]\n",
    );
    let honest = Plugin::new("honest", "0.1.0");
    place.drop_plugin(&honest);
    place.drop_file("garbage", b"not wasm at all");
    place.drop_file("empty", b"");
    place.drop_file("cut", &Plugin::new("cut", "0.1.0").bytes()[..500]);
    place.drop_file("module", &wat::parse_str("(module)").expect("a module"));
    place.drop_file("bare", &wat::parse_str("(component)").expect("a component"));
    place.drop_plugin(&Plugin { id: "other".into(), ..honest.clone() });
    place.drop_file("other", &Plugin::new("another", "0.1.0").bytes());
    place.drop_plugin(&Plugin::new("crash", "0.1.0").listing(Listing::Trap));
    place.drop_plugin(&Plugin::new("key", "0.1.0").and("[surprise]\n"));
    let importing =
        wat::parse_str("(component (import \"evil:corp/backdoor@1.0.0\" (func)))").expect("a component");
    let manifest = about("import");
    place.drop_file("import", &super::guest::packed(importing, &manifest));
    place.drop_file("Wrong Name", b"");

    let host = place.start().await;
    assert_eq!(served(&host), ["honest"]);
    let survey = host.survey();
    for (id, words) in [
        ("garbage", "is not WebAssembly"),
        ("empty", "is empty"),
        ("cut", "truncated"),
        ("module", "core module"),
        ("bare", "no manifest"),
        ("other", "another"),
        ("crash", "listing its tools was ended"),
        ("import", "evil:corp/backdoor@1.0.0"),
        ("key", "surprise"),
    ] {
        let why = why_broken(&survey, id);
        assert!(why.contains(words), "{id}: {why}");
    }
    assert!(survey.problems.iter().any(|problem| problem.to_string().contains("Wrong Name.wasm")));
    assert!(!survey.is_fine());
}

fn about(id: &str) -> String {
    format!(
        "[plugin]\nid = \"{id}\"\nversion = \"0.1.0\"\ninterface = \"0.1\"\ntitle = \"A plugin\"\n\
         description = \"For tests.\"\nlicense = \"Apache-2.0\"\n"
    )
}

#[tokio::test]
async fn a_broken_version_leaves_the_old_one_serving_and_says_why() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    let broken: [(Vec<u8>, &str); 6] = [
        (b"\0asm".to_vec(), "truncated"),
        (Plugin::new("naas", "0.2.0").bytes()[..900].to_vec(), "truncated"),
        (Plugin::new("naas", "0.2.0").listing(Listing::Trap).bytes(), "ended"),
        (Plugin::new("naas", "0.2.0").listing(Listing::Fault("no mood".into())).bytes(), "no mood"),
        (Plugin::new("naas", "0.2.0").tools(vec![Tool::new("look"), Tool::new("look")]).bytes(), "two tools"),
        (Plugin::new("other", "0.2.0").bytes(), "other"),
    ];
    for (bytes, words) in broken {
        place.drop_file("naas", &bytes);
        let survey = host.reload().await;
        let why = why_broken(&survey, "naas");
        assert!(why.contains(words), "{why}");
        assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.1.0");
    }
    place.drop_plugin(&Plugin::new("naas", "0.3.0"));
    host.reload().await;
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.3.0");
    assert!(host.survey().is_fine());
}

#[tokio::test]
async fn a_guest_that_lists_its_tools_for_ever_is_ended_and_the_others_are_served() {
    let place = Place::new("[limits]\ncpu = \"50ms\"\n[plugins.naas]\n[plugins.honest]\n");
    place.drop_plugin(&Plugin::new("naas", "0.1.0").listing(Listing::Forever));
    place.drop_plugin(&Plugin::new("honest", "0.1.0"));
    let host = place.start().await;
    assert_eq!(served(&host), ["honest"]);
    assert!(why_broken(&host.survey(), "naas").contains("CPU"), "{}", why_broken(&host.survey(), "naas"));
}

#[tokio::test]
async fn a_strangers_file_is_not_served_and_the_old_version_serves_on() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    place.drop_plugin(&Plugin::new("naas", "0.2.0"));
    let file = place.plugins().join("naas.wasm");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("its mode");
    let survey = host.reload().await;
    assert!(why_broken(&survey, "naas").contains("can be written by others"));
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.1.0");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("its mode");
    host.reload().await;
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.2.0");
}

#[tokio::test]
async fn a_drop_directory_that_others_can_write_is_not_used_and_what_runs_runs_on() {
    let place = Place::new("[plugins.naas]\n[plugins.other]\n");
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    fs::set_permissions(place.plugins(), fs::Permissions::from_mode(0o777)).expect("its mode");
    place.drop_plugin(&Plugin::new("other", "0.1.0"));
    place.drop_plugin(&Plugin::new("naas", "0.2.0"));
    let survey = host.reload().await;
    assert_eq!(served(&host), ["naas"]);
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.1.0");
    assert!(survey.problems.iter().any(|problem| matches!(**problem, Problem::Directory(_))), "{survey:?}");
}

#[tokio::test]
async fn settings_that_are_not_valid_change_nothing_and_are_named_with_their_place() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    let before = host.catalog();
    place.settings("[plugins.naas]\n\n[srve]\n");
    let survey = host.reload().await;
    let refused: &Diagnostics = survey.refused.as_ref().expect("refused");
    let problem = refused.iter().next().expect("one problem");
    assert_eq!(problem.position(), Some((3, 2)), "{refused}");
    assert!(problem.help.contains("serve"), "{refused}");
    assert!(Arc::ptr_eq(&before, &host.catalog()));

    // What is dropped meanwhile is served by the settings that hold.
    place.drop_plugin(&Plugin::new("naas", "0.2.0"));
    host.reload().await;
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.2.0");
    place.settings(NAAS);
    assert!(host.reload().await.refused.is_none());
}

#[tokio::test]
async fn a_host_does_not_start_on_settings_or_a_lock_that_are_not_valid() {
    let place = Place::new("[srve]\n");
    assert!(matches!(place.try_start(place.options()).await, Err(StartFailed::Settings(_))));
    let place = Place::new(NAAS);
    write(&place.path("fleetgate.lock"), b"format = 99\n");
    assert!(matches!(place.try_start(place.options()).await, Err(StartFailed::Lock(_))));
    assert_eq!(place.read("fleetgate.lock"), "format = 99\n");
}

#[tokio::test]
async fn a_lock_that_breaks_while_the_host_runs_does_not_let_a_widening_version_in() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = place.start().await;
    write(&place.path("fleetgate.lock"), b"garbage");
    place.drop_plugin(&Plugin::new("naas", "0.2.0").and(POST));
    let survey = host.reload().await;
    assert!(matches!(survey.plugin("naas").expect("found").state, PluginState::Held { .. }));
    assert!(survey.problems.iter().any(|problem| matches!(**problem, Problem::Lock(_))));
    assert_eq!(version_of(&host, "naas").await.expect("it answers"), "0.1.0");
}

#[tokio::test]
async fn a_plugin_that_cannot_be_recorded_is_not_served_until_it_can() {
    let place = Place::new(NAAS);
    let host = place.start().await;
    // A directory in the lock's place: nothing can be written there, not even by root.
    fs::create_dir(place.path("fleetgate.lock")).expect("a directory");
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let survey = host.reload().await;
    assert!(served(&host).is_empty());
    assert!(why_broken(&survey, "naas").contains("cannot be recorded"), "{}", why_broken(&survey, "naas"));
    fs::remove_dir(place.path("fleetgate.lock")).expect("it was there");
    host.reload().await;
    assert_eq!(served(&host), ["naas"]);
}

#[tokio::test]
async fn a_survey_writes_nothing_and_says_what_a_host_would() {
    let place = Place::new("[plugins.naas]\n[plugins.crash]\n[plugins.gone]\n");
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    place.drop_plugin(&Plugin::new("crash", "0.1.0").listing(Listing::Trap));
    place.drop_plugin(&Plugin::new("extra", "0.1.0"));
    let survey = in_time(Survey::of(place.options(), None, capabilities())).await.expect("a survey");
    let state = |survey: &Survey, id: &str| format!("{:?}", survey.plugin(id).expect("found").state);
    for (id, expected) in [("naas", "Live"), ("crash", "Live"), ("gone", "Missing"), ("extra", "Found")] {
        assert_eq!(state(&survey, id), expected);
    }
    assert!(!place.path(".fleetgate").exists() && !place.path("fleetgate.lock").exists());

    let survey =
        in_time(Survey::of(place.options(), Some(SANDBOX.clone()), capabilities())).await.expect("a survey");
    assert!(state(&survey, "crash").starts_with("Broken"));
    assert_eq!(state(&survey, "naas"), "Live");
    assert!(!place.path("fleetgate.lock").exists());
}
