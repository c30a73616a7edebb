//! Events run in one of the hosts that share a configuration, and a handler never in two at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fleetgate_core::catalog::{Host, HostOptions};
use fleetgate_core::duty::{Duty, OffDuty};
use tokio::sync::watch;

use super::events_world::{Disk, GRANTS, PACE, World, quiet, stopping, until};
use super::host::{Place, in_time};
use super::radio::{content, heard, station, texts};

/// A configuration that hosts share, with one plugin.
struct Shared {
    place: Place,
    disk: Arc<Disk>,
}

impl Shared {
    fn new(name: &str, grants: &str) -> Self {
        Self { place: World::place(name, grants), disk: Arc::default() }
    }

    async fn host(&self, duty: Arc<dyn Duty>) -> Arc<Host> {
        let options = HostOptions { state: self.disk.clone(), duty, pace: PACE, ..self.place.options() };
        in_time(self.place.try_start(options)).await.unwrap_or_else(|failed| panic!("{failed}"))
    }
}

/// One that can be relieved.
struct Relief(watch::Sender<bool>);

impl Relief {
    fn on_duty(on_duty: bool) -> Arc<Self> {
        Arc::new(Self(watch::channel(on_duty).0))
    }

    fn says(&self, on_duty: bool) {
        self.0.send_replace(on_duty);
    }
}

impl Duty for Relief {
    fn of(&self, _: &str) -> watch::Receiver<bool> {
        self.0.subscribe()
    }
}

#[tokio::test]
async fn events_run_in_the_process_that_is_on_duty_and_in_no_other() {
    let name = "ev-duty";
    let shared = Shared::new(name, &format!("{GRANTS}grant.events.sweep = {{}}\n"));
    let other = shared.host(Arc::new(OffDuty)).await;
    let relief = Relief::on_duty(false);
    let host = shared.host(relief.clone()).await;
    quiet().await;
    assert!(station(name).events().is_empty() && station(name).listened().is_empty());
    relief.says(true);
    until(async || (station(name).is_heard("news") && station(name).events().len() == 1).then_some(())).await;
    relief.says(false);
    until(async || (!station(name).is_heard("news")).then_some(())).await;
    assert!(station(name).given_up().is_empty(), "another one goes on with it");
    drop((host, other));
}

#[tokio::test]
async fn a_host_that_is_not_on_duty_has_nothing_forgotten() {
    let name = "ev-left-over-duty";
    let shared = Shared::new(name, "grant.radio.set = {}\n");
    station(name).leaves_over("set");
    let relief = Relief::on_duty(false);
    let _host = shared.host(relief.clone()).await;
    quiet().await;
    assert!(station(name).forgotten().is_empty());
    relief.says(true);
    until(async || (station(name).forgotten() == ["set"]).then_some(())).await;
}

#[tokio::test]
async fn a_host_that_stops_lets_what_runs_come_to_its_end() {
    let world = World::prepared("ev-stop", GRANTS, |station| {
        station.handles(|_, batch| async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            content(&batch)
        });
    })
    .await;
    world.station.says("news", vec![heard("a", "one")]).await;
    world.given(1).await;
    world.stop().await;
    let status = world.status("news").await.unwrap();
    assert_eq!((status.handled, status.waiting), (1, 0));
    assert!(!world.station.is_heard("news"));
}

#[tokio::test]
async fn another_host_goes_on_when_the_last_run_of_the_one_that_stops_has_ended() {
    let name = "ev-relay";
    let station = station(name);
    let ended = Arc::new(AtomicUsize::new(0));
    let count = ended.clone();
    let gate = station.waits(move |batch| {
        count.fetch_add(1, Ordering::SeqCst);
        content(batch)
    });
    let shared = Shared::new(name, GRANTS);
    let (first, second) = (Relief::on_duty(true), Relief::on_duty(false));
    let stops = shared.host(first.clone()).await;
    let goes_on = shared.host(second.clone()).await;
    station.says("news", vec![heard("a", "one")]).await;
    until(async || (station.events().len() == 1).then_some(())).await;
    station.says("news", vec![heard("a", "two")]).await;
    // The other is on duty when the first has let go of it, and not before.
    let relieved = tokio::spawn(async move {
        first.0.closed().await;
        second.says(true);
    });
    let stopped = tokio::spawn(async move { stops.events().unwrap().stop(stopping()).await });
    until(async || (!station.is_heard("news")).then_some(())).await;
    quiet().await;
    assert!(!relieved.is_finished() && !stopped.is_finished(), "a run still goes on");
    assert_eq!(texts(&station.events()), ["one"]);
    gate.lets_through(1);
    until(async || (station.events().len() == 2).then_some(())).await;
    assert_eq!(ended.load(Ordering::SeqCst), 1, "the first run had ended when the second began");
    in_time(stopped).await.unwrap();
    gate.opens();
    until(async || (ended.load(Ordering::SeqCst) == 2).then_some(())).await;
    assert_eq!(texts(&station.events()), ["one", "two"]);
    drop(goes_on);
}
