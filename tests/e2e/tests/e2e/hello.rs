//! The smallest plugin, from file to answer.

use fleetgate_e2e::{Installation, Server};
use serde_json::json;

fn hello() -> Installation {
    let installation = Installation::new();
    installation.install("hello");
    installation.config("[serve]\n\n[plugins.hello]\n");
    installation
}

#[tokio::test]
async fn a_dropped_and_listed_plugin_answers_on_both_endpoints() {
    let installation = hello();
    let server = Server::start(&installation);
    assert_eq!(server.client().tool_names().await, ["hello_greet"]);
    assert_eq!(server.client_of("hello").tool_names().await, ["greet"]);
    let answer = server.client_of("hello").call("greet", json!({"name": "Ann"})).await;
    assert_eq!(answer.text(), "Hello, Ann!");
    let answer = server.client().call("hello_greet", json!({"name": "Bob"})).await;
    assert_eq!(answer.text(), "Hello, Bob!");
}

#[tokio::test]
async fn a_wrong_argument_is_a_tool_error_that_names_the_field() {
    let installation = hello();
    let server = Server::start(&installation);
    let answer = server.client_of("hello").call("greet", json!({"name": 7})).await;
    assert_eq!(answer.fault()["code"], "invalid-arguments");
    assert_eq!(answer.fault()["field"], "/name");
}

#[tokio::test]
async fn an_unknown_tool_is_an_error_of_the_protocol() {
    let installation = hello();
    let server = Server::start(&installation);
    let answer = server.client_of("hello").call("geret", json!({})).await;
    assert_eq!(answer.error_code(), -32602);
}
