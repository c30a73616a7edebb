//! One run at a time for each event, also where one is cut off and goes on for a moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fleetgate_core::jobs::Stopping;
use tokio_util::sync::CancellationToken;

use super::events_world::{GRANTS, World};
use super::host::in_time;
use super::radio::{Station, heard, station};

/// Runs that go on now, and the most that ever went on at once.
#[derive(Default)]
struct Together {
    now: AtomicUsize,
    most: AtomicUsize,
    over: AtomicUsize,
}

/// One run, until nothing of it is left.
struct Here(Arc<Together>);

impl Together {
    fn enter(self: &Arc<Self>) -> Here {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        Here(self.clone())
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
        self.0.over.fetch_add(1, Ordering::SeqCst);
    }
}

/// A handler that goes on for as long as it may, whatever it is told.
fn lingers(station: &Station) -> Arc<Together> {
    let together = Arc::<Together>::default();
    let runs = together.clone();
    station.handles(move |_, _| {
        let here = runs.enter();
        async move {
            let _here = here;
            std::future::pending().await
        }
    });
    together
}

#[tokio::test]
async fn a_run_that_was_cut_off_has_ended_before_the_next_one_begins() {
    let name = "ev-lingers";
    let settings = "limits.timeout = \"100ms\"\ngrant.radio.set = {}\ngrant.events.news = { attempts = 3 }\n";
    let together = lingers(&station(name));
    let world = World::new(name, settings).await;
    world.station.says("news", vec![heard("a", "one")]).await;
    world.until("news", |status| status.dead == 1).await;
    assert_eq!(world.station.given().len(), 3);
    assert_eq!(together.most.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_run_whose_grant_was_taken_away_has_ended_before_one_of_a_new_grant_begins() {
    let name = "ev-lingers-taken";
    let together = lingers(&station(name));
    let world = World::new(name, GRANTS).await;
    world.station.says("news", vec![heard("a", "one")]).await;
    world.given(1).await;
    world.settings("grant.radio.set = {}\n");
    in_time(world.host.reload()).await;
    world.until("news", |status| !status.granted).await;
    world.settings(GRANTS);
    in_time(world.host.reload()).await;
    world.given(2).await;
    assert_eq!(together.most.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_host_that_stops_lets_a_run_that_it_cut_off_clean_up() {
    let name = "ev-lingers-stop";
    let together = lingers(&station(name));
    let world = World::new(name, GRANTS).await;
    world.station.says("news", vec![heard("a", "one")]).await;
    world.given(1).await;
    let now = Stopping { grace: Duration::ZERO, now: CancellationToken::new() };
    in_time(world.host.events().unwrap().stop(now)).await;
    assert_eq!((together.over.load(Ordering::SeqCst), together.now.load(Ordering::SeqCst)), (1, 0));
}
