//! A call that is cancelled leaves nothing running.

use std::time::Duration;

use fleetgate_ssh::testing::Chunk;

use crate::device::Router;
use crate::sshd::Sshd;
use crate::world::{call, until};

#[tokio::test]
async fn cancelling_ends_the_command_and_its_channel() {
    let router = Router::start().await;
    let binding = router.world().bind();
    let caller = call().to(&binding);
    let device = caller.connect(router.address).await.unwrap();
    let running = tokio::spawn(async move { device.exec("wait for ever", None, None).await });
    until("it runs", || async { router.count("exec wait") == 1 }).await;
    caller.call.cancel.cancel();
    let failure = running.await.unwrap().unwrap_err().guest();
    assert_eq!((failure.code, failure.sent), ("cancelled", true));
    until("it is ended", || async { router.open() == 0 }).await;
    until("the command heard of it", || async { router.count("command gone") == 1 }).await;
    assert_eq!(router.count("signal TERM"), 1, "{:?}", router.heard());
    // The connection is as good as before.
    call().to(&binding).exec(router.address, "show version").await.unwrap();
    assert_eq!(router.accepted(), 1);
}

#[tokio::test]
async fn a_command_on_a_real_server_that_prints_ends_with_its_call() {
    let server = Sshd::start().await;
    let binding = server.world().bind();
    let caller = call().to(&binding);
    let device = caller.connect(server.address).await.unwrap();
    let alive = server.path("alive");
    // Ends when its output cannot be written any more.
    let command = format!("while echo x; do date +%s%N > {}; sleep 0.05; done", alive.display());
    let running = tokio::spawn(async move { device.exec(&command, None, None).await });
    until("it runs", || async { alive.exists() }).await;
    caller.call.cancel.cancel();
    running.await.unwrap().unwrap_err();
    let last = || std::fs::read_to_string(&alive).unwrap();
    until("it ended", || async {
        let before = last();
        tokio::time::sleep(Duration::from_millis(300)).await;
        before == last()
    })
    .await;
    assert!(call().to(&binding).exec(server.address, "true").await.unwrap().exit_status == Some(0));
}

#[tokio::test]
async fn a_read_that_waits_ends_at_once_and_cleaning_up_still_works() {
    let router = Router::start().await;
    let caller = call().to(&router.world().bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    let cancel = caller.call.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    });
    let failure = shell.0.read(10, Duration::from_secs(60)).await.unwrap_err().guest();
    assert_eq!(failure.code, "cancelled");
    // The guest has a moment to leave the device as it was.
    shell.line("show version", "R1>").await;
    assert_eq!(shell.0.read(10, Duration::from_millis(10)).await.unwrap(), Chunk::TimedOut);
    drop(shell);
    until("closed", || async { router.open() == 0 }).await;
}

#[tokio::test]
async fn a_connection_that_is_being_made_is_given_up_with_its_call() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let grant = format!(
        "targets = [\"{address}\"]\ntrust_on_first_use = true\ncredential = {{ user = \"netops\", password = \"password\" }}"
    );
    let world = crate::world::World::new(&grant).secret("password", "p4ssw0rd");
    let binding = world.bind();
    let caller = call().to(&binding);
    let connecting = tokio::spawn({
        let caller = caller.clone();
        async move { caller.fails(address).await }
    });
    let (stream, _) = listener.accept().await.unwrap();
    caller.call.cancel.cancel();
    assert_eq!(connecting.await.unwrap().code, "cancelled");
    until("it hung up", || async {
        let mut byte = [0; 64];
        stream.readable().await.unwrap();
        matches!(stream.try_read(&mut byte), Ok(0))
    })
    .await;
}
