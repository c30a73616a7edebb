//! Many devices at once through one plugin, and nothing of it stays.

use std::time::{Duration, Instant};

use fleet_sim::devices::{Platform, Setup};
use fleetgate_e2e::{LOGIN, Lab, PATIENCE, Server, on};

#[tokio::test]
async fn fifty_devices_at_once_are_bounded_and_leave_nothing_behind() {
    const DEVICES: usize = 50;
    const CONNECTIONS: usize = 20;
    let setups = (0..DEVICES)
        .map(|number| Setup::new(Platform::CiscoIos).privileged(true).hostname(format!("edge-r{number}")));
    // What is not used is closed soon, so that what is left is what leaks.
    let grant = format!("{LOGIN}connections = {CONNECTIONS}\nidle = \"1s\"\n");
    let lab = Lab::granted(
        setups,
        &grant,
        "[jobs]\nper_principal = 100\nconcurrency = 64\nbinding_concurrency = 64\n",
    )
    .await;
    // The first call compiles, opens logs and stores.
    lab.show(lab.device(), &["show clock"]).await;
    lab.until("it is left", |devices| devices.all()[0].counts().connections == 0).await;
    let before = lab.server.descriptors();

    let calls: Vec<_> = lab
        .devices
        .all()
        .iter()
        .map(|device| {
            let (client, arguments) = (lab.server.client_of("naas"), on(device, &["show version"]));
            let name = device.hostname().to_owned();
            tokio::spawn(async move { (name, client.call("send_command", arguments).await) })
        })
        .collect();
    let ports: Vec<_> = lab.devices.all().iter().map(|device| device.port()).collect();
    let mut most = 0;
    while !calls.iter().all(tokio::task::JoinHandle::is_finished) {
        most = most.max(Server::connections_to(&ports));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for call in calls {
        let (name, answer) = call.await.expect("the call ended");
        let output = answer.structured()["results"]["show version"].as_str().expect("text").to_owned();
        assert!(output.contains(&name), "{name}: {output}");
    }
    // The table of connections is no snapshot: one that went while it was read may stand there beside the one that came.
    // Without a bound it is all fifty.
    assert!((2..=CONNECTIONS + 8).contains(&most), "{most} connections at once");

    lab.until("every connection is closed", |devices| {
        devices.all().iter().all(|device| device.counts().connections == 0 && device.counts().sessions == 0)
    })
    .await;
    let started = Instant::now();
    while lab.server.descriptors() > before + 8 {
        // Of the fifty clients, whose connections stay for a while.
        assert!(started.elapsed() < PATIENCE * 2, "{before} before, {} after", lab.server.descriptors());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
