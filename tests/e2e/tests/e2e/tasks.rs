//! Tasks of the real host: across a crash of it, and as its operator sees them.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};

use fleetgate_e2e::{Installation, Modern, Server};
use serde_json::{Value, json};

const TASKS: &str = "io.modelcontextprotocol/tasks";

fn installed() -> Installation {
    let installation = Installation::new();
    installation.install("conformance");
    let grant = "[plugins.conformance.grant.client.elicitation]\n";
    installation.config(&format!("[serve]\n\n[plugins.conformance]\n{grant}"));
    installation
}

fn capabilities() -> Value {
    json!({"elicitation": {}, "extensions": {TASKS: {}}})
}

fn client(server: &Server) -> Modern {
    server.client_of("conformance").that_can(capabilities())
}

async fn task(client: &Modern, tool: &str, arguments: Value) -> String {
    let answer = client.call(tool, arguments).await;
    assert_eq!(answer.result()["resultType"], "task", "{answer:?}");
    answer.result()["taskId"].as_str().expect("an id").to_owned()
}

async fn get(client: &Modern, id: &str) -> Value {
    client.request("tasks/get", json!({"taskId": id})).await.result().clone()
}

async fn until(server: &Server, client: &Modern, id: &str, status: &str) {
    server.until(status, || async { get(client, id).await["status"] == status }).await;
}

fn listed(installation: &Installation, list: &str) -> Vec<Value> {
    installation.run_well(&["jobs", list, "--json"]).json_lines()
}

#[tokio::test]
async fn a_host_that_was_killed_fails_what_ran_with_a_reason_and_keeps_what_had_ended() {
    let installation = installed();
    let server = Server::start(&installation);
    let kept = client(&server);
    let done = task(&kept, "slow_compute", json!({"seconds": 0, "label": "it"})).await;
    until(&server, &kept, &done, "completed").await;
    let running = task(&kept, "slow_compute", json!({"seconds": 60})).await;
    let asking = task(&kept, "multi_input", json!({})).await;
    until(&server, &kept, &asking, "input_required").await;
    assert_eq!(get(&kept, &running).await["status"], "working");
    // Its operator sees the same, a second later at most.
    let ids = [("completed", &done), ("working", &running), ("input-required", &asking)];
    server
        .until("`fleetgate jobs` shows them", || async {
            let jobs = listed(&installation, "list");
            ids.iter()
                .all(|(status, id)| jobs.iter().any(|job| job["id"] == **id && job["status"] == *status))
        })
        .await;
    assert!(listed(&installation, "dead").is_empty());

    // SIGKILL: nothing of it is told to stop.
    drop(server);
    let server = Server::start(&installation);
    let kept = client(&server);
    let completed = get(&kept, &done).await;
    assert_eq!(completed["status"], "completed", "{completed}");
    assert_eq!(completed["result"]["content"][0]["text"], "Computed it in 0 s.");
    for (id, reason) in [
        (&running, "the host was stopped while this job ran; it may be run again"),
        (&asking, "It is not known whether it took effect: look before repeating it"),
    ] {
        let failed = get(&kept, id).await;
        assert_eq!((&failed["status"], failed.get("result")), (&json!("failed"), None), "{failed}");
        let error = &failed["error"];
        assert!(error["message"].as_str().expect("a reason").contains(reason), "{failed}");
        assert_eq!(error["data"]["code"], "interrupted", "{failed}");
    }
    server.logs("`fleetgate jobs dead` lists them").await;

    server
        .until("`fleetgate jobs` shows what became of them", || async {
            listed(&installation, "dead").len() == 2
        })
        .await;
    let dead = listed(&installation, "dead");
    for (tool, id) in [("slow_compute", &running), ("multi_input", &asking)] {
        let job = dead.iter().find(|job| job["id"] == **id).expect("it is dead");
        assert_eq!((&job["tool"], &job["binding"]), (&json!(tool), &json!("conformance")));
        assert_eq!((&job["code"], &job["principal"]), (&json!("interrupted"), &json!("local")));
    }
    let table = installation.run_well(&["jobs", "dead"]).stdout;
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    for column in ["at", "who", "binding", "tool", "arguments", "why", "call"] {
        assert!(lines[0].contains(column), "{column}: {table}");
    }
    assert!(table.contains("interrupted: the host was stopped while this job ran"), "{table}");

    let table = installation.run_well(&["jobs", "list"]).stdout;
    for (id, status) in [(&done, "completed"), (&running, "failed"), (&asking, "failed")] {
        let line = table.lines().find(|line| line.contains(id.as_str())).expect("its line");
        assert!(line.contains(status) && line.contains("conformance") && line.contains("local"), "{line}");
    }
    // What ended is not failed a second time.
    drop(server);
    let server = Server::start(&installation);
    assert_eq!(get(&client(&server), &done).await["status"], "completed");
    assert_eq!(listed(&installation, "dead").len(), 2);
}

#[test]
fn without_jobs_the_lists_say_so_and_what_cannot_be_read_is_an_error() {
    let installation = installed();
    for (list, said) in [("list", "no job is kept"), ("dead", "every job came to its end")] {
        let nothing = installation.run_well(&["jobs", list]);
        assert_eq!(nothing.stdout, "");
        assert!(nothing.stderr.contains(said), "{nothing:?}");
        assert_eq!(installation.run_well(&["jobs", list, "--json"]).all(), "");
    }
    let store = installation.path().join(".fleetgate/store");
    std::fs::create_dir_all(&store).expect("our own folder");
    let file = store.join("serve.jobs.json");
    for (text, said) in [("{", "is not a list of jobs"), ("{\"jobs\": 5}", "is not a list of jobs")] {
        std::fs::write(&file, text).expect("room on the disk");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("our own file");
        for list in ["list", "dead"] {
            let refused = installation.run(&["jobs", list]);
            assert_eq!(refused.code, 1, "{refused:?}");
            assert!(
                refused.stderr.contains(said) && refused.stderr.contains("serve.jobs.json"),
                "{refused:?}"
            );
        }
    }
    let wrong = installation.run(&["jobs", "all"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
}

/// One client on stdin and stdout.
struct Lines {
    child: Child,
    heard: std::io::Lines<BufReader<std::process::ChildStdout>>,
    next: u64,
}

impl Lines {
    fn of(installation: &Installation) -> Self {
        let mut command = installation.command(&["stdio", "--plugin", "conformance"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("fleetgate starts");
        let heard = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        Self { child, heard, next: 0 }
    }

    fn ask(&mut self, method: &str, mut params: Value) -> Value {
        self.next += 1;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": capabilities(),
        });
        let message = json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params});
        let input = self.child.stdin.as_mut().expect("stdin is piped");
        writeln!(input, "{message}").expect("it reads");
        for line in self.heard.by_ref() {
            let message: Value = serde_json::from_str(&line.expect("text")).expect("a message");
            if message["id"] == self.next {
                return message;
            }
        }
        panic!("it ended without an answer to {method}");
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn what_is_acknowledged_on_a_pipe_says_who_acknowledges_it() {
    let installation = installed();
    let mut lines = Lines::of(&installation);
    let task = lines.ask("tools/call", json!({"name": "multi_input", "arguments": {}}));
    let id = task["result"]["taskId"].as_str().unwrap_or_else(|| panic!("no task: {task}"));
    for (method, params) in [
        ("tasks/update", json!({"taskId": id, "inputResponses": {}})),
        ("tasks/cancel", json!({"taskId": id})),
    ] {
        let answer = lines.ask(method, params);
        assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
        let who = &answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"];
        assert_eq!(who, "fleetgate", "{method}: {answer}");
    }
}
