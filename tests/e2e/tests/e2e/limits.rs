//! A plugin that burns time, memory, handles or the log costs its own calls and nothing else.

use std::time::Duration;

use fleetgate_e2e::{Installation, Modern, Server};
use serde_json::{Value, json};

/// The attacking plugin, with limits that end it soon, beside an honest one. Time on the wall is no such limit: it also
/// passes while a busy machine does something else.
fn installation() -> Installation {
    let installation = Installation::new();
    installation.install("hostile");
    installation.install("hello");
    installation.config(
        r#"
[serve]

[limits]
timeout = "60s"
cpu = "400ms"
memory = "32MiB"
max_memory = "128MiB"

[plugins.hello]

[plugins.hostile.limits]
binding_memory = "128MiB"
concurrency = 32
"#,
    );
    installation
}

async fn attack(server: &Server, tool: &str, arguments: Value) -> (String, String) {
    let answer = server.client_of("hostile").call(tool, arguments).await;
    let fault = answer.fault();
    (fault["code"].as_str().unwrap_or_default().to_owned(), answer.text())
}

async fn honest(server: &Server) {
    let answer = server.client_of("hello").call("greet", json!({"name": "Ann"})).await;
    assert_eq!(answer.text(), "Hello, Ann!");
}

#[tokio::test]
async fn an_endless_loop_ends_at_its_cpu_budget_and_says_so() {
    let installation = installation();
    let server = Server::start(&installation);
    let (code, text) = attack(&server, "spin", json!({})).await;
    assert_eq!(code, "limit");
    assert!(text.contains("CPU time"), "{text}");
    honest(&server).await;
}

#[tokio::test]
async fn an_endless_loop_with_cpu_to_spare_ends_at_its_deadline() {
    let installation = installation();
    let (cpu, time) = ("cpu = \"1m\"\nmax_timeout = \"5s\"", "timeout = \"5s\"");
    let text = installation.config_text().replace("cpu = \"400ms\"", cpu).replace("timeout = \"60s\"", time);
    installation.config(&text);
    let server = Server::start(&installation);
    let (code, text) = attack(&server, "spin", json!({})).await;
    assert_eq!(code, "timeout", "{text}");
    honest(&server).await;
}

#[tokio::test]
async fn a_tight_loop_of_host_calls_ends_like_any_other() {
    let installation = installation();
    let server = Server::start(&installation);
    let (code, text) = attack(&server, "ask_forever", json!({})).await;
    assert_eq!(code, "limit", "{text}");
    honest(&server).await;
}

#[tokio::test]
async fn endless_recursion_is_that_calls_error_and_nothing_else() {
    let installation = installation();
    let mut server = Server::start(&installation);
    let (code, text) = attack(&server, "recurse", json!({})).await;
    assert_eq!(code, "limit", "{text}");
    assert!(text.contains("stack"), "{text}");
    honest(&server).await;
    assert!(server.alive());
}

#[tokio::test]
async fn a_crash_is_that_calls_error_and_tells_the_caller_nothing_of_the_author() {
    let installation = installation();
    let mut server = Server::start(&installation);
    for tool in ["panic", "unreachable", "exit"] {
        let (code, text) = attack(&server, tool, json!({})).await;
        assert_eq!(code, "internal", "{tool}: {text}");
        assert!(!text.contains("src/") && !text.contains("fell over"), "{tool}: {text}");
        assert!(text.contains("reference"), "{tool}: {text}");
    }
    honest(&server).await;
    assert!(server.alive());
}

#[tokio::test]
async fn honest_calls_pass_a_crowd_of_spinning_ones() {
    let installation = installation();
    // The crowd spins for as long as the honest calls take, whatever the machine.
    let text = installation.config_text().replace("cpu = \"400ms\"", "cpu = \"5m\"");
    installation.config(&text);
    let server = Server::start(&installation);
    let spinning: Vec<_> = (0..24)
        .map(|_| {
            let client = server.client_of("hostile");
            tokio::spawn(async move { client.call("spin", json!({})).await })
        })
        .collect();
    // All of them while the crowd spins: none of these needs a spinner to end first.
    for _ in 0..50 {
        honest(&server).await;
    }
    assert!(spinning.iter().all(|call| !call.is_finished()), "a spinner ended before the honest calls came");
    spinning.into_iter().for_each(|call| call.abort());
}

#[tokio::test]
async fn a_memory_bomb_ends_at_its_limit_and_64_of_them_at_the_bindings() {
    let installation = installation();
    let server = Server::start(&installation);
    let (code, text) = attack(&server, "grow_forever", json!({})).await;
    assert_eq!(code, "limit");
    assert!(text.contains("memory"), "{text}");

    let before = server.resident();
    let bombs: Vec<_> = (0..64)
        .map(|_| {
            let client = server.client_of("hostile");
            tokio::spawn(async move { client.call("grow_forever", json!({})).await })
        })
        .collect();
    let mut most = 0;
    while bombs.iter().any(|bomb| !bomb.is_finished()) {
        most = most.max(server.resident());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for bomb in bombs {
        assert_eq!(bomb.await.expect("the client lives").fault()["code"], "limit");
    }
    let grown = most.saturating_sub(before);
    // The binding's total, a tenth more, and what 64 connections take.
    let allowed = (128 << 20) * 11 / 10 + (32 << 20);
    assert!(grown <= allowed, "resident memory grew by {grown} bytes, allowed are {allowed}");
    honest(&server).await;
}

#[tokio::test]
async fn a_thousand_slow_calls_of_one_plugin_leave_the_others_their_share() {
    let installation = installation();
    let server = Server::start(&installation);
    let slow: Vec<_> = (0..1_000)
        .map(|_| {
            let client = server.client_of("hostile");
            tokio::spawn(async move { client.call("sleep", json!({"milliseconds": 60_000})).await })
        })
        .collect();
    for _ in 0..20 {
        honest(&server).await;
    }
    assert!(slow.iter().all(|call| !call.is_finished()), "no slow call has ended yet");
    slow.into_iter().for_each(|call| call.abort());
}

#[tokio::test]
async fn leaked_handles_and_too_much_random_are_refused() {
    let installation = installation();
    let server = Server::start(&installation);
    for tool in ["leak_fields", "leak_pollables", "much_random"] {
        let answer = server.client_of("hostile").call(tool, json!({})).await;
        assert!(!answer.succeeded(), "{tool} got through: {answer:?}");
    }
    honest(&server).await;
}

#[tokio::test]
async fn more_data_than_allowed_cannot_be_handed_to_a_host_function() {
    let installation = installation();
    installation.config(&installation.config_text().replace("memory = \"32MiB\"", "memory = \"128MiB\""));
    let server = Server::start(&installation);
    let (code, text) = attack(&server, "huge_argument_to_host", json!({})).await;
    assert_eq!(code, "limit", "{text}");
    assert!(text.contains("data"), "{text}");
}

#[tokio::test]
async fn a_result_at_the_limit_passes_and_one_beyond_is_refused() {
    let installation = installation();
    installation.config(&installation.config_text().replace("[limits]", "[limits]\nresult = \"1MiB\""));
    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    assert_eq!(client.call("bytes", json!({"count": 1 << 20})).await.text().len(), 1 << 20);
    let (code, text) = attack(&server, "bytes", json!({"count": (1 << 20) + 1})).await;
    assert_eq!(code, "limit", "{text}");
    let (code, _) = attack(&server, "bytes", json!({"count": 8 << 20})).await;
    assert_eq!(code, "limit");
    let (code, text) = attack(&server, "many_blocks", json!({"count": 20_000})).await;
    assert_eq!(code, "limit", "{text}");
}

#[tokio::test]
async fn a_result_that_breaks_its_own_schema_is_the_plugins_fault() {
    let installation = installation();
    let server = Server::start(&installation);
    let (code, text) = attack(&server, "unpromised", json!({})).await;
    assert_eq!(code, "protocol", "{text}");
}

#[tokio::test]
async fn text_that_hides_or_reorders_is_made_visible() {
    let installation = installation();
    let server = Server::start(&installation);
    let text = server.client_of("hostile").call("bidi", json!({})).await.text();
    assert_eq!(text, "safe\\u{202e}exe.\\u{200b}\\u{1b}[2Jtxt\\u{e0041}");
}

#[tokio::test]
async fn nothing_of_one_call_is_there_in_the_next() {
    let installation = installation();
    let server = Server::start(&installation);
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let client = server.client_of("hostile");
            tokio::spawn(async move {
                for _ in 0..1_250 {
                    assert_eq!(client.call("canary", json!({})).await.text(), "0");
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("every canary said 0");
    }
}

#[tokio::test]
async fn the_machine_is_out_of_sight() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    let installation = installation();
    let server = Server::start(&installation);
    let found = server.client_of("hostile").call("look_around", json!({ "address": address })).await;
    let nothing = json!({"environment": [], "arguments": [], "files": [], "network": [], "programs": []});
    assert_eq!(found.structured(), &nothing);
    assert!(!std::path::Path::new("/tmp/fleetgate-hostile").exists());
}

#[tokio::test]
async fn a_flood_of_log_lines_is_cut_and_counted() {
    let installation = installation();
    let server = Server::start(&installation);
    let answer = server.client_of("hostile").call("log_flood", json!({})).await;
    assert!(answer.succeeded() || answer.fault()["code"] == "limit", "{answer:?}");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    server.client_of("hostile").call("long_line", json!({})).await;
    server.logs("over the limit were dropped").await;
    let log = server.log();
    assert!(log.matches("flood ").count() < 2_000, "{} lines got through", log.matches("flood ").count());
    assert!(log.lines().all(|line| line.len() < 8 << 10), "a line of over 8 KiB");
}

#[tokio::test]
async fn a_forged_line_stays_one_line_without_colours() {
    let installation = installation();
    let server = Server::start(&installation);
    server.client_of("hostile").call("forged_line", json!({})).await;
    server.logs("harmless").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let log = server.log();
    assert!(!log.contains("\u{1b}[31m") && !log.contains('\u{202e}'), "{log}");
    assert!(
        !log.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z")),
        "a forged line stands by itself:\n{log}"
    );
}

#[tokio::test]
async fn hundreds_of_crashes_and_limits_leave_the_host_as_it_was() {
    let installation = installation();
    let mut server = Server::start(&installation);
    let client = server.client_of("hostile");
    let round = |client: Modern| async move {
        for tool in ["panic", "unreachable", "recurse", "leak_fields", "grow_forever", "unpromised"] {
            assert!(!client.call(tool, json!({})).await.succeeded());
        }
    };
    for _ in 0..10 {
        round(client.clone()).await;
    }
    let before = server.resident();
    for _ in 0..100 {
        round(client.clone()).await;
    }
    let after = server.resident();
    assert!(after < before + (32 << 20), "resident memory drifted from {before} to {after} bytes");
    // A guest's panic is a line of its plugin's log; the host's own would stand at the start of a line.
    let own: Vec<_> =
        server.log().lines().filter(|line| line.starts_with("thread '")).map(str::to_owned).collect();
    assert!(own.is_empty(), "{own:?}");
    assert!(server.alive());
    honest(&server).await;
}
