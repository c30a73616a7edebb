//! Logging in: passwords, questions, keys, agents, and arguments of the call.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fleetgate_ssh::LoginArguments;
use fleetgate_ssh::testing::Step;
use russh::MethodKind;

use crate::device::{ENABLE, PASSWORD, Router, Setup, USER};
use crate::sshd::{Sshd, keygen};
use crate::world::{World, call, text};

#[tokio::test]
async fn a_password_that_is_right_is_taken_and_one_that_is_wrong_is_offered_once() {
    let router = Router::start().await;
    call().to(&router.world().bind()).exec(router.address, "show version").await.unwrap();
    assert_eq!(router.heard()[..2], ["login by password: right", "exec show version"]);
    let world = router.world().secret("password", "wr0ng-p4ssword");
    let caller = call().to(&world.bind());
    let failure = caller.fails(router.address).await;
    assert_eq!((failure.code, failure.retryable, failure.sent), ("auth-failed", false, false));
    assert!(failure.message.contains("the device refuses the password of netops"), "{}", failure.message);
    assert!(!failure.message.contains("wr0ng"), "{}", failure.message);
    assert_eq!(router.count("login by password: wrong"), 1);
    assert!(caller.refused().contains("refuses the password of netops"), "{}", caller.refused());
}

#[tokio::test]
async fn a_device_that_only_asks_questions_gets_the_password() {
    for questions in [
        vec![("Password: ", false)],
        vec![("PIN? ", false)],
        vec![("Username: ", true), ("Password: ", false)],
    ] {
        let setup = Setup { methods: vec![MethodKind::KeyboardInteractive], questions, ..Setup::default() };
        let router = Router::with(setup).await;
        call().to(&router.world().bind()).exec(router.address, "show version").await.unwrap();
        assert_eq!(router.count("login by questions: right"), 1);
        let world = router.world().secret("password", "wr0ng-p4ssword");
        assert_eq!(call().to(&world.bind()).fails(router.address).await.code, "auth-failed");
        assert_eq!(router.count("login by questions: wrong"), 1);
    }
}

#[tokio::test]
async fn a_question_that_is_not_for_the_password_is_not_answered_with_it() {
    for questions in [
        vec![("Password: ", true)],
        vec![("Token: ", true)],
        vec![("Password: ", false), ("One-time code: ", false)],
        vec![("Favourite colour: ", false), ("Password: ", false)],
    ] {
        let setup = Setup { methods: vec![MethodKind::KeyboardInteractive], questions, ..Setup::default() };
        let router = Router::with(setup).await;
        let failure = call().to(&router.world().bind()).fails(router.address).await;
        assert_eq!(failure.code, "auth-method", "{}", failure.message);
        assert!(failure.message.contains("which is no password"), "{}", failure.message);
        assert_eq!(router.count("login"), 0);
    }
}

#[tokio::test]
async fn a_method_that_the_device_does_not_offer_is_named() {
    let setup = Setup { methods: vec![MethodKind::PublicKey, MethodKind::HostBased], ..Setup::default() };
    let router = Router::with(setup).await;
    let failure = call().to(&router.world().bind()).fails(router.address).await;
    assert_eq!((failure.code, failure.retryable), ("auth-method", false));
    assert!(failure.message.contains("publickey, hostbased"), "{}", failure.message);
    assert_eq!(failure.details.unwrap()["offered"][0], "publickey");
    assert_eq!(router.count("login"), 0, "the password was not offered");
    let more = Router::with(Setup { more: true, ..Setup::default() }).await;
    let failure = call().to(&more.world().bind()).fails(more.address).await;
    assert_eq!(failure.code, "auth-method");
    assert!(failure.message.contains("wants publickey besides"), "{}", failure.message);
}

#[tokio::test]
async fn a_key_is_taken_and_another_is_refused() {
    let server = Sshd::start().await;
    let world = server.world();
    call().to(&world.bind()).exec(server.address, "true").await.unwrap();
    keygen(&server.path("other"), "ed25519", "");
    let other = std::fs::read_to_string(server.path("other")).unwrap();
    let world = server.world().secret("key", &other);
    let failure = call().to(&world.bind()).fails(server.address).await;
    assert_eq!(failure.code, "auth-failed");
    assert!(failure.message.contains("refuses the key of"), "{}", failure.message);
}

#[tokio::test]
async fn keys_of_every_kind_and_with_a_passphrase_are_taken() {
    let server = Sshd::start().await;
    for (kind, passphrase) in
        [("rsa", ""), ("ecdsa", ""), ("ed25519", "a passphrase"), ("rsa", "a passphrase")]
    {
        let name = format!("{kind}-{}", passphrase.len());
        keygen(&server.path(&name), kind, passphrase);
        let public = std::fs::read_to_string(server.path(&format!("{name}.pub"))).unwrap();
        std::fs::write(server.path("authorized_keys"), public).unwrap();
        let key = std::fs::read_to_string(server.path(&name)).unwrap();
        let grant = match passphrase {
            "" => server.grant(),
            _ => server.grant().replace("key = \"key\"", "key = \"key\", passphrase = \"passphrase\""),
        };
        let world = World::new(&grant).secret("key", &key).secret("passphrase", "a passphrase");
        world.write("known_hosts", &server.known_hosts());
        call().to(&world.bind()).exec(server.address, "true").await.unwrap();
    }
}

/// An SSH agent.
struct Agent {
    child: Child,
    directory: tempfile::TempDir,
}

impl Agent {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(directory.path().join("agent"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let agent = Self { child, directory };
        crate::world::until("an agent", || async { agent.socket().exists() }).await;
        agent
    }

    fn socket(&self) -> std::path::PathBuf {
        self.directory.path().join("agent")
    }

    fn add(&self, key: &std::path::Path) {
        let mut add = Command::new("ssh-add");
        add.arg("-q").arg(key).env("SSH_AUTH_SOCK", self.socket()).stderr(Stdio::null());
        assert!(add.status().unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_keys_of_an_agent_are_tried_and_the_agent_is_not_forwarded() {
    let server = Sshd::with("AllowAgentForwarding yes").await;
    let agent = Agent::start().await;
    let grant = server.grant().replace(
        "key = \"key\"",
        &format!("agent = true, socket = {:?}", agent.socket().display().to_string()),
    );
    let world = World::new(&grant);
    world.write("known_hosts", &server.known_hosts());
    let binding = world.bind();
    assert_eq!(call().to(&binding).fails(server.address).await.code, "credential", "it has no keys");
    keygen(&server.path("other"), "ed25519", "");
    agent.add(&server.path("other"));
    assert_eq!(call().to(&binding).fails(server.address).await.code, "auth-failed");
    agent.add(&server.path("user_key"));
    let output = call().to(&binding).exec(server.address, "echo \"<$SSH_AUTH_SOCK>\"").await.unwrap();
    assert_eq!(text(&output.stdout), "<>\n");
    drop(agent);
    let failure = call().to(&world.bind()).fails(server.address).await;
    assert_eq!((failure.code, failure.message.as_str()), ("credential", "the credential cannot be had now"));
}

/// An account of the machine with a password, for as long as it is needed. Only root can make one.
struct Account(String);

impl Account {
    fn make(password: &str) -> Option<Self> {
        let name = format!("fleetgate-{}", std::process::id());
        let made = rustix::process::geteuid().is_root()
            && Command::new("useradd")
                .args(["-M", "-N", "-d", "/", "-s", "/bin/sh", &name])
                .status()
                .is_ok_and(|s| s.success());
        if !made {
            eprintln!("not tried: a password of an account, which only root can make (with useradd)");
            return None;
        }
        let account = Self(name);
        let mut set = Command::new("chpasswd").stdin(Stdio::piped()).spawn().unwrap();
        use std::io::Write;
        write!(set.stdin.take().unwrap(), "{}:{password}", account.0).unwrap();
        assert!(set.wait().unwrap().success());
        Some(account)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let _ = Command::new("userdel").arg(&self.0).stderr(Stdio::null()).status();
    }
}

#[tokio::test]
async fn a_real_server_takes_an_accounts_password() {
    let Some(account) = Account::make("p4ssw0rd of an account") else { return };
    let server = Sshd::with("PasswordAuthentication yes").await;
    let grant = format!(
        "targets = [\"{}\"]\nknown_hosts = \"known_hosts\"\ncredential = {{ user = \"{}\", password = \"password\" }}",
        server.address, account.0
    );
    let world = World::new(&grant).secret("password", "p4ssw0rd of an account");
    world.write("known_hosts", &server.known_hosts());
    let output = call().to(&world.bind()).exec(server.address, "id -un").await.unwrap();
    assert_eq!(text(&output.stdout).trim(), account.0);
    let world = world.secret("password", "an0ther");
    assert_eq!(call().to(&world.bind()).fails(server.address).await.code, "auth-failed");
    assert!(!server.said().contains("p4ssw0rd"));
}

#[tokio::test]
async fn a_rotated_secret_is_used_by_the_next_connection() {
    let router = Router::start().await;
    let world = router.world();
    let binding = world.bind();
    call().to(&binding).exec(router.address, "show version").await.unwrap();
    world.write("password", "n0t-the-password");
    // A value is used for a second at most.
    crate::world::until("the new one is used", || async {
        call().to(&binding).connect(router.address).await.is_err()
    })
    .await;
    assert_eq!(router.count("login by password: wrong"), 1);
    world.write("password", PASSWORD);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    call().to(&binding).exec(router.address, "show version").await.unwrap();
    assert_eq!(router.accepted(), 2, "the first connection was made with what is right again");
    std::fs::remove_file(world.path("password")).unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let caller = call().to(&binding);
    let failure = caller.fails(router.address).await;
    assert_eq!((failure.code, failure.message.as_str()), ("credential", "the credential cannot be had now"));
}

fn arguments(user: Option<&str>, password: Option<&str>, enable: Option<&str>) -> LoginArguments {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    LoginArguments { user: owned(user), password: owned(password), enable: owned(enable) }
}

fn from_call(router: &Router, lines: &str) -> World {
    let grant = format!("targets = [\"{}\"]\nknown_hosts = \"known_hosts\"\n{lines}", router.address);
    let world = World::new(&grant).secret("password", "the-grants-0wn").secret("enable", ENABLE);
    world.write("known_hosts", &router.known_hosts());
    world
}

#[tokio::test]
async fn secret_arguments_of_a_call_replace_the_credential_where_the_grant_says_so() {
    let router = Router::start().await;
    let world = from_call(&router, "from_call = true");
    let (one, [password, enable, wrong, lines]) =
        call().with_secrets([PASSWORD, ENABLE, "wr0ng-password", "two\nreload"]);
    let (_, [others]) = call().with_secrets([PASSWORD]);
    let caller = one.to(&world.bind());
    let login = arguments(Some(USER), Some(&password), Some(&enable));
    let device = caller.connect_as(router.address, login).await.unwrap();
    let shell = crate::world::Typing(device.open_shell(Default::default()).await.unwrap());
    shell.until("R1>").await;
    shell.line("enable", "Password: ").await;
    shell.0.send_secret("enable").await.unwrap();
    shell.until("R1#").await;
    let said = shell.line("show running-config", "R1#").await;
    assert!(!said.contains(ENABLE) && !said.contains(PASSWORD), "{said}");

    for (login, code, said) in [
        (arguments(Some(USER), Some(PASSWORD), None), "denied", "not granted"),
        (arguments(Some(USER), Some(&others), None), "denied", "not granted"),
        (arguments(Some(USER), Some(&format!(" {password}")), None), "denied", "not granted"),
        (arguments(Some(USER), None, None), "credential", "brings no password"),
        (arguments(None, Some(&password), None), "credential", "brings no user"),
        (arguments(Some("a b"), Some(&password), None), "invalid", "a user's name"),
        (arguments(Some(USER), Some(&lines), None), "invalid", "printable characters alone"),
        (arguments(Some(USER), Some(&wrong), None), "auth-failed", "refuses the password"),
    ] {
        let failure = caller.connect_as(router.address, login.clone()).await.err().unwrap().guest();
        assert_eq!(failure.code, code, "{login:?}: {}", failure.message);
        assert!(failure.message.contains(said), "{login:?}: {}", failure.message);
    }
    assert_eq!(caller.fails(router.address).await.code, "credential", "without arguments there is nothing");
    assert_eq!(router.count("login by password: wrong"), 1, "what stands for nothing is not offered");
}

#[tokio::test]
async fn a_call_does_not_log_in_as_it_likes_where_the_grant_does_not_say_so() {
    let router = Router::start().await;
    let credential = format!("credential = {{ user = \"{USER}\", password = \"password\" }}");
    let (one, [password]) = call().with_secrets([PASSWORD]);
    let caller = one.to(&from_call(&router, &credential).bind());
    let login = arguments(Some(USER), Some(&password), None);
    let failure = caller.connect_as(router.address, login).await.err().unwrap().guest();
    assert_eq!(failure.code, "denied");
    assert!(caller.refused().contains("from_call = true"), "{}", caller.refused());
    // With both, the grant's password is not offered under another name.
    let world = from_call(&router, &format!("{credential}\nfrom_call = true\nenable = \"enable\""));
    let (one, [password]) = call().with_secrets([PASSWORD]);
    let caller = one.to(&world.bind());
    let other = arguments(Some("admin"), None, None);
    assert_eq!(caller.connect_as(router.address, other).await.err().unwrap().guest().code, "credential");
    assert_eq!(router.accepted(), 0);
    caller.connect_as(router.address, arguments(None, Some(&password), None)).await.unwrap();
    assert_eq!(router.count("login by password: right"), 1);
}

#[tokio::test]
async fn a_placeholder_is_not_typed_and_what_a_device_says_of_any_secret_argument_is_masked() {
    let router = Router::start().await;
    // The grant's own login: the enable password of the call was told to no device by this call.
    let (one, [enable]) = call().with_secrets([ENABLE]);
    let caller = one.to(&router.world().bind());
    let device = caller.connect(router.address).await.unwrap();
    let refused = device.exec(&format!("show {enable}"), None, None).await.unwrap_err();
    assert_eq!(refused.guest().code, "denied");
    assert!(caller.refused().contains("placeholder"), "{}", caller.refused());
    let shell = crate::world::Typing(device.open_shell(Default::default()).await.unwrap());
    shell.until("R1>").await;
    assert_eq!(shell.0.send_line(&enable).await.unwrap_err().guest().code, "denied");
    assert_eq!(shell.0.write(format!("{enable}\n").into_bytes()).await.unwrap_err().guest().code, "denied");
    let step = Step::Line(enable.clone());
    assert_eq!(shell.0.on_close(vec![step]).unwrap_err().guest().code, "denied");
    let said = shell.line(&format!("show {ENABLE}"), "R1>").await;
    assert!(said.contains("[masked]") && !said.contains(ENABLE), "{said}");
    let used = caller.call.used.used().join("\n");
    assert!(used.contains("[masked]") && !used.contains(ENABLE), "{used}");
    assert!(!router.heard().iter().any(|heard| heard.contains(&enable)), "{:?}", router.heard());
}
