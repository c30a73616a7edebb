//! When events run: where they are granted, and beside the calls.

use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::events::Pace;

use super::events_world::{ASKS, GRANTS, PACE, World, manifest, quiet, stopping, until};
use super::guest::packed;
use super::host::{Place, Plugin, in_time, version_of, why_broken};
use super::radio::{component, heard, station};

#[tokio::test]
async fn nothing_runs_that_is_not_granted() {
    let world = World::new("ev-ungranted", "grant.radio.set = {}\n").await;
    quiet().await;
    assert!(!world.station.is_heard("news") && world.station.listened().is_empty());
    assert!(world.station.events().is_empty() && world.status("sweep").await.is_none());
}

#[tokio::test]
async fn an_event_is_listened_to_as_far_as_it_is_granted() {
    let settings =
        "grant.radio.set = {}\ngrant.events.news = { from = { \"radio.set\" = { boxes = [\"a\"] } } }\n";
    let world = World::new("ev-narrowed", settings).await;
    in_time(world.station.sink("news")).await;
    let listened = world.station.listened();
    let [(asked, narrowed, client)] = listened.as_slice() else { panic!("{listened:?}") };
    assert_eq!(asked, "the boxes {\"a\", \"b\"}");
    assert_eq!(narrowed.as_deref(), Some("the boxes {\"a\"}"));
    assert_eq!(client.len(), 22);
    assert!(client.chars().all(|c| c.is_ascii_alphanumeric()), "{client}");
}

#[tokio::test]
async fn a_host_listens_under_the_same_name_after_a_restart_and_no_other_host_does() {
    let world = World::new("ev-client", GRANTS).await;
    in_time(world.station.sink("news")).await;
    let world = world.restart().await;
    in_time(world.station.sink("news")).await;
    let listened = world.station.listened();
    assert_eq!(listened[0].2, listened[1].2);
    assert!(world.station.given_up().is_empty(), "its source keeps what comes meanwhile");
    // The same configuration over another store.
    let World { place, host, name, .. } = world;
    in_time(host.events().unwrap().stop(stopping())).await;
    drop(host);
    let other = World::over(name, place, Arc::default()).await;
    in_time(other.station.sink("news")).await;
    assert_ne!(other.station.listened()[2].2, listened[0].2);
}

#[tokio::test]
async fn an_event_that_an_old_version_left_is_handled_by_the_new_one_without_a_gap() {
    let world = World::prepared("ev-reload", GRANTS, |station| {
        station.answers(|_| Err(super::radio::Fault::new("upstream", true)));
    })
    .await;
    world.station.says("news", vec![heard("a", "one")]).await;
    world.until("news", |status| status.failing == 1).await;
    world.station.answers(|_| Ok(()));
    world.place.drop_file(world.name, &packed(component(), &manifest(world.name, "1.1.0", ASKS)));
    in_time(world.host.reload()).await;
    world.until("news", |status| status.handled == 1).await;
    // It listens anew.
    until(async || (world.station.listened().len() == 2).then_some(())).await;
    world.station.says("news", vec![heard("a", "two")]).await;
    world.until("news", |status| status.handled == 2).await;
    assert_eq!(world.station.listened().len(), 2);
    assert!(world.station.given_up().is_empty(), "and its source kept what came in between");
}

#[tokio::test]
async fn a_grant_that_is_taken_away_stops_it_and_what_waits_is_kept_until_it_is_back() {
    let world = World::prepared("ev-taken", GRANTS, |station| {
        station.answers(|_| Err(super::radio::Fault::new("upstream", true)));
    })
    .await;
    world.station.says("news", vec![heard("a", "one")]).await;
    world.until("news", |status| status.failing == 1).await;
    let sink = in_time(world.station.sink("news")).await;
    world.settings("grant.radio.set = {}\n");
    in_time(world.host.reload()).await;
    let status = world.until("news", |status| !status.granted).await;
    assert_eq!(status.waiting, 1);
    // Its source keeps nothing for it.
    until(async || (world.station.given_up() == ["news"]).then_some(())).await;
    assert!(in_time(sink.keep(vec![heard("a", "two")])).await.is_err(), "nobody keeps it");
    let runs = world.station.given().len();
    quiet().await;
    assert_eq!(world.station.given().len(), runs);
    world.station.answers(|_| Ok(()));
    world.settings(GRANTS);
    in_time(world.host.reload()).await;
    world.until("news", |status| status.granted && status.handled == 1).await;
}

#[tokio::test]
async fn what_was_taken_away_while_no_host_ran_is_forgotten_by_its_source_and_nothing_else_is() {
    let world = World::prepared("ev-left-over", GRANTS, |station| station.leaves_over("set")).await;
    in_time(world.station.sink("news")).await;
    quiet().await;
    assert!(world.station.forgotten().is_empty(), "it is listened through");
    world.stop().await;
    let World { place, disk, name, .. } = world;
    place.settings(&format!("[plugins.{name}]\ngrant.radio.set = {{}}\n"));
    let world = World::over(name, place, disk).await;
    until(async || (world.station.forgotten() == ["set"]).then_some(())).await;
}

#[tokio::test]
async fn what_cannot_be_listened_to_is_said() {
    let name = "ev-mute";
    let asks = ASKS.replace("radio.set", "radio.mute");
    let place = Place::new(&format!("[plugins.{name}]\ngrant.radio.mute = {{}}\ngrant.events.news = {{}}\n"));
    place.drop_file(name, &packed(component(), &manifest(name, "1.0.0", &asks)));
    let world = World::over(name, place, Arc::default()).await;
    let status = world.until("news", |status| status.trouble.is_some()).await;
    assert_eq!(status.trouble.as_deref(), Some("this station is mute"));
}

#[tokio::test]
async fn handlers_that_hang_keep_no_call_waiting() {
    let mut settings = String::from("[limits]\nconcurrency = 1\n[plugins.ev-calls]\n");
    let mut asks = String::from("[capabilities.radio.set]\nwhy = \"To hear\"\nboxes = [\"a\"]\n");
    settings.push_str("grant.radio.set = {}\n");
    for number in 0..40 {
        settings.push_str(&format!("grant.events.n{number} = {{}}\n"));
        asks.push_str(&format!(
            "[capabilities.events.n{number}]\nwhy = \"To hear\"\nfrom = {{ \"radio.set\" = {{}} }}\n"
        ));
    }
    settings.push_str("[plugins.other]\n");
    let place = Place::new(&settings);
    place.drop_file("ev-calls", &packed(component(), &manifest("ev-calls", "1.0.0", &asks)));
    place.drop_plugin(&Plugin::new("other", "1.0.0"));
    station("ev-calls").handles(|_, _| std::future::pending());
    let world = World::over("ev-calls", place, Arc::default()).await;
    for number in 0..40 {
        world.station.says(&format!("n{number}"), vec![heard("a", "one")]).await;
    }
    // As many as one binding may run, and no more.
    until(async || (world.station.given().len() >= 4).then_some(())).await;
    quiet().await;
    assert_eq!(world.station.given().len(), 4);
    for _ in 0..20 {
        assert_eq!(version_of(&world.host, "other").await.unwrap(), "1.0.0");
    }
    let free = world.host.catalog().binding("ev-calls").unwrap().permits.free();
    assert_eq!(free, 1, "the binding's own calls have their place");
    assert_eq!(world.host.catalog().binding("ev-calls").unwrap().memory.used(), 0);
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_ended_and_its_event_tried_again() {
    let settings = "limits.timeout = \"200ms\"\ngrant.radio.set = {}\ngrant.events.news = { attempts = 2 }\n";
    let world =
        World::prepared("ev-slow", settings, |station| station.handles(|_, _| std::future::pending())).await;
    world.station.says("news", vec![heard("a", "one")]).await;
    world.until("news", |status| status.dead == 1).await;
    let dead = fleetgate_core::events::dead(&*world.disk).await.unwrap();
    assert_eq!((dead[0].code.as_str(), dead[0].deliveries), ("timeout", 2));
}

#[tokio::test]
async fn a_plugin_that_asks_for_events_must_handle_them_and_the_other_way_round() {
    let place = Place::new("[plugins.deaf]\n[plugins.idle]\n");
    place.drop_plugin(&Plugin::new("deaf", "1.0.0").and(ASKS));
    place.drop_file("idle", &packed(component(), &manifest("idle", "1.0.0", "")));
    let host = place.start().await;
    let survey = host.survey();
    assert!(why_broken(&survey, "deaf").contains("the component exports no events"));
    assert!(why_broken(&survey, "idle").contains("the manifest asks for none"));
}

#[tokio::test]
async fn nothing_is_listened_to_before_all_events_of_a_binding_are_ready() {
    let name = "ev-together";
    let asks = format!(
        "{ASKS}[capabilities.events.other]\nwhy = \"To hear\"\nfrom = {{ \"radio.set\" = {{ boxes = [\"b\"] }} }}\n"
    );
    let place = Place::new(&format!("[plugins.{name}]\n{GRANTS}grant.events.other = {{}}\n"));
    place.drop_file(name, &packed(component(), &manifest(name, "1.0.0", &asks)));
    let disk = Arc::<super::events_world::Disk>::default();
    *disk.unreadable.lock().unwrap() = Some("ev-together/other/");
    let world = World::over(name, place, disk).await;
    quiet().await;
    assert!(world.station.listened().is_empty(), "what its source kept for the other would be lost");
    *world.disk.unreadable.lock().unwrap() = None;
    in_time(world.station.sink("news")).await;
    in_time(world.station.sink("other")).await;
    assert_eq!(world.station.listened().len(), 2);
}

#[tokio::test]
async fn a_binding_that_is_gone_for_a_moment_is_heard_for_meanwhile() {
    let world = World::new("ev-moment", GRANTS).await;
    in_time(world.station.sink("news")).await;
    world.place.remove(world.name);
    in_time(world.host.reload()).await;
    until(async || (!world.station.is_heard("news")).then_some(())).await;
    quiet().await;
    assert!(world.station.given_up().is_empty(), "its source keeps what comes");
    world.place.drop_file(world.name, &packed(component(), &manifest(world.name, "1.0.0", ASKS)));
    in_time(world.host.reload()).await;
    world.station.says("news", vec![heard("a", "one")]).await;
    world.until("news", |status| status.granted && status.handled == 1).await;
    assert!(world.station.given_up().is_empty());
}

#[tokio::test]
async fn a_binding_that_stays_away_is_given_up() {
    let name = "ev-away";
    let pace = Pace { gone: Duration::from_millis(100), ..PACE };
    let world = World::paced(name, World::place(name, GRANTS), Arc::default(), pace).await;
    in_time(world.station.sink("news")).await;
    world.place.remove(name);
    in_time(world.host.reload()).await;
    until(async || (world.station.given_up() == ["news"]).then_some(())).await;
    assert!(!world.station.is_heard("news"));
}

#[tokio::test]
async fn what_comes_one_by_one_is_handled_together() {
    let name = "ev-gather";
    let place = World::place(name, "grant.radio.set = {}\ngrant.events.news = { batch = 5 }\n");
    let pace = Pace { gather: Duration::from_secs(3_600), ..PACE };
    let world = World::paced(name, place, Arc::default(), pace).await;
    let say = async |text: &str| world.station.says("news", vec![heard("a", text)]).await;
    say("first").await;
    world.given(1).await;
    for text in ["1", "2", "3", "4", "5"] {
        say(text).await;
    }
    world.given(6).await;
    let runs: Vec<usize> = world.station.given().iter().map(Vec::len).collect();
    assert_eq!(runs, [1, 5], "the first waits for nobody, and the others for a whole batch");
}

#[tokio::test]
async fn a_queue_that_holds_less_than_a_batch_is_handled_when_it_is_full() {
    let name = "ev-gather-few";
    let place = World::place(name, "grant.radio.set = {}\ngrant.events.news = { queue = 2, batch = 5 }\n");
    let pace = Pace { gather: Duration::from_secs(3_600), ..PACE };
    let world = World::paced(name, place, Arc::default(), pace).await;
    let say = async |text: &str| world.station.says("news", vec![heard("a", text)]).await;
    say("first").await;
    world.given(1).await;
    for text in ["1", "2", "3", "4"] {
        say(text).await;
    }
    world.given(5).await;
}
