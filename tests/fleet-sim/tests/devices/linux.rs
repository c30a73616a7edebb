//! A Linux server.

use fleet_sim::devices::{Devices, Platform, Setup};

use crate::person::{Person, Wire};

const PROMPT: &str = "\x1b[?2004hnetops@jump-l1:~$ ";
const ROOT: &str = "\x1b[?2004hroot@jump-l1:/home/netops# ";

async fn wire() -> (Wire, Devices) {
    let devices = Devices::start([Setup::new(Platform::Linux)]).await.unwrap();
    let mut wire = Wire::connect(&devices.all()[0]).await.unwrap();
    assert!(wire.password("netops", "netops-password").await);
    (wire, devices)
}

#[tokio::test]
async fn commands_end_with_their_status_and_say_errors_apart() {
    let (wire, _devices) = wire().await;
    assert_eq!(wire.exec("hostname").await, ("jump-l1\n".to_owned(), String::new(), Some(0)));
    let (out, err, status) = wire.exec("frobnicate").await;
    assert_eq!((out.as_str(), status), ("", Some(127)));
    assert_eq!(err, "bash: frobnicate: command not found\n");
    assert_eq!(wire.exec("cat /nowhere && echo never || echo but").await.0, "but\n");
    assert_eq!(
        wire.exec("echo \"a  b\" 'c $?' $?; exit 7").await,
        ("a  b c $? 0\n".to_owned(), String::new(), Some(7))
    );
    assert_eq!(wire.exec("seq 20 | tail -n 2 | grep 20").await.0, "20\n");
}

#[tokio::test]
async fn files_are_written_and_stay() {
    let (wire, devices) = wire().await;
    assert_eq!(wire.exec("echo one > list.txt; echo two >> list.txt").await.2, Some(0));
    assert_eq!(wire.exec("cat /home/netops/list.txt").await.0, "one\ntwo\n");
    assert!(devices.all()[0].running_config().contains("==> /home/netops/list.txt <==\none\ntwo\n"));
    let (_, err, status) = wire.exec("echo x > /etc/motd").await;
    assert_eq!((err.as_str(), status), ("bash: /etc/motd: Permission denied\n", Some(1)));
}

#[tokio::test]
async fn a_shell_brackets_each_line_and_asks_for_the_password_of_sudo() {
    let (mut person, devices) = Person::at(Setup::new(Platform::Linux)).await;
    person.prompt(PROMPT).await;
    person.types("whoami").await;
    assert_eq!(person.prompt(PROMPT).await, format!("whoami\r\n\x1b[?2004l\rnetops\r\n{PROMPT}"));
    person.types("sudo -s").await;
    person.prompt("[sudo] password for netops: ").await;
    person.types("wrong").await;
    assert!(person.prompt("[sudo] password for netops: ").await.contains("Sorry, try again.\r\n"));
    person.types("enable-password").await;
    person.prompt(ROOT).await;
    person.types("echo new > /etc/motd").await;
    person.prompt(ROOT).await;
    person.types("exit").await;
    person.prompt(PROMPT).await;
    assert!(devices.all()[0].running_config().contains("==> /etc/motd <==\nnew\n"));
    person.presses("sleep 100\r").await;
    person.sees("sleep 100\r\n").await;
    person.presses("\x03").await;
    person.prompt(PROMPT).await;
    person.presses("\x04").await;
    assert!(person.end().await.contains("logout\r\n"));
}

#[tokio::test]
async fn without_a_terminal_sudo_asks_nobody() {
    let (wire, _devices) = wire().await;
    let (_, err, status) = wire.exec("sudo whoami").await;
    assert!(err.contains("sudo: a terminal is required to read the password"), "{err}");
    assert_eq!(status, Some(1));
    let devices = Devices::start([Setup::new(Platform::Linux).enable(None)]).await.unwrap();
    let mut wire = Wire::connect(&devices.all()[0]).await.unwrap();
    assert!(wire.password("netops", "netops-password").await);
    assert_eq!(wire.exec("sudo whoami").await.0, "root\n");
}
