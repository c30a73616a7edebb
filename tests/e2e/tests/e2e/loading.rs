//! A plugin that lists its tools wrongly stays out, says why, and takes nobody with it.

use fleetgate_e2e::{Installation, Server};

fn installation(lie: &str) -> Installation {
    let installation = Installation::new();
    installation.install("hello");
    installation.install("lists");
    installation.config(&format!(
        "[serve]\nlocal_roles = [\"lists:view\"]\n\n[plugins.hello]\n\n[plugins.lists]\nconfig = {{ lie = \"{lie}\" }}\n"
    ));
    installation
}

#[tokio::test]
async fn without_a_lie_it_is_served() {
    let installation = installation("none");
    let server = Server::start(&installation);
    assert_eq!(server.client().tool_names().await, ["hello_greet", "lists_one"]);
}

#[tokio::test]
async fn each_wrong_list_keeps_its_plugin_out_and_the_others_in() {
    for (lie, why) in [
        ("twice", "two tools named"),
        ("unnamed", "has no entry in the manifest"),
        ("nothing", "lists no such tool"),
        ("changing", "other tools at each look"),
        ("trap", "crashed"),
        ("spin", "CPU time"),
        ("fault", "no list today"),
        ("contradiction", "readOnlyHint"),
        ("bad-name", "one two"),
        ("bad-schema", "\"type\": \"object\""),
        ("no-json", "not JSON"),
        ("remote-schema", "leaves the document"),
        ("long-description", "description"),
        ("many", "tools"),
    ] {
        let installation = installation(lie);
        let checked = installation.fleetgate(&["check"]);
        let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
        assert!(said.contains(why), "check says of {lie}: {said}");
        assert_eq!(checked.status.code(), Some(1), "check of {lie}");

        let server = Server::start(&installation);
        assert_eq!(server.client().tool_names().await, ["hello_greet"], "{lie}");
        server.logs(why).await;
    }
}

#[tokio::test]
async fn text_that_hides_in_a_description_is_made_visible() {
    let installation = installation("hidden-text");
    let server = Server::start(&installation);
    let tools = server.client_of("lists").tools().await;
    assert_eq!(tools[0]["description"], "One\\u{202e}\\u{e0041}\\u{200b}.");
}
