//! Many devices, many sessions: bounded, and nothing stays.

use fleet_sim::devices::{Devices, Platform, Setup};
use fleetgate_e2e::Server;
use serde_json::json;

use super::{Lab, code, to, until};
use crate::sshd::{Sshd, user};

#[tokio::test]
async fn a_flood_of_sessions_ends_at_the_bounds_and_what_was_leaked_is_closed() {
    let sshd = Sshd::with("MaxSessions 50").await;
    let lab = Lab::of(&sshd, "sessions = 20\nidle = \"50ms\"");
    // Whatever is made once is made before it is counted.
    assert!(lab.exec(&sshd, "true").await.succeeded());
    until("every session is closed", || async { sshd.children().is_empty() }).await;
    let before = lab.server.descriptors();
    for tool in ["flood", "leak"] {
        let arguments = to(&sshd, json!({"count": 40, "hold": 0}));
        let told = lab.client().call(tool, arguments).await.structured().clone();
        assert_eq!((&told["opened"], code(&told)), (&json!(16), Some("too-many-sessions")), "{tool}: {told}");
        assert_eq!(told["error"]["retryable"], true);
        until("every session is closed", || async { sshd.children().is_empty() }).await;
    }
    let flood = || {
        let (client, arguments) = (lab.client(), to(&sshd, json!({"count": 16, "hold": 6000})));
        tokio::spawn(async move { client.call("flood", arguments).await.structured().clone() })
    };
    let (first, second) = (flood(), flood());
    let told = [first.await.expect("no panic"), second.await.expect("no panic")];
    let opened: u64 = told.iter().filter_map(|told| told["opened"].as_u64()).sum();
    assert!((16..=20).contains(&opened), "of all calls together: {told:?}");
    until("every session is closed", || async { sshd.children().is_empty() }).await;
    until("every descriptor is closed", || async { lab.server.descriptors() <= before }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_devices_at_once_through_one_plugin_leave_nothing_behind() {
    let (sshd, ports) = Sshd::on_ports(10).await;
    let setups = (0..40).map(|number| Setup::new(Platform::CiscoIos).hostname(format!("r{number}")));
    let devices = Devices::start(setups).await.expect("free ports");
    let first = &devices.all()[0];

    let real: Vec<_> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let simulated: Vec<_> = devices.all().iter().map(|device| device.address().to_string()).collect();
    let known = sshd.known_hosts();
    let key = known.split_once(' ').expect("a name and a key").1;
    let known: String =
        real.iter().map(|at| format!("[127.0.0.1]:{} {key}\n", &at["127.0.0.1:".len()..])).collect();
    let limits = "known_hosts = \"known_hosts\"\nconnections = 12\nidle = \"100ms\"";
    let grants = format!(
        "targets = {simulated:?}\n{limits}\nenable = \"enable\"\ncredential = {{ user = \"{}\", password = \"password\" }}",
        first.user()
    );
    let (user_key, known) = (sshd.user_key(), known + &devices.known_hosts());
    let files = [
        ("password", first.password()),
        ("enable", first.enable().expect("a router has one")),
        ("key", user_key.as_str()),
        ("known_hosts", known.as_str()),
    ];
    let lab = Lab::new(&grants, &files);
    // The servers are another binding's of the same plugin: one grant has one login.
    let more = format!(
        "[plugins.servers]\nuse = \"{}\"\n[plugins.servers.grant.ssh.devices]\ntargets = {real:?}\n{limits}\n\
         credential = {{ user = \"{}\", key = \"key\" }}\n",
        super::BINDING,
        user()
    );
    let config =
        lab.installation.config_text().replace("[secrets]\n", "[secrets]\nkey = { file = \"key\" }\n");
    lab.installation.config(&format!("{config}{more}"));
    // A client for each call: those that stay connected would be counted.
    let servers = || lab.server.client_of("servers");
    lab.server
        .until("both bindings are served", || async {
            servers().request("tools/list", json!({})).await.status == 200
        })
        .await;

    let routine = json!([
        {"until": ">"}, {"line": "enable"}, {"until": "Password: "}, {"secret": "enable"}, {"until": "#"},
        {"line": "terminal length 0"}, {"until": "#"}, {"line": "show version"}, {"until": "#"}
    ]);
    // Whatever is made once is made before it is counted.
    let warm = json!({"host": "127.0.0.1", "port": first.port(), "acts": routine});
    assert!(lab.client().call("talk", warm).await.succeeded());
    until("nothing is open", || async {
        devices.all().iter().all(|device| device.counts().connections == 0)
    })
    .await;
    let before = lab.server.descriptors();

    let mut calls = Vec::new();
    for device in devices.all() {
        let (client, port, acts) = (lab.client(), device.port(), routine.clone());
        calls.push(tokio::spawn(async move {
            let told = client.call("talk", json!({"host": "127.0.0.1", "port": port, "acts": acts})).await;
            let said = told.structured()["acts"][8]["said"].as_str().unwrap_or_default().to_owned();
            assert!(said.contains("Version"), "{told:?}");
        }));
    }
    for at in &real {
        let (client, port) = (servers(), at["127.0.0.1:".len()..].parse::<u16>().expect("a port"));
        calls.push(tokio::spawn(async move {
            let arguments = json!({"host": "127.0.0.1", "port": port, "command": "echo here"});
            let told = client.call("exec", arguments).await;
            assert_eq!(told.structured()["stdout"], "here\n", "{told:?}");
        }));
    }
    assert_eq!(calls.len(), 50);
    let simulated_ports: Vec<_> = devices.all().iter().map(|device| device.port()).collect();
    let mut most = 0;
    while calls.iter().any(|call| !call.is_finished()) {
        most = most.max(Server::connections_to(&simulated_ports));
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    for call in calls {
        call.await.expect("it was answered as it should be");
    }
    // The table of connections is no snapshot: one that went while it was read may stand there beside the one that came.
    // Without a bound it is all of them.
    assert!((1..=12 + 8).contains(&most), "{most} connections at once");
    until("every session is closed", || async {
        devices.sessions() == 0
            && devices.all().iter().all(|device| device.counts().connections == 0)
            && sshd.children().is_empty()
    })
    .await;
    until("every descriptor is closed", || async { lab.server.descriptors() <= before }).await;
}
