//! Many devices at once: bounded, and nothing is left.

use std::sync::Arc;

use crate::device::{ENABLE, PASSWORD, Router, USER};
use crate::sshd::Sshd;
use crate::world::{World, call, text, until};

const ESTABLISHED: &str = "01";
const TIME_WAIT: &str = "06";

/// Our ends of connections to these devices, in the states that count (proc(5): `/proc/net/tcp`). The descriptors of
/// the process are also those of other tests, and a device hears of a good-bye later than we say it.
fn sockets(routers: &[Router], counts: impl Fn(&str) -> bool) -> usize {
    let ports: Vec<_> = routers.iter().map(|router| format!(":{:04X}", router.address.port())).collect();
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.filter(|line| ports.iter().any(|port| line[2].ends_with(port)) && counts(line[3])).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_devices_at_once_stay_within_the_grant_and_leave_nothing_behind() {
    let server = Arc::new(Sshd::start().await);
    let mut routers = Vec::new();
    for _ in 0..49 {
        routers.push(Router::start().await);
    }
    let targets: Vec<_> = routers.iter().map(|router| router.address.to_string()).collect();
    let grant = format!(
        "targets = {targets:?}\nknown_hosts = \"known_hosts\"\nenable = \"enable\"\nconnections = 16\nidle = \"200ms\"\n\
         credential = {{ user = \"{USER}\", password = \"password\" }}"
    );
    let world = World::new(&grant).secret("password", PASSWORD).secret("enable", ENABLE);
    world.write("known_hosts", &routers.iter().map(Router::known_hosts).collect::<String>());
    let (binding, real) = (world.bind(), server.world().bind());

    let mut tasks = Vec::new();
    for router in &routers {
        let (caller, address) = (call().to(&binding), router.address);
        tasks.push(tokio::spawn(async move {
            let output = caller.exec(address, "show version").await.unwrap();
            assert_eq!(text(&output.stdout), "Version 15.2\r\n");
            let shell = caller.shell(address).await;
            shell.until("R1>").await;
            shell.line("enable", "Password: ").await;
            shell.0.send_secret("enable").await.unwrap();
            shell.until("R1#").await;
            shell.line("show version", "R1#").await;
        }));
    }
    let (caller, address) = (call().to(&real), server.address);
    tasks.push(tokio::spawn(async move {
        for _ in 0..10 {
            caller.exec(address, "true").await.unwrap();
        }
    }));
    let watched = async {
        let mut most = 0;
        while tasks.iter().any(|task| !task.is_finished()) {
            most = most.max(sockets(&routers, |state| state == ESTABLISHED));
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        most
    };
    let most = watched.await;
    for task in tasks {
        task.await.unwrap();
    }
    // The table is no snapshot: while it is read, some close and others open. Without a bound it is all 49.
    assert!((1..=16 + 8).contains(&most), "{most} connections at once");
    drop((binding, real));
    until("every session is closed", || async {
        routers.iter().all(|router| router.live() == 0 && router.open() == 0) && server.children().is_empty()
    })
    .await;
    until("every socket is closed", || async { sockets(&routers, |state| state != TIME_WAIT) == 0 }).await;
}
