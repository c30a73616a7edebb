//! Resources: what an entry exposes, and to whom. Lists and reads decide by one function.

use fleetgate_core::call::{Kind, Refused};
use fleetgate_core::catalog::Scope;
use serde_json::{Value, json};

use super::asking_for::ROLES;
use super::asking_for::{
    done, fault, jobs, list_request, listed, own, page, read, recorded, refused, serving,
};
use super::guest::Does;
use super::host::{Place, Plugin, in_time, principal};

const SETTINGS: &str = "[plugins.naas]\n";

fn reading(contents: Value) -> Plugin {
    jobs().exports("resources", "read-resource", Does::Answers(json!({ "ok": { "done": contents } })))
}

fn listing(resources: Value) -> Plugin {
    jobs().exports("resources", "list-resources", Does::Answers(json!({ "ok": [resources, null] })))
}

#[tokio::test]
async fn what_a_list_shows_can_be_read_and_nothing_else_can() {
    let (_place, host) = serving(jobs(), SETTINGS).await;
    for (roles, seen) in [
        (&[][..], &[][..]),
        (&["naas:operator"], &["naas://jobs/failed"]),
        (&["naas:viewer"], &["naas://jobs", "naas://jobs/7"]),
        (&["naas:viewer", "naas:operator"], &["naas://jobs", "naas://jobs/7", "naas://jobs/failed"]),
        (&["other:viewer"], &[]),
    ] {
        assert_eq!(listed(&host, "naas", roles).await, seen, "{roles:?}");
        for uri in ["naas://jobs", "naas://jobs/7", "naas://jobs/failed"] {
            let read = read(&host, "naas", uri, roles).await;
            if seen.contains(&uri) {
                assert_eq!(done(read)[0].text.as_deref(), Some(uri));
            } else {
                let refused = read.map(drop).expect_err("it is not for this caller");
                assert!(matches!(refused, Refused::Forbidden { kind: Kind::Resource, .. }), "{refused}");
            }
        }
    }
}

#[tokio::test]
async fn what_no_entry_covers_is_neither_listed_nor_read() {
    let (_place, host) = serving(jobs(), SETTINGS).await;
    assert!(!listed(&host, "naas", &["naas:*"]).await.contains(&"other://hidden".to_owned()));
    let refused =
        read(&host, "naas", "other://hidden", &["naas:*"]).await.map(drop).expect_err("not exposed");
    assert!(matches!(refused, Refused::Unknown { kind: Kind::Resource, .. }), "{refused}");
}

#[tokio::test]
async fn no_spelling_of_a_guarded_uri_slips_past_its_entry() {
    let (_place, host) = serving(jobs(), SETTINGS).await;
    for uri in [
        "naas://jobs/failed",
        "NAAS://jobs/failed",
        "Naas://jobs/%66ailed",
        "naas://jobs/faile%64",
        "naas://jobs/failed?",
        "naas://jobs/failed?x=1",
        "naas://jobs/failed?x=1/y",
        "naas://jobs/failed/",
        "naas://jobs/failed/?x",
        "naas://jobs//failed",
        "naas://jobs/./failed",
        "naas://jobs/x/../failed",
        "naas://jobs/%2e%2e/jobs/failed",
        "naas://jobs/%252e/failed",
        "naas://jobs%2ffailed",
        "naas://jobs%2Ffailed",
        "naas://jobs%5Cfailed",
        "naas://jobs\\failed",
        "naas:jobs/failed",
        "naas:/jobs/failed",
        "naas:///jobs/failed",
        "naas:////jobs/failed",
        "naas://JOBS/failed",
        "naas://Jobs:/failed",
        "naas://jobs:443/failed",
        "naas://me@jobs/failed",
        "naas://me:word@jobs/failed",
        "naas://jobs/failed#part",
        "naas://jobs/failed;v=1",
        "naas://jobs;v=1/failed",
        "naas://jobs/failed%00",
        "naas://jobs/failed%0a",
        "naas://jobs/failed ",
        " naas://jobs/failed",
        "naas://jobs/failed\u{200b}",
        "naas://jobs/f\u{e4}iled",
    ] {
        let refused = read(&host, "naas", uri, &["naas:viewer"]).await.map(drop).expect_err(uri);
        assert!(matches!(refused, Refused::Unknown { .. } | Refused::Forbidden { .. }), "{uri}: {refused}");
    }
    // Who holds both roles reads it by every spelling that has one meaning.
    for uri in
        ["NAAS://jobs/%66ailed", "naas://jobs/failed?x=1", "naas://JOBS:443/failed/", "naas:///jobs/failed"]
    {
        done(read(&host, "naas", uri, &["naas:viewer", "naas:operator"]).await);
    }
}

#[tokio::test]
async fn the_guest_gets_the_spelling_that_was_checked() {
    let (_place, host) = serving(jobs(), SETTINGS).await;
    let contents = done(read(&host, "naas", "NAAS://jobs/%37?a=%c3%a4", &["naas:viewer"]).await);
    assert_eq!(contents[0].text.as_deref(), Some("naas://jobs/7?a=%C3%A4"));
    assert_eq!(contents[0].uri.as_deref(), Some("naas://jobs/7?a=%C3%A4"));
}

#[tokio::test]
async fn a_read_returns_what_was_asked_for_or_what_its_caller_may_read_anyway() {
    for (uri, roles, fine) in [
        ("naas://jobs", &["naas:viewer"][..], true),
        ("NAAS://jobs", &["naas:viewer"], true),
        ("naas://jobs/7", &["naas:viewer"], true),
        ("naas://devices", &["naas:viewer"], true),
        ("naas://jobs/failed", &["naas:viewer"], false),
        ("naas://jobs/failed?x", &["naas:viewer"], false),
        ("naas://jobs/failed", &["naas:viewer", "naas:operator"], true),
        ("other://jobs", &["naas:*"], false),
        ("skill://push/SKILL.md", &["naas:*"], false),
        ("naas://jobs/../x", &["naas:*"], false),
        ("file:///etc/passwd", &["naas:*"], false),
        ("", &["naas:*"], false),
    ] {
        let (_place, host) = serving(reading(json!([own("naas://jobs"), own(uri)])), SETTINGS).await;
        let read = read(&host, "naas", "naas://jobs", roles).await;
        if fine {
            assert_eq!(done(read).len(), 2, "{uri}");
        } else {
            assert_eq!(fault(read).code, "protocol", "{uri}");
        }
    }
}

#[tokio::test]
async fn what_lies_below_what_was_asked_for_comes_along_unless_an_entry_guards_it() {
    let one_entry = |uri: &str| {
        Plugin::bare("naas")
            .and(ROLES)
            .and("[resources.\"naas://jobs\"]\nrequires = \"viewer\"\n")
            .and("[resources.\"naas://jobs/failed\"]\nrequires = \"operator\"\n")
            .exports("resources", "read-resource", Does::Answers(json!({ "ok": { "done": [own(uri)] } })))
    };
    for (uri, fine) in [
        ("naas://jobs/7", true),
        ("naas://jobs/7/log", true),
        ("naas://jobs/failed", false),
        ("naas://jobs/failed?x", false),
        ("naas://jobs-secret", false),
        ("naas://devices/7", false),
    ] {
        let settings = "[plugins.naas]\n[plugins.naas.resources.\"naas://jobs/failed\"]\nenabled = false\n";
        for settings in [SETTINGS, settings] {
            let (_place, host) = serving(one_entry(uri), settings).await;
            let read = read(&host, "naas", "naas://jobs", &["naas:viewer"]).await;
            assert_eq!(
                matches!(&read, Ok(read) if format!("{:?}", read.end).contains("Done")),
                fine,
                "{uri}"
            );
        }
    }
}

#[tokio::test]
async fn a_read_returns_resources_with_contents_and_nothing_else() {
    for contents in [
        json!([]),
        json!([{ "kind": "text", "text": "x", "uri": "naas://jobs" }]),
        json!([{ "kind": "resource", "text": "x" }]),
        json!([{ "kind": "resource", "uri": "naas://jobs" }]),
        json!([{ "kind": "resource", "uri": "naas://jobs", "text": "x", "data": "x" }]),
    ] {
        let (_place, host) = serving(reading(contents.clone()), SETTINGS).await;
        let fault = fault(read(&host, "naas", "naas://jobs", &["naas:viewer"]).await);
        assert_eq!(fault.code, "protocol", "{contents}");
    }
}

#[tokio::test]
async fn contents_are_bounded_and_made_harmless() {
    let block = json!({
        "kind": "resource", "uri": "naas://jobs", "text": "a\u{202e}b", "mime-type": "text/pl\u{1b}ain",
        "meta": "{\"k\\u200b\":\"v\\u202e\"}"
    });
    let (_place, host) = serving(reading(json!([block])), SETTINGS).await;
    let contents = done(read(&host, "naas", "naas://jobs", &["naas:viewer"]).await);
    assert_eq!(contents[0].text.as_deref(), Some("a\\u{202e}b"));
    assert_eq!(contents[0].mime_type.as_deref(), Some("text/pl\\u{1b}ain"));
    assert_eq!(contents[0].meta, Some(json!({ "k\\u{200b}": "v\\u{202e}" })));

    let large = json!([{ "kind": "resource", "uri": "naas://jobs", "text": "x".repeat(70_000) }]);
    let settings = "[limits]\nresult = \"64KiB\"\n[plugins.naas]\n";
    let (_place, host) = serving(reading(large), settings).await;
    assert_eq!(fault(read(&host, "naas", "naas://jobs", &["naas:viewer"]).await).code, "limit");

    let (_place, host) = serving(
        reading(
            json!([{ "kind": "resource", "uri": "naas://jobs", "text": "x", "meta": "x".repeat(70_000) }]),
        ),
        SETTINGS,
    )
    .await;
    assert_eq!(fault(read(&host, "naas", "naas://jobs", &["naas:viewer"]).await).code, "limit");
}

#[tokio::test]
async fn a_guest_that_knows_nothing_at_a_uri_says_so_itself() {
    let nothing = json!({ "err": { "code": "unknown", "message": "there is no job 9" } });
    let plugin = jobs().exports("resources", "read-resource", Does::Answers(nothing));
    let (_place, host) = serving(plugin, SETTINGS).await;
    let fault = fault(read(&host, "naas", "naas://jobs/9", &["naas:viewer"]).await);
    assert_eq!((fault.code.as_str(), fault.message.as_str()), ("unknown", "there is no job 9"));
}

#[tokio::test]
async fn a_listed_resource_is_labelled_and_made_harmless() {
    let plugin = listing(json!([
        { "uri": "NAAS://jobs/%37", "name": "se\u{200b}ven", "title": "Seven", "description": "A\u{1b}[2J job.",
          "mime-type": "text/plain", "size": 12, "meta": "{\"io.modelcontextprotocol/x\":1,\"a\":2}" },
        { "uri": "naas://jobs", "name": "jobs" },
    ]));
    let (_place, host) = serving(plugin, "[plugins.naas]\nlabel = \"LAB\"\n").await;
    let resources = page(&host, "naas", &["naas:viewer"]).await.resources;
    let seven = &resources[0];
    assert_eq!((seven.uri.as_str(), seven.name.as_str()), ("naas://jobs/7", "se\\u{200b}ven"));
    assert_eq!(seven.title.as_deref(), Some("[LAB] Seven"));
    assert_eq!(seven.description.as_deref(), Some("[LAB] A\\u{1b}[2J job."));
    assert_eq!((seven.size, &seven.meta), (Some(12), &Some(json!({ "a": 2 }))));
    assert_eq!(resources[1].description.as_deref(), Some("[LAB]"));
}

#[tokio::test]
async fn a_page_that_is_too_large_is_a_fault() {
    let many = |count: usize| {
        (0..count)
            .map(|number| json!({ "uri": format!("naas://jobs/{number}"), "name": "x" }))
            .collect::<Vec<_>>()
    };
    let (_place, host) = serving(listing(json!(many(1_000))), SETTINGS).await;
    assert_eq!(listed(&host, "naas", &["naas:viewer"]).await.len(), 1_000);

    let long = |key: &str, bytes: usize| {
        let mut one = json!({ "uri": "naas://jobs", "name": "x" });
        one[key] = "x".repeat(bytes).into();
        json!([one])
    };
    for (list, cursor) in [
        (json!(many(1_001)), None),
        (long("name", 257), None),
        (long("title", 257), None),
        (long("description", 16_385), None),
        (long("mime-type", 129), None),
        (long("meta", 65_537), None),
        (json!([]), Some("x".repeat(1_025))),
    ] {
        let answer = Does::Answers(json!({ "ok": [list, cursor] }));
        let (_place, host) = serving(jobs().exports("resources", "list-resources", answer), SETTINGS).await;
        let list = list_request("naas", &["naas:viewer"]);
        let answered = in_time(host.list_resources(&host.catalog(), list)).await;
        assert_eq!(fault(answered).code, "limit");
    }
}

#[tokio::test]
async fn a_page_names_the_next_one_and_the_guest_gets_its_cursor() {
    let answer = json!({ "ok": [[{ "uri": "naas://jobs/7", "name": "seven" }], "page 2"] });
    let plugin = jobs().exports("resources", "list-resources", Does::Answers(answer));
    let (_place, host) = serving(plugin, SETTINGS).await;
    assert_eq!(page(&host, "naas", &["naas:viewer"]).await.next.as_deref(), Some("page 2"));

    let long = fleetgate_core::call::ResourceList {
        cursor: Some("x".repeat(1_025)),
        ..list_request("naas", &["naas:viewer"])
    };
    let fault = fault(in_time(host.list_resources(&host.catalog(), long)).await);
    assert_eq!(fault.code, "invalid-arguments");
}

#[tokio::test]
async fn the_operator_raises_and_switches_off() {
    let settings = "[plugins.naas]\n[plugins.naas.resources.\"naas://**\"]\nrequires = \"operator\"\n\
                    [plugins.naas.resources.\"naas://jobs/failed\"]\nenabled = false\n";
    let (_place, host) = serving(jobs(), settings).await;
    let both = ["naas:viewer", "naas:operator"];
    assert_eq!(listed(&host, "naas", &["naas:viewer"]).await, Vec::<String>::new());
    assert_eq!(listed(&host, "naas", &both).await, ["naas://jobs", "naas://jobs/7"]);
    let refused =
        read(&host, "naas", "naas://jobs", &["naas:viewer"]).await.map(drop).expect_err("too little");
    let Refused::Forbidden { scopes, .. } = refused else { panic!("{refused}") };
    assert_eq!(scopes, both);
    let off = read(&host, "naas", "naas://jobs/failed", &both).await.map(drop).expect_err("switched off");
    assert!(matches!(off, Refused::Unknown { .. }), "{off}");

    for (table, words) in [
        ("resources.\"naas://**\"]\nrequires = \"any\"", "would lower what the manifest requires"),
        ("resources.\"naas://*\"]\nenabled = false", "has no resource entry"),
        ("prompts.hi]\nenabled = false", "has no prompt"),
    ] {
        let place = Place::new(&format!("[plugins.naas]\n[plugins.naas.{table}\n"));
        place.drop_plugin(&jobs());
        let why = super::host::why_broken(&place.start().await.survey(), "naas");
        assert!(why.contains(words), "{words}: {why}");
    }
}

#[tokio::test]
async fn of_several_patterns_the_longest_decides_and_equally_long_ones_all_do() {
    let plugin = Plugin::bare("naas")
        .and("[roles]\na = {}\nb = {}\nc = {}\n")
        .and("[resources.\"naas://**\"]\nrequires = \"a\"\n[resources.\"naas://x/*/y\"]\nrequires = \"b\"\n")
        .and("[resources.\"naas://x/**/y\"]\nrequires = \"c\"\n[resources.\"naas://x/{id}/y/z\"]\nrequires = \"any\"\n")
        .exports("resources", "read-resource", Does::Answers(json!({ "ok": { "done": [own("$1")] } })));
    let (_place, host) = serving(plugin, SETTINGS).await;
    for (uri, needed) in [
        ("naas://x", &["naas:a"][..]),
        ("naas://x/1/y", &["naas:b", "naas:c"]),
        ("naas://x/1/2/y", &["naas:c"]),
        ("naas://x/1/y/z", &[]),
        ("naas://x/1/2/y/z", &["naas:a"]),
    ] {
        done(read(&host, "naas", uri, needed).await);
        for left_out in needed {
            let rest: Vec<&str> =
                ["naas:a", "naas:b", "naas:c"].into_iter().filter(|one| one != left_out).collect();
            let refused = read(&host, "naas", uri, &rest).await.map(drop).expect_err(uri);
            assert!(matches!(refused, Refused::Forbidden { .. }), "{uri} {refused}");
        }
    }
}

#[tokio::test]
async fn without_an_entry_no_resource_is_exposed() {
    let plugin = Plugin::bare("naas").exports("resources", "list-resources", Does::Traps).lists(
        "resources",
        "list-templates",
        json!([{ "uri-template": "naas://{a}", "name": "a" }]),
    );
    let (_place, host) = serving(plugin, SETTINGS).await;
    assert!(listed(&host, "naas", &["naas:*"]).await.is_empty());
    assert!(host.catalog().templates(&Scope::Shared, &principal(&["naas:*"])).is_empty());
    read(&host, "naas", "naas://a", &["naas:*"]).await.map(drop).expect_err("not exposed");
}

fn templates(templates: Value) -> Plugin {
    Plugin::bare("naas")
        .and(ROLES)
        .and("[resources.\"naas://jobs/*\"]\nrequires = \"viewer\"\n")
        .and("[resources.\"naas://files/{+path}\"]\nrequires = \"operator\"\n")
        .lists("resources", "list-templates", templates)
}

#[tokio::test]
async fn a_template_is_seen_by_whoever_may_read_what_it_expands_to() {
    let plugin = templates(json!([
        { "uri-template": "naas://jobs/{id}", "name": "job", "title": "J\u{200b}ob" },
        { "uri-template": "naas://files/{+path}", "name": "file" },
    ]));
    let (_place, host) = serving(plugin, "[plugins.naas]\nlabel = \"LAB\"\n").await;
    let seen = |roles: &[&str]| -> Vec<String> {
        let all = host.catalog().templates(&Scope::Shared, &principal(roles));
        all.iter().map(|found| found.template.definition.uri_template.clone()).collect()
    };
    assert_eq!(seen(&[]), Vec::<String>::new());
    assert_eq!(seen(&["naas:viewer"]), ["naas://jobs/{id}"]);
    assert_eq!(seen(&["naas:operator"]), ["naas://files/{+path}"]);
    let live = host.catalog().binding("naas").expect("served").clone();
    let definition = &live.templates["naas://jobs/{id}"].definition;
    assert_eq!(definition.title.as_deref(), Some("[LAB] J\\u{200b}ob"));
    assert_eq!(definition.description.as_deref(), Some("[LAB]"));
}

#[tokio::test]
async fn a_template_that_is_not_as_it_should_be_is_refused() {
    for (listed, words) in [
        (json!([{ "uri-template": "naas://jobs/{id}/log", "name": "x" }]), "has no entry in the manifest"),
        (json!([{ "uri-template": "naas://jobs/{+id}", "name": "x" }]), "has no entry in the manifest"),
        (json!([{ "uri-template": "naas://jobs/{id", "name": "x" }]), "has a brace"),
        (json!([{ "uri-template": "naas://jobs/{;id}", "name": "x" }]), "parameters"),
        (json!([{ "uri-template": "naas://jobs/../{id}", "name": "x" }]), "\"..\""),
        (
            json!([{ "uri-template": "naas://jobs/{id}", "name": "x" }, { "uri-template": "naas://jobs/{id}", "name": "y" }]),
            "two templates named",
        ),
        (
            json!([{ "uri-template": "naas://jobs/{id}", "name": "x".repeat(257) }]),
            "the name of its template",
        ),
        (json!([{ "uri-template": "naas://jobs/{id}", "name": "x", "extra": "[]" }]), "is not an object"),
        (json!([{ "uri-template": "naas://jobs/{id}", "name": "$tick" }]), "is described in two ways"),
        (
            json!(
                (0..257)
                    .map(|n| json!({ "uri-template": format!("naas://jobs/{n}"), "name": "x" }))
                    .collect::<Vec<_>>()
            ),
            "257 templates",
        ),
    ] {
        let why = refused(templates(listed)).await;
        assert!(why.contains(words), "{words}: {why}");
    }
    let why = refused(templates(json!([])).exports("resources", "list-templates", Does::Traps)).await;
    assert!(why.contains("listing its templates was ended: it crashed"), "{why}");
}

#[tokio::test]
async fn entries_for_nothing_and_a_component_of_nothing_are_refused() {
    let tools = Plugin::new("naas", "0.1.0").and("[resources.\"naas://**\"]\nrequires = \"any\"\n");
    let why = refused(tools).await;
    assert!(why.contains("exports neither resources nor skills"), "{why}");
    let why = refused(Plugin::bare("naas")).await;
    assert!(why.contains("it exports nothing of fleetgate:plugin"), "{why}");
}

#[tokio::test]
async fn reads_and_lists_are_recorded_and_need_no_intent() {
    let (_place, host, kept) = recorded(jobs()).await;
    done(read(&host, "naas", "NAAS://jobs/7", &["naas:viewer"]).await);
    read(&host, "naas", "naas://jobs/failed", &["naas:viewer"]).await.map(drop).expect_err("too little");
    read(&host, "naas", "naas://jobs/..", &["naas:viewer"]).await.map(drop).expect_err("no such URI");
    listed(&host, "naas", &["naas:viewer"]).await;
    assert_eq!(
        kept.lines(),
        [
            "naas resource naas://jobs/7 ok",
            "naas resource naas://jobs/failed refused",
            "naas resource naas://jobs/.. refused",
            "naas resources/list ok",
        ]
    );
    let records = kept.0.lock().unwrap();
    assert_eq!(records[0].intent.arguments_hash, "hash of NAAS://jobs/7");
    assert!(
        records[1].reason.as_ref().unwrap().contains("requires naas:operator"),
        "{:?}",
        records[1].reason
    );
    assert!(records[2].reason.as_ref().unwrap().contains("\"..\""), "{:?}", records[2].reason);
}

#[tokio::test]
async fn another_bindings_resources_are_not_reached_through_an_endpoint() {
    let (_place, host) = serving(jobs(), "[plugins.naas]\n[plugins.lab]\nuse = \"naas\"\n").await;
    let everything = ["naas:*", "lab:*"];
    let read = fleetgate_core::call::ResourceRead {
        context: super::host::context(Scope::Binding("lab".into()), &everything),
        binding: "naas".into(),
        uri: "naas://jobs".into(),
        answers: None,
    };
    let refused = in_time(host.read_resource(&host.catalog(), read)).await.map(drop).expect_err("not here");
    assert!(matches!(refused, Refused::Unknown { .. }), "{refused}");
    let list = fleetgate_core::call::ResourceList {
        context: super::host::context(Scope::Binding("lab".into()), &everything),
        ..list_request("naas", &[])
    };
    in_time(host.list_resources(&host.catalog(), list)).await.map(drop).expect_err("not here");
}
