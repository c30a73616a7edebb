//! The first layer: scheme, host, port, method, path; manifest, grant, reach.

use crate::upstream::Upstream;
use crate::world::{ALL, World, request};

#[tokio::test]
async fn a_capability_name_stands_for_the_granted_url() {
    let upstream = Upstream::echo().await;
    let binding = World::new(&upstream.grant()).bind();
    let caller = World::new(&upstream.grant()).call().to(&binding);
    let got = caller.get("http://api.upstream/v2/jobs?limit=1").await.unwrap();
    assert!(got.text().starts_with("GET /v2/jobs?limit=1\n"), "{}", got.text());
    assert_eq!(caller.call.used.used(), ["http.api GET /v2/jobs 200"], "without the query");
    let got = caller.get("https://API.Upstream/v2/jobs").await.unwrap();
    assert!(got.text().starts_with("GET /v2/jobs\n"), "{}", got.text());
}

#[tokio::test]
async fn a_request_to_the_granted_origin_itself_is_the_same_request() {
    let upstream = Upstream::echo().await;
    let world = World::new(&upstream.grant());
    let caller = world.call().to(&world.bind());
    for spelling in
        ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "[::ffff:127.0.0.1]"]
    {
        let got = caller.get(&format!("http://{spelling}:{}/v2/jobs", upstream.port())).await.unwrap();
        assert!(got.text().starts_with("GET /v2/jobs\n"), "{spelling}");
    }
}

#[tokio::test]
async fn the_path_of_a_granted_url_comes_before_every_path() {
    let upstream = Upstream::echo().await;
    let grant = format!("url = \"{}/base/\"\npaths = [\"/v2/**\"]", upstream.url());
    let world = World::new(&grant);
    let caller = world.call().to(&world.bind());
    let got = caller.get("http://api.upstream/v2/jobs").await.unwrap();
    assert!(got.text().starts_with("GET /base/v2/jobs\n"), "{}", got.text());
    let got = caller.get(&format!("{}/base/v2/jobs", upstream.url())).await.unwrap();
    assert!(got.text().starts_with("GET /base/v2/jobs\n"), "{}", got.text());
    for outside in ["/v2/jobs", "/based/v2/jobs", "/base"] {
        caller.refused(request("GET", &format!("{}{outside}", upstream.url()))).await;
    }
    assert_eq!(upstream.requests(), 2);
}

#[tokio::test]
async fn what_is_not_granted_is_not_reached() {
    let upstream = Upstream::echo().await;
    let other = Upstream::echo().await;
    let world = World::new(&upstream.grant()).want("files", ALL, None);
    let caller = world.call().to(&world.bind());
    let (own, others) = (upstream.port(), other.port());
    for (url, said) in [
        (format!("http://127.0.0.1:{others}/"), "is not granted"),
        (format!("http://127.0.0.2:{own}/"), "is not granted"),
        (format!("https://127.0.0.1:{own}/"), "is not granted"),
        ("http://127.0.0.1/".to_owned(), "is not granted"),
        ("https://example.com/v2/jobs".to_owned(), "is not granted"),
        ("http://files.upstream/".to_owned(), "[plugins.lab.grant.http.files]"),
        ("http://nothing.upstream/".to_owned(), "does not ask for nothing.upstream"),
        (format!("http://api.upstream:{own}/"), "has no ports"),
        ("http://upstream/".to_owned(), "does not ask for upstream"),
        ("http://api.upstream.example.com/".to_owned(), "is not granted"),
        (format!("http://user@127.0.0.1:{own}/"), "is not a host"),
        (format!("http://api.upstream@127.0.0.1:{others}/"), "is not a host"),
        (format!("http://127.0.0.1:{own}@example.com/"), "is not a host"),
    ] {
        let why = caller.refused(request("GET", &url)).await;
        assert!(why.contains(said), "{url}: {why}");
    }
    assert_eq!((upstream.requests(), other.accepted()), (0, 0));
}

#[tokio::test]
async fn another_scheme_is_refused() {
    let world = World::new("url = \"https://api.example.com\"");
    let caller = world.call().to(&world.bind());
    for url in ["ftp://api.upstream/", "ws://api.upstream/", "file://api.upstream/etc/passwd"] {
        let why = caller.refused(request("GET", url)).await;
        assert!(why.contains("neither http nor https"), "{why}");
    }
    let why = caller.refused(request("GET", "http://api.example.com/")).await;
    assert!(why.contains("http://api.example.com is not granted"), "{why}");
}

#[tokio::test]
async fn what_holds_is_the_intersection_of_manifest_grant_and_reach() {
    let upstream = Upstream::echo().await;
    let grant =
        upstream.grant() + "\nmethods = [\"GET\", \"POST\"]\npaths = [\"/v2/jobs/**\", \"/v2/agents\"]";
    let request_table = "methods = [\"GET\", \"POST\", \"DELETE\"]\npaths = [\"/v2/**\", \"/healthcheck\"]";
    let world = World::empty().want("api", request_table, Some(&grant));
    let binding = world.bind();
    let caller = world.call().to(&binding);
    caller.get("http://api.upstream/v2/jobs/1").await.unwrap();
    caller.send(request("HEAD", "http://api.upstream/v2/agents")).await.unwrap();
    caller.send(request("POST", "http://api.upstream/v2/jobs")).await.unwrap();
    for (method, path, said) in [
        ("DELETE", "/v2/jobs/1", "methods = [\"GET\", \"POST\", \"DELETE\"]"),
        ("PUT", "/v2/jobs/1", "the manifest asks for GET, HEAD, POST, DELETE only"),
        ("OPTIONS", "/v2/jobs", "the manifest asks for"),
        ("get", "/v2/jobs", "the manifest asks for"),
        ("CONNECT", "/v2/jobs", "never sent"),
        ("TRACE", "/v2/jobs", "never sent"),
        ("GET", "/v2/users", "[plugins.lab.grant.http.api] paths = [… \"/v2/users\"]"),
        ("GET", "/healthcheck", "the grant allows /v2/jobs/**, /v2/agents only"),
        ("GET", "/v3/jobs", "the manifest asks for /v2/**, /healthcheck only"),
        ("GET", "/", "the manifest asks for"),
    ] {
        let why = caller.refused(request(method, &format!("http://api.upstream{path}"))).await;
        assert!(why.contains(said), "{method} {path}: {why}");
        assert!(why.contains(method), "{why}");
    }
    let reach = world.reach("methods = [\"POST\"]\npaths = [\"/v2/jobs/*\"]");
    let caller = world.call().reaching(reach).to(&binding);
    caller.send(request("POST", "http://api.upstream/v2/jobs/1")).await.unwrap();
    for (method, path, said) in [
        ("GET", "/v2/jobs/1", "the tool's reach is POST"),
        ("POST", "/v2/agents", "the tool's reach is /v2/jobs/*"),
        ("DELETE", "/v2/jobs/1", "the grant allows"),
    ] {
        let why = caller.refused(request(method, &format!("http://api.upstream{path}"))).await;
        assert!(why.contains(said), "{method} {path}: {why}");
    }
    assert_eq!(upstream.requests(), 4);
}

#[tokio::test]
async fn a_read_only_tool_sends_get_and_head_unless_its_reach_names_more() {
    let upstream = Upstream::echo().await;
    let world = World::new(&upstream.grant());
    let binding = world.bind();
    let caller = world.call().read_only().to(&binding);
    caller.get("http://api.upstream/a").await.unwrap();
    caller.send(request("HEAD", "http://api.upstream/a")).await.unwrap();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let why = caller.refused(request(method, "http://api.upstream/a")).await;
        assert!(why.contains("the tool is read-only"), "{why}");
    }
    let paths_alone = world.reach("paths = [\"/a\"]");
    let caller = world.call().read_only().reaching(paths_alone).to(&binding);
    caller.refused(request("POST", "http://api.upstream/a")).await;
    let search = world.reach("methods = [\"POST\"]\npaths = [\"/search\"]");
    let caller = world.call().read_only().reaching(search).to(&binding);
    caller.send(request("POST", "http://api.upstream/search")).await.unwrap();
    caller.refused(request("POST", "http://api.upstream/jobs")).await;
    caller.refused(request("DELETE", "http://api.upstream/search")).await;
    assert_eq!(upstream.requests(), 3);
}

#[tokio::test]
async fn a_reach_on_one_capability_gives_nothing_on_another() {
    let upstream = Upstream::echo().await;
    let world = World::new(&upstream.grant()).want("files", ALL, Some(&upstream.grant()));
    let reach = world.reach("methods = [\"POST\"]");
    let caller = world.call().read_only().reaching(reach).to(&world.bind());
    caller.send(request("POST", "http://api.upstream/a")).await.unwrap();
    caller.refused(request("POST", "http://files.upstream/a")).await;
}

#[tokio::test]
async fn a_call_without_the_grant_is_refused_although_the_binding_has_it() {
    let upstream = Upstream::echo().await;
    let world = World::new(&upstream.grant());
    let caller = world.call().without_grants().to(&world.bind());
    let why = caller.refused(request("GET", "http://api.upstream/a")).await;
    assert!(why.contains("not granted to this call"), "{why}");
    caller.refused(request("GET", &format!("{}/a", upstream.url()))).await;
    assert_eq!(upstream.accepted(), 0);
}

#[tokio::test]
async fn of_two_grants_for_one_origin_the_one_that_permits_is_used() {
    let upstream = Upstream::echo().await;
    let admin = format!("url = \"{}/admin\"\nmethods = [\"DELETE\"]", upstream.url());
    let world = World::new(&(upstream.grant() + "\nmethods = [\"GET\"]")).want("admin", ALL, Some(&admin));
    let caller = world.call().to(&world.bind());
    caller.send(request("DELETE", &format!("{}/admin/users/1", upstream.url()))).await.unwrap();
    caller.get(&format!("{}/admin/users/1", upstream.url())).await.unwrap();
    caller.refused(request("DELETE", &format!("{}/users/1", upstream.url()))).await;
    assert_eq!(
        caller.call.used.used(),
        ["http.admin DELETE /users/1 200", "http.api GET /admin/users/1 200"]
    );
}

#[tokio::test]
async fn no_spelling_of_a_path_leaves_its_segment() {
    let upstream = Upstream::echo().await;
    let world = World::empty().want("api", "paths = [\"/v2/jobs/*\"]", Some(&upstream.grant()));
    let caller = world.call().to(&world.bind());
    for argument in [
        "..",
        ".",
        "../admin",
        "..%2fadmin",
        "%2e%2e",
        "%2e%2e/admin",
        "%2E%2E%2Fadmin",
        "..%5cadmin",
        "..;",
        "..;/admin",
        "a;b",
        "a%3bb",
        "a/b",
        "a//b",
        "a%2fb",
        "a%252fb",
        "%252e%252e",
        "%c0%ae%c0%ae",
        "a%00",
        "a%0d%0aX-Evil:%201",
        "%",
        "%zz",
        "",
        "/",
    ] {
        let why = caller.refused(request("GET", &format!("http://api.upstream/v2/jobs/{argument}"))).await;
        assert!(why.contains("path") || why.contains("manifest asks for"), "{argument}: {why}");
    }
    assert_eq!(upstream.accepted(), 0);
    for (argument, sent) in
        [("a%20b", "a%20b"), ("%6a", "j"), ("caf%c3%a9", "caf%C3%A9"), ("a.b..c", "a.b..c")]
    {
        let got = caller.get(&format!("http://api.upstream/v2/jobs/{argument}")).await.unwrap();
        assert!(got.text().starts_with(&format!("GET /v2/jobs/{sent}\n")), "{argument}: {}", got.text());
    }
}

#[tokio::test]
async fn what_is_longer_than_any_server_takes_is_refused() {
    let upstream = Upstream::echo().await;
    let world = World::new(&upstream.grant());
    let caller = world.call().to(&world.bind());
    let long = |bytes: usize| "x".repeat(bytes);
    caller.refused(request("GET", &format!("http://api.upstream/{}", long(8 << 10)))).await;
    let why =
        caller.refused(request("GET", &format!("http://api.upstream/a?{}", long((16 << 10) + 1)))).await;
    assert!(why.contains("the query is longer than 16384 bytes") && !why.contains("xxx"), "{why}");
    caller.get(&format!("http://api.upstream/a?{}", long(16 << 10))).await.unwrap();
}

#[tokio::test]
async fn fixed_hosts_are_granted_as_they_are() {
    let request_table = "paths = [\"/points/**\"]\nhosts = [\"api.weather.gov\", \"other.example.com:8443\"]";
    let world = World::empty().want("weather", request_table, Some(""));
    let caller = world.call().to(&world.bind());
    for url in [
        "http://api.weather.gov/points/1",
        "https://api.weather.gov:8443/points/1",
        "https://other.example.com/points/1",
        "https://api.weather.gov/alerts",
        "https://evil.api.weather.gov/points/1",
        "https://api.weather.gov.evil.example/points/1",
        "http://weather.upstream/points/1",
    ] {
        caller.refused(request("GET", url)).await;
    }
    let narrowed =
        World::empty().want("weather", request_table, Some("hosts = [\"other.example.com:8443\"]"));
    let caller = narrowed.call().to(&narrowed.bind());
    caller.refused(request("GET", "https://api.weather.gov/points/1")).await;
}

#[tokio::test]
async fn a_guest_learns_of_a_refusal_and_not_of_the_rule() {
    let world = World::new("url = \"https://secret-host.internal.example\"\npaths = [\"/secret-path\"]");
    let caller = world.call().to(&world.bind());
    let failure = caller.get("http://api.upstream/other").await.unwrap_err();
    assert_eq!(format!("{:?}", failure.into_guest()), "HttpRequestDenied");
}

#[tokio::test]
async fn no_query_is_written_down() {
    let upstream = Upstream::echo().await;
    let world = World::new(&(upstream.grant() + "\npaths = [\"/a\"]"));
    let caller = world.call().to(&world.bind());
    caller.get("http://api.upstream/a?token=CANARY").await.unwrap();
    caller.refused(request("GET", "http://api.upstream/b?token=CANARY")).await;
    caller.refused(request("GET", "http://api.upstream/../b?token=CANARY")).await;
    caller.refused(request("GET", "http://other.example/b?token=CANARY")).await;
    caller.refused(request("GET", "http://user:CANARY@other.example/b")).await;
    let said = format!("{:?}{:?}", caller.call.used.used(), caller.call.used.refused());
    assert!(!said.contains("CANARY"), "{said}");
}
