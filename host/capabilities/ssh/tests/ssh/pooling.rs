//! Connections: shared, bounded, replaced when they broke, closed when nobody needs them.

use std::time::Duration;

use fleetgate_ssh::testing::Terminal;

use crate::device::{Router, Setup};
use crate::sshd::Sshd;
use crate::world::{call, text, until};

#[tokio::test]
async fn calls_share_connections_and_what_is_unused_is_closed() {
    let server = Sshd::start().await;
    let world = server.world_with("idle = \"3s\"");
    let binding = world.bind();
    for _ in 0..5 {
        call().to(&binding).exec(server.address, "true").await.unwrap();
    }
    until("it is closed", || async { server.children().is_empty() }).await;
    let logins = || server.said().matches("Accepted publickey").count();
    let closed = || server.said().contains("Disconnected from");
    until("the server said so", || async { closed() }).await;
    assert_eq!(logins(), 1);
    call().to(&binding).exec(server.address, "true").await.unwrap();
    until("it was logged in to again", || async { logins() == 2 }).await;
}

#[tokio::test]
async fn a_connection_is_not_shared_between_credentials() {
    let router = Router::start().await;
    let (one, two) = (router.world().bind(), router.world().bind());
    call().to(&one).exec(router.address, "show version").await.unwrap();
    call().to(&two).exec(router.address, "show version").await.unwrap();
    assert_eq!(router.accepted(), 2, "bindings share nothing");
    drop((one, two));
    until("they went with their bindings", || async { router.live() == 0 }).await;
}

#[tokio::test]
async fn a_connection_that_broke_is_replaced_before_anything_is_sent() {
    let server = Sshd::start().await;
    let binding = server.world().bind();
    let caller = call().to(&binding);
    let device = caller.connect(server.address).await.unwrap();
    device.exec("true", None, None).await.unwrap();
    for _ in 0..5 {
        server.kill_sessions();
        // At once, and after the host has noticed.
        assert_eq!(text(&device.exec("echo again", None, None).await.unwrap().stdout), "again\n");
        server.kill_sessions();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(text(&device.exec("echo again", None, None).await.unwrap().stdout), "again\n");
    }
}

#[tokio::test]
async fn a_device_that_takes_one_session_gets_a_connection_for_each() {
    for lines in ["channels = 1", ""] {
        // Whether the grant says so, or it is found out.
        let router = Router::with(Setup { sessions: 1, ..Setup::default() }).await;
        let world = router.world_with(lines);
        let caller = call().to(&world.bind());
        let device = caller.connect(router.address).await.unwrap();
        let mut shells = Vec::new();
        for _ in 0..4 {
            shells.push(device.open_shell(Terminal::default()).await.unwrap());
        }
        assert_eq!((router.accepted(), router.open()), (4, 4), "{lines}");
        // There may be four connections to one target: the next one waits for one of them.
        let waiting = tokio::spawn({
            let device = device.clone();
            async move { device.exec("show version", None, None).await }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!waiting.is_finished());
        drop(shells.pop());
        waiting.await.unwrap().unwrap();
        assert_eq!(router.accepted(), 4);
    }
}

#[tokio::test]
async fn an_idle_connection_gives_way_to_another_device() {
    let routers = [Router::start().await, Router::start().await, Router::start().await];
    let targets: Vec<_> = routers.iter().map(|router| format!("{:?}", router.address.to_string())).collect();
    let grant = routers[0].grant().replace(&targets[0], &targets.join(", "));
    let world = crate::world::World::new(&format!("{grant}\nconnections = 2"))
        .secret("password", crate::device::PASSWORD)
        .secret("enable", crate::device::ENABLE);
    let known: String = routers.iter().map(Router::known_hosts).collect();
    world.write("known_hosts", &known);
    let caller = call().to(&world.bind());
    for _ in 0..3 {
        for router in &routers {
            caller.exec(router.address, "show version").await.unwrap();
            let live = || routers.iter().map(Router::live).sum::<usize>();
            until("there are two, and the third said good-bye", || async { live() <= 2 }).await;
        }
    }
    // What is in use does not give way.
    let shells = [caller.shell(routers[0].address).await, caller.shell(routers[1].address).await];
    let waiting = tokio::spawn({
        let (caller, address) = (caller.clone(), routers[2].address);
        async move { caller.exec(address, "show version").await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    drop(shells);
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn sessions_are_counted_for_a_call_and_for_a_binding() {
    let router = Router::with(Setup { sessions: 64, ..Setup::default() }).await;
    let world = router.world_with("sessions = 20\nchannels = 64");
    let binding = world.bind();
    let caller = call().to(&binding);
    let device = caller.connect(router.address).await.unwrap();
    let mut shells = Vec::new();
    for _ in 0..16 {
        shells.push(device.open_shell(Terminal::default()).await.unwrap());
    }
    let failure = device.open_shell(Terminal::default()).await.err().unwrap().guest();
    assert_eq!((failure.code, failure.retryable), ("too-many-sessions", true));
    assert!(failure.message.contains("16 sessions of this call"), "{}", failure.message);
    assert_eq!(device.exec("show version", None, None).await.unwrap_err().guest().code, "too-many-sessions");
    let other = call().to(&binding).connect(router.address).await.unwrap();
    for _ in 0..4 {
        shells.push(other.open_shell(Terminal::default()).await.unwrap());
    }
    let failure = other.open_shell(Terminal::default()).await.err().unwrap().guest();
    assert!(failure.message.contains("20 sessions of this plugin"), "{}", failure.message);
    drop(shells);
    until("all are closed", || async { router.open() == 0 }).await;
    until("their room is free", || async { device.exec("show version", None, None).await.is_ok() }).await;
}

#[tokio::test]
async fn a_call_waits_for_a_connection_no_longer_than_it_has_time() {
    let router = Router::start().await;
    let world = router.world_with("connections = 1\nchannels = 1");
    let binding = world.bind();
    let holding = call().to(&binding).shell(router.address).await;
    let caller = call().timeout(Duration::from_millis(200)).to(&binding);
    let failure = caller.fails(router.address).await;
    assert_eq!((failure.code, failure.sent), ("timeout", false));
    assert!(failure.message.contains("nothing had been sent"), "{}", failure.message);
    drop(holding);
}

#[tokio::test]
async fn a_banner_is_kept_for_the_guest() {
    let router = Router::with(Setup { banner: Some("Authorized access only\r\n"), ..Setup::default() }).await;
    let device = call().to(&router.world().bind()).connect(router.address).await.unwrap();
    assert_eq!(device.banner(), Some("Authorized access only\r\n"));
}
