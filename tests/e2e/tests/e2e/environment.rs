//! A plugin in the place of its own server, with that server's environment variables and nothing else.

use std::io::Write;
use std::process::{Output, Stdio};

use fleetgate_e2e::{Installation, Upstream};
use serde_json::{Value, json};

const TOKEN: &str = "canary-of-the-environment";

/// Lists the organizations over stdio with these variables.
async fn list_orgs(
    installation: &Installation,
    more: &[&str],
    variables: &[(&str, &str)],
) -> (Output, Value) {
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
    drop(input);
    let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.expect("it ends");
    let output = output.expect("our own child");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let answers = said.lines().map(|line| serde_json::from_str::<Value>(line).expect("a message"));
    let answer = answers.into_iter().find(|answer| answer["id"] == 1).unwrap_or_default();
    (output, answer)
}

#[tokio::test]
async fn variables_alone_grant_a_plugin_without_a_table_and_are_named_without_their_values() {
    let upstream = Upstream::start().await;
    let installation = Installation::new();
    installation.install("nerveshub");
    installation.config("");
    let url = upstream.url();
    let (output, _) = list_orgs(
        &installation,
        &["--env", "NH_TOKEN"],
        &[("NERVESHUB_URL", &url), ("NERVES_HUB_TOKEN", ""), ("NH_TOKEN", TOKEN)],
    )
    .await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
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
    let (output, _) = list_orgs(&installation, &["--env", "NH_TOKEN"], &variables).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
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
    let (output, _) = list_orgs(&installation, &[], &variables).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = "nerveshub: NH_TOKEN is set and not read, since it is not nerveshub's by name; to give it, add --env NH_TOKEN";
    assert!(said.contains(line) && !said.contains(TOKEN), "{said}");
    let arrived = upstream.arrived();
    assert!(!arrived.is_empty(), "{said}");
    assert!(arrived.iter().all(|request| request.header("authorization").is_none()));
}
