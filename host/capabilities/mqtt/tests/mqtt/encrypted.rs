//! TLS, client certificates, WebSockets and credentials, at a real broker.

use fleetgate_mqtt::GuestFailure;
use rcgen::date_time_ymd;

use crate::mosquitto::Mosquitto;
use crate::world::{AS_FLEET, PASSWORD, World, call, granting};

/// A world that knows the broker's authority and has a certificate of it.
fn world(broker: &Mosquitto, url: &str, lines: &str) -> World {
    let world = World::new(&format!("{}\n{lines}", granting(url))).secret("key", &broker.read("client.key"));
    world.write("ca.pem", &broker.read("ca.pem"));
    world.write("client.pem", &broker.read("client.pem"));
    world
}

async fn works(world: &World) {
    let binding = world.bind();
    let caller = call().to(&binding);
    let listening = caller.listening(&["a/+"]).await;
    let big = "x".repeat(40_000);
    for payload in ["small", &big] {
        caller.publish("a/b", payload).await.unwrap();
        assert_eq!(listening.payload().await, payload);
    }
}

#[tokio::test]
async fn an_own_authority_and_a_client_certificate_open_an_encrypted_connection() {
    let broker = Mosquitto::start().await;
    let url = format!("mqtts://localhost:{}", broker.tls.port());
    let lines = "ca = \"ca.pem\"\nclient_cert = \"client.pem\"\nclient_key = \"key\"";
    works(&world(&broker, &url, lines)).await;
    works(&world(&broker, &url, &format!("{lines}\nversion = \"5\""))).await;
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_not_trusted() {
    let broker = Mosquitto::start().await;
    let url = format!("mqtts://localhost:{}", broker.tls.port());
    let binding = world(&broker, &url, "").bind();
    let caller = call().to(&binding);
    let failure = caller.fails("a").await;
    not_trusted(&failure);
    assert_eq!(
        caller.refused(),
        "mqtt.broker: no TLS with localhost: its certificate is signed by no authority that this machine or the grant's \
         key ca knows; to allow it: [plugins.lab.grant.mqtt.broker] ca = \"…\", the file with its authority's certificate"
    );
}

/// The guest learns that, and nothing of where the broker is or what its certificate says.
fn not_trusted(failure: &GuestFailure) {
    assert_eq!((failure.code, failure.retryable, failure.sent), ("unreachable", false, false));
    assert_eq!(failure.message, "the broker's certificate is not trusted");
    assert_eq!(failure.details, None);
}

/// What the operator reads where a broker's certificate is not trusted.
async fn distrusted(world: &World) -> String {
    let binding = world.bind();
    let caller = call().to(&binding);
    not_trusted(&caller.fails("a").await);
    caller.refused()
}

const KNOWN: &str = "ca = \"ca.pem\"";

#[tokio::test]
async fn a_certificate_of_another_authority_with_the_same_name_is_not_trusted() {
    let (broker, other) = (Mosquitto::start().await, Mosquitto::start().await);
    let world = world(&broker, &format!("mqtts://localhost:{}", broker.tls.port()), KNOWN);
    world.write("ca.pem", &other.read("ca.pem"));
    let said = distrusted(&world).await;
    assert!(said.contains("is not signed by the authority that it names"), "{said}");
    assert!(said.contains("[plugins.lab.grant.mqtt.broker] ca = "), "{said}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_trusted() {
    let mut broker = Mosquitto::start().await;
    let by_address = format!("mqtts://127.0.0.1:{}", broker.tls.port());
    let said = distrusted(&world(&broker, &by_address, KNOWN)).await;
    assert!(said.ends_with("its certificate is for \"localhost\", and not for 127.0.0.1"), "{said}");
    broker.certified("localhost", |params| params.subject_alt_names.clear()).await;
    let by_name = format!("mqtts://localhost:{}", broker.tls.port());
    let said = distrusted(&world(&broker, &by_name, KNOWN)).await;
    assert!(said.contains("its certificate names no host"), "{said}");
}

#[tokio::test]
async fn a_certificate_of_another_time_is_not_trusted() {
    let mut broker = Mosquitto::start().await;
    let url = format!("mqtts://localhost:{}", broker.tls.port());
    broker.certified("localhost", |params| params.not_after = date_time_ymd(2020, 1, 2)).await;
    let said = distrusted(&world(&broker, &url, KNOWN)).await;
    assert!(said.ends_with("its certificate expired at 2020-01-02T00:00:00Z"), "{said}");
    broker.certified("localhost", |params| params.not_before = date_time_ymd(3020, 1, 2)).await;
    let said = distrusted(&world(&broker, &url, KNOWN)).await;
    assert!(
        said.contains("is not valid before 3020-01-02T00:00:00Z; is this machine's clock right?"),
        "{said}"
    );
}

#[tokio::test]
async fn without_its_certificate_a_client_is_turned_away() {
    let broker = Mosquitto::start().await;
    let url = format!("mqtts://localhost:{}", broker.tls.port());
    let binding = world(&broker, &url, "ca = \"ca.pem\"").bind();
    assert_eq!(call().to(&binding).fails("a").await.code, "unreachable");
}

#[tokio::test]
async fn a_websocket_carries_it_encrypted_or_not_in_both_versions() {
    let broker = Mosquitto::start().await;
    for version in ["3.1.1", "5"] {
        let version = format!("version = \"{version}\"");
        works(&world(&broker, &format!("ws://{}", broker.websocket), &version)).await;
        let url = format!("wss://localhost:{}/mqtt", broker.wss.port());
        works(&world(&broker, &url, &format!("{version}\nca = \"ca.pem\""))).await;
    }
}

#[tokio::test]
async fn where_there_is_no_websocket_it_is_said() {
    let broker = Mosquitto::start().await;
    let binding = world(&broker, &format!("ws://{}", broker.address), "connect_timeout = \"2s\"").bind();
    let failure = call().to(&binding).fails("a").await;
    assert_eq!(failure.code, "unreachable");
}

#[tokio::test]
async fn a_wrong_credential_is_told_as_such_and_the_right_one_is_used_when_it_is_there() {
    let broker = Mosquitto::strict("user fleet\ntopic readwrite #\n").await;
    for version in ["3.1.1", "5"] {
        let world = broker
            .world_with(&format!("{AS_FLEET}\nversion = \"{version}\""))
            .secret("password", "wr0ng-p4ssword");
        let binding = world.bind();
        let caller = call().to(&binding);
        let failure = caller.fails("a").await;
        assert_eq!(
            (failure.code, failure.retryable, failure.sent),
            ("credential", false, false),
            "{version}"
        );
        assert!(caller.refused().contains("it does not take the credential"), "{}", caller.refused());
        // Rotated; the next connection reads it again.
        world.write("password", PASSWORD);
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        call().to(&binding).publish("a", "x").await.unwrap();
        for told in [failure.message, caller.refused(), caller.used().join("\n")] {
            assert!(!told.contains("p4ssword"), "{told}");
        }
    }
}

#[tokio::test]
async fn a_credential_that_cannot_be_read_is_an_error_at_load() {
    let broker = Mosquitto::start().await;
    let world = broker.world_with(AS_FLEET).secret("password", PASSWORD);
    std::fs::remove_file(world.path("password")).unwrap();
    let problem = world.problem();
    assert!(problem.contains("the secret \"password\" cannot be had"), "{problem}");
}

#[tokio::test]
async fn the_credential_is_masked_in_what_is_heard() {
    let broker = Mosquitto::strict("user fleet\ntopic readwrite #\n").await;
    let binding = broker.world_with(AS_FLEET).secret("password", PASSWORD).bind();
    let listening = call().to(&binding).listening(&["echo/#"]).await;
    let device = crate::mosquitto::Device::connect(broker.address, Some(("fleet", PASSWORD))).await;
    device.publish(&format!("echo/{PASSWORD}"), format!("it is {PASSWORD}!")).await;
    assert_eq!(listening.hears().await, ("echo/[masked]".to_owned(), "it is [masked]!".to_owned()));
}

#[tokio::test]
async fn what_the_broker_s_own_rules_refuse_is_denied_where_it_says_so() {
    let broker = Mosquitto::strict("user fleet\ntopic readwrite mine/#\n").await;
    let world = broker.world_with(&format!("{AS_FLEET}\nversion = \"5\"")).secret("password", PASSWORD);
    let binding = world.bind();
    let caller = call().to(&binding);
    caller.publish("mine/1", "x").await.unwrap();
    let failure = caller.fails("other/1").await;
    assert_eq!((failure.code, failure.sent), ("denied", false));
    let details = failure.details.unwrap();
    assert_eq!((details["broker"].as_bool(), details["reason"].as_u64()), (Some(true), Some(0x87)));
    caller.publish("mine/1", "the connection is unharmed").await.unwrap();
}
