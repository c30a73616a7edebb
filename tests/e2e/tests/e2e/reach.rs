//! A plugin reaches what was granted and nothing else, whatever it sends.

use fleetgate_e2e::{Answer, Installation, Server, Upstream};
use serde_json::{Value, json};

const SECRET: &str = "canary-9f8e7d6c5b4a3210";

fn installation(upstream: &Upstream) -> Installation {
    let installation = Installation::of("hostile", &upstream.url(), SECRET, &[]);
    let more = "\n[plugins.hostile]\n";
    assert!(!installation.config_text().contains(more));
    installation
}

fn to(authority: &str, method: &str, path: &str) -> Value {
    json!({"method": method, "scheme": "http", "authority": authority, "path": path})
}

fn status(answer: &Answer) -> Option<u64> {
    answer.structured()["status"].as_u64()
}

fn refused(answer: &Answer) -> bool {
    answer.structured()["status"].is_null() && answer.structured()["error"].is_string()
}

#[tokio::test]
async fn a_granted_request_arrives_with_the_credential_that_the_guest_never_sees() {
    let upstream = Upstream::start().await;
    let installation = installation(&upstream);
    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    let port = upstream.authority().rsplit(':').next().expect("a port").to_owned();
    // The granted origin may be named by its alias, by itself, and by another spelling of the same address.
    for authority in ["api.upstream", &upstream.authority(), &format!("[::ffff:127.0.0.1]:{port}")] {
        let answer = client.call("request", to(authority, "GET", "/granted/echo?q=1")).await;
        assert_eq!(status(&answer), Some(200), "{answer:?}");
        let seen = answer.message.to_string();
        assert!(!seen.contains(SECRET), "the guest saw the credential: {seen}");
        assert!(seen.contains("[masked]"), "the upstream echoed it, so something must be masked: {seen}");
    }
    let arrived = upstream.arrived();
    assert_eq!(arrived.len(), 3);
    for request in arrived {
        assert_eq!(request.header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
        assert_eq!(request.header("host"), Some(upstream.authority().as_str()));
        assert_eq!(request.target, "/granted/echo?q=1");
    }
}

#[tokio::test]
async fn ungranted_methods_paths_hosts_ports_and_schemes_are_refused_and_never_arrive() {
    let upstream = Upstream::start().await;
    let elsewhere = Upstream::start().await;
    let installation = installation(&upstream);
    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    let port = upstream.authority().rsplit(':').next().expect("a port").to_owned();
    let mut tries = vec![
        to("api.upstream", "DELETE", "/granted/a"),
        to("api.upstream", "PURGE", "/granted/a"),
        to("api.upstream", "GET", "/"),
        to("api.upstream", "GET", "/grantedness"),
        to("api.upstream", "GET", "/other/granted/a"),
        to("never.upstream", "GET", "/granted/a"),
        to("unheard.upstream", "GET", "/granted/a"),
        to(&elsewhere.authority(), "GET", "/granted/a"),
        to(&format!("localhost:{port}"), "GET", "/granted/a"),
        to("127.0.0.1", "GET", "/granted/a"),
        to("169.254.169.254", "GET", "/latest/meta-data/"),
        to("[fd00:ec2::254]", "GET", "/latest/meta-data/"),
        to("metadata.google.internal", "GET", "/computeMetadata/v1/"),
        to("example.com", "GET", "/"),
    ];
    tries.push(
        json!({"method": "GET", "scheme": "https", "authority": upstream.authority(), "path": "/granted/a"}),
    );
    for path in [
        "/granted/../secret",
        "/granted/%2e%2e/secret",
        "/granted/.%2E/secret",
        "/granted/a%2fb",
        "/granted/a%5cb",
        "/granted//secret",
        "//granted/a",
        "/granted/a;b",
        "/granted/./a",
        "/granted/%252e%252e/a",
        "/granted/a%00",
        "/granted/%zz",
    ] {
        tries.push(to("api.upstream", "GET", path));
    }
    for arguments in tries {
        let answer = client.call("request", arguments.clone()).await;
        assert!(refused(&answer), "{arguments} got through: {answer:?}");
        let text = answer.message.to_string();
        assert!(
            !text.contains("grant.http") && !text.contains("networks"),
            "the policy is told to the caller: {text}"
        );
    }
    assert_eq!(upstream.arrived().len() + elsewhere.arrived().len(), 0, "{:?}", upstream.arrived());
}

#[tokio::test]
async fn a_read_only_tool_cannot_write_whatever_its_plugin_was_granted() {
    let upstream = Upstream::start().await;
    let installation = installation(&upstream);
    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    let post = to("api.upstream", "POST", "/granted/a");
    assert_eq!(status(&client.call("request", post.clone()).await), Some(200), "the plugin itself may POST");
    assert!(refused(&client.call("request_read_only", post).await));
    let get = to("api.upstream", "GET", "/granted/a");
    assert_eq!(status(&client.call("request_read_only", get).await), Some(200));
    let methods: Vec<_> = upstream.arrived().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["POST", "GET"]);
}

#[tokio::test]
async fn a_tools_reach_is_its_ceiling() {
    let upstream = Upstream::start().await;
    let installation = installation(&upstream);
    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    for (method, path, allowed) in [
        ("POST", "/granted/one", true),
        ("GET", "/granted/one", false),
        ("POST", "/granted/two", false),
        ("POST", "/granted/one/more", false),
    ] {
        let answer = client.call("request_within_reach", to("api.upstream", method, path)).await;
        assert_eq!(status(&answer).is_some(), allowed, "{method} {path}: {answer:?}");
    }
    assert_eq!(upstream.arrived().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed_to_where_nothing_was_granted() {
    let upstream = Upstream::start().await;
    let elsewhere = Upstream::start().await;
    let installation = installation(&upstream);
    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    for target in [
        format!("{}/granted/a", elsewhere.url()),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("{}/secret", upstream.url()),
        "file:///etc/passwd".to_owned(),
    ] {
        let answer = client
            .call("request", to("api.upstream", "GET", &format!("/granted/redirect?to={target}")))
            .await;
        assert_ne!(status(&answer), Some(200), "{target}: {answer:?}");
    }
    assert!(elsewhere.arrived().is_empty());
    assert!(upstream.arrived().iter().all(|request| request.target.starts_with("/granted/redirect")));
}

#[tokio::test]
async fn headers_that_belong_to_the_host_do_not_leave_it() {
    let upstream = Upstream::start().await;
    let installation = installation(&upstream);
    let server = Server::start(&installation);
    let mut arguments = to("api.upstream", "GET", "/granted/a");
    arguments["headers"] = json!({
        "authorization": "Bearer mine", "cookie": "a=b", "proxy-authorization": "x", "host": "evil.example",
        "connection": "keep-alive, x-smuggled", "x-smuggled": "1", "te": "trailers", "upgrade": "h2c",
        "x-forwarded-for": "10.0.0.1", "x-mine": "kept",
    });
    let answer = server.client_of("hostile").call("request", arguments).await;
    assert_eq!(status(&answer), Some(200), "{answer:?}");
    let request = &upstream.arrived()[0];
    assert_eq!(request.header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
    assert_eq!(request.header("host"), Some(upstream.authority().as_str()));
    for dropped in ["cookie", "proxy-authorization", "te", "upgrade", "x-smuggled", "x-forwarded-for"] {
        assert_eq!(request.header(dropped), None, "{dropped}");
    }
    assert_eq!(request.header("x-mine"), Some("kept"));
}

#[tokio::test]
async fn a_seventeenth_request_in_flight_is_refused() {
    let upstream = Upstream::start().await;
    let installation = installation(&upstream);
    let server = Server::start(&installation);
    let answer =
        server.client_of("hostile").call("many_requests", json!({"count": 40, "path": "/granted/a"})).await;
    let answered = answer.structured()["answered"].as_u64().expect("a count");
    assert_eq!(answered, 16, "{answer:?}");
    assert!(upstream.arrived().len() <= 16);
}

#[tokio::test]
async fn why_tells_the_operator_the_rule_and_the_line_that_would_allow_it() {
    let upstream = Upstream::start().await;
    let installation = installation(&upstream);
    let narrow =
        installation.config_text().replace("credential =", "paths = [\"/granted/one\"]\ncredential =");
    installation.config(&narrow);
    let server = Server::start(&installation);
    for (path, rule) in [("/secret", "the manifest asks for"), ("/granted/two", "paths =")] {
        let answer = server.client_of("hostile").call("request", to("api.upstream", "GET", path)).await;
        assert!(refused(&answer));
        let text = installation.why(&answer.reference()).stdout;
        assert!(text.contains(path) && text.contains(rule), "{text}");
    }
}
