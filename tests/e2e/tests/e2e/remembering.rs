//! What plugins remember, by way of the real program: killed at any moment, in several processes at once, and as the
//! operator sees it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use fleetgate_e2e::{Installation, Modern, PATIENCE, Server, http_client};
use futures_util::future::join_all;
use serde_json::{Value, json};

const BINDING: &str = "hostile-state";
/// How often the host is killed.
const ROUNDS: usize = 50;
/// Callers at once.
const CALLERS: usize = 8;

fn config(grants: &str) -> String {
    format!("[plugins.{BINDING}]\n{grants}")
}

fn installed() -> Installation {
    let installation = Installation::new();
    installation.install(BINDING);
    let room = "quota = \"64MiB\"\n";
    installation.config(&config(&format!(
        "[plugins.{BINDING}.grant.keyvalue.own]\n[plugins.{BINDING}.grant.keyvalue.shared]\n{room}"
    )));
    installation
}

fn acts(bucket: &str, acts: &Value) -> Value {
    json!({ "bucket": format!("keyvalue.{bucket}"), "acts": acts })
}

fn set(key: &str, value: &str) -> Value {
    json!({ "set": { "key": key, "value": value } })
}

/// What came of each act.
fn done(result: &Value) -> Vec<Value> {
    result["acts"].as_array().unwrap_or_else(|| panic!("no acts: {result}")).clone()
}

/// A call of a host that may be gone before it answers. None: it was.
async fn call(http: &reqwest::Client, url: &str, arguments: &Value) -> Option<Value> {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({ "name": "act", "arguments": arguments, "_meta": meta });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let request = http
        .post(url)
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "act");
    let text = request.body(body.to_string()).send().await.ok()?.text().await.ok()?;
    let message: Value = serde_json::from_str(&text).ok()?;
    Some(message["result"]["structuredContent"].clone()).filter(Value::is_object)
}

/// What was acknowledged in one round: values by key, and how often the counter was told to grow.
#[derive(Default)]
struct Told {
    values: BTreeMap<String, String>,
    counted: i64,
    /// Counts whose answer did not come: each may have happened.
    unknown: i64,
}

/// Writes until the host is gone.
async fn write(url: &str, round: usize, caller: usize, gone: &AtomicBool, answered: &AtomicUsize) -> Told {
    let http = http_client();
    let mut told = Told::default();
    for number in 0.. {
        if gone.load(Ordering::SeqCst) {
            break;
        }
        let key = format!("{round:02}/{caller}/{number:05}");
        let value = key.repeat(1 + number % 40);
        let pair = json!([{ "key": format!("{key}/a"), "value": value }, { "key": format!("{key}/b"), "value": value }]);
        let all = json!([set(&key, &value), { "increment": ["count", 1] }, { "batch": pair }]);
        let Some(result) = call(&http, url, &acts("shared", &all)).await else {
            told.unknown += 1;
            break;
        };
        for act in done(&result) {
            assert!(act.get("error").is_none(), "a write was refused: {act}");
        }
        told.counted += 1;
        answered.fetch_add(1, Ordering::SeqCst);
        for name in [key.clone(), format!("{key}/a"), format!("{key}/b")] {
            told.values.insert(name, value.clone());
        }
    }
    told
}

/// Everything that a bucket holds, as the operator sees it.
fn kept(installation: &Installation, bucket: &str) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    let mut after = String::new();
    loop {
        let mut arguments = vec!["state", "show", BINDING, bucket, "--limit", "1000", "--json"];
        if !after.is_empty() {
            arguments.extend(["--after", &after]);
        }
        let page: Value =
            serde_json::from_slice(&fine(installation.fleetgate(&arguments)).stdout).expect("JSON");
        for entry in page["entries"].as_array().expect("entries") {
            let key = entry["key"].as_str().expect("a key").to_owned();
            kept.insert(key, entry["value"]["text"].as_str().unwrap_or_default().to_owned());
        }
        if page["more"] != true {
            return kept;
        }
        after = kept.last_key_value().expect("there are more than none").0.clone();
    }
}

fn fine(output: Output) -> Output {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_fifty_kills_of_the_host() {
    let installation = installed();
    let mut told = Told::default();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..ROUNDS {
        let server = Server::start(&installation);
        let url = server.endpoint(BINDING);
        let (gone, answered) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
        // At another moment each time: xorshift.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let kill = async {
            let wait_for = async |least: usize| {
                while answered.load(Ordering::SeqCst) < least {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::time::sleep(Duration::from_millis(20 + random % 400)).await;
            // A slow disk has acknowledged nothing by then.
            tokio::time::timeout(PATIENCE, wait_for(2)).await.expect("nothing is acknowledged");
            gone.store(true, Ordering::SeqCst);
            // SIGKILL.
            drop(server);
        };
        let writers = join_all((0..CALLERS).map(|caller| write(&url, round, caller, &gone, &answered)));
        let (writers, ()) = tokio::join!(writers, kill);
        for writer in writers {
            told.values.extend(writer.values);
            told.counted += writer.counted;
            told.unknown += writer.unknown;
        }
    }
    let kept = kept(&installation, "shared");
    let lost: Vec<_> = told.values.iter().filter(|(key, value)| kept.get(*key) != Some(value)).collect();
    assert!(lost.is_empty(), "acknowledged and lost or changed: {lost:?}");
    assert!(told.values.len() > 3 * ROUNDS, "{} writes were acknowledged", told.values.len());
    let count: i64 = kept["count"].parse().expect("a number");
    assert!(
        (told.counted..=told.counted + told.unknown).contains(&count),
        "{count} was counted; {} were acknowledged, and of {} it is not known",
        told.counted,
        told.unknown
    );
    // A batch that was not acknowledged is there as a whole or not at all.
    for key in kept.keys().filter(|key| key.ends_with("/a") || key.ends_with("/b")) {
        let other = if key.ends_with('a') { key.replace("/a", "/b") } else { key.replace("/b", "/a") };
        assert_eq!(kept[key], kept[&other], "half of a batch");
    }
    println!("{} entries acknowledged in {ROUNDS} rounds, {} calls cut", told.values.len(), told.unknown);
}

/// `fleetgate stdio --plugin`, one line at a time.
struct Pipe(Child, BufReader<std::process::ChildStdout>);

impl Pipe {
    fn start(installation: &Installation) -> Self {
        let mut command = installation.command(&["stdio", "--plugin", BINDING]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("fleetgate starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let mut this = Self(child, out);
        let client = json!({ "name": "t", "version": "1" });
        let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
        this.say(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello }));
        this.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        this
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.0.stdin.as_mut().expect("piped"), "{message}").expect("it reads");
    }

    fn call(&mut self, arguments: &Value) -> Value {
        let params = json!({ "name": "act", "arguments": arguments });
        self.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }));
        loop {
            let mut line = String::new();
            assert!(self.1.read_line(&mut line).expect("it writes") > 0, "it ended");
            let message: Value = serde_json::from_str(&line).expect("JSON");
            if message["id"] == 1 {
                return message["result"]["structuredContent"].clone();
            }
        }
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ends");
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_processes_of_a_configuration_remember_the_same_whichever_of_them_is_killed() {
    let installation = installed();
    let count = acts("shared", &json!([{ "increment": ["n", 1] }]));
    let counted = |result: &Value| done(result)[0].clone();
    // The first one holds the file; the others ask it.
    let mut first = Pipe::start(&installation);
    assert_eq!(counted(&first.call(&count)), 1);
    let server = Server::start(&installation);
    let client = Modern::new(&server.endpoint(BINDING));
    assert_eq!(counted(client.call("act", count.clone()).await.structured()), 2);
    let mut second = Pipe::start(&installation);
    assert_eq!(counted(&second.call(&count)), 3);
    let by_command = || {
        let arguments = count.to_string();
        let output = fine(installation.fleetgate(&["call", BINDING, "act", &arguments, "--json"]));
        let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        counted(&result["structured"])
    };
    assert_eq!(by_command(), 4);
    first.kill();
    assert_eq!(counted(&second.call(&count)), 5);
    assert_eq!(counted(client.call("act", count.clone()).await.structured()), 6);
    assert_eq!(by_command(), 7);
    drop(server);
    assert_eq!(counted(&second.call(&count)), 8);
    second.kill();
    assert_eq!(by_command(), 9);
    assert_eq!(kept(&installation, "shared")["n"], "9");
}

#[tokio::test]
async fn a_plugin_without_a_table_remembers_in_the_place_of_its_own_server() {
    let installation = Installation::new();
    installation.install(BINDING);
    let mut pipe = Pipe::start(&installation);
    for bucket in ["own", "shared"] {
        let result = pipe.call(&acts(bucket, &json!([set("k", "v"), { "get": "k" }])));
        assert_eq!(done(&result)[1]["value"], "v", "{bucket}");
    }
}

#[test]
fn the_operator_sees_and_deletes_what_is_remembered() {
    let installation = installed();
    let run = |arguments: &[&str]| installation.fleetgate(arguments);
    let said = |output: &Output| {
        let all = [&*output.stdout, &*output.stderr].concat();
        String::from_utf8(all).expect("text")
    };
    assert!(said(&fine(run(&["state", "list"]))).contains("nothing is remembered"));
    assert!(!installation.path().join(".fleetgate/store/state.redb").exists(), "looking made a store");

    let write = |bucket: &str| {
        let arguments = acts(bucket, &json!([set("a\u{202e}b", "1"), set("k", "12345")])).to_string();
        fine(run(&["call", BINDING, "act", &arguments]));
    };
    write("own");
    write("shared");
    let listed = said(&fine(run(&["state", "list", "--json"])));
    let buckets: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(buckets.len(), 2, "{listed}");
    assert_eq!(
        (&buckets[0]["bucket"], &buckets[0]["granted"]["scope"], &buckets[0]["entries"]),
        (&json!("own"), &json!("principal"), &json!(2))
    );
    assert_eq!(
        (&buckets[1]["bucket"], &buckets[1]["granted"]["quota"]),
        (&json!("shared"), &json!(64 << 20))
    );
    let shown = said(&fine(run(&["state", "show", BINDING, "shared"])));
    assert!(shown.contains("all callers") && shown.contains("k "), "{shown}");
    assert!(!shown.contains('\u{202e}'), "a key turned the terminal around: {shown}");
    let shown: Value =
        serde_json::from_slice(&fine(run(&["state", "show", BINDING, "own", "--json"])).stdout)
            .expect("JSON");
    let principal = shown["parts"][0]["principal"].as_str().expect("whose it is").to_owned();

    let refused = run(&["state", "delete", BINDING]);
    assert!(!refused.status.success() && said(&refused).contains("--yes"), "{}", said(&refused));
    let deleted = fine(run(&["state", "delete", BINDING, "own", "--principal", &principal, "--yes"]));
    assert!(said(&deleted).contains("2 entries"), "{}", said(&deleted));
    let unknown = run(&["state", "show", BINDING, "own"]);
    assert!(
        !unknown.status.success() && said(&unknown).contains("hostile-state/shared"),
        "{}",
        said(&unknown)
    );

    // The binding goes, and what it remembers stays until it is deleted.
    assert!(!said(&run(&["check"])).contains("Left by bindings"));
    installation.config("[serve]\n");
    let left = said(&run(&["check"]));
    assert!(left.contains("Left by bindings") && left.contains("hostile-state/shared: 2 entries"), "{left}");
    let facts: Value = serde_json::from_slice(&run(&["check", "--json"]).stdout).expect("JSON");
    assert_eq!(facts["left"][0]["binding"], BINDING);
    fine(run(&["state", "delete", BINDING, "--yes"]));
    assert!(!said(&run(&["check"])).contains("Left by bindings"));
    assert!(said(&fine(run(&["state", "list"]))).contains("nothing is remembered"));
}
