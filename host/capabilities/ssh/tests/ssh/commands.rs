//! What may be typed into a terminal.

use fleetgate_ssh::testing::{Key, Step};

use crate::device::Router;
use crate::world::call;

#[tokio::test]
async fn a_line_is_printable_and_the_host_adds_its_end() {
    let router = Router::start().await;
    let shell = call().to(&router.world().bind()).shell(router.address).await;
    shell.until("R1>").await;
    for line in [
        "show version\nreload",
        "show version\rreload",
        "show ver\t",
        "show\u{15}reload",
        "\u{1b}[A",
        "\u{10}",
        "show\u{7f}",
        "show\0",
        "show \u{85} reload",
        "show \u{2028} reload",
        "show \u{202e}",
        &"x".repeat(5000),
    ] {
        let failure = shell.0.send_line(line).await.unwrap_err().guest();
        assert_eq!((failure.code, failure.sent), ("invalid", false), "{line:?}");
    }
    let said = shell.line("show version", "R1>").await;
    assert_eq!(said, "show version\r\nVersion 15.2\r\nR1>");
    assert_eq!(router.count("line"), 1, "{:?}", router.heard());
}

#[tokio::test]
async fn keys_are_a_closed_set() {
    let router = Router::start().await;
    let shell = call().to(&router.world().bind()).shell(router.address).await;
    shell.until("R1>").await;
    for key in ["", "x", "ctrl-u", "ctrl-p", "up", "tab", "escape", "Space", "ctrl-d", "\n", "enter "] {
        let failure = shell.0.send_key(key).await.unwrap_err().guest();
        assert_eq!(failure.code, "invalid", "{key:?}");
        assert!(failure.message.contains("space, enter, q, y, n, ctrl-c, ctrl-z"), "{}", failure.message);
    }
    shell.line("show long", "--More-- ").await;
    shell.0.send_key("space").await.unwrap();
    assert!(shell.until("--More-- ").await.contains("page 2"));
    shell.0.send_key("q").await.unwrap();
    shell.until("R1>").await;
    shell.0.send_key("ctrl-c").await.unwrap();
    shell.until("R1>").await;
    shell.0.send_key("ctrl-z").await.unwrap();
    shell.until("R1>").await;
    shell.0.send_key("enter").await.unwrap();
    shell.until("R1>").await;
    assert_eq!(
        router.heard().iter().filter(|heard| heard.starts_with("key")).cloned().collect::<Vec<_>>(),
        ["key  ", "key q", "key 3", "key 26"]
    );
}

#[tokio::test]
async fn patterns_hold_for_lines_as_for_commands_and_keys_pass() {
    let router = Router::start().await;
    let world = router.world_with("commands = [\"show *\", \"enable\", \"configure terminal\", \"end\"]");
    let caller = call().to(&world.bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    for line in
        ["reload", "show version; reload", "show version | redirect x", " show version", "do show x", "exit"]
    {
        assert_eq!(shell.0.send_line(line).await.unwrap_err().guest().code, "denied", "{line:?}");
        assert!(caller.refused().contains("the grant allows"), "{}", caller.refused());
    }
    shell.line("show long", "--More-- ").await;
    shell.0.send_key("q").await.unwrap();
    shell.until("R1>").await;
    // An empty line is the key Enter.
    shell.0.send_line("").await.unwrap();
    shell.until("R1>").await;
    assert_eq!(shell.0.write(b"reload\n".to_vec()).await.unwrap_err().guest().code, "denied");
    assert!(
        caller.refused().contains("bytes cannot be typed where commands are restricted"),
        "{}",
        caller.refused()
    );
    let steps = |line: &str| vec![Step::Line("end".into()), Step::Line(line.into()), Step::Key(Key::CtrlC)];
    assert_eq!(shell.0.on_close(steps("reload")).unwrap_err().guest().code, "denied");
    shell.0.on_close(steps("show version")).unwrap();
    assert_eq!(router.count("line reload") + router.count("line do") + router.count("line exit"), 0);
}

#[tokio::test]
async fn bytes_go_as_they_are_where_nothing_restricts_commands() {
    let router = Router::start().await;
    let caller = call().to(&router.world().bind());
    let shell = caller.shell(router.address).await;
    shell.until("R1>").await;
    shell.0.write(b"show ver".to_vec()).await.unwrap();
    shell.until("show ver").await;
    shell.0.write(b"sion\r".to_vec()).await.unwrap();
    shell.until("R1>").await;
    assert_eq!(router.count("line show version"), 1);
    for data in [Vec::new(), vec![b'x'; 70_000]] {
        assert_eq!(shell.0.write(data).await.unwrap_err().guest().code, "invalid");
    }
    let asked = router.world().request("commands = [\"show *\"]");
    let shell = call().to(&asked.bind()).shell(router.address).await;
    assert_eq!(
        shell.0.write(b"x".to_vec()).await.unwrap_err().guest().code,
        "denied",
        "the manifest restricts"
    );
}
