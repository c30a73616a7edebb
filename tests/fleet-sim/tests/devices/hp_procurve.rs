//! HP ProCurve.

use fleet_sim::devices::{Devices, Platform, Setup};

use crate::person::Person;

/// What is left when the sequences that place the cursor are taken out, and `ESC E` is a line end.
fn plain(text: &str) -> String {
    let text = text.replace("\x1bE", "\r\n");
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        let end = after.find(|letter: char| letter.is_ascii_alphabetic()).unwrap();
        rest = &after[end + 1..];
    }
    plain + rest
}

/// Logs in and presses a key.
async fn logged_in(setup: Setup, prompt: &str) -> (Person, Devices) {
    let (mut person, devices) = Person::at(setup).await;
    person.prompt("Press any key to continue").await;
    person.presses(" ").await;
    at_prompt(&mut person, prompt).await;
    (person, devices)
}

/// Waits for the prompt with the cursor behind it.
async fn at_prompt(person: &mut Person, prompt: &str) -> String {
    plain(
        &person
            .prompt(&format!(
                "{prompt}\x1b[24;1H\x1b[24;{0}H\x1b[24;1H\x1b[?25h\x1b[24;{0}H",
                prompt.len() + 1
            ))
            .await,
    )
}

async fn asks(person: &mut Person, line: &str, prompt: &str) -> String {
    person.types(line).await;
    let shown = at_prompt(person, prompt).await;
    let shown = shown.split_once("\r\n").unwrap().1.to_owned();
    shown.strip_suffix(prompt).unwrap().to_owned()
}

#[tokio::test]
async fn a_key_must_be_pressed_and_the_cursor_is_placed() {
    let (mut person, devices) = logged_in(Setup::new(Platform::HpProcurve), "access-h1> ").await;
    person.types("show time").await;
    let raw = person.prompt("\x1b[24;12H").await;
    assert!(raw.starts_with("\x1b[24;12Hs\x1b[24;12H\x1b[?25h\x1b[24;13H"), "{raw:?}");
    assert!(raw.contains("\x1b[1;24r\x1b[24;1H\x1bE"), "{raw:?}");
    assert!(plain(&raw).starts_with("show time\r\n"), "{:?}", plain(&raw));
    assert_eq!(devices.all()[0].lines(), ["show time"]);
    assert!(person.wire.banner().unwrap().contains("Please register your products now"));
}

#[tokio::test]
async fn enable_asks_for_a_name_and_a_password() {
    let (mut person, _devices) = logged_in(Setup::new(Platform::HpProcurve), "access-h1> ").await;
    assert_eq!(
        asks(&mut person, "show running-config", "access-h1> ").await,
        "Invalid input: running-config\r\n"
    );
    person.types("enable").await;
    at_prompt(&mut person, "Username: ").await;
    person.types("manager").await;
    person.prompt("Password: ").await;
    person.types("wrong").await;
    assert!(at_prompt(&mut person, "access-h1> ").await.contains("Invalid password\r\n"));
    person.types("enable").await;
    at_prompt(&mut person, "Username: ").await;
    person.types("manager").await;
    person.prompt("Password: ").await;
    person.types("enable-password").await;
    at_prompt(&mut person, "access-h1# ").await;
}

#[tokio::test]
async fn pages_end_with_a_long_hint() {
    let (mut person, _devices) =
        logged_in(Setup::new(Platform::HpProcurve).privileged(true), "access-h1# ").await;
    person.types("show running-config").await;
    person.prompt("-- MORE --, next page: Space, next line: Enter, quit: Control-C").await;
    person.presses(" ").await;
    let rest = person.prompt("quit: Control-C").await;
    assert!(rest.starts_with(&format!("\r{}\r", " ".repeat(63))), "{rest:?}");
    person.presses("\r").await;
    assert_eq!(person.prompt("quit: Control-C").await.matches("\r\n").count(), 1, "one line");
    person.presses("\x03").await;
    at_prompt(&mut person, "access-h1# ").await;
    asks(&mut person, "no page", "access-h1# ").await;
    assert!(!asks(&mut person, "show running-config", "access-h1# ").await.contains("MORE"));
}

#[tokio::test]
async fn a_configuration_applies_at_once_and_leaving_asks_to_save_it() {
    let (mut person, devices) =
        logged_in(Setup::new(Platform::HpProcurve).privileged(true), "access-h1# ").await;
    let device = &devices.all()[0];
    asks(&mut person, "configure terminal", "access-h1(config)# ").await;
    asks(&mut person, "vlan 30", "access-h1(vlan-30)# ").await;
    asks(&mut person, "name GUESTS", "access-h1(vlan-30)# ").await;
    assert_eq!(asks(&mut person, "frob 1", "access-h1(vlan-30)# ").await, "Invalid input: frob\r\n");
    asks(&mut person, "interface 7", "access-h1(eth-7)# ").await;
    asks(&mut person, "disable", "access-h1(eth-7)# ").await;
    asks(&mut person, "end", "access-h1# ").await;
    assert!(
        device.running_config().contains("vlan 30\n   name GUESTS\n   exit\n"),
        "{}",
        device.running_config()
    );
    person.types("logout").await;
    person.prompt("Do you want to log out (y/n)? ").await;
    person.presses("y").await;
    person.prompt("Do you want to save current configuration (y/n/^C)? ").await;
    person.presses("n").await;
    person.end().await;
    assert!(!device.startup_config().contains("GUESTS"));

    let mut person = Person::log_in(device).await;
    person.prompt("Press any key to continue").await;
    person.presses("\r").await;
    at_prompt(&mut person, "access-h1# ").await;
    asks(&mut person, "write memory", "access-h1# ").await;
    assert_eq!(device.startup_config(), device.running_config());
}
