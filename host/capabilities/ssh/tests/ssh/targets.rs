//! Which devices a call may use, in which way, and what it may send there.

use std::sync::Arc;

use fleetgate_core::address::Connector;
use fleetgate_ssh::Failure;
use fleetgate_ssh::testing::Terminal;

use crate::device::Router;
use crate::world::{Watched, World, call};

const GRANT: &str = "targets = [\"*.lab.example.com:22\", \"10.1.0.0/16:22\", \"127.0.0.1:2200-2209\"]\n\
                     known_hosts = \"known_hosts\"\ncredential = { user = \"netops\", password = \"password\" }";

fn world(watched: &Arc<Watched>, grant: &str) -> World {
    let connector = Connector { resolver: watched.clone(), dialer: watched.clone() };
    let world = World::with(connector, grant).secret("password", "p4ssw0rd");
    world.write("known_hosts", "");
    world
}

#[tokio::test]
async fn what_is_not_granted_is_neither_looked_up_nor_dialled() {
    let watched = Arc::new(Watched::default());
    let world = world(&watched, GRANT);
    let caller = call().to(&world.bind());
    for (host, port, said) in [
        ("r1.example.com", 22, "targets = [… \"r1.example.com:22\"]"),
        ("r1.lab.example.com", 2222, "is not granted"),
        ("r1.lab.example.com.evil.org", 22, "is not granted"),
        ("lab.example.com", 22, "is not granted"),
        ("a.b.lab.example.com", 22, "is not granted"),
        ("evil.org", 22, "is not granted"),
        ("10.2.0.1", 22, "a private address, is not granted"),
        ("10.1.0.1", 23, "is not granted"),
        ("127.0.0.1", 22, "a loopback address, is not granted"),
        ("127.0.0.1", 2210, "is not granted"),
        ("127.1", 22, "a loopback address, is not granted"),
        ("::1", 2200, "a loopback address, is not granted"),
        ("localhost", 2200, "is not granted"),
        ("169.254.169.254", 80, "a metadata service's address, is not granted"),
        ("8.8.8.8", 22, "is not granted"),
        ("0.0.0.0", 22, "an unspecified address, is not granted"),
    ] {
        let failure = caller.connect_to(host, port).await.err().unwrap();
        assert!(matches!(failure, Failure::Refused(_)), "{host}:{port}: {failure}");
        let guest = failure.guest();
        assert_eq!((guest.code, guest.message.as_str()), ("denied", "this is not granted"));
        assert!(caller.refused().contains(said), "{host}:{port}: {}", caller.refused());
    }
    assert!(watched.names.lock().unwrap().is_empty() && watched.addresses.lock().unwrap().is_empty());
    for odd in
        ["", "a b", "r1.lab.example.com:22", "user@r1.lab.example.com", "r1/x", "[::1", "-oProxyCommand=x"]
    {
        let failure = caller.connect_to(odd, 22).await.err().unwrap().guest();
        assert!(["invalid", "denied"].contains(&failure.code), "{odd}: {}", failure.code);
    }
    assert_eq!(caller.connect_to("r1.lab.example.com", 0).await.err().unwrap().guest().code, "invalid");
    assert!(watched.names.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_was_not_asked_for_or_not_granted_is_denied() {
    let watched = Arc::new(Watched::default());
    let world = world(&watched, GRANT).ungranted();
    let caller = call().to(&world.bind());
    for (capability, said) in [
        ("ssh.devices", "[plugins.lab.grant.ssh.devices] with targets = [\"r1.lab.example.com:22\"]"),
        ("ssh.others", "the plugin does not ask for it"),
        ("http.api", "the plugin does not ask for it"),
        ("", "the plugin does not ask for it"),
    ] {
        let failure = caller.session.connect(capability, "r1.lab.example.com", 22, None).await.err().unwrap();
        assert_eq!(failure.guest().code, "denied");
        assert!(caller.refused().contains(said), "{}", caller.refused());
    }
}

#[tokio::test]
async fn a_read_only_tool_uses_no_device_unless_its_reach_names_commands() {
    let router = Router::start().await;
    let world = router.world();
    let binding = world.bind();
    let caller = call().read_only().to(&binding);
    assert_eq!(caller.fails(router.address).await.code, "denied");
    assert!(caller.refused().contains("the tool is read-only"), "{}", caller.refused());
    let methods = world.reach("methods = [\"exec\"]");
    let caller = call().read_only().reaching(methods).to(&binding);
    assert_eq!(caller.fails(router.address).await.code, "denied", "a method is not a command");
    assert_eq!(router.accepted(), 0);

    let reach = world.reach("commands = [\"show *\"]");
    let caller = call().read_only().reaching(reach).to(&binding);
    caller.exec(router.address, "show version").await.unwrap();
    let failure = caller.exec(router.address, "reload").await.unwrap_err().guest();
    assert_eq!(failure.code, "denied");
    assert!(caller.refused().contains("the tool's reach is \"show *\""), "{}", caller.refused());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    shell.line("show version", "R1>").await;
    assert_eq!(shell.0.send_line("configure terminal").await.unwrap_err().guest().code, "denied");
    assert_eq!(shell.0.write(b"reload\n".to_vec()).await.unwrap_err().guest().code, "denied");
    assert_eq!(router.count("line configure") + router.count("exec reload"), 0);
}

#[tokio::test]
async fn what_holds_is_the_intersection_of_manifest_grant_and_reach() {
    let router = Router::start().await;
    let world = router
        .world_with("commands = [\"show ip *\", \"show version\", \"ping *\"]")
        .request("commands = [\"show *\", \"ping *\"]");
    let binding = world.bind();
    let reach = world.reach("commands = [\"show *\"]");
    let caller = call().reaching(reach).to(&binding);
    let device = caller.connect(router.address).await.unwrap();
    device.exec("show version", None, None).await.unwrap();
    device.exec("show ip route", None, None).await.unwrap();
    for (command, said) in [
        ("reload", "the manifest asks for \"show *\", \"ping *\" only"),
        ("show running-config", "[plugins.lab.grant.ssh.devices] commands = [… \"show running-config\"]"),
        ("ping 10.0.0.1", "the tool's reach is \"show *\""),
        ("show version; reload", "the manifest asks for"),
    ] {
        assert_eq!(device.exec(command, None, None).await.unwrap_err().guest().code, "denied", "{command}");
        assert!(caller.refused().contains(said), "{command}: {}", caller.refused());
    }
    assert_eq!(router.count("exec"), 2);
    assert_eq!(
        caller.call.used.used()[1],
        format!("ssh.devices exec {} \"show version\" exit 0", router.address)
    );
}

#[tokio::test]
async fn a_method_that_is_not_granted_is_not_used() {
    let router = Router::start().await;
    let world = router.world_with("methods = [\"exec\"]");
    let caller = call().to(&world.bind());
    let device = caller.connect(router.address).await.unwrap();
    device.exec("show version", None, None).await.unwrap();
    assert_eq!(device.open_shell(Terminal::default()).await.err().unwrap().guest().code, "denied");
    assert!(caller.refused().contains("methods = [… \"shell\"]"), "{}", caller.refused());
    let world = router.world().request("methods = [\"shell\"]");
    let caller = call().to(&world.bind());
    let device = caller.connect(router.address).await.unwrap();
    assert_eq!(device.exec("show version", None, None).await.unwrap_err().guest().code, "denied");
    assert!(caller.refused().contains("the manifest asks for shell only"), "{}", caller.refused());
}
