//! All ten platforms together.

use std::time::Duration;

use fleet_sim::devices::{Devices, Platform};

use crate::person::Wire;

#[tokio::test]
async fn there_is_one_of_each_platform_and_each_has_a_key_of_its_own() {
    let devices = Devices::one_of_each().await.unwrap();
    assert_eq!(devices.all().len(), 10);
    let known = devices.known_hosts();
    for platform in Platform::ALL {
        let device = devices.of(platform).unwrap();
        assert_eq!(platform.name().parse::<Platform>().unwrap(), platform);
        assert!(!device.running_config().is_empty(), "{platform}");
        let mut wire = Wire::connect(device).await.unwrap();
        assert!(known.contains(&format!("[127.0.0.1]:{} {}\n", device.port(), wire.key())), "{platform}");
        let let_in = wire.password(device.user(), device.password()).await
            || wire.question(device.user(), device.password()).await.0;
        assert!(let_in, "{platform}");
        drop(wire);
        assert!(device.left_alone(Duration::from_secs(60)).await, "{platform}");
    }
    assert_eq!(devices.sessions(), 0);
}

#[test]
fn an_unknown_platform_is_refused_with_the_known_ones() {
    let said = "cisco_iox".parse::<Platform>().unwrap_err();
    assert!(said.contains("`cisco_iox`") && said.contains("cisco_ios, cisco_nxos"), "{said}");
}
