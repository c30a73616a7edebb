//! Firmware, deployment groups and support scripts.

use std::time::Duration;

use super::super::known;
use super::super::model::{DeploymentGroup, Firmware, Id, Prints, Script};
use super::Ground;

/// An org and a product.
type Home = (&'static str, &'static str);

/// Platform, architecture, tool.
type Platform = (&'static str, &'static str, &'static str);

/// Per product its platforms, and its versions with the newest first (not in the order of their letters).
const RELEASES: [(Home, &[Platform], &[&str]); 5] = [
    (
        known::KIOSK,
        &[("rpi4", "arm", "fwup"), ("x86_64", "x86_64", "fwup")],
        &["2.1.0-rc.1", "2.0.3", "2.0.2", "1.10.0", "1.9.0", "1.2.3"],
    ),
    (
        known::GATEWAY,
        &[("bbb", "arm", "fwup"), ("rpi3", "arm", "fwup")],
        &["4.10.0", "4.9.1", "4.9.0", "3.14.2"],
    ),
    (known::KIOSK_V2, &[("rpi5", "aarch64", "fwup")], &["0.4.0", "0.3.1", "0.3.0"]),
    (known::LAB, &[("qemu_aarch64", "aarch64", "fwup")], &["0.0.2", "0.0.1"]),
    (known::COLD_CHAIN, &[("grisp2", "arm", "fwup"), ("esp32s3", "xtensa", "esp-idf")], &["1.1.0", "1.0.0"]),
];

struct Group {
    home: Home,
    name: &'static str,
    active: bool,
    firmware: (&'static str, &'static str),
    requirement: &'static str,
    tags: &'static [&'static str],
    operator: &'static str,
    releases: u32,
    notes: Option<&'static str>,
}

const GROUPS: [Group; 8] = [
    Group {
        home: known::KIOSK,
        name: "production",
        active: true,
        firmware: ("2.0.3", "rpi4"),
        requirement: ">= 1.0.0",
        tags: &["production"],
        operator: "and",
        releases: 7,
        notes: None,
    },
    Group {
        home: known::KIOSK,
        name: "beta",
        active: true,
        firmware: ("2.1.0-rc.1", "rpi4"),
        requirement: ">= 2.0.0",
        tags: &["beta"],
        operator: "and",
        releases: 3,
        notes: Some("Stores that agreed to try first."),
    },
    Group {
        home: known::KIOSK,
        name: "x86 signage",
        active: true,
        firmware: ("2.0.3", "x86_64"),
        requirement: "",
        tags: &["signage", "production"],
        operator: "or",
        releases: 2,
        notes: None,
    },
    Group {
        home: known::KIOSK,
        name: "retired / lobby #1",
        active: false,
        firmware: ("1.9.0", "rpi4"),
        requirement: "< 1.9.0",
        tags: &["retired"],
        operator: "and",
        releases: 1,
        notes: Some("Kept for the two devices in the basement."),
    },
    Group {
        home: known::GATEWAY,
        name: "production",
        active: true,
        firmware: ("4.9.1", "bbb"),
        requirement: ">= 3.0.0",
        tags: &["production"],
        operator: "and",
        releases: 12,
        notes: None,
    },
    Group {
        home: known::GATEWAY,
        name: "canary",
        active: true,
        firmware: ("4.10.0", "rpi3"),
        requirement: "~> 4.9",
        tags: &["beta", "staging"],
        operator: "or",
        releases: 1,
        notes: None,
    },
    Group {
        home: known::KIOSK_V2,
        name: "pilot",
        active: true,
        firmware: ("0.4.0", "rpi5"),
        requirement: "",
        tags: &["production", "pilot"],
        operator: "or",
        releases: 4,
        notes: None,
    },
    Group {
        home: known::COLD_CHAIN,
        name: "stores",
        active: true,
        firmware: ("1.1.0", "grisp2"),
        requirement: ">= 1.0.0",
        tags: &["production"],
        operator: "and",
        releases: 2,
        notes: None,
    },
];

pub(super) fn plant(ground: &mut Ground) {
    firmware(ground);
    groups(ground);
    scripts(ground);
}

fn firmware(ground: &mut Ground) {
    for (home, platforms, versions) in RELEASES {
        let product = ground.product(home);
        for version in versions {
            for (platform, architecture, tool) in platforms {
                let id = ground.world.firmwares.len() as Id + 1;
                let uuid = ground.dice.uuid();
                let author = ground.dice.chance(80).then(|| format!("{} build", home.0));
                ground.world.firmwares.push(Firmware {
                    id,
                    product,
                    uuid,
                    version: (*version).to_owned(),
                    platform: (*platform).to_owned(),
                    architecture: (*architecture).to_owned(),
                    author,
                    tool: (*tool).to_owned(),
                });
            }
        }
    }
}

fn groups(ground: &mut Ground) {
    for (index, group) in GROUPS.into_iter().enumerate() {
        let product = ground.product(group.home);
        let (version, platform) = group.firmware;
        let mut firmwares = ground.world.firmwares.iter();
        let firmware = firmwares
            .find(|row| row.product == product && row.version == version && row.platform == platform)
            .expect("a group's firmware is in RELEASES")
            .id;
        let released_at = ground.days_ago(3 + 11 * index as u64);
        ground.world.groups.push(DeploymentGroup {
            id: index as Id + 1,
            product,
            name: group.name.to_owned(),
            is_active: group.active,
            firmware,
            release_number: group.releases,
            released_at,
            releases_count: group.releases,
            version: group.requirement.to_owned(),
            tags: group.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            tag_operator: group.operator.to_owned(),
            delta_updatable: index % 3 == 0,
            notes: group.notes.map(str::to_owned),
        });
    }
}

fn scripts(ground: &mut Ground) {
    const SECOND: Duration = Duration::from_secs(1);
    let quick = Duration::from_millis(5);
    let mut add = |home: Home, id: Id, name: &str, tags: &[&str], takes: Duration, prints: Prints| {
        let product = ground.product(home);
        let inserted_at = ground.days_ago(200 - id);
        ground.world.scripts.push(Script {
            id,
            product,
            name: name.to_owned(),
            tags: (!tags.is_empty()).then(|| tags.iter().map(|tag| (*tag).to_owned()).collect()),
            text: format!("# {name}\nNervesDiagnostics.run({id})\n"),
            created_by: 1 + id % 2,
            inserted_at,
            takes,
            prints,
        });
    };
    let text = |text: &str| Prints::Text(text.to_owned());

    add(known::KIOSK, 11, "Clean Disk", &["cleanup"], quick, text("Removed 3 files, 41 MB\n:ok"));
    let uptime = "{identifier} up 12 days, 4:31, firmware {version}\n:ok";
    add(known::KIOSK, known::QUICK_SCRIPT_ID, known::QUICK_SCRIPT, &["diagnostics"], quick, text(uptime));
    let network = "eth0 ok\nDNS ok\nNTP ok, offset 3 ms\n:ok";
    add(known::KIOSK, 13, known::HALF_SECOND_SCRIPT, &["diagnostics", "network"], SECOND / 2, text(network));
    add(known::KIOSK, 14, known::SLOW_SCRIPT, &["factory"], SECOND * 20, text("passed\n:ok"));
    let log = Prints::Log { lines: 4000 };
    add(known::KIOSK, 15, known::LONG_SCRIPT, &["diagnostics", "logs"], quick, log);
    add(known::KIOSK, 16, known::NUMERIC_SCRIPT, &[], quick, text("twelve, by name\n:ok"));
    add(
        known::KIOSK,
        17,
        known::ODD_SCRIPT,
        &["diagnostics"],
        quick,
        text("Filesystem 100% of 7.1G used\n:ok"),
    );
    for sensor in 1..=24 {
        let name = format!("Read sensor {sensor:02}");
        let value = format!("sensor {sensor}: {}.5 °C\n:ok", 18 + sensor % 7);
        add(known::KIOSK, 20 + sensor, &name, &["sensors"], quick, text(&value));
    }
    let modem = "LTE registered, RSRP -97 dBm\n:ok";
    add(known::GATEWAY, 50, "Modem status", &["network"], SECOND / 5, text(modem));
    add(known::GATEWAY, 51, known::QUICK_SCRIPT, &[], quick, text(uptime));
    add(known::KIOSK_V2, 60, known::QUICK_SCRIPT, &["diagnostics"], quick, text(uptime));
    add(known::COLD_CHAIN, 70, "Defrost now", &["actuators"], SECOND * 2, text("heating\n:ok"));
}
