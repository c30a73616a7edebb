//! Juniper Junos.

use fleet_sim::devices::{Platform, Setup};

use crate::person::{Person, Wire};

const OPERATIONAL: &str = "\r\n{master:0}\r\nnetops@core-j1> ";
const EDIT: &str = "\r\n{master:0}[edit]\r\nnetops@core-j1# ";

async fn logged_in() -> (Person, fleet_sim::devices::Devices) {
    let (mut person, devices) = Person::at(Setup::new(Platform::JuniperJunos)).await;
    person.prompt(OPERATIONAL).await;
    person.asks("set cli complete-on-space off", OPERATIONAL).await;
    person.asks("set cli screen-length 0", OPERATIONAL).await;
    (person, devices)
}

#[tokio::test]
async fn words_are_completed_at_blanks_until_that_is_turned_off() {
    let (mut person, devices) = Person::at(Setup::new(Platform::JuniperJunos)).await;
    let greeting = person.prompt(OPERATIONAL).await;
    assert!(greeting.contains("--- JUNOS 20.4R3.8 Kernel"), "{greeting:?}");
    person.presses("sh sys upt\r").await;
    let shown = person.prompt(OPERATIONAL).await;
    assert!(shown.starts_with("show system upt \r\n"), "{shown:?}");
    assert!(shown.contains("System booted: "), "{shown:?}");
    assert_eq!(
        person.asks("set cli complete-on-space off", OPERATIONAL).await,
        "Disabling complete-on-space\r\n"
    );
    person.presses("sh sys upt\r").await;
    assert!(person.prompt(OPERATIONAL).await.starts_with("sh sys upt \r\n"));
    assert_eq!(devices.all()[0].lines()[0], "show system upt");
}

#[tokio::test]
async fn long_output_stops_at_more_with_a_percentage_and_at_its_end() {
    let (mut person, _devices) = Person::at(Setup::new(Platform::JuniperJunos)).await;
    person.prompt(OPERATIONAL).await;
    person.types("show configuration").await;
    let shown = person.prompt("%)---").await;
    assert!(shown.contains("\r\n---(more "), "{shown:?}");
    loop {
        person.presses(" ").await;
        let page = person.prompt("%)---").await;
        assert!(page.starts_with("\r                                        \r"), "{page:?}");
        if page.ends_with("\r\n---(more 100%)---") {
            break;
        }
    }
    person.presses(" ").await;
    assert_eq!(person.prompt(OPERATIONAL).await, format!("\r{}\r{OPERATIONAL}", " ".repeat(40)));
    assert!(!person.asks("show configuration | no-more", OPERATIONAL).await.contains("more"));
    assert_eq!(person.asks("set cli screen-length 0", OPERATIONAL).await, "Screen length set to 0\r\n");
    assert!(!person.asks("show configuration", OPERATIONAL).await.contains("more"));
}

#[tokio::test]
async fn errors_point_at_the_word() {
    let (mut person, _devices) = logged_in().await;
    let width = "netops@core-j1> ".len();
    assert_eq!(
        person.asks("frobnicate now", OPERATIONAL).await,
        format!("{}^\r\nunknown command.\r\n", " ".repeat(width))
    );
    assert_eq!(
        person.asks("show frob", OPERATIONAL).await,
        format!("{}^\r\nsyntax error, expecting <command>.\r\n", " ".repeat(width + 5))
    );
    person.asks("configure", EDIT).await;
    assert_eq!(
        person.asks("set system frob x", EDIT).await,
        format!("{}^\r\nsyntax error.\r\n", " ".repeat(width + "set system ".len()))
    );
    assert!(person.asks("set system host-name", EDIT).await.ends_with("missing argument.\r\n"));
    assert!(person.asks("frob", EDIT).await.ends_with("unknown command.\r\n"));
}

#[tokio::test]
async fn changes_are_pending_until_they_are_committed() {
    let (mut person, devices) = logged_in().await;
    let device = &devices.all()[0];
    assert_eq!(person.asks("configure", EDIT).await, "Entering configuration mode\r\n");
    assert_eq!(person.asks("set interfaces ge-0/0/7 description \"new link\"", EDIT).await, "");
    person.asks("delete system name-server", EDIT).await;
    assert_eq!(person.asks("delete system name-server", EDIT).await, "warning: statement not found\r\n");
    let compared = person.asks("show | compare", EDIT).await;
    assert!(
        compared
            .contains("[edit interfaces]\r\n+  ge-0/0/7 {\r\n+      description \"new link\";\r\n+  }\r\n"),
        "{compared}"
    );
    assert!(compared.contains("-  name-server {\r\n-      192.0.2.53;\r\n-  }\r\n"), "{compared}");
    assert!(device.pending().is_some() && !device.running_config().contains("new link"));
    assert_eq!(person.asks("commit", EDIT).await, "configuration check succeeds\r\ncommit complete\r\n");
    assert!(device.pending().is_none() && device.running_config().contains("new link"));
    assert_eq!(person.asks("exit", OPERATIONAL).await, "Exiting configuration mode\r\n");
    let shown = person.asks("show configuration interfaces ge-0/0/7", OPERATIONAL).await;
    assert_eq!(shown, "description \"new link\";\r\n");
    let shown = person.asks("show configuration | display set | match ge-0/0/7", OPERATIONAL).await;
    assert_eq!(shown, "set interfaces ge-0/0/7 description \"new link\"\r\n");
}

#[tokio::test]
async fn a_new_name_shows_in_the_prompt_after_the_commit() {
    let (mut person, _devices) = logged_in().await;
    person.asks("configure", EDIT).await;
    person.asks("edit system", "[edit system]\r\nnetops@core-j1# ").await;
    person.asks("set host-name core-j2", "netops@core-j1# ").await;
    person.asks("top", EDIT).await;
    let shown = person.asks("commit and-quit", "\r\n{master:0}\r\nnetops@core-j2> ").await;
    assert!(shown.ends_with("commit complete\r\nExiting configuration mode\r\n"), "{shown:?}");
}

#[tokio::test]
async fn leaving_with_changes_asks_and_keeps_them_in_the_shared_candidate() {
    let (mut person, devices) = logged_in().await;
    person.asks("configure", EDIT).await;
    person.asks("set system domain-name example.org", EDIT).await;
    person.types("exit configuration-mode").await;
    let asked = person.prompt("[yes,no] (yes) ").await;
    assert!(
        asked.contains(
            "The configuration has been changed but not committed\r\nExit with uncommitted changes? "
        ),
        "{asked:?}"
    );
    person.types("no").await;
    person.prompt(EDIT).await;
    person.types("exit").await;
    person.prompt("[yes,no] (yes) ").await;
    person.types("yes").await;
    assert!(person.prompt(OPERATIONAL).await.contains("Exiting configuration mode\r\n"));
    assert!(devices.all()[0].pending().unwrap().contains("+  domain-name example.org;"));
    let shown = person.asks("configure", EDIT).await;
    assert_eq!(
        shown,
        "Entering configuration mode\r\nThe configuration has been changed but not committed\r\n"
    );
    assert_eq!(person.asks("rollback 0", EDIT).await, "load complete\r\n");
    assert!(devices.all()[0].pending().is_none());
    assert_eq!(person.asks("exit", OPERATIONAL).await, "Exiting configuration mode\r\n");
}

#[tokio::test]
async fn a_private_candidate_is_dropped_when_it_is_left() {
    let (mut person, devices) = logged_in().await;
    let shown = person.asks("configure private", EDIT).await;
    assert!(shown.starts_with("warning: uncommitted changes will be discarded on exit\r\n"), "{shown:?}");
    person.asks("set system domain-name example.org", EDIT).await;
    assert!(devices.all()[0].pending().is_none());
    person.types("exit").await;
    person.prompt("Discard uncommitted changes? [yes,no] (yes) ").await;
    person.types("yes").await;
    person.prompt(OPERATIONAL).await;
    assert!(!devices.all()[0].running_config().contains("example.org"));
}

#[tokio::test]
async fn a_commit_that_makes_no_sense_fails_and_changes_nothing() {
    let (mut person, devices) = logged_in().await;
    person.asks("configure", EDIT).await;
    person.asks("set interfaces ge-0/0/9 unit 0 family ethernet-switching vlan members GUESTS", EDIT).await;
    let shown = person.asks("commit", EDIT).await;
    assert!(
        shown.ends_with("error: configuration check-out failed\r\n") && !shown.contains("complete"),
        "{shown:?}"
    );
    assert!(!devices.all()[0].running_config().contains("GUESTS"));
    person.asks("set vlans GUESTS vlan-id 30", EDIT).await;
    assert_eq!(person.asks("commit check", EDIT).await, "configuration check succeeds\r\n");
    assert!(person.asks("commit", EDIT).await.ends_with("commit complete\r\n"));
}

#[tokio::test]
async fn root_lands_in_a_shell_and_commands_need_no_terminal() {
    let setup = Setup::new(Platform::JuniperJunos).login("root", "root-password");
    let (mut person, devices) = Person::at(setup).await;
    person.prompt("root@core-j1:RE:0% ").await;
    person.asks("cli", "\r\n{master:0}\r\nroot@core-j1> ").await;
    let mut wire = Wire::connect(&devices.all()[0]).await.unwrap();
    assert!(wire.password("root", "root-password").await);
    assert!(wire.exec("show version").await.0.contains("Hostname: core-j1"));
}
