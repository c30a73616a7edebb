//! Who gets in, how often, and what is counted.

use std::time::Duration;

use fleet_sim::devices::{Devices, Fault, Platform, Setup, What};

use crate::person::{Person, Wire};

#[tokio::test]
async fn a_wrong_password_is_refused_and_written_down() {
    let devices = Devices::start([Setup::new(Platform::CiscoIos)]).await.unwrap();
    let device = &devices.all()[0];
    let mut wire = Wire::connect(device).await.unwrap();
    assert!(!wire.password("netops", "guess").await);
    assert!(!wire.password("root", "netops-password").await);
    assert!(wire.password("netops", "netops-password").await);
    let counts = device.counts();
    assert_eq!((counts.logins, counts.refused, counts.accepted, counts.connections), (1, 2, 1, 1));
    let refused = device
        .journal()
        .into_iter()
        .filter(|entry| matches!(&entry.what, What::Login { accepted: false, method: "password", .. }));
    assert_eq!(refused.count(), 2);
    drop(wire);
    assert!(device.left_alone(Duration::from_secs(60)).await);
}

#[tokio::test]
async fn after_too_many_wrong_passwords_even_the_right_one_is_refused() {
    let setup = Setup::new(Platform::CiscoIos).fault(Fault::LocksOut { after: 2 });
    let devices = Devices::start([setup]).await.unwrap();
    let device = &devices.all()[0];
    for _ in 0..2 {
        let mut wire = Wire::connect(device).await.unwrap();
        assert!(!wire.password("netops", "guess").await);
    }
    let mut wire = Wire::connect(device).await.unwrap();
    assert!(!wire.password("netops", "netops-password").await);
    device.heal();
    let mut wire = Wire::connect(device).await.unwrap();
    assert!(wire.password("netops", "netops-password").await);
}

#[tokio::test]
async fn sessions_are_counted_while_they_are_open() {
    let (mut person, devices) = Person::at(Setup::new(Platform::CiscoIos)).await;
    let device = &devices.all()[0];
    person.prompt("edge-r1>").await;
    assert_eq!((device.counts().sessions, device.counts().opened), (1, 1));
    let other = person.wire.handle.channel_open_session().await.unwrap();
    assert_eq!(device.counts().sessions, 2);
    other.close().await.unwrap();
    person.leaves().await;
    assert!(device.left_alone(Duration::from_secs(60)).await);
    let counts = device.counts();
    assert_eq!((counts.sessions, counts.opened, counts.connections), (0, 2, 0));
}

#[tokio::test]
async fn a_terminal_in_which_nothing_is_typed_is_ended() {
    let setup = Setup::new(Platform::CiscoIos).idle(Duration::from_millis(200));
    let (mut person, devices) = Person::at(setup).await;
    person.sees("edge-r1>").await;
    person.end().await;
    assert_eq!(devices.sessions(), 0);
}
