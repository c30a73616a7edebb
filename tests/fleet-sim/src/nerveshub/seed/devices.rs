//! The devices: first the ones with a name in [`known`], then the generated crowd.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::super::known;
use super::super::model::{
    Connection, ConnectionStatus, Device, Firmware, FirmwareMetadata, Health, Id, InflightUpdate,
};
use super::{Ground, PRODUCTS};

const CITIES: [&str; 8] = ["berlin", "porto", "malmö", "osaka", "denver", "lagos", "quito", "leeds"];
const ROLLOUT: [&str; 6] = ["production", "production", "production", "production", "beta", "staging"];
const EXTRAS: [&str; 6] = ["signage", "floor-1", "floor-2", "retrofit", "beta-edge", "pilot"];

pub(super) fn plant(ground: &mut Ground) {
    named(ground);
    for (home, count) in PRODUCTS {
        for number in 0..count {
            let identifier = identifier(ground, home, number);
            let mut device = device(ground, home, identifier);
            live(ground, &mut device);
            ground.world.devices.push(device);
        }
    }
}

/// How each product names its devices.
fn identifier(ground: &mut Ground, home: (&str, &str), number: usize) -> String {
    let hex = |bytes: &[u8], between: &str| {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
    };
    match home {
        known::KIOSK => format!("sn-{:04}", 101 + number),
        known::GATEWAY => format!("gw-{}", hex(&ground.dice.bytes::<6>(), "")),
        known::KIOSK_V2 => format!("KV2-{:02}{:02}-{:06}", 24 + number % 3, 1 + number % 52, 1 + number * 7),
        known::LAB => format!("rig {} (rack {})", number + 1, number % 3 + 1),
        _ if number.is_multiple_of(2) => ground.dice.uuid(),
        _ => format!("b8:27:eb:{}", hex(&ground.dice.bytes::<3>(), ":")),
    }
}

/// A device that was registered and not yet seen.
fn device(ground: &mut Ground, home: (&str, &str), identifier: String) -> Device {
    let product = ground.product(home);
    let age = 30 + ground.dice.below(600);
    let inserted_at = ground.days_ago(age);
    let description =
        ground.dice.chance(40).then(|| format!("{} no. {}", home.1, ground.world.devices.len()));
    Device {
        id: ground.world.devices.len() as Id + 1,
        org: ground.world.product_row(product).org,
        product,
        identifier,
        description,
        tags: None,
        status: "registered".to_owned(),
        firmware: None,
        deployment: None,
        updates_enabled: true,
        update_attempts: Vec::new(),
        updates_blocked_until: None,
        deleted_at: None,
        first_seen_at: None,
        inserted_at,
        updated_at: inserted_at,
        hidden: BTreeMap::new(),
        connection: None,
        health: None,
        answers: true,
    }
}

/// A life for a device, by chance.
fn live(ground: &mut Ground, device: &mut Device) {
    device.tags = tags(ground);
    let (status, minutes) = match ground.dice.below(100) {
        0..68 => (ConnectionStatus::Connected, ground.dice.below(3)),
        68..73 => (ConnectionStatus::Connecting, ground.dice.below(2)),
        73..85 => (ConnectionStatus::Disconnected, 30 + ground.dice.below(6 * 24 * 60)),
        85..89 => (ConnectionStatus::Disconnected, 60 * 24 * (8 + ground.dice.below(5))),
        89..93 => (ConnectionStatus::Disconnected, 60 * 24 * (15 + ground.dice.below(200))),
        _ => return,
    };
    let firmwares: Vec<Firmware> =
        ground.world.firmwares.iter().filter(|row| row.product == device.product).cloned().collect();
    if firmwares.is_empty() {
        return;
    }
    // Twice the dice and the lower: most devices run something recent.
    let last = firmwares.len() as u64;
    let at = ground.dice.below(last).min(ground.dice.below(last));
    run(ground, device, &firmwares[at as usize]);
    connect(ground, device, status, minutes);
    let share = ground.dice.below(100);
    let mood = match share {
        0..72 => "healthy",
        72..84 => "warning",
        84..90 => "unhealthy",
        90..94 => "unknown",
        _ => "",
    };
    if !mood.is_empty() {
        device.health = Some(health(ground, mood, minutes));
    }
    device.updates_enabled = !ground.dice.chance(8);
    if ground.dice.chance(3) {
        punish(ground, device);
    }
}

fn tags(ground: &mut Ground) -> Option<Vec<String>> {
    let dice = &mut ground.dice;
    match dice.below(100) {
        0..6 => return None,
        6..8 => return Some(Vec::new()),
        _ => {}
    }
    let mut tags = vec![(*dice.pick(&ROLLOUT)).to_owned(), (*dice.pick(&CITIES)).to_owned()];
    if dice.chance(35) {
        tags.push((*dice.pick(&EXTRAS)).to_owned());
    }
    Some(tags)
}

/// The device reports this firmware, and lands in the first active group that wants it.
fn run(ground: &mut Ground, device: &mut Device, firmware: &Firmware) {
    let product = ground.world.product_row(device.product).name.clone();
    device.firmware = Some(FirmwareMetadata::of(firmware, &product, &ground.dice.uuid()));
    let tags = device.tags.clone().unwrap_or_default();
    device.deployment = ground
        .world
        .groups
        .iter()
        .filter(|group| group.product == device.product && group.is_active)
        .filter(|group| ground.world.firmware_row(group.firmware).platform == firmware.platform)
        .find(|group| match group.tag_operator.as_str() {
            "or" => group.tags.iter().any(|tag| tags.contains(tag)),
            _ => group.tags.iter().all(|tag| tags.contains(tag)),
        })
        .map(|group| group.id);
}

fn connect(ground: &mut Ground, device: &mut Device, status: ConnectionStatus, minutes: u64) {
    let micros = SignedDuration::from_micros(ground.dice.below(1_000_000) as i64);
    let last_seen_at = ground.minutes_ago(minutes + 1) + micros;
    let established_at = last_seen_at - SignedDuration::from_mins(ground.dice.below(20_000) as i64);
    let interface = *ground.dice.pick(&["wifi", "ethernet", "ethernet", "cellular", "unknown", ""]);
    let interface = (!interface.is_empty()).then(|| interface.to_owned());
    device.status = "provisioned".to_owned();
    device.first_seen_at = Some(device.inserted_at + SignedDuration::from_hours(2));
    device.connection = Some(Connection { status, established_at, last_seen_at, interface });
}

/// Values that fit the thresholds of the contract's section 3.3 for this status.
fn health(ground: &mut Ground, status: &str, minutes: u64) -> Health {
    let reported_at = ground.minutes_ago(minutes + 2);
    let dice = &mut ground.dice;
    let (cpu, memory, disk) = match status {
        "warning" => (dice.between(81.0, 89.0), dice.between(71.0, 79.0), dice.between(40.0, 79.0)),
        "unhealthy" => (dice.between(50.0, 95.0), dice.between(81.0, 97.0), dice.between(91.0, 99.0)),
        _ => (dice.between(2.0, 60.0), dice.between(20.0, 65.0), dice.between(10.0, 75.0)),
    };
    let metrics = [
        ("cpu_usage_percent", cpu),
        ("mem_used_percent", memory),
        ("disk_used_percentage", disk),
        ("cpu_temp", dice.between(38.0, 82.0)),
        ("load_1min", dice.between(0.0, 4.0)),
        ("mem_size_mb", 3791.0),
    ];
    let mut alarms = BTreeMap::new();
    if status == "unhealthy" {
        alarms.insert("Elixir.DiskAlmostFull".to_owned(), "/data is above 90 percent".to_owned());
        alarms.insert("Elixir.MemoryPressure".to_owned(), "swapping".to_owned());
    } else if status == "warning" && dice.chance(50) {
        alarms.insert("Elixir.CpuHot".to_owned(), "throttled at 80 °C".to_owned());
    }
    let metrics = metrics.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Health { status: status.to_owned(), alarms, metrics, reported_at }
}

fn punish(ground: &mut Ground, device: &mut Device) {
    device.updates_blocked_until =
        Timestamp::from_second(ground.now.as_second() + 60 * (55 + ground.dice.below(300) as i64)).ok();
    device.update_attempts = vec![ground.minutes_ago(70), ground.minutes_ago(65)];
    device.updates_enabled = false;
}

/// The devices of [`known`]: each a healthy connected kiosk, and then what makes it special.
fn named(ground: &mut Ground) {
    let mut add = |home: (&str, &str), identifier: &str, change: &dyn Fn(&mut Ground, &mut Device)| {
        let mut device = device(ground, home, identifier.to_owned());
        device.tags = Some(vec!["production".to_owned(), "berlin".to_owned()]);
        let (version, platform) = if home == known::KIOSK { ("2.0.3", "rpi4") } else { ("0.4.0", "rpi5") };
        let firmware = find(ground, device.product, version, platform);
        run(ground, &mut device, &firmware);
        connect(ground, &mut device, ConnectionStatus::Connected, 1);
        device.health = Some(health(ground, "healthy", 1));
        change(ground, &mut device);
        ground.world.devices.push(device);
    };
    let as_it_is: &dyn Fn(&mut Ground, &mut Device) = &|_, _| {};

    add(known::KIOSK, known::CONNECTED, &|_, device| device.description = Some("Lobby kiosk".to_owned()));
    add(known::KIOSK, known::CONNECTED_LOOKALIKE, as_it_is);
    add(known::KIOSK, known::OFFLINE, &|ground, device| {
        connect(ground, device, ConnectionStatus::Disconnected, 60);
    });
    add(known::KIOSK, known::CONNECTING, &|ground, device| {
        connect(ground, device, ConnectionStatus::Connecting, 0);
    });
    add(known::KIOSK, known::NEVER_SEEN, &|_, device| {
        device.status = "registered".to_owned();
        device.tags = None;
        device.firmware = None;
        device.deployment = None;
        device.first_seen_at = None;
        device.connection = None;
        device.health = None;
    });
    add(known::KIOSK, known::PENALTY, &|ground, device| punish(ground, device));
    add(known::KIOSK, known::DELETED, &|ground, device| {
        device.deleted_at = Some(ground.days_ago(20));
        connect(ground, device, ConnectionStatus::Disconnected, 21 * 24 * 60);
    });
    add(known::KIOSK, known::HUNG, &|_, device| device.answers = false);
    add(known::KIOSK, known::UPDATING, &|ground, device| {
        let firmware = find(ground, device.product, "2.1.0-rc.1", "rpi4").id;
        device.updates_enabled = false;
        ground.world.inflight.push(InflightUpdate { device: device.id, firmware });
    });
    add(known::KIOSK, known::UNHEALTHY, &|ground, device| {
        device.health = Some(health(ground, "unhealthy", 1));
    });
    add(known::KIOSK, known::FORGOTTEN, &|_, device| device.connection = None);
    add(known::KIOSK, known::STALE, &|ground, device| {
        connect(ground, device, ConnectionStatus::Disconnected, 10 * 24 * 60);
    });
    add(known::KIOSK, known::HOMEBREW, &|_, device| {
        if let Some(firmware) = &mut device.firmware {
            firmware.fields.insert("version".to_owned(), "2.0.4-dev".into());
        }
    });
    for identifier in [known::SLASH, known::PERCENT, known::RESERVED, known::UNICODE, known::SHARED] {
        add(known::KIOSK, identifier, as_it_is);
    }
    add(known::KIOSK_V2, known::SHARED, as_it_is);
}

fn find(ground: &Ground, product: Id, version: &str, platform: &str) -> Firmware {
    let mut firmwares = ground.world.firmwares.iter();
    firmwares
        .find(|row| row.product == product && row.version == version && row.platform == platform)
        .expect("the firmware of a named device is in the catalog")
        .clone()
}
