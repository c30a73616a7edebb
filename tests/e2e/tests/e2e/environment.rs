//! A plugin in the place of its own server, with that server's environment variables and nothing else.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use fleetgate_e2e::{Installation, Upstream};
use serde_json::{Value, json};

const TOKEN: &str = "canary-of-the-environment";

/// Lists the organizations over stdio with these variables. The input ends once that is answered, since nobody waits
/// for long for what was asked before the end.
async fn list_orgs(
    installation: &Installation,
    more: &[&str],
    variables: &[(&str, &str)],
) -> (String, Value) {
    let mut command = installation.command(&["stdio", "--plugin", "nerveshub"]);
    command.args(more);
    for name in ["NERVES_HUB_URI", "NERVESHUB_URL", "NERVES_HUB_TOKEN", "NH_TOKEN"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("fleetgate starts");
    let client = json!({"name": "t", "version": "1"});
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    let mut input = child.stdin.take().expect("piped");
    for message in [
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_orgs", "arguments": {}}}),
    ] {
        // Whatever refuses to start reads nothing.
        let _ = writeln!(input, "{message}");
    }
    let mut complaints = child.stderr.take().expect("piped");
    let complained = std::thread::spawn(move || {
        let mut said = String::new();
        complaints.read_to_string(&mut said).map(|_| said)
    });
    let talk = tokio::task::spawn_blocking(move || {
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let answers =
            lines.map(|line| serde_json::from_str::<Value>(&line.expect("text")).expect("a message"));
        let answer = { answers }.find(|answer| answer["id"] == 1).unwrap_or_default();
        drop(input);
        child.wait().expect("our own child");
        answer
    });
    let answer = talk.await.expect("it ends");
    (complained.join().expect("it is read").expect("text"), answer)
}

#[tokio::test]
async fn variables_alone_grant_a_plugin_without_a_table_and_are_named_without_their_values() {
    let upstream = Upstream::start().await;
    let installation = Installation::new();
    installation.install("nerveshub");
    installation.config("");
    let url = upstream.url();
    let (said, _) = list_orgs(
        &installation,
        &["--env", "NH_TOKEN"],
        &[("NERVESHUB_URL", &url), ("NERVES_HUB_TOKEN", ""), ("NH_TOKEN", TOKEN)],
    )
    .await;
    for line in [
        "nerveshub: http.api is granted: url is read from NERVESHUB_URL",
        "nerveshub: http.api is granted: bearer is read from NH_TOKEN",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!said.contains(TOKEN) && !said.contains(&url), "{said}");
    let arrived = upstream.arrived();
    assert!(!arrived.is_empty(), "{said}");
    assert!(
        arrived
            .iter()
            .all(|request| { request.header("authorization").is_some_and(|field| field.ends_with(TOKEN)) })
    );
    // Without a key there is no credential, and no other difference.
    list_orgs(&installation, &[], &[("NERVESHUB_URL", &url)]).await;
    assert!(upstream.arrived().last().is_some_and(|request| request.header("authorization").is_none()));

    // A table is the operator's word, and no variable is read.
    installation.config("[plugins.nerveshub]\n");
    let before = upstream.arrived().len();
    let variables = [("NERVESHUB_URL", url.as_str()), ("NH_TOKEN", TOKEN)];
    let (said, _) = list_orgs(&installation, &["--env", "NH_TOKEN"], &variables).await;
    assert_eq!((upstream.arrived().len(), said.contains("is read from")), (before, false), "{said}");
    assert!(said.contains("nerveshub: --env NH_TOKEN gives nothing"), "{said}");
}

#[tokio::test]
async fn a_variable_that_is_not_the_plugins_by_name_is_read_where_the_person_names_it_and_not_before() {
    let upstream = Upstream::start().await;
    let installation = Installation::new();
    installation.install("nerveshub");
    installation.config("");
    let url = upstream.url();
    let variables = [("NERVESHUB_URL", url.as_str()), ("NH_TOKEN", TOKEN)];
    let (said, _) = list_orgs(&installation, &[], &variables).await;
    let line = "nerveshub: NH_TOKEN is set and not read, since it is not nerveshub's by name; to give it, add --env NH_TOKEN";
    assert!(said.contains(line) && !said.contains(TOKEN), "{said}");
    let arrived = upstream.arrived();
    assert!(!arrived.is_empty(), "{said}");
    assert!(arrived.iter().all(|request| request.header("authorization").is_none()));
}
