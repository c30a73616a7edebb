//! The real broker starts as a test wants it, guards what it shall guard, and comes back where it was.
//!
//! Without mosquitto on the machine these tests fail and say how to install it.

mod tls;

use std::time::{Duration, Instant};

use fleet_sim::broker::{Account, Broker, May, Setup};
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Packet, PublishOptions, QoS};

/// Generous: only to end a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn client(broker: &Broker, user: &str, password: &str) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(format!("test-{user}"), ("127.0.0.1", broker.address().port()));
    options.set_credentials(user, password.to_owned());
    AsyncClient::builder(options).build()
}

/// Polls until something that counts is there.
async fn until<T>(
    eventloop: &mut EventLoop,
    wanted: impl Fn(Packet) -> Option<T>,
) -> Result<T, ConnectionError> {
    let found = async {
        loop {
            if let Event::Incoming(packet) = eventloop.poll().await?
                && let Some(found) = wanted(packet)
            {
                return Ok(found);
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("the broker says something")
}

async fn connected(eventloop: &mut EventLoop) -> Result<(), ConnectionError> {
    until(eventloop, |packet| matches!(packet, Packet::ConnAck(_)).then_some(())).await
}

/// Publishes, and gives the next message that is heard.
async fn heard(client: &AsyncClient, eventloop: &mut EventLoop, topic: &str, payload: &str) -> String {
    client.publish(topic, payload, PublishOptions::at_least_once()).await.unwrap();
    let message = until(eventloop, |packet| match packet {
        Packet::Publish(message) => Some(message.payload),
        _ => None,
    });
    String::from_utf8(message.await.unwrap().to_vec()).unwrap()
}

fn guarded() -> Setup {
    let ada = vec![(May::Both, "ours/#".into()), (May::Read, "theirs/+/said".into())];
    let accounts = vec![
        Account { user: "ada".into(), password: "ada's password".into(), topics: ada },
        Account::anything("bob", "bob's password"),
    ];
    Setup { accounts, ..Setup::default() }
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_topics_are_guarded() {
    let broker = Broker::start(guarded()).unwrap();
    let (_client, mut refused) = client(&broker, "ada", "something else");
    let error = connected(&mut refused).await.unwrap_err();
    assert!(matches!(error, ConnectionError::ConnectionRefused(_)), "{error}");

    let (ada, mut eventloop) = client(&broker, "ada", "ada's password");
    connected(&mut eventloop).await.unwrap();
    ada.subscribe("#", QoS::AtLeastOnce).await.unwrap();
    until(&mut eventloop, |packet| matches!(packet, Packet::SubAck(_)).then_some(())).await.unwrap();
    // What ada may not publish is acknowledged and goes nowhere: the next one that comes is the allowed one.
    ada.publish("theirs/1/said", "forged", PublishOptions::at_least_once()).await.unwrap();
    assert_eq!(heard(&ada, &mut eventloop, "ours/1", "mine").await, "mine");
}

#[tokio::test]
async fn accounts_change_while_it_runs() {
    let mut broker = Broker::start(guarded()).unwrap();
    let (_client, mut eventloop) = client(&broker, "ada", "ada's password");
    connected(&mut eventloop).await.unwrap();
    broker.set_accounts(vec![Account::anything("ada", "a new password")]).unwrap();
    until(&mut eventloop, |_| None::<()>).await.unwrap_err();
    let error = connected(&mut eventloop).await.unwrap_err();
    assert!(matches!(error, ConnectionError::ConnectionRefused(_)), "{error}");
    let (_client, mut eventloop) = client(&broker, "ada", "a new password");
    connected(&mut eventloop).await.unwrap();
}

/// Mosquitto acknowledges first, and saves soon after.
async fn saved(broker: &Broker, text: &[u8]) {
    let started = Instant::now();
    let kept = || std::fs::read(broker.folder().join("mosquitto.db")).unwrap_or_default();
    while !kept().windows(text.len()).any(|window| window == text) {
        assert!(started.elapsed() < PATIENCE, "never saved: {}", broker.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn killed_and_restarted_it_is_where_it_was_and_a_persistent_one_remembers() {
    let mut broker = Broker::start(Setup { persistent: true, ..Setup::default() }).unwrap();
    let address = broker.address();
    let (bob, mut eventloop) = client(&broker, "bob", "whatever");
    connected(&mut eventloop).await.unwrap();
    let kept = PublishOptions::at_least_once().retained();
    bob.publish("kept", "from before", kept).await.unwrap();
    until(&mut eventloop, |packet| matches!(packet, Packet::PubAck(_)).then_some(())).await.unwrap();
    saved(&broker, b"from before").await;

    broker.kill();
    until(&mut eventloop, |_| None::<()>).await.unwrap_err();
    assert!(connected(&mut eventloop).await.is_err(), "nothing listens");
    broker.restart().unwrap();
    assert_eq!(broker.address(), address);
    connected(&mut eventloop).await.unwrap();
    bob.subscribe("kept", QoS::AtLeastOnce).await.unwrap();
    let message = until(&mut eventloop, |packet| match packet {
        Packet::Publish(message) => Some(message),
        _ => None,
    });
    let message = message.await.unwrap();
    assert_eq!((message.payload.as_ref(), message.retain), (&b"from before"[..], true));
}

#[tokio::test]
async fn one_that_hangs_answers_again_when_it_is_resumed() {
    let broker = Broker::start(Setup::default()).unwrap();
    let (bob, mut eventloop) = client(&broker, "bob", "whatever");
    connected(&mut eventloop).await.unwrap();
    bob.subscribe("said", QoS::AtLeastOnce).await.unwrap();
    until(&mut eventloop, |packet| matches!(packet, Packet::SubAck(_)).then_some(())).await.unwrap();
    broker.hang();
    bob.publish("said", "later", PublishOptions::at_least_once()).await.unwrap();
    let silence = tokio::time::timeout(Duration::from_millis(300), async {
        while !matches!(eventloop.poll().await.unwrap(), Event::Incoming(_)) {}
    });
    assert!(silence.await.is_err());
    broker.resume();
    assert_eq!(heard(&bob, &mut eventloop, "said", "then").await, "later");
}
