//! What people write, and what they are told when it is wrong.

use fleetgate_core::capability::Capability;
use fleetgate_core::diagnostic::Document;
use serde_json::json;

use crate::world::{ALL, World};

/// The problems with a request's table.
fn asked(request: &str) -> String {
    World::empty().tables(request, None).err().unwrap_or_else(|| panic!("{request} is fine")).to_string()
}

/// The problems with a grant for a request.
fn granted(request: &str, grant: &str) -> String {
    let world = World::empty().secret("api-key", "s3cr3t-t0k3n");
    world.tables(request, Some(grant)).err().unwrap_or_else(|| panic!("{grant} is fine")).to_string()
}

const URL: &str = "url = \"https://api.example.com\"\n";

#[test]
fn a_request_that_is_wrong_is_refused_with_place_and_advice() {
    for (request, said) in [
        ("", "missing key \"paths\" (say which paths: paths = [\"/v2/**\"], or [\"/**\"] for all)"),
        ("path = [\"/v2/**\"]", "missing key \"paths\""),
        ("paths = []", "no path is named"),
        (
            "paths = [\"v2\"]",
            "fleetgate.toml:2:10: capabilities.http.api.paths: \"v2\": a path pattern begins with a slash",
        ),
        ("paths = [\"/v2/job-*\"]", "a wildcard stands for whole segments (* is one segment"),
        ("paths = [\"/v2/../x\"]", "no request can match this pattern: the path has a dot segment"),
        ("paths = [\"/a\"]\nmethods = []", "no method is named"),
        ("paths = [\"/a\"]\nmethods = [\"get\"]", "\"get\" is not an HTTP method (did you mean \"GET\"?)"),
        ("paths = [\"/a\"]\nmethods = [\"GTE\"]\nmethod = 1", "unknown key \"method\""),
        ("paths = [\"/a\"]\nmethods = [\"CONNECT\"]", "never sent (CONNECT opens a tunnel"),
        ("paths = [\"/a\"]\nmethods = [\"TRACE\"]", "never sent"),
        ("paths = [\"/a\"]\nmethods = [\"G T\"]", "not an HTTP method"),
        ("paths = [\"/a\"]\nhosts = []", "no host is named"),
        ("paths = [\"/a\"]\nhosts = [\"https://api.weather.gov\"]", "is not the name of a public host"),
        ("paths = [\"/a\"]\nhosts = [\"127.0.0.1\"]", "is not the name of a public host"),
        ("paths = [\"/a\"]\nhosts = [\"0x7f.1\"]", "is not the name of a public host"),
        ("paths = [\"/a\"]\nhosts = [\"localhost\"]", "is not the name of a public host"),
        ("paths = [\"/a\"]\nhosts = [\"*.weather.gov\"]", "is not the name of a public host"),
        ("paths = [\"/a\"]\nhosts = [\"api.upstream\"]", "is not the name of a public host"),
        ("paths = [\"/a\"]\nupstream = false", "nothing to reach is left"),
        (
            "paths = [\"/a\"]\nbase = \"v1\"",
            "capabilities.http.api.base: the path does not begin with a slash",
        ),
        ("paths = [\"/a\"]\nbase = \"/v1/\"", "it ends with a slash (write it like \"/v1\""),
        ("paths = [\"/a\"]\nbase = \"/../v1\"", "the path has a dot segment"),
        ("paths = [\"/a\"]\nbase = \"/v1\"\nhosts = [\"a.example.com\"]", "a fixed host has no such place"),
    ] {
        // The last method of the list is also misspelled, and both are said.
        let problems = asked(request);
        assert!(problems.contains(said), "{request}: {problems}");
    }
}

#[test]
fn a_grant_that_is_wrong_is_refused_with_place_and_advice() {
    let api = "methods = [\"GET\", \"POST\"]\npaths = [\"/v2/**\"]";
    let login = "paths = [\"/**\"]\nfrom_call = { body = [\"/password\"] }";
    let logins = "paths = [\"/**\"]\nhosts = [\"a.example.com\", \"b.example.com\"]\nfrom_call = { body = [\"/password\"] }";
    let fixed = "paths = [\"/points/**\"]\nhosts = [\"api.weather.gov\", \"other.example.com\"]";
    for (request, grant, said) in [
        (api, "".to_owned(), "missing key \"url\" (say where it is: url = \"https://api.example.com\")"),
        (api, "ulr = \"https://api.example.com\"".into(), "missing key \"url\""),
        (api, "url = \"https://…\"".into(), "the URL is not filled in"),
        (api, "url = \"api.example.com\"".into(), "this is not a URL"),
        (api, "url = \"ftp://api.example.com\"".into(), "\"ftp\" is not http or https"),
        (api, "url = \"https://user:pass@api.example.com\"".into(), "no user and no password"),
        (api, "url = \"https://api.example.com?x=1\"".into(), "no query and no fragment"),
        (api, "url = \"https://api.example.com/a/../b\"".into(), "the path has a dot segment"),
        (api, "url = \"https://api_$.example.com\"".into(), "is not a host"),
        (api, "url = \"https://\"".into(), "is not a host"),
        (api, "url = \"https://api.example.com:0\"".into(), "is not a host"),
        (api, "url = \"https://api.upstream\"".into(), "stands for the granted URL itself"),
        (api, "url = \"http://0.0.0.0:80\"".into(), "is an unspecified address, which cannot be granted"),
        (api, "url = \"https://224.0.0.1\"".into(), "is a multicast address, which cannot be granted"),
        (
            api,
            "url = \"http://api.example.com\"".into(),
            "plain http to a host that may be anywhere (write https://…, or add plaintext = true",
        ),
        (api, "url = \"http://8.8.8.8\"".into(), "plain http"),
        (
            api,
            "url = \"http://8.8.8.8\"\nplaintext = true\ncredential = { bearer = \"api-key\" }".into(),
            "without TLS",
        ),
        (
            api,
            format!("{URL}methods = [\"DELETE\"]"),
            "the plugin does not ask for DELETE (it asks for GET, HEAD, POST",
        ),
        (
            api,
            format!("{URL}methods = [\"GET\", \"PUT\"]"),
            "fleetgate.toml:6:19: plugins.lab.grant.http.api.methods",
        ),
        (
            api,
            format!("{URL}paths = [\"/**\"]"),
            "the plugin does not ask for all of /** (it asks for /v2/**",
        ),
        (api, format!("{URL}paths = [\"/v3/jobs\"]"), "does not ask for all of /v3/jobs"),
        (
            api,
            format!("{URL}networks = [\"127.0.0.0/8\"]"),
            "which no network opens (name the exact address and port",
        ),
        (
            api,
            format!("{URL}networks = [\"10.0.0.1/8\"]"),
            "has bits set behind its prefix (write \"10.0.0.0/8\")",
        ),
        (api, format!("{URL}networks = [\"lab\"]"), "neither a network nor an address"),
        (
            api,
            format!("{URL}credential = {{ bearer = \"api-kye\" }}"),
            "there is no secret of this name (did you mean \"api-key\"?)",
        ),
        (
            api,
            format!("{URL}credential = {{ token = \"api-key\" }}"),
            "a credential is one of bearer, basic and header",
        ),
        (
            api,
            format!("{URL}credential = {{ bearer = \"api-key\", secret = \"api-key\" }}"),
            "unknown key \"secret\"",
        ),
        (
            api,
            format!("{URL}credential = {{ basic = {{ user = \"a:b\", password = \"api-key\" }} }}"),
            "has no colon",
        ),
        (api, format!("{URL}credential = {{ basic = {{ user = \"a\" }} }}"), "missing key \"password\""),
        (
            api,
            format!("{URL}credential = {{ header = \"Host\", secret = \"api-key\" }}"),
            "not a header field for a credential",
        ),
        (
            api,
            format!("{URL}credential = {{ header = \"X Key\", secret = \"api-key\" }}"),
            "not a header field",
        ),
        (api, format!("{URL}credential = {{ header = \"X-Key\" }}"), "missing key \"secret\""),
        (api, format!("{URL}credential = \"api-key\""), "expected a table, found a text"),
        (api, format!("{URL}timeout = 30"), "expected a duration"),
        (api, format!("{URL}timeout = \"0s\""), "no request is done in no time"),
        (api, format!("{URL}connections = 0"), "0 is out of range"),
        (api, format!("{URL}redirects = \"yes\""), "expected true or false"),
        (api, format!("{URL}ca = \"nothing.pem\""), "there is no such file"),
        (api, format!("{URL}client_key = \"api-key\""), "its certificate is missing"),
        (api, format!("{URL}hosts = [\"api.example.com\"]"), "the plugin asks for no fixed hosts"),
        (api, format!("{URL}redirect = true"), "unknown key \"redirect\" (did you mean \"redirects\"?)"),
        (fixed, URL.into(), "the plugin takes no URL"),
        (
            fixed,
            "hosts = [\"evil.example.com\"]".into(),
            "does not ask for evil.example.com (it asks for [\"api.weather.gov\"",
        ),
        (fixed, "credential = { bearer = \"api-key\" }".into(), "a credential belongs to one host"),
        (api, format!("{URL}from_call = {{ body = [\"/password\"] }}"), "it asks for none of this"),
        (api, format!("{URL}from_call = {{ basic = true }}"), "makes no HTTP Basic of secret arguments"),
        (login, format!("{URL}from_call = {{ body = [\"/x\"] }}"), "puts no secret argument at /x"),
        (login, format!("{URL}from_call = {{ body = [\"password\"] }}"), "is not a JSON pointer"),
        (login, format!("{URL}from_call = {{ bdy = [] }}"), "unknown key \"bdy\" (did you mean \"body\"?)"),
        (login, format!("{URL}from_call = true"), "expected a table"),
        (
            login,
            "url = \"http://93.184.216.34\"\nplaintext = true\nfrom_call = { body = [\"/password\"] }".into(),
            "secret arguments are not sent to a public address without TLS",
        ),
        (
            logins,
            "from_call = { body = [\"/password\"] }".into(),
            "secret arguments belong to one host, and several are granted here",
        ),
    ] {
        let problems = granted(request, &grant);
        assert!(problems.contains(said), "{grant}: {problems}");
    }
}

#[test]
fn a_certificate_file_that_is_none_is_refused() {
    let world = World::empty();
    world.write("ca.pem", "this is no certificate");
    let said = world.tables(ALL, Some(&format!("{URL}ca = \"ca.pem\""))).unwrap_err().to_string();
    assert!(said.contains("no certificate in PEM form"), "{said}");
    world.write("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let said = world.tables(ALL, Some(&format!("{URL}ca = \"ca.pem\""))).unwrap_err().to_string();
    assert!(said.contains("cannot be read"), "{said}");
}

#[test]
fn no_message_repeats_what_may_be_a_secret() {
    for grant in [
        "url = \"https://user:CANARY@api.example.com\"",
        "url = \"CANARY\"",
        "url = \"https://api.example.com\"\ncredential = { bearer = \"CANARY\" }",
        "url = \"https://api.example.com\"\ncredential = { basic = { user = \"a\", password = \"CANARY\" } }",
    ] {
        let problems = granted(ALL, grant);
        assert!(!problems.contains("CANARY"), "{problems}");
    }
}

#[test]
fn a_reach_may_only_narrow() {
    let world = World::empty();
    let (request, _) = world.tables("methods = [\"GET\"]\npaths = [\"/v2/**\"]", None).unwrap();
    for (reach, said) in [
        ("methods = [\"POST\"]", "the plugin does not ask for POST"),
        ("paths = [\"/**\"]", "the plugin does not ask for all of /**"),
        ("paths = [\"/v3\"]", "the plugin does not ask for all of /v3"),
        ("path = [\"/v2\"]", "unknown key \"path\" (did you mean \"paths\"?)"),
        ("hosts = [\"a.example\"]", "unknown key \"hosts\""),
    ] {
        let document = std::sync::Arc::new(Document::new("plugin.toml", reach));
        let problems =
            document.read(|table| world.capability.parse_reach(table, &*request)).unwrap_err().to_string();
        assert!(problems.contains(said), "{reach}: {problems}");
    }
}

#[test]
fn asking_for_more_widens_and_asking_for_less_does_not() {
    let world = World::empty();
    let read = |request: &str| world.tables(request, None).unwrap().0;
    let old = read("methods = [\"GET\"]\npaths = [\"/v2/**\", \"/health\"]\nhosts = [\"a.example.com\"]");
    for (new, more) in [
        ("paths = [\"/v2/**\", \"/health\"]\nhosts = [\"a.example.com\"]", &[][..]),
        ("methods = [\"HEAD\"]\npaths = [\"/v2/jobs/*\"]\nhosts = [\"a.example.com\"]", &[]),
        (
            "methods = [\"GET\", \"POST\"]\npaths = [\"/v2/**\"]\nhosts = [\"a.example.com\"]",
            &["POST requests"],
        ),
        ("paths = [\"/v2/**\", \"/v3/*\"]\nhosts = [\"a.example.com\"]", &["the paths /v3/*"]),
        (
            "paths = [\"/health\"]\nhosts = [\"a.example.com\", \"b.example.com\"]",
            &["the host https://b.example.com"],
        ),
        ("paths = [\"/health\"]\nhosts = [\"a.example.com:8443\"]", &["the host https://a.example.com:8443"]),
        ("paths = [\"/health\"]", &["a URL that the operator gives"]),
        (
            "paths = [\"/health\"]\nbase = \"/v2\"",
            &["a URL that the operator gives", "the same paths below /v2 of the URL"],
        ),
        (
            "paths = [\"/health\"]\nhosts = [\"a.example.com\"]\nfrom_call = { body = [\"/p\"], basic = true }",
            &[
                "secret arguments of calls in bodies at /p",
                "secret arguments of calls as passwords of HTTP Basic",
            ],
        ),
    ] {
        assert_eq!(read(new).widens(&*old), more, "{new}");
    }
}

#[test]
fn a_tools_reach_that_grows_widens() {
    let world = World::empty().want("api", ALL, None);
    let read = |reach: &str| world.reach(reach);
    for (old, new, more) in [
        ("methods = [\"GET\"]", "methods = [\"GET\"]", &[][..]),
        ("methods = [\"GET\", \"POST\"]", "methods = [\"POST\"]", &[]),
        ("methods = [\"GET\"]", "methods = [\"POST\"]", &["POST requests"]),
        // A read-only tool without methods had GET and HEAD alone.
        ("paths = [\"/a\"]", "paths = [\"/a\"]\nmethods = [\"POST\"]", &["POST requests"]),
        ("paths = [\"/a\"]", "paths = [\"/a\"]\nmethods = [\"GET\"]", &[]),
        ("methods = [\"GET\"]", "", &["every method that is granted"]),
        ("paths = [\"/a/*\"]", "", &["every path that is granted"]),
        ("paths = [\"/a/*\"]", "paths = [\"/a/b\"]", &[]),
        ("paths = [\"/a/*\"]", "paths = [\"/a/**\"]", &["the paths /a/**"]),
        ("", "paths = [\"/a\"]", &[]),
    ] {
        assert_eq!(read(new).widens(&*read(old)), more, "{old} to {new}");
    }
}

#[test]
fn requests_and_grants_are_described_without_secrets() {
    let world = World::empty().secret("api-key", "s3cr3t-t0k3n");
    let grant = format!(
        "{URL}methods = [\"GET\"]\nnetworks = [\"10.2.0.0/16\", \"127.0.0.1:4000\"]\ntimeout = \"10s\"\nredirects = true\n\
         credential = {{ bearer = \"api-key\" }}"
    );
    let (request, grant) =
        world.tables("methods = [\"GET\", \"POST\"]\npaths = [\"/v2/**\"]", Some(&grant)).unwrap();
    assert_eq!(request.describe(), ["GET, HEAD, POST to a URL that the operator gives, paths /v2/**"]);
    assert_eq!(
        grant.unwrap().describe(),
        [
            "GET, HEAD to https://api.example.com, the paths it asks for",
            "with a bearer token, from the secret api-key",
            "names may lead to 10.2.0.0/16, 127.0.0.1:4000 beside public addresses",
            "redirects are followed, each hop as a request of its own",
            "at most 10s for a request",
        ]
    );
}

#[test]
fn a_granted_url_is_the_same_with_and_without_the_place_where_the_api_begins() {
    let world = World::empty();
    let request = "base = \"/v1\"\npaths = [\"/devices\"]";
    for (url, to) in [
        ("https://api.example.com", "https://api.example.com/v1"),
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("https://example.com/api", "https://example.com/api/v1"),
        ("https://example.com/api/v1", "https://example.com/api/v1"),
        ("https://example.com/av1", "https://example.com/av1/v1"),
    ] {
        let (asked, grant) = world.tables(request, Some(&format!("url = {url:?}"))).unwrap();
        assert_eq!(
            asked.describe(),
            ["GET, HEAD to a URL that the operator gives (below /v1), paths /devices"]
        );
        let described = grant.unwrap().describe();
        assert_eq!(described[0], format!("the methods it asks for to {to}, the paths it asks for"));
    }
}

#[test]
fn the_template_of_a_grant_is_toml_that_asks_to_be_filled_in() {
    let world = World::empty();
    let login = format!("{ALL}\nfrom_call = {{ body = [\"/password\"], basic = true }}");
    for request in [ALL, &login, "paths = [\"/a\"]\nhosts = [\"a.example.com\"]"] {
        let (parsed, _) = world.tables(request, None).unwrap();
        let template = parsed.grant_template();
        let filled = template.replace("https://…", "https://api.example.com");
        world.tables(request, Some(&filled)).unwrap_or_else(|problems| panic!("{template}\n{problems}"));
        // With every commented line in force but the credential, whose secret is not there.
        let all: String = filled
            .lines()
            .filter(|line| !line.contains("credential"))
            .map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line)))
            .collect();
        world.tables(request, Some(&all)).unwrap_or_else(|problems| panic!("{all}\n{problems}"));
    }
    let (parsed, _) = world.tables(ALL, None).unwrap();
    assert!(granted(ALL, &parsed.grant_template()).contains("the URL is not filled in"));
}

#[test]
fn the_schemas_take_what_the_parsers_take() {
    let schemas = World::empty().capability.schemas();
    let valid = |schema: &serde_json::Value, value: serde_json::Value| {
        jsonschema::validator_for(schema).unwrap().is_valid(&value)
    };
    assert!(valid(&schemas.request, json!({ "methods": ["GET"], "paths": ["/v2/**"] })));
    assert!(!valid(&schemas.request, json!({ "methods": ["GET"] })));
    assert!(!valid(&schemas.request, json!({ "paths": ["v2"] })));
    assert!(!valid(&schemas.request, json!({ "paths": ["/"], "methods": ["TRACE"] })));
    assert!(valid(&schemas.reach, json!({ "methods": ["POST"], "paths": ["/v2/send-config"] })));
    assert!(!valid(&schemas.reach, json!({ "hosts": [] })));
    assert!(valid(
        &schemas.grant,
        json!({
            "url": "https://naas.example.com", "networks": ["10.2.0.0/16"], "methods": ["GET"], "ca": "ca.pem",
            "credential": { "basic": { "user": "a", "password": "key" } }, "timeout": "10s", "redirects": true
        })
    ));
    assert!(valid(&schemas.grant, json!({})));
    assert!(!valid(&schemas.grant, json!({ "credential": { "bearer": "a", "header": "b", "secret": "c" } })));
    assert!(!valid(&schemas.grant, json!({ "url": "https://user@naas.example.com" })));
    assert!(!valid(&schemas.grant, json!({ "redirect": true })));
}

#[test]
fn in_place_of_its_own_server_a_variable_names_the_place_and_an_authors_default_does_not() {
    let world = World::empty();
    let request = "paths = [\"/**\"]\nfrom_call = { body = [\"/password\"] }";
    let (request, _) = world.tables(request, None).expect("a request");
    let named = request.granted_alone(&["url"].into());
    assert!(named.contains("plaintext = true") && named.contains("10.0.0.0/8"), "{named}");
    for defaults in [request.granted_alone(&[].into()), request.granted_alone(&["bearer"].into())] {
        assert!(!defaults.contains("plaintext") && !defaults.contains("networks"), "{defaults}");
        assert!(defaults.contains("from_call"), "{defaults}");
    }
}
