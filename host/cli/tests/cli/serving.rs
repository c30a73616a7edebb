use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::home::Home;

/// A server that is ended when the test is over, however it ends.
struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Server {
    fn start(home: &Home, more: &[&str]) -> Self {
        Self::start_at(home, "127.0.0.1:0", more)
    }

    fn start_at(home: &Home, address: &str, more: &[&str]) -> Self {
        let mut command = home.command(&["serve", "--listen", address]);
        let mut child = command.args(more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn said(&mut self) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn ended(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (code, log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_server_that_others_can_reach_is_refused_unless_a_flag_says_so_in_words() {
    let home = Home::new();
    home.config("");
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        home.run(&["serve", "--listen", address]).refused(
            2,
            &[
                &format!(
                    "{address} can be reached from other machines, and this server does not ask who calls"
                ),
                "--i-know-that-nobody-authenticates",
            ],
        );
    }
    home.config("[serve]\nlisten = \"0.0.0.0:0\"\n");
    home.run(&["serve"]).refused(2, &["can be reached from other machines"]);
    home.config("[serve]\npublic_url = \"https://fleet.example.com\"\n");
    home.run(&["serve", "--listen", "127.0.0.1:0"]).refused(2, &["public_url", "https://fleet.example.com"]);
}

#[test]
fn with_that_flag_it_listens() {
    let home = Home::new();
    home.config("");
    let mut server = Server::start_at(&home, "0.0.0.0:0", &["--i-know-that-nobody-authenticates", "--json"]);
    assert!(server.said()["listen"].as_str().unwrap().starts_with("0.0.0.0:"));
}

#[test]
fn the_first_line_of_json_says_where_calls_are_answered() {
    let home = Home::new();
    home.config("");
    let mut server = Server::start(&home, &["--json"]);
    let said = server.said();
    let address = said["listen"].as_str().unwrap();
    assert_eq!(said["url"], format!("http://{address}/mcp"));
    assert!(get(address, "/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn the_port_file_holds_the_port() {
    let home = Home::new();
    home.config("");
    let mut server = Server::start(&home, &["--port-file", "port", "--json"]);
    let said = server.said();
    let address = said["listen"].as_str().unwrap();
    let port = std::fs::read_to_string(home.work().join("port")).unwrap();
    assert_eq!(port.trim(), address.rsplit_once(':').unwrap().1);
}

#[test]
fn a_signal_ends_the_server_and_hangup_does_not() {
    let home = Home::new();
    home.config("");
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start(&home, &["--json"]);
        let address = server.said()["listen"].as_str().unwrap().to_owned();
        server.signal(Signal::HUP);
        assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200"));
        server.signal(signal);
        let (code, log) = server.ended();
        assert_eq!(code, Some(0), "{log}");
    }
}

#[test]
fn an_address_in_use_is_said() {
    let home = Home::new();
    home.config("");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    home.run(&["serve", "--listen", &address])
        .refused(1, &[&format!("cannot listen on {address}"), "--listen"]);
}

#[test]
fn the_start_says_what_is_served_what_waits_and_who_may_do_what() {
    let home = Home::new();
    let config = home.config("[plugins.probe]\nlabel = \"LAB\"\n[plugins.ghost]\n");
    home.plugin("probe", "1.2.3", "[roles]\nmanage = { includes = [\"view\"] }\nview = {}\n");
    home.plugin("stray", "1.0.0", "");
    let mut server = Server::start(&home, &[]);
    let mut said = String::new();
    while !said.contains("knows the roles") {
        assert_ne!(server.out.read_line(&mut said).unwrap(), 0, "{said}");
    }
    for part in [
        "Fleetgate answers MCP at http://127.0.0.1:",
        "probe  1.2.3, 0 tools",
        "/mcp/probe  LAB",
        "stray: found; serve it with `fleetgate enable stray`",
        "ghost: has a table in fleetgate.toml and no file",
        "A caller on this machine holds no role",
        &format!("add to [serve] in {}", config.display()),
        "local_roles = [\"probe:view\"]",
        "probe knows the roles view, manage",
    ] {
        assert!(said.contains(part), "{part:?} is not in:\n{said}");
    }
}

#[test]
fn a_role_that_gives_nothing_is_wrong_usage() {
    let home = Home::new();
    home.config("[plugins.probe]\n");
    home.plugin("probe", "1.2.3", "[roles]\nview = {}\n");
    let serve = |role| home.run(&["serve", "--listen", "127.0.0.1:0", "--role", role]);
    serve("prob:view").refused(2, &["there is no binding \"prob\" (did you mean \"probe\"?)"]);
    serve("probe:veiw").refused(2, &["declares no role \"veiw\" (did you mean \"view\"?)"]);
}

#[test]
fn stdio_ends_with_its_input_and_says_nothing_but_protocol() {
    let home = Home::new();
    home.config("[plugins.probe]\n");
    home.plugin("probe", "1.2.3", "");
    for arguments in [&["stdio"][..], &["stdio", "--plugin", "probe"]] {
        let ended = home.command(arguments).stdin(Stdio::null()).output().unwrap();
        let log = String::from_utf8(ended.stderr).unwrap();
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(0), 0), "{log}");
    }
}

#[test]
fn stdio_says_which_variables_a_plugin_gets_and_which_take_a_word_of_the_operator() {
    let home = Home::new();
    home.config("");
    home.plugin(
        "probe",
        "1.2.3",
        "[capabilities.http.api]\nwhy = \"To ask\"\noptional = true\npaths = [\"/**\"]\n\
         env = { url = [\"MY_URL\", \"PROBE_URL\"], bearer = [\"PATH\", \"GITHUB_TOKEN\"] }\n",
    );
    let said = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = home.command(&["stdio", "--plugin", "probe"]);
        let ended =
            command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap();
        let log = String::from_utf8(ended.stderr).unwrap();
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(0), 0), "{log}");
        assert!(!log.contains("c4n4ry"), "{log}");
        log
    };
    let given = "probe: http.api is granted";
    let log = said(&[], &[("GITHUB_TOKEN", "c4n4ry"), ("MY_URL", "https://c4n4ry.example.com")]);
    for name in ["GITHUB_TOKEN", "MY_URL", "PATH"] {
        let line = format!(
            "probe: {name} is set and not read, since it is not probe's by name; to give it, add --env {name}"
        );
        assert!(log.contains(&line), "{line}\n{log}");
    }
    assert!(!log.contains(given), "{log}");

    let variables = [("GITHUB_TOKEN", "c4n4ry-token"), ("PROBE_URL", "https://api.example.com")];
    let log = said(&["--env", "GITHUB_TOKEN", "--env", "GITHUB_TOKNE"], &variables);
    for line in [
        "probe: http.api is granted: url is read from PROBE_URL",
        "probe: http.api is granted: bearer is read from GITHUB_TOKEN",
        "probe: PATH is set and not read",
        "probe: --env \"GITHUB_TOKNE\" gives nothing: the plugin reads no such variable",
    ] {
        assert!(log.contains(line), "{line}\n{log}");
    }
    home.run(&["stdio", "--env", "X"]).refused(2, &["--plugin"]);
    let with_value = home.run(&["stdio", "--plugin", "probe", "--env", "GITHUB_TOKEN=c4n4ry"]);
    with_value.refused(2, &["--env takes the name of a variable, and no value"]);
    assert!(!with_value.err().contains("c4n4ry"), "{}", with_value.err());
}

#[test]
fn stdio_answers_initialize() {
    let home = Home::new();
    home.config("");
    let mut child = home
        .command(&["stdio"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let request = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
    writeln!(child.stdin.as_mut().unwrap(), "{request}").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    drop(child.stdin.take());
    child.wait().unwrap();
    let answer: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(answer["result"]["protocolVersion"], "2025-06-18", "{line}");
}

#[test]
fn stdio_for_a_plugin_needs_no_configuration_and_makes_an_empty_one() {
    let home = Home::new();
    let folder = home.path().join(".config/fleetgate");
    let first = home.run(&["stdio", "--plugin", "ghost"]);
    first.refused(1, &["made an empty", folder.join("plugins").to_str().unwrap(), "there is no", "ghost"]);
    let settings = folder.join("fleetgate.toml");
    let text = fs::read_to_string(&settings).unwrap();
    assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    assert_eq!(fs::metadata(&settings).unwrap().mode() & 0o777, 0o600);
    // The next one finds it, and one that is named and not there is not made.
    let next = home.run(&["stdio", "--plugin", "ghost"]);
    assert!(!next.err().contains("made an empty"), "{}", next.err());
    let named = home.run(&["stdio", "--plugin", "ghost", "--config", "gone.toml"]);
    assert!(named.code() != 0 && named.err().contains("gone.toml"), "{}", named.err());
    assert!(!home.work().join("gone.toml").exists());
}

#[test]
fn stdio_for_all_plugins_needs_a_configuration() {
    Home::new().run(&["stdio"]).refused(2, &["there is no configuration"]);
}

#[test]
fn stdio_for_a_plugin_that_is_not_there_says_so() {
    let home = Home::new();
    home.config("");
    home.run(&["stdio", "--plugin", "ghost"]).refused(1, &["there is no", "ghost"]);
}
