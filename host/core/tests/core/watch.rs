//! What happens on disk is taken up without being asked for.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::catalog::{Host, HostOptions};

use super::guest::Tool;
use super::host::{Place, Plugin, in_time, served, version_of};

const NAAS: &str = "[plugins.naas]\n";

async fn watching(place: &Place) -> Arc<Host> {
    place.try_start(HostOptions { watch: true, ..place.options() }).await.expect("it starts")
}

/// Waits until something is as it should be, and asks for nothing.
async fn until(mut is: impl AsyncFnMut() -> bool) {
    in_time(async {
        while !is().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

async fn answers(host: &Host, version: &str) -> bool {
    version_of(host, "naas").await.is_ok_and(|answer| answer == version)
}

#[tokio::test]
async fn plugins_come_change_and_go_without_being_asked_for() {
    let place = Place::new(NAAS);
    let host = watching(&place).await;
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    until(async || answers(&host, "0.1.0").await).await;
    place.drop_plugin(&Plugin::new("naas", "0.2.0"));
    until(async || answers(&host, "0.2.0").await).await;
    place.remove("naas");
    until(async || served(&host).is_empty()).await;
}

#[tokio::test]
async fn a_file_that_is_written_slowly_is_served_when_it_is_whole_and_not_before() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = watching(&place).await;
    let bytes = Plugin::new("naas", "0.2.0").bytes();
    let mut file = fs::File::create(place.plugins().join("naas.wasm")).expect("the file");
    for part in bytes.chunks(bytes.len() / 8 + 1) {
        file.write_all(part).expect("a part");
        file.sync_all().expect("on disk");
        tokio::time::sleep(Duration::from_millis(60)).await;
        let version = version_of(&host, "naas").await.expect("it answers");
        assert!(version == "0.1.0" || version == "0.2.0");
    }
    until(async || answers(&host, "0.2.0").await).await;
}

#[tokio::test]
async fn settings_are_taken_up_and_so_is_an_approval_in_the_lock() {
    let place = Place::new("");
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = watching(&place).await;
    place.settings(NAAS);
    until(async || answers(&host, "0.1.0").await).await;
    place.settings("[plugins.naas]\nlabel = \"LAB\"\n");
    until(async || {
        let live = host.catalog().binding("naas").cloned();
        live.is_some_and(|live| live.label.as_deref() == Some("LAB"))
    })
    .await;

    let wider = Plugin::new("naas", "0.2.0")
        .tools(vec![Tool::new("look"), Tool::new("wipe")])
        .and("[tools.wipe]\nrequires = \"any\"\ndestructive = true\n");
    place.drop_plugin(&wider);
    until(async || {
        host.survey().plugin("naas").is_some_and(|found| format!("{:?}", found.state).starts_with("Held"))
    })
    .await;
    let approval =
        fleetgate_core::catalog::Approval::of("naas", place.options(), None, super::fake::capabilities());
    in_time(approval).await.expect("something to approve").approve("ann").expect("it is recorded");
    until(async || answers(&host, "0.2.0").await).await;
}

#[tokio::test]
async fn a_drop_directory_that_appears_later_or_is_replaced_is_followed() {
    let place = Place::new(NAAS);
    fs::remove_dir(place.plugins()).expect("it is empty");
    let host = watching(&place).await;
    let directory = || {
        fs::create_dir(place.plugins()).expect("the drop directory");
        fs::set_permissions(place.plugins(), fs::Permissions::from_mode(0o755)).expect("its mode");
    };
    directory();
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    until(async || answers(&host, "0.1.0").await).await;

    fs::rename(place.plugins(), place.path("plugins.old")).expect("away");
    until(async || served(&host).is_empty()).await;
    directory();
    place.drop_plugin(&Plugin::new("naas", "0.2.0"));
    until(async || answers(&host, "0.2.0").await).await;
}

#[tokio::test]
async fn a_secret_in_another_directory_is_watched() {
    let place = Place::new(
        "[secrets]\nstamp = { file = \"elsewhere/stamp\" }\n\
         [plugins.naas.grant.post.letters]\nurl = \"post://here\"\nstamp = \"stamp\"\n",
    );
    fs::create_dir(place.path("elsewhere")).expect("a directory");
    let secret = place.path("elsewhere/stamp");
    super::host::write(&secret, b"red");
    let letters = "[capabilities.post.letters]\nwhy = \"To write\"\nboxes = [\"a\"]\n";
    place.drop_plugin(&Plugin::new("naas", "0.1.0").and(letters));
    let host = watching(&place).await;
    let before = host.catalog().binding("naas").expect("served").clone();
    super::host::write(&secret, b"blue");
    until(async || !Arc::ptr_eq(&before, host.catalog().binding("naas").expect("served"))).await;
}

#[tokio::test]
async fn calls_go_on_while_a_plugin_is_overwritten_again_and_again() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = watching(&place).await;
    let calling = tokio::spawn({
        let host = host.clone();
        async move {
            let mut answered = Vec::new();
            loop {
                let version = version_of(&host, "naas").await.expect("no call fails");
                let last = version == "0.1.99";
                if answered.last() != Some(&version) {
                    answered.push(version);
                }
                if last {
                    return answered;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    for number in (1..20).chain([99]) {
        place.drop_plugin(&Plugin::new("naas", &format!("0.1.{number}")));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let answered = in_time(calling).await.expect("no panic");
    assert!(
        answered
            .is_sorted_by_key(|version| version.rsplit('.').next().and_then(|last| last.parse::<u32>().ok()))
    );
}

#[tokio::test]
async fn a_host_that_is_dropped_stops_watching() {
    let place = Place::new(NAAS);
    place.drop_plugin(&Plugin::new("naas", "0.1.0"));
    let host = watching(&place).await;
    let weak = Arc::downgrade(&host);
    let plugin = Arc::downgrade(&host.catalog().binding("naas").expect("served").plugin);
    drop(host);
    assert!(weak.upgrade().is_none());
    until(async || plugin.upgrade().is_none()).await;
}
