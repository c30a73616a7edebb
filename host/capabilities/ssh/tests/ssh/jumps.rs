//! By way of a jump host.

use crate::device::{PASSWORD, Router, USER};
use crate::sshd::{Nobody, Sshd, user};
use crate::world::{World, call, text, until};

fn world(jump: &Sshd, target: &str, lines: &str) -> World {
    let grant = format!(
        "targets = [\"{target}\"]\nknown_hosts = \"known_hosts\"\ncredential = {{ user = \"{USER}\", password = \"password\" }}\n\
         [plugins.lab.grant.ssh.devices.jump]\nhost = \"{}\"\nknown_hosts = \"jump_hosts\"\n\
         credential = {{ user = \"{}\", key = \"key\" }}\n{lines}",
        jump.address,
        user(),
    );
    let world = World::new(&grant).secret("password", PASSWORD).secret("key", &jump.user_key());
    world.write("jump_hosts", &jump.known_hosts());
    world
}

#[tokio::test]
async fn a_device_behind_a_jump_host_is_reached_with_its_own_key_and_login() {
    let (jump, router) = (Sshd::start().await, Router::start().await);
    let world = world(&jump, &router.address.to_string(), "");
    world.write("known_hosts", &router.known_hosts());
    let binding = world.bind();
    let caller = call().to(&binding);
    let output = caller.exec(router.address, "show version").await.unwrap();
    assert_eq!(text(&output.stdout), "Version 15.2\r\n");
    assert_eq!(router.heard()[0], "login by password: right");
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    assert_eq!(jump.children().len(), 1, "one connection to the jump host carries all");
    drop((shell, caller, binding));
    until("nothing is left on the way", || async { jump.children().is_empty() && router.live() == 0 }).await;
}

#[tokio::test]
async fn what_is_remembered_by_way_of_a_jump_host_holds_for_that_way_alone() {
    let (jump, router) = (Sshd::start().await, Router::start().await);
    let trusting = |world: World| {
        let grant = world.grant().replacen("known_hosts = \"known_hosts\"", "trust_on_first_use = true", 1);
        world.granting(&grant)
    };
    let world = trusting(world(&jump, &router.address.to_string(), ""));
    call().to(&world.bind()).exec(router.address, "show version").await.unwrap();
    let remembered = std::fs::read_to_string(world.path("state/ssh_known_hosts")).unwrap();
    let (name, key) = remembered.split_once(' ').unwrap();
    let [host, by] = [router.address.port(), jump.address.port()].map(|port| format!("[127.0.0.1]:{port}"));
    assert_eq!(name, format!("{host}%{by}"));
    // Another key on the direct way is another machine's.
    let other = jump.known_hosts();
    world.write("state/ssh_known_hosts", &format!("{host} {}", other.split_once(' ').unwrap().1));
    call().to(&world.bind()).exec(router.address, "show version").await.unwrap();
    let both = std::fs::read_to_string(world.path("state/ssh_known_hosts")).unwrap();
    assert!(both.lines().count() == 2 && both.ends_with(&format!("{name} {key}")), "{both}");
}

#[tokio::test]
async fn what_is_wrong_with_the_jump_host_is_said_to_be_its() {
    let (jump, router) = (Sshd::start().await, Router::start().await);
    let fine = |world: World| {
        world.write("known_hosts", &router.known_hosts());
        world
    };
    let unknown = fine(world(&jump, &router.address.to_string(), ""));
    unknown.write("jump_hosts", "");
    let caller = call().to(&unknown.bind());
    let failure = caller.fails(router.address).await;
    assert_eq!(failure.code, "host-key-unknown");
    assert!(failure.message.contains("on the way to the device"), "{}", failure.message);
    assert!(caller.refused().contains(&jump.address.to_string()), "{}", caller.refused());

    let other = fine(world(&jump, &router.address.to_string(), ""));
    let stranger = Sshd::start().await;
    let other = other.secret("key", &stranger.user_key());
    assert_eq!(call().to(&other.bind()).fails(router.address).await.code, "auth-failed");
    assert_eq!(router.accepted(), 0);

    let behind = fine(world(&jump, &router.address.to_string(), ""));
    let caller = call().to(&behind.bind());
    caller.connect(router.address).await.unwrap();
    let nobody = Nobody::anywhere();
    let world = world(&jump, &format!("127.0.0.1:{}", nobody.port()), "");
    world.write("known_hosts", "");
    let failure =
        call().to(&world.bind()).connect_to("127.0.0.1", nobody.port()).await.err().unwrap().guest();
    assert_eq!((failure.code, failure.retryable), ("refused", true), "{}", failure.message);
}

#[tokio::test]
async fn a_jump_host_that_forwards_nothing_says_so() {
    let (jump, router) = (Sshd::with("AllowTcpForwarding no").await, Router::start().await);
    let world = world(&jump, &router.address.to_string(), "");
    world.write("known_hosts", &router.known_hosts());
    let failure = call().to(&world.bind()).fails(router.address).await;
    assert_eq!((failure.code, failure.retryable), ("unreachable", false), "{}", failure.message);
}

#[tokio::test]
async fn a_jump_host_that_went_away_is_connected_to_again() {
    let (jump, router) = (Sshd::start().await, Router::start().await);
    let world = world(&jump, &router.address.to_string(), "");
    world.write("known_hosts", &router.known_hosts());
    let caller = call().to(&world.bind());
    caller.exec(router.address, "show version").await.unwrap();
    jump.kill_sessions();
    until("the device is gone too", || async { router.live() == 0 }).await;
    caller.exec(router.address, "show version").await.unwrap();
    assert_eq!(router.accepted(), 2);
}

#[tokio::test]
async fn names_are_looked_up_and_judged_here_unless_the_jump_host_does_it() {
    let (jump, router) = (Sshd::start().await, Router::start().await);
    let target = format!("*.nip.invalid:{}", router.address.port());
    let here = world(&jump, &target, "");
    here.write("known_hosts", "");
    let failure = call()
        .to(&here.bind())
        .connect_to("r1.nip.invalid", router.address.port())
        .await
        .err()
        .unwrap()
        .guest();
    assert_eq!(failure.code, "unresolved");
    assert!(jump.children().is_empty(), "the jump host was not asked");
    // An address is judged here in any case.
    let closed = world(&jump, "10.0.0.0/8:22", "");
    closed.write("known_hosts", "");
    let caller = call().to(&closed.bind());
    assert_eq!(caller.connect_to("169.254.169.254", 22).await.err().unwrap().guest().code, "denied");

    let there = world(&jump, &format!("localhost:{}", router.address.port()), "resolves = true");
    there.write("known_hosts", &router.known_hosts().replace("127.0.0.1", "localhost"));
    let caller = call().to(&there.bind());
    let device = caller.connect_to("localhost", router.address.port()).await.unwrap();
    device.exec("show version", None, None).await.unwrap();
}

#[tokio::test]
async fn jump_hosts_stand_behind_one_another() {
    let (first, second, router) = (Sshd::start().await, Sshd::start().await, Router::start().await);
    let lines = format!(
        "jump = {{ host = \"{}\", known_hosts = \"first_hosts\", credential = {{ user = \"{}\", key = \"first\" }} }}",
        first.address,
        user()
    );
    let world = world(&second, &router.address.to_string(), &lines).secret("first", &first.user_key());
    world.write("first_hosts", &first.known_hosts());
    world.write("known_hosts", &router.known_hosts());
    let binding = world.bind();
    call().to(&binding).exec(router.address, "show version").await.unwrap();
    assert_eq!((first.children().len(), second.children().len()), (1, 1));
    drop(binding);
    until("nothing is left on the way", || async {
        first.children().is_empty() && second.children().is_empty()
    })
    .await;
}
