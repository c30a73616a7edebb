//! Terminals: opening, reading, ending, and what is typed when the guest is gone.

use std::time::Duration;

use fleetgate_ssh::testing::{Chunk, Key, Step, Terminal};

use crate::device::{Router, Setup};
use crate::sshd::Sshd;
use crate::world::{Typing, call, until};

#[tokio::test]
async fn a_shell_of_a_real_server_answers_line_by_line() {
    let server = Sshd::start().await;
    let device = call().to(&server.world().bind()).connect(server.address).await.unwrap();
    let options = r#"{"term": "xterm", "columns": 200, "rows": 50, "lineEnd": "cr"}"#;
    let shell = Typing(device.open_shell(Terminal::parse(Some(options)).unwrap()).await.unwrap());
    shell.0.send_line("exec env PS1='ready> ' sh").await.unwrap();
    shell.until("ready> ").await;
    assert!(shell.line("stty size", "ready> ").await.contains("\r\n50 200\r\n"));
    assert!(shell.line("echo $TERM", "ready> ").await.contains("\r\nxterm\r\n"));
    // Once it runs: a shell that is only about to start it takes the key for itself.
    shell.line("sh -c 'echo begun; exec sleep 60'", "\r\nbegun\r\n").await;
    shell.0.send_key("ctrl-c").await.unwrap();
    shell.until("ready> ").await;
    shell.0.send_line("exit 5").await.unwrap();
    shell.rest().await.unwrap();
    assert_eq!(shell.0.exit_status(), Some(5));
    let failure = shell.0.send_line("echo").await.unwrap_err().guest();
    assert_eq!((failure.code, failure.sent), ("closed", false));
    assert_eq!(shell.0.read(10, Duration::ZERO).await.unwrap(), Chunk::Closed);
}

#[tokio::test]
async fn a_real_server_asks_for_a_password_and_does_not_show_it() {
    let server = Sshd::start().await;
    let become_root = format!("sh {}", server.path("become").display());
    let asking = "printf 'Password: '; stty -echo; read x; stty echo; echo; \
                  [ \"$x\" = s3cr3t-en4ble ] && echo right; echo \"got $x\"";
    std::fs::write(server.path("become"), asking).unwrap();
    let lines = format!("enable = \"enable\"\npassword_after = [{become_root:?}]");
    let world = server.world_with(&lines).secret("enable", "s3cr3t-en4ble");
    let shell = call().to(&world.bind()).shell(server.address).await;
    shell.0.send_line("exec env PS1='ready> ' sh").await.unwrap();
    shell.until("ready> ").await;
    assert_eq!(shell.0.send_secret("enable").await.unwrap_err().guest().code, "echo");
    // What a guest can have printed.
    shell.line("printf 'Pass%s' 'word: '; read x", "Password: ").await;
    assert_eq!(shell.0.send_secret("enable").await.unwrap_err().guest().code, "echo");
    shell.line("", "ready> ").await;
    shell.line(&become_root, "Password: ").await;
    shell.0.send_secret("enable").await.unwrap();
    let said = shell.until("ready> ").await;
    assert!(said.contains("right\r\ngot [masked]\r\n") && !said.contains("s3cr3t"), "{said}");
}

#[tokio::test]
async fn the_terminals_options_are_what_they_must_be() {
    let router = Router::start().await;
    let device = call().to(&router.world().bind()).connect(router.address).await.unwrap();
    for options in [
        "",
        "[]",
        "{\"columns\": 79}",
        "{\"rows\": 5000}",
        "{\"columns\": -1}",
        "{\"columns\": 4097}",
        "{\"term\": \"\"}",
        "{\"term\": \"x;y\"}",
        "{\"lineEnd\": \"nl\"}",
        "{\"colums\": 80}",
    ] {
        assert_eq!(Terminal::parse(Some(options)).unwrap_err().guest().code, "invalid", "{options}");
    }
    let _shell = device.open_shell(Terminal::default()).await.unwrap();
    assert_eq!(router.count("terminal vt100 511x1000"), 1);
}

#[tokio::test]
async fn a_read_gives_what_is_there_or_says_that_nothing_came() {
    let router = Router::start().await;
    let shell = call().to(&router.world().bind()).shell(router.address).await;
    shell.until("R1>").await;
    assert_eq!(shell.0.read(100, Duration::from_millis(50)).await.unwrap(), Chunk::TimedOut);
    shell.0.send_line("slowly one two three").await.unwrap();
    let Chunk::Data(first) = shell.0.read(3, Duration::from_secs(50)).await.unwrap() else { panic!() };
    assert!((1..=3).contains(&first.len()));
    shell.until("R1>").await;
    let long = call().timeout(Duration::from_secs(3)).to(&router.world().bind());
    let shell = long.shell(router.address).await;
    shell.until("R1>").await;
    let failure = shell.0.read(100, Duration::from_secs(60)).await.unwrap_err().guest();
    assert_eq!(failure.code, "timeout", "a read ends with its call");
}

#[tokio::test]
async fn more_than_is_kept_ends_the_terminal_and_says_so() {
    let router = Router::start().await;
    let world = router.world_with("output = \"64KiB\"");
    let caller = call().to(&world.bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    // Read as it comes, any amount is fine.
    shell.0.send_line("print 60000").await.unwrap();
    assert!(shell.until("R1>").await.len() > 60_000);
    shell.0.send_line("print 52428800").await.unwrap();
    until("it is full", || async { shell.0.send_line("").await.is_err() }).await;
    let failure = shell.rest().await.unwrap_err().guest();
    assert_eq!((failure.code, failure.sent), ("output-limit", true));
    until("the terminal is closed", || async { router.open() == 0 }).await;
    // And a terminal that nobody reads does not hold up the others.
    let quiet = caller.shell(router.address).await;
    let busy = caller.shell(router.address).await;
    busy.until("R1>").await;
    quiet.0.send_line("print 52428800").await.unwrap();
    assert!(busy.line("show version", "R1>").await.contains("15.2"));
}

#[tokio::test]
async fn what_the_guest_left_is_typed_when_it_is_gone() {
    let router = Router::start().await;
    let caller = call().to(&router.world().bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    shell.0.on_close(vec![Step::Line("end".into()), Step::Key(Key::Y), Step::Key(Key::Enter)]).unwrap();
    shell.line("enable", "Password: ").await;
    shell.0.send_secret("enable").await.unwrap();
    shell.until("R1#").await;
    shell.line("configure terminal", "R1(config)#").await;
    // The guest traps, its call ends, its handle goes.
    drop(shell);
    drop(caller);
    until("the device is left alone", || async { router.open() == 0 }).await;
    let heard: Vec<_> = router.heard().into_iter().filter(|heard| heard != "terminal gone").collect();
    let tail: Vec<_> = heard.iter().rev().take(4).rev().map(String::as_str).collect();
    assert_eq!(tail, ["line configure terminal", "line end", "line y", "close"], "{heard:?}");
}

#[tokio::test]
async fn what_is_left_is_typed_once_and_not_when_it_was_taken_back() {
    let router = Router::start().await;
    let caller = call().to(&router.world().bind());
    let shell = caller.shell(router.address).await;
    shell.0.on_close(vec![Step::Line("end".into())]).unwrap();
    shell.0.on_close(vec![]).unwrap();
    drop(shell);
    until("closed", || async { router.open() == 0 }).await;
    assert_eq!(router.count("line"), 0);
    let shell = caller.shell(router.address).await;
    let failure = shell.0.on_close(vec![Step::Key(Key::Q); 9]).unwrap_err().guest();
    assert_eq!(failure.code, "invalid");
    assert_eq!(shell.0.on_close(vec![Step::Line("a\nb".into())]).unwrap_err().guest().code, "invalid");
}

#[tokio::test]
async fn a_device_that_hangs_does_not_hold_the_end_up() {
    let router = Router::start().await;
    let caller = call().to(&router.world().bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    shell.0.on_close(vec![Step::Line("end".into()); 8]).unwrap();
    shell.0.send_line("wait").await.unwrap();
    shell.until("wait\r\n").await;
    drop(shell);
    until("the terminal's room is free", || async { caller.connect(router.address).await.is_ok() }).await;
    // Its router's task waits for ever; what counts is that the host asked for the end.
    until("closed", || async { router.count("close") == 1 }).await;
}

#[tokio::test]
async fn a_device_without_terminals_or_commands_says_so() {
    let router = Router::with(Setup { shell: false, exec: false, ..Setup::default() }).await;
    let device = call().to(&router.world().bind()).connect(router.address).await.unwrap();
    let failure = device.open_shell(Terminal::default()).await.err().unwrap().guest();
    assert_eq!((failure.code, failure.sent), ("channel-refused", false));
    assert!(failure.message.contains("a shell"), "{}", failure.message);
    let failure = device.exec("show version", None, None).await.unwrap_err().guest();
    assert_eq!(failure.code, "channel-refused");
    assert!(failure.message.contains("the command"), "{}", failure.message);
}
