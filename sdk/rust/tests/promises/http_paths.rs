//! No argument can leave its path segment.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Harness, Request, Response};

fn host() -> Harness {
    Harness::new().granted("http.api").respond(|_: &Request| Response::status(204))
}

/// The path that is sent for this segment.
#[track_caller]
fn sent(segment: &str) -> String {
    let host = host();
    let response = host.run(|| http::upstream("api").get(["devices", segment, "tags"]).send());
    assert_eq!(response.map(|response| response.status()), Ok(204), "{segment:?}");
    host.requests()[0].path().to_owned()
}

/// The fault for this segment; nothing must have left.
#[track_caller]
fn refused(segment: &str) -> Fault {
    let host = host();
    let by_list = host.run(|| http::upstream("api").get(["devices", segment, "tags"]).send());
    let named =
        host.run(|| http::upstream("api").get(["devices"]).segment_named("/identifier", segment).send());
    assert!(host.requests().is_empty(), "{segment:?} left as {}", host.requests()[0].path());
    let by_list = by_list.expect_err("it is refused");
    let named = named.expect_err("it is refused");
    assert!(by_list.is("invalid-arguments") && named.is("invalid-arguments"), "{by_list} {named}");
    assert_eq!(named.field.as_deref(), Some("/identifier"));
    named
}

#[test]
fn honest_values_arrive_as_they_are() {
    for value in
        ["d1", "a-b_c.d~e", "...", "..a", "a..", ".hidden", "a.b", "a b", "serial:1234", "ä€😀", "a+b=c&d"]
    {
        let path = sent(value);
        let decoded =
            percent_encoding::percent_decode_str(&path).decode_utf8().expect("it is UTF-8").into_owned();
        assert_eq!(decoded, format!("/devices/{value}/tags"));
    }
}

#[test]
fn everything_but_unreserved_characters_is_encoded() {
    assert_eq!(sent("a b?c#d&e=f:g@h,i+j$k!l'm(n)o*p[q]"), {
        "/devices/a%20b%3Fc%23d%26e%3Df%3Ag%40h%2Ci%2Bj%24k%21l%27m%28n%29o%2Ap%5Bq%5D/tags"
    });
    assert_eq!(sent("ä"), "/devices/%C3%A4/tags");
}

#[test]
fn a_percent_sign_that_escapes_nothing_dangerous_is_only_a_percent_sign() {
    assert_eq!(sent("100%"), "/devices/100%25/tags");
    assert_eq!(sent("%zz"), "/devices/%25zz/tags");
    assert_eq!(sent("%20"), "/devices/%2520/tags");
    assert_eq!(sent("%41"), "/devices/%2541/tags");
    assert_eq!(sent("50%u"), "/devices/50%25u/tags");
}

#[test]
fn a_step_to_another_path_is_refused_in_every_spelling() {
    for value in [
        ".",
        "..",
        "%2e",
        "%2E",
        "%2e%2e",
        "%2E%2E",
        "%2e%2E",
        ".%2e",
        "%2e.",
        "%2E.", // once
        "%252e",
        "%252E%252e",
        ".%252e",
        "%25%32%65",
        "%2%65", // twice, and in pieces
        "%25252e%25252e",
        "%2525252e",
        "%25252525252525252e", // more often than anybody decodes
        "%u002e",
        "%U002E%u002e",
        ".%u002e",
        "%25u002e", // the old wide spelling
    ] {
        let _ = refused(value);
    }
}

#[test]
fn separators_are_refused_in_every_spelling() {
    for value in [
        "/", "a/b", "/a", "a/", "../x", "%2f", "%2F", "a%2Fb", "%252f", "%252F", "%25252f", "%u002f",
        "a%2%66b", // slash
        "\\", "a\\b", "..\\x", "%5c", "%5C", "%255c", "%255C", "%u005c", // backslash
        ";", "a;b", "..;", "..;/x", "%3b", "%3B", "%253b", "%u003b", // semicolon: path parameters
    ] {
        let _ = refused(value);
    }
}

#[test]
fn control_characters_are_refused_in_every_spelling() {
    for value in [
        "\0",
        "a\0",
        "a\nb",
        "a\r\nHost: x",
        "\t",
        "\x7f",
        "\u{85}",
        "%00",
        "%0a",
        "%0D%0A",
        "%7f",
        "%2500",
        "%u0000",
    ] {
        let _ = refused(value);
    }
}

#[test]
fn escapes_that_are_no_utf8_are_refused_because_they_are_old_spellings_of_dots() {
    for value in ["%c0%ae", "%C0%AE%c0%ae", "%c0%af", "%e0%80%ae", "%ff", "%25c0%25ae"] {
        let fault = refused(value);
        assert!(fault.message.contains("encoded wrongly"), "{fault}");
    }
}

#[test]
fn an_empty_segment_is_refused() {
    let fault = refused("");
    assert_eq!(fault.message, "An empty value cannot be part of a path.");
}

#[test]
fn the_fault_names_the_value_and_the_reason_without_raw_control_characters() {
    let fault = refused("a\nb");
    assert_eq!(fault.message, "\"a\\nb\" cannot be part of a path: it has a control character.");
    let long = "x".repeat(5_000) + "/";
    assert!(refused(&long).message.len() < 300);
}

#[test]
fn the_first_mistake_is_the_one_that_is_reported() {
    let fault = host()
        .run(|| {
            http::upstream("api")
                .get(http::ROOT)
                .segment_named("/a", "..")
                .segment_named("/b", "/")
                .header("bad header", "")
                .send()
        })
        .expect_err("it is refused");
    assert_eq!(fault.field.as_deref(), Some("/a"));
}

#[test]
fn segments_of_all_kinds_add_up() {
    let (owned, id) = ("o 1".to_owned(), 7.to_string());
    let host = host();
    let answers = host.run(|| {
        [
            http::upstream("api").get(http::ROOT).send(),
            http::upstream("api").get(["orgs", &owned, "devices", &id]).send(),
            http::upstream("api").get(vec![owned.clone(), id.clone()]).send(),
            http::upstream("api").get(http::ROOT).segments(["a", "b"]).segment(&id).trailing_slash().send(),
        ]
    });
    assert!(answers.iter().all(Result::is_ok));
    let paths: Vec<_> = host.requests().iter().map(|request| request.path().to_owned()).collect();
    assert_eq!(paths, ["/", "/orgs/o%201/devices/7", "/o%201/7", "/a/b/7/"]);
    assert_eq!(host.requests()[1].segments(), ["orgs", "o 1", "devices", "7"]);
}

#[test]
fn a_fixed_url_keeps_its_path_and_query_and_takes_more() {
    let host = host();
    let weather = http::url("https://api.weather.gov/v1/?units=si#top");
    host.run(|| weather.get(["points", "1,2"]).query("q", "a b").send()).expect("it is sent");
    host.run(|| http::url("http://h:8080").get(http::ROOT).send()).expect("it is sent");
    host.run(|| http::url("HTTPS://h/a;v=1//b").get(http::ROOT).send()).expect("it is sent");
    let urls: Vec<_> = host.requests().iter().map(Request::url).collect();
    assert_eq!(
        urls,
        ["https://api.weather.gov/v1/points/1%2C2?units=si&q=a%20b", "http://h:8080/", "https://h/a;v=1//b"]
    );
    assert_eq!(host.requests()[0].upstream(), None);
}

#[test]
fn a_url_that_leads_elsewhere_is_refused() {
    for url in [
        "",
        "api.weather.gov",
        "ftp://h/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://:443/",
        "https://user@h/",
        "https://user:secret@h/",
        "https://h/a/../b",
        "https://h/%2e%2e/b",
        "https://h/a%2fb",
        "https://h/a%252fb",
        "https://h/..;/b",
        "https://h\\@evil/",
        "https://h/a b",
        "https://h/\n",
        "https://h/ä",
        "https://h/%00",
        "https://h/%c0%ae",
    ] {
        let host = host();
        let fault = host.run(|| http::url(url).get(http::ROOT).send()).expect_err(url);
        assert!(fault.is("invalid-arguments"), "{url}: {fault}");
        assert!(host.requests().is_empty(), "{url}");
    }
}

#[test]
fn an_upstreams_name_is_a_word_of_the_manifest() {
    for name in ["", "a.b", "a/b", "a:80", "a@b", "ä", "a b"] {
        let fault = host().run(|| http::upstream(name).get(http::ROOT).send()).expect_err(name);
        assert!(fault.is("internal"), "{name}: {fault}");
    }
}
