//! Who did what: each call leaves a record, and what may change something leaves one before it happens.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use fleet_sim::nerveshub::{Hub, Running, Seed, known};
use fleetgate_e2e::{Answer, Installation, Server, Upstream, program};
use serde_json::{Value, json};

const TOKEN: &str = "a-token-of-the-upstream";

fn over(hub: &Running, roles: &[&str]) -> Installation {
    Installation::of("nerveshub", &hub.url(), hub.token(known::MANAGE), roles)
}

fn device(identifier: &str) -> Value {
    json!({"org": known::KIOSK.0, "product": known::KIOSK.1, "identifier": identifier})
}

fn hostile(url: &str) -> Installation {
    Installation::of("hostile", url, TOKEN, &[])
}

fn to(method: &str, path: &str) -> Value {
    json!({"method": method, "scheme": "http", "authority": "api.upstream", "path": path})
}

fn file(installation: &Installation) -> PathBuf {
    installation.path().join(".fleetgate/audit/audit.jsonl")
}

fn lines(installation: &Installation) -> Vec<Value> {
    let text = std::fs::read_to_string(file(installation)).expect("an audit log");
    // The last one may be on its way.
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    whole.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn found(installation: &Installation, narrowed: &[&str]) -> Vec<Value> {
    installation.run_well(&[&["audit", "find", "--json"], narrowed].concat()).json_lines()
}

fn why(installation: &Installation, answer: &Answer) -> String {
    installation.why(&answer.reference()).stdout
}

#[tokio::test]
async fn the_audit_log_says_who_rebooted_a_device() {
    let hub = Hub::start(Seed::default()).await;
    let installation = over(&hub, &["nerveshub:manage"]);
    let server = Server::start(&installation);
    let first = server.client_of("nerveshub").call("reboot_device", device(known::CONNECTED)).await;
    assert!(first.succeeded(), "{first:?}");
    let other = server.client().call("nerveshub_reboot_device", device(known::UNHEALTHY)).await;
    let looked = server.client_of("nerveshub").call("get_device", device(known::CONNECTED)).await;
    assert!(looked.succeeded(), "{looked:?}");
    installation.record(&looked.reference());

    let asked = format!("identifier={}", known::CONNECTED);
    for tool in ["reboot_device", "nerveshub_reboot_device"] {
        let calls = found(&installation, &["--tool", tool, "--arg", &asked]);
        assert_eq!(calls.len(), 1, "{calls:?}");
        let call = &calls[0];
        assert_eq!(call["call"], json!(first.reference()));
        assert_eq!((&call["principal"], &call["binding"]), (&json!("local"), &json!("nerveshub")));
        assert_eq!((&call["tool"], &call["outcome"]), (&json!("reboot_device"), &json!("ok")));
        assert_eq!(call["arguments"], device(known::CONNECTED));
        assert!(call["plugin"].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{call}");
        assert!(call["duration_ms"].as_f64().is_some_and(|took| took > 0.0), "{call}");
        assert!(call["used"].to_string().contains("POST"), "what it did upstream is there: {call}");
    }
    let both = found(&installation, &["--tool", "reboot_device"]);
    let references: Vec<_> = both.iter().map(|call| call["call"].clone()).collect();
    assert_eq!(references, [json!(first.reference()), json!(other.reference())]);
    assert!(found(&installation, &["--tool", "reboot_device", "--arg", "identifier=sn-9999"]).is_empty());
    assert!(found(&installation, &["--tool", "reboot_device", "--principal", "somebody"]).is_empty());

    // For people: one row, and nobody else's.
    let table = installation.run_well(&["audit", "find", "--tool", "reboot_device", "--arg", &asked]).stdout;
    assert!(table.contains(&first.reference()) && table.contains("local"), "{table}");
    assert!(!table.contains(&other.reference()), "{table}");
    let tail = installation.run_well(&["audit", "tail", "-n", "50"]).stdout;
    assert!(tail.contains(&format!("{} local nerveshub/reboot_device", first.reference())), "{tail}");
}

#[tokio::test]
async fn the_intent_is_on_the_disk_before_the_upstream_hears_of_the_call() {
    // The upstream looks into the log whenever it is asked something.
    let log = Arc::new(Mutex::new(PathBuf::new()));
    let seen = Arc::new(Mutex::new(Vec::<String>::new()));
    let (path, record) = (log.clone(), seen.clone());
    let app = Router::new().fallback(move || async move {
        let path = path.lock().expect("a path").clone();
        record.lock().expect("a list").push(std::fs::read_to_string(path).unwrap_or_default());
        "seen"
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let installation = hostile(&url);
    *log.lock().expect("a path") = file(&installation);

    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    let changes = client.call("request", to("POST", "/granted/a")).await;
    let reads = client.call("request_read_only", to("GET", "/granted/a")).await;
    let seen = seen.lock().expect("a list").clone();
    let kinds = |text: &str, reference: &str| -> Vec<String> {
        // The last one may be on its way.
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        let lines = whole.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
        let of_call = lines.filter(|line| line["call"] == reference);
        of_call.map(|line| line["kind"].as_str().expect("a kind").to_owned()).collect()
    };
    assert_eq!(kinds(&seen[0], &changes.reference()), ["intent"]);
    assert!(kinds(&seen[1], &reads.reference()).is_empty(), "a call that changes nothing has no intent");
    server
        .until("both outcomes are recorded", || async {
            let text = std::fs::read_to_string(file(&installation)).expect("the log");
            kinds(&text, &changes.reference()) == ["intent", "outcome"]
                && kinds(&text, &reads.reference()) == ["outcome"]
        })
        .await;
}

#[tokio::test]
async fn a_call_whose_host_was_killed_shows_as_not_ended() {
    // Not a word comes back: connections are taken, and nobody answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let installation = hostile(&format!("http://{}", silent.local_addr().expect("its address")));
    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    let call = tokio::spawn(async move { client.call("request", to("POST", "/granted/a")).await });
    let (_connection, _) = silent.accept().await.expect("the host connects");
    drop(server);
    call.abort();
    let calls = found(&installation, &["--outcome", "none"]);
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!((&calls[0]["tool"], &calls[0]["outcome"]), (&json!("request"), &Value::Null));
}

#[tokio::test]
async fn only_arguments_that_the_manifest_names_are_kept_and_all_of_them_are_hashed() {
    let upstream = Upstream::start().await;
    let installation = hostile(&upstream.url());
    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    let mut arguments = to("POST", "/granted/not-for-the-log");
    arguments["body"] = json!("neither-is-this");
    let mut shuffled = json!({"body": "neither-is-this", "path": "/granted/not-for-the-log"});
    for key in ["scheme", "authority", "method"] {
        shuffled[key] = arguments[key].clone();
    }
    let same = [client.call("request", arguments).await, client.call("request", shuffled).await];
    let other = client.call("request", to("POST", "/granted/other")).await;
    // A field that is no argument of the tool is none of the log's either.
    let wrong = client.call("request", json!({"password": "typed-into-the-wrong-field"})).await;
    assert_eq!(wrong.fault()["code"], "invalid-arguments");
    server.until("all are recorded", || async { lines(&installation).len() >= 7 }).await;

    let text = std::fs::read_to_string(file(&installation)).expect("the log");
    for kept_out in ["neither-is-this", "typed-into-the-wrong-field", TOKEN] {
        assert!(!text.contains(kept_out), "{kept_out} is in the log:\n{text}");
    }
    let hash = |answer: &Answer| {
        let call = installation.record(&answer.reference());
        assert_eq!(call["arguments"], json!({}), "{call}");
        call["arguments_hash"].as_str().expect("a hash").to_owned()
    };
    assert!(hash(&same[0]).starts_with("hmac-sha256:"));
    assert_eq!(hash(&same[0]), hash(&same[1]), "the order of keys is not what was said");
    assert_ne!(hash(&same[0]), hash(&other));

    // Without the key, which is this host's own, the same arguments have another hash.
    let elsewhere = hostile(&upstream.url());
    let server = Server::start(&elsewhere);
    let again = server.client_of("hostile").call("request", to("POST", "/granted/other")).await;
    let again = elsewhere.record(&again.reference());
    assert_ne!(again["arguments_hash"], json!(hash(&other)));
}

#[tokio::test]
async fn what_was_refused_is_recorded_with_the_rule_and_why_tells_it() {
    let hub = Hub::start(Seed::default()).await;
    let installation = over(&hub, &["nerveshub:view"]);
    let server = Server::start(&installation);
    let client = server.client_of("nerveshub");

    let role = client.call("reboot_device", device(known::CONNECTED)).await;
    assert_eq!(role.status, 403);
    let said = why(&installation, &role);
    assert!(said.contains("refused") && said.contains("requires nerveshub:manage"), "{said}");
    assert!(said.contains("local holds nerveshub:view"), "{said}");

    let unknown = client.call("reboot_devices", json!({})).await;
    assert_eq!(unknown.error_code(), -32602);
    let said = why(&installation, &unknown);
    assert!(
        said.contains("reboot_devices") && said.contains("no live binding has a tool of this name"),
        "{said}"
    );

    let wrong = client.call("get_device", json!({"org": "acme", "product": "kiosk", "identifier": 7})).await;
    let said = why(&installation, &wrong);
    assert!(said.contains("fault:invalid-arguments") && said.contains("/identifier"), "{said}");

    let refused = found(&installation, &["--outcome", "refused"]);
    let tools: Vec<_> = refused.iter().map(|call| call["tool"].as_str().expect("a tool")).collect();
    assert_eq!(tools, ["reboot_device", "reboot_devices"]);
    assert!(hub.requests().is_empty(), "none of them reached the upstream: {:?}", hub.requests());

    let said = installation.run(&["why", "nothing2call"]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("has no call nothing2call"), "{said:?}");
}

#[tokio::test]
async fn why_tells_which_limit_ended_a_call_and_which_request_was_refused() {
    let upstream = Upstream::start().await;
    let installation = hostile(&upstream.url());
    let server = Server::start(&installation);
    let client = server.client_of("hostile");

    let spun = client.call("spin", json!({})).await;
    assert_eq!(spun.fault()["code"], "limit", "{spun:?}");
    let said = why(&installation, &spun);
    assert!(said.contains("fault:limit") && said.contains("CPU time"), "{said}");

    let crashed = client.call("panic", json!({})).await;
    let said = why(&installation, &crashed);
    assert!(said.contains("fault:internal"), "{said}");

    let reached = client.call("request", to("DELETE", "/granted/a")).await;
    assert!(reached.structured()["error"].is_string(), "{reached:?}");
    let said = why(&installation, &reached);
    assert!(said.contains("refused:") && said.contains("DELETE"), "{said}");
    // The caller was not told which rule it was; the operator is.
    let rule = said.lines().find(|line| line.contains("refused:")).expect("a rule");
    assert!(!reached.message.to_string().contains(rule.trim()), "{rule}");
}

#[tokio::test]
async fn a_line_that_cannot_be_read_hides_no_other() {
    let upstream = Upstream::start().await;
    let installation = hostile(&upstream.url());
    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    let before = client.call("request", to("POST", "/granted/before")).await;
    server.until("it is recorded", || async { lines(&installation).len() == 2 }).await;
    drop(server);
    let text = std::fs::read_to_string(file(&installation)).expect("the log");
    std::fs::write(file(&installation), format!("{text}{{\"at\":\"torn\n")).expect("our own file");
    let server = Server::start(&installation);
    let after = server.client_of("hostile").call("request", to("POST", "/granted/after")).await;
    installation.record(&after.reference());

    let said = installation.run_well(&["audit", "find", "--json"]);
    let calls: Vec<_> = said.json_lines().iter().map(|call| call["call"].clone()).collect();
    assert_eq!(calls, [json!(before.reference()), json!(after.reference())]);
    assert!(said.stderr.contains("audit.jsonl:3: this line cannot be read"), "{said:?}");
    assert!(why(&installation, &before).contains("ok after"), "the one before it is whole");
}

/// A host whose files may not grow beyond this size: a full disk, as far as appending goes. A process that ignores
/// the signal gets the error from the write, as on a full disk.
fn start_with_files_up_to(installation: &Installation, bytes: u64) -> Server {
    let mut command = Command::new("sh");
    // Units of 512 bytes, says POSIX.
    let script = format!("trap '' XFSZ; ulimit -f {} && exec \"$@\"", bytes / 512);
    command.args(["-c", &script, "sh"]).arg(program("fleetgate"));
    command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--config"]).arg(installation.config_path());
    command.env("NO_COLOR", "1").env_remove("RUST_LOG");
    Server::of(command)
}

#[tokio::test]
async fn a_full_disk_refuses_what_may_change_something_and_lets_the_rest_pass() {
    let upstream = Upstream::start().await;
    let installation = hostile(&upstream.url());
    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    // Enough that no other file of the host's is as large, and so little room left in a unit that the next record
    // is torn.
    loop {
        let answer = client.call("request", to("POST", "/granted/before")).await;
        let ended = |line: &Value| line["call"] == json!(answer.reference()) && line["kind"] == "outcome";
        server.until("it is recorded", || async { lines(&installation).iter().any(ended) }).await;
        let size = std::fs::metadata(file(&installation)).expect("the log").len();
        if size > 8 << 10 && (1..200).contains(&(size.next_multiple_of(512) - size)) {
            break;
        }
    }
    drop(server);
    let before = upstream.arrived().len();
    let full = std::fs::metadata(file(&installation)).expect("the log").len().next_multiple_of(512);

    let server = start_with_files_up_to(&installation, full);
    let client = server.client_of("hostile");
    for _ in 0..3 {
        let refused = client.call("request", to("POST", "/granted/during")).await;
        let fault = refused.fault();
        assert_eq!(
            (&fault["code"], &fault["retryable"]),
            (&json!("unavailable"), &json!(true)),
            "{refused:?}"
        );
        let text = refused.text();
        assert!(text.contains("the audit log cannot be written"), "{text}");
        assert!(text.contains("reference "), "{text}");
        let read = client.call("request_read_only", to("GET", "/granted/during")).await;
        assert_eq!(read.structured()["status"], 200, "{read:?}");
    }
    let during: Vec<_> = upstream.arrived().into_iter().skip(before).map(|request| request.method).collect();
    assert_eq!(during, ["GET", "GET", "GET"]);
    server.logs("a call was refused because it cannot be recorded").await;
    // What could not be written stands in the host's own log.
    server.logs("an outcome could not be recorded").await;
    drop(server);

    // There is room again: calls pass, and the log can be read over the line that was torn.
    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    let after = client.call("request", to("POST", "/granted/after")).await;
    assert_eq!(after.structured()["status"], 200, "{after:?}");
    installation.record(&after.reference());
    let calls = found(&installation, &["--tool", "request", "--outcome", "ok", "--limit", "1"]);
    assert_eq!(calls[0]["call"], json!(after.reference()));
}
