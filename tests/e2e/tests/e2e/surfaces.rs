//! A plugin that shows resources, prompts, completions and skills wrongly: what the probe can see keeps it out, and
//! what it does later is that one request's error.

use fleetgate_e2e::{Installation, Server};
use serde_json::{Value, json};

/// One binding of the plugin for each lie, named after it.
fn installation(lies: &[&str]) -> Installation {
    let installation = Installation::new();
    installation.install("hello");
    installation.install("surfaces");
    let roles: Vec<String> = lies.iter().map(|lie| format!("{lie}:view")).collect();
    let mut settings = format!("[serve]\nlocal_roles = {roles:?}\n\n[plugins.hello]\n");
    for lie in lies {
        settings += &format!(
            "[plugins.{lie}]\nuse = \"surfaces\"\nconfig = {{ lie = \"{lie}\" }}\n[plugins.{lie}.grant.client.skills]\n"
        );
    }
    installation.config(&settings);
    installation
}

#[tokio::test]
async fn without_a_lie_all_of_it_is_served() {
    let installation = installation(&["none"]);
    let server = Server::start(&installation);
    let client = server.client_of("none");
    let ask = |method: &'static str, params: Value| client.request(method, params);
    let resources = ask("resources/list", json!({})).await.result()["resources"].clone();
    let uris: Vec<_> = resources.as_array().expect("a list").iter().map(|one| &one["uri"]).collect();
    assert_eq!(uris, ["skill://careful/SKILL.md", "surfaces://items/one"]);
    let templates = ask("resources/templates/list", json!({})).await.result()["resourceTemplates"].clone();
    assert_eq!(templates[0]["uriTemplate"], "surfaces://items/{id}");
    assert_eq!(ask("prompts/list", json!({})).await.result()["prompts"][0]["name"], "ask");
    let read = ask("resources/read", json!({"uri": "surfaces://items/7"})).await;
    assert_eq!(read.result()["contents"][0]["text"], "one");
    let skills = ask("skills/list", json!({})).await.result()["skills"].clone();
    assert_eq!(skills[0]["frontmatter"], json!({"name": "careful", "description": "Be careful."}));
}

/// What the probe sees, and a part of why the host says no.
const PROBED: [(&str, &str); 46] = [
    ("templates-twice", "two templates named"),
    ("templates-not-ours", "has no entry in the manifest"),
    ("templates-escape", "template \"{+anything}\""),
    ("templates-broken", "template \"surfaces://items/{id\""),
    ("templates-changing", "other templates at each look"),
    ("templates-many", "templates"),
    ("templates-long", "the title"),
    ("templates-trap", "listing its templates was ended"),
    ("templates-fault", "no templates today"),
    ("prompts-twice", "two prompts named"),
    ("prompts-not-ours", "has no entry in the manifest"),
    ("prompts-nothing", "lists no such prompt"),
    ("prompts-bad-name", "named \"ask me\""),
    ("prompts-changing", "other prompts at each look"),
    ("prompts-many", "prompts"),
    ("prompts-long", "the description"),
    ("prompts-argument-twice", "two arguments named \"about\""),
    ("prompts-bad-argument", "an argument named \"a b\""),
    ("prompts-arguments", "10000 arguments"),
    ("prompts-meta", "meta"),
    ("prompts-trap", "listing its prompts was ended"),
    ("prompts-fault", "no prompts today"),
    ("skills-twice", "two files"),
    ("skills-bad-path", "has no path of a skill"),
    ("skills-other-name", "whose name is not \"other\""),
    ("skills-not-ours", "has no entry in the manifest"),
    ("skills-undescribed", "without a description"),
    ("skills-no-object", "front matter that is no object"),
    ("skills-no-json", "is not JSON"),
    ("skills-fileless", "has no SKILL.md"),
    ("skills-escape", "within the skill's directory"),
    ("skills-backslash", "within the skill's directory"),
    ("skills-hidden-path", "within the skill's directory"),
    ("skills-file-twice", "two files"),
    ("skills-binary", "another media type"),
    ("skills-huge", "skills"),
    ("skills-many", "skills"),
    ("skills-many-files", "files of the skill"),
    ("skills-changing", "other skills at each look"),
    ("skills-two-names", "another name than stands in the front matter"),
    ("skills-two-descriptions", "another description than stands in the front matter"),
    ("skills-no-front-matter", "its front matter is missing"),
    ("skills-open-front-matter", "its front matter is missing"),
    ("skills-yaml-depth", "its front matter"),
    ("skills-trap", "listing its skills was ended"),
    ("skills-fault", "no skills today"),
];

#[tokio::test]
async fn each_wrong_list_that_the_probe_sees_keeps_its_binding_out_and_the_others_in() {
    // Names have 32 characters at most.
    assert!(PROBED.iter().all(|(lie, _)| lie.len() <= 32));
    let lies: Vec<&str> = PROBED.iter().map(|(lie, _)| *lie).collect();
    let installation = installation(&lies);
    let checked = installation.run(&["check", "--json"]);
    assert_eq!(checked.code, 1, "{checked:?}");
    let facts = checked.json();
    let plugins = facts["plugins"].as_array().expect("a list");
    let surfaces = plugins.iter().find(|plugin| plugin["id"] == "surfaces").expect("it is found");
    for (lie, why) in PROBED {
        let bindings = surfaces["bindings"].as_array().expect("a list");
        let binding = bindings.iter().find(|binding| binding["name"] == lie).expect("its binding");
        assert_eq!(binding["state"], "broken", "{lie}: {binding}");
        let said = binding["why"]["message"].as_str().expect("a sentence");
        assert!(said.contains(why), "{lie}: {why:?} is not in: {said}");
        assert!(said.len() < 4 << 10 && !said.contains('\u{202e}'), "{lie}: bounded and harmless: {said}");
    }
    let server = Server::start(&installation);
    assert_eq!(server.client().tool_names().await, ["hello_greet"]);
    assert_eq!(server.client().request("prompts/list", json!({})).await.error_code(), -32601);
}

#[tokio::test]
async fn a_front_matter_that_would_unfold_into_gigabytes_is_passed_over() {
    let installation = installation(&["skills-yaml-bomb"]);
    let checked = installation.run(&["check", "--json"]);
    assert_eq!(checked.code, 0, "its name and description are right: {checked:?}");
}

#[tokio::test]
async fn what_is_listed_wrongly_later_is_left_out_or_an_error_of_its_request() {
    let left_out = ["resources-twice", "resources-not-ours", "resources-no-uris"];
    let refused = [
        "resources-many",
        "resources-long",
        "resources-meta",
        "resources-no-json",
        "resources-cursor",
        "resources-trap",
    ];
    let more = ["resources-hidden", "resources-endless"];
    let installation = installation(&[&left_out[..], &refused, &more].concat());
    let server = Server::start(&installation);
    let list = async |lie: &str| server.client_of(lie).request("resources/list", json!({})).await;
    for lie in left_out {
        let answer = list(lie).await;
        let resources = answer.result()["resources"].as_array().expect("a list");
        let uris: Vec<_> = resources.iter().map(|one| &one["uri"]).collect();
        assert_eq!(uris, ["skill://careful/SKILL.md", "surfaces://items/one"], "{lie}");
    }
    for lie in refused {
        let answer = list(lie).await;
        assert_eq!(answer.error_code(), -32603, "{lie}: {answer:?}");
        assert!(answer.message.to_string().len() < 16 << 10, "{lie}");
    }
    let hidden = list("resources-hidden").await;
    assert_eq!(hidden.result()["resources"][1]["description"], "One\\u{202e}\\u{e0041}\\u{200b}.");
    // A list without an end is cut into pages, as far as a client asks for them.
    let mut params = json!({});
    let client = server.client_of("resources-endless");
    for _ in 0..3 {
        let page = client.request("resources/list", params).await;
        assert!(page.result()["resources"].as_array().expect("a list").len() <= 1_000, "{page:?}");
        params = json!({"cursor": page.result()["nextCursor"]});
        assert!(params["cursor"].is_string(), "{page:?}");
    }
    // On the shared endpoint they take nothing from the others.
    let shared = server.client().request("resources/list", json!({})).await;
    assert!(shared.result()["resources"].as_array().is_some_and(|all| !all.is_empty()), "{shared:?}");
}

#[tokio::test]
async fn what_is_read_wrongly_is_an_error_of_its_read() {
    let refused = [
        "read-nothing",
        "read-another",
        "read-nameless",
        "read-no-uri",
        "read-two-things",
        "read-no-thing",
        "read-text-block",
        "read-huge",
    ];
    let installation = installation(&[&refused[..], &["read-hidden"]].concat());
    let server = Server::start(&installation);
    let read = async |lie: &str| {
        server.client_of(lie).request("resources/read", json!({"uri": "surfaces://items/one"})).await
    };
    for lie in refused {
        let answer = read(lie).await;
        assert_eq!(answer.error_code(), -32603, "{lie}: {answer:?}");
        assert!(answer.message.to_string().len() < 16 << 10, "{lie}");
    }
    let hidden = read("read-hidden").await;
    assert_eq!(hidden.result()["contents"][0]["text"], "one\\u{202e}\\u{1b}[2J");
}

#[tokio::test]
async fn what_is_filled_in_or_completed_wrongly_is_an_error_or_cut() {
    let filled = ["filled-as-system", "filled-with-many", "filled-huge"];
    let completed = ["completes-huge", "completes-trap"];
    let cut = ["filled-hidden", "completes-many", "completes-long", "completes-hidden"];
    let installation = installation(&[&filled[..], &completed, &cut].concat());
    let server = Server::start(&installation);
    let fill = async |lie: &str| server.client_of(lie).request("prompts/get", json!({"name": "ask"})).await;
    let complete = async |lie: &str| {
        let reference = json!({"type": "ref/prompt", "name": "ask"});
        let params = json!({"ref": reference, "argument": {"name": "about", "value": "o"}});
        server.client_of(lie).request("completion/complete", params).await
    };
    for lie in filled {
        let answer = fill(lie).await;
        assert_eq!(answer.error_code(), -32603, "{lie}: {answer:?}");
    }
    for lie in completed {
        let answer = complete(lie).await;
        assert_eq!(answer.error_code(), -32603, "{lie}: {answer:?}");
    }
    let hidden = fill("filled-hidden").await;
    assert_eq!(hidden.result()["messages"][0]["content"]["text"], "one\\u{202e}\\u{e0041}");
    for (lie, given, more) in [("completes-many", 100, true), ("completes-long", 1, true)] {
        let answer = complete(lie).await;
        let completion = &answer.result()["completion"];
        assert_eq!(completion["values"].as_array().map(Vec::len), Some(given), "{lie}");
        assert_eq!(completion["hasMore"], more, "{lie}");
    }
    let hidden = complete("completes-hidden").await;
    assert_eq!(hidden.result()["completion"]["values"], json!(["one\\u{202e}\\u{1b}[2J"]));
}
