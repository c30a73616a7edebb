//! What can be wrong with a device.

use std::borrow::Cow;
use std::time::Duration;

use fleet_sim::devices::{Devices, Fault, Platform, Setup};
use russh::keys::Algorithm;
use russh::{Preferred, cipher, client, kex, mac};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::person::{Person, Wire};

fn setup() -> Setup {
    Setup::new(Platform::CiscoIos).privileged(true)
}

#[tokio::test]
async fn it_can_refuse_connections_and_take_them_again() {
    let devices = Devices::start([setup().fault(Fault::RefusesConnections)]).await.unwrap();
    let device = &devices.all()[0];
    let refused = async {
        while TcpStream::connect(device.address()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), refused).await.unwrap();
    device.heal();
    let taken = async {
        while TcpStream::connect(device.address()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), taken).await.unwrap();
    Person::log_in(device).await.prompt("edge-r1#").await;
}

#[tokio::test]
async fn it_can_be_silent() {
    let devices = Devices::start([setup().fault(Fault::Silent)]).await.unwrap();
    let mut stream = TcpStream::connect(devices.all()[0].address()).await.unwrap();
    let mut byte = [0];
    let heard = tokio::time::timeout(Duration::from_millis(200), stream.read(&mut byte)).await;
    assert!(heard.is_err(), "it says nothing and does not hang up: {heard:?}");
}

#[tokio::test]
async fn its_output_can_be_slow() {
    let slow = Fault::SlowOutput { bytes: 1, pause: Duration::from_millis(2) };
    let (mut person, _devices) = Person::at(setup().fault(slow)).await;
    person.prompt("edge-r1#").await;
    assert!(person.asks("show clock", "edge-r1#").await.contains("UTC"));
}

#[tokio::test]
async fn it_can_break_the_connection_in_the_middle_of_a_command() {
    let (mut person, devices) = Person::at(setup()).await;
    let device = &devices.all()[0];
    person.prompt("edge-r1#").await;
    person.asks("terminal length 0", "edge-r1#").await;
    device.inflict(Fault::DropsDuring("show running".to_owned()));
    person.types("show running-config").await;
    let shown = person.end().await;
    assert!(shown.contains("Building configuration") && !shown.contains("\r\nend"), "{shown:?}");
    assert!(device.left_alone(Duration::from_secs(60)).await);
    assert_eq!(device.counts().sessions, 0);
}

#[tokio::test]
async fn it_can_hang_and_be_left() {
    let (mut person, devices) = Person::at(setup().fault(Fault::HangsDuring("show tech".to_owned()))).await;
    person.prompt("edge-r1#").await;
    person.types("show tech-support").await;
    person.sees("show tech-support\r\n").await;
    person.presses("\x03\x03q").await;
    person.leaves().await;
    assert!(devices.all()[0].left_alone(Duration::from_secs(60)).await);
}

#[tokio::test]
async fn it_can_withhold_its_prompt() {
    let (mut person, devices) = Person::at(setup().disclaimer("keep out").fault(Fault::NoPrompt)).await;
    person.sees("keep out\r\n").await;
    person.types("show clock").await;
    person.leaves().await;
    assert!(devices.all()[0].left_alone(Duration::from_secs(60)).await);
}

#[tokio::test]
async fn it_can_print_fifty_mebibytes_and_be_interrupted() {
    let flood = Fault::Floods { command: "show tech".to_owned(), bytes: 50 << 20 };
    let (mut person, _devices) = Person::at(setup().fault(flood)).await;
    person.prompt("edge-r1#").await;
    person.types("show tech-support").await;
    let shown = person.sees("\r\nedge-r1#").await;
    assert!(shown.len() > 50 << 20, "{}", shown.len());
    person.types("show tech-support").await;
    person.sees("SYS-7-DEBUG").await;
    person.presses("\x03").await;
    assert!(person.sees("\r\nedge-r1#").await.len() < 50 << 20);
}

#[tokio::test]
async fn it_can_show_another_host_key() {
    let devices = Devices::start([setup()]).await.unwrap();
    let device = &devices.all()[0];
    let known = device.known_hosts();
    assert_eq!(
        known,
        format!("[127.0.0.1]:{} {}\n", device.port(), Wire::connect(device).await.unwrap().key())
    );
    device.inflict(Fault::OtherHostKey);
    assert!(!known.contains(&Wire::connect(device).await.unwrap().key()));
}

#[tokio::test]
async fn it_can_know_nothing_but_old_algorithms() {
    let devices = Devices::start([setup().fault(Fault::LegacyAlgorithms)]).await.unwrap();
    let device = &devices.all()[0];
    assert!(Wire::connect(device).await.is_err(), "no algorithm in common");
    let old = Preferred {
        kex: Cow::Borrowed(&[kex::DH_G14_SHA1]),
        key: Cow::Owned(vec![Algorithm::Rsa { hash: None }]),
        cipher: Cow::Borrowed(&[cipher::AES_128_CBC]),
        mac: Cow::Borrowed(&[mac::HMAC_SHA1]),
        ..Preferred::default()
    };
    let config = client::Config { preferred: old, ..client::Config::default() };
    let mut wire = Wire::connect_with(device, config).await.unwrap();
    assert!(device.known_hosts().contains(&wire.key()));
    assert!(wire.password("netops", "netops-password").await);
}

#[tokio::test]
async fn it_can_speak_before_the_login() {
    let devices =
        Devices::start([setup().fault(Fault::Banner("for members alone\r\n".to_owned()))]).await.unwrap();
    let mut wire = Wire::connect(&devices.all()[0]).await.unwrap();
    assert!(wire.password("netops", "netops-password").await);
    assert_eq!(wire.banner().as_deref(), Some("for members alone\r\n"));
}

#[tokio::test]
async fn it_can_open_one_session_or_none() {
    let (mut person, devices) = Person::at(setup().fault(Fault::OneSession)).await;
    person.prompt("edge-r1#").await;
    assert!(person.wire.handle.channel_open_session().await.is_err());
    devices.all()[0].inflict(Fault::NoSession);
    let mut wire = Wire::connect(&devices.all()[0]).await.unwrap();
    assert!(wire.password("netops", "netops-password").await);
    assert!(wire.handle.channel_open_session().await.is_err());
}

#[tokio::test]
async fn all_connections_to_it_can_break() {
    let (mut person, devices) = Person::at(setup()).await;
    person.prompt("edge-r1#").await;
    devices.all()[0].hang_up();
    person.end().await;
    assert!(devices.all()[0].left_alone(Duration::from_secs(60)).await);
    Person::log_in(&devices.all()[0]).await.prompt("edge-r1#").await;
}
