//! Skills: listed, fetched, their directories and files read (SEP-2640).

use std::num::NonZeroUsize;

use fleetgate_core::domain::Skill;
use serde_json::{Value, json};

use crate::backend::{Does, Fake, binding, tool};
use crate::running::{Served, served, served_with};
use crate::surfaces::{Reads, resource, skill};

fn push() -> std::sync::Arc<Skill> {
    skill(
        "network/push",
        &[("SKILL.md", "---\nname: push\n---"), ("scripts/check.py", "pass"), ("a.txt", "a")],
    )
}

async fn fleet() -> Served {
    let twin = |name| {
        binding(name, [])
            .skills([push(), skill("look", &[("SKILL.md", "x")])])
            // Listed a second time by the guest itself.
            .resources([resource("skill://look/SKILL.md", Reads::Echo), resource("n://1", Reads::Echo)])
    };
    let fake = Fake::new([twin("lab"), twin("lab-2"), binding("bare", [tool("it", Does::Echo)])]);
    served(&fake).await
}

fn digest(length: usize) -> String {
    format!("sha256:{}", format!("{length:02x}").repeat(32))
}

#[tokio::test]
async fn the_extension_is_declared_where_there_are_skills_in_both_eras() {
    let fleet = fleet().await;
    for (path, declared) in [("/mcp", true), ("/mcp/lab", true), ("/mcp/bare", false)] {
        let modern = fleet.ask(path, "ann", "server/discover", json!({})).await;
        let legacy = fleet.legacy(path, "ann", "2025-11-25").await;
        for said in [&modern["result"]["capabilities"], &legacy.initialized["result"]["capabilities"]] {
            let settings = &said["extensions"]["io.modelcontextprotocol/skills"];
            assert_eq!(*settings == json!({"directoryRead": true}), declared, "{path}: {said}");
            assert_eq!(said.get("resources").is_some(), declared);
        }
        for method in ["skills/list", "skills/get", "resources/directory/read"] {
            let answer = fleet.ask(path, "ann", method, json!({"uri": "skill://nothing/SKILL.md"})).await;
            assert_eq!(answer["error"]["code"] == -32601, !declared, "{path} {method}: {answer}");
        }
    }
}

#[tokio::test]
async fn an_entry_names_every_file_as_its_endpoint_shows_it() {
    let fleet = fleet().await;
    for (path, before) in [("/mcp", "skill://lab/"), ("/mcp/lab", "skill://")] {
        let session = fleet.legacy(path, "ann", "2025-06-18").await;
        let modern = fleet.ask(path, "ann", "skills/list", json!({})).await;
        let legacy = session.ask("skills/list", json!({})).await;
        let file = |file: &str, name: usize, size: usize| json!({"uri": format!("{before}network/push/{file}"), "digest": digest(name), "size": size});
        let entry = json!({
            "uri": format!("{before}network/push/SKILL.md"),
            "frontmatter": {"name": "push", "description": "How to push.", "x": [1]},
            "resources": [file("SKILL.md", 8, 18), file("a.txt", 5, 1), file("scripts/check.py", 16, 4)],
            "_meta": {"dev.fleetgate/binding": "lab"},
        });
        for answer in [&modern, &legacy] {
            let skills = answer["result"]["skills"].as_array().unwrap();
            assert_eq!(skills.len(), 2, "ann has roles of lab alone");
            assert_eq!(skills[1], entry);
        }
        assert_eq!(
            (&modern["result"]["ttlMs"], &modern["result"]["cacheScope"]),
            (&json!(5000), &json!("private"))
        );
        assert_eq!(modern["result"]["resultType"], "complete");
        assert!(modern["result"]["_meta"].get("io.modelcontextprotocol/serverInfo").is_some());
        for key in ["ttlMs", "cacheScope", "resultType", "_meta"] {
            assert_eq!(legacy["result"].get(key), None, "{key}");
        }
        let uri = entry["uri"].as_str().unwrap();
        let got = fleet.ask(path, "ann", "skills/get", json!({"uri": uri})).await;
        assert_eq!(got["result"]["skill"], entry);
        assert_eq!(got["result"].get("nextCursor"), None);
        assert_eq!(got["result"]["cacheScope"], "private");
    }
}

#[tokio::test]
async fn every_file_is_read_by_the_uri_that_was_listed() {
    let fleet = fleet().await;
    let listed = fleet.ask("/mcp", "ann", "skills/list", json!({})).await;
    for file in listed["result"]["skills"][1]["resources"].as_array().unwrap() {
        let read = fleet.ask("/mcp", "ann", "resources/read", json!({"uri": file["uri"]})).await;
        let contents = &read["result"]["contents"][0];
        assert_eq!(contents["uri"], file["uri"]);
        assert_eq!(contents["text"].as_str().unwrap().len() as u64, file["size"].as_u64().unwrap());
    }
    let manifest =
        fleet.ask("/mcp/lab", "ann", "resources/read", json!({"uri": "skill://look/SKILL.md"})).await;
    assert_eq!(manifest["result"]["contents"][0]["mimeType"], "text/markdown");
}

#[tokio::test]
async fn a_manifest_is_a_resource_with_the_skills_own_name_and_stands_once() {
    let fleet = fleet().await;
    let answer = fleet.ask("/mcp", "ann", "resources/list", json!({})).await;
    let of_lab: Vec<_> = answer["result"]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["_meta"]["dev.fleetgate/binding"] == "lab")
        .map(|one| one["uri"].as_str().unwrap())
        .collect();
    assert_eq!(of_lab, ["skill://lab/look/SKILL.md", "skill://lab/network/push/SKILL.md", "lab+n://1"]);
    assert_eq!(
        answer["result"]["resources"][1],
        json!({
            "uri": "skill://lab/network/push/SKILL.md", "name": "push", "description": "How to push.",
            "mimeType": "text/markdown", "size": 18, "_meta": {"dev.fleetgate/binding": "lab"},
        })
    );
}

#[tokio::test]
async fn a_skill_that_is_not_there_for_its_caller_is_an_invalid_parameter() {
    let fleet = fleet().await;
    for (path, caller, uri) in [
        ("/mcp", "ann", "skill://nothing/SKILL.md"),
        ("/mcp", "ann", "skill://look/SKILL.md"),
        ("/mcp", "ann", "skill://lab/look"),
        ("/mcp", "ann", "skill://lab/network/push/a.txt"),
        ("/mcp", "ann", "skill://lab-2/look/SKILL.md"),
        ("/mcp/lab", "ann", "skill://lab/look/SKILL.md"),
        ("/mcp/lab", "bob", "skill://look/SKILL.md"),
    ] {
        for method in ["skills/get", "resources/directory/read"] {
            let answer = fleet.ask(path, caller, method, json!({"uri": uri})).await;
            let directory = (method, uri) == ("resources/directory/read", "skill://lab/look");
            assert_eq!(answer["error"]["code"] == -32602, !directory, "{method} {uri}: {answer}");
        }
    }
    for params in [json!({}), json!({"uri": 7})] {
        assert_eq!(fleet.ask("/mcp", "ann", "skills/get", params).await["error"]["code"], -32602);
    }
    assert_eq!(
        fleet.ask("/mcp", "ann", "skills/list", json!({"cursor": "x"})).await["error"]["code"],
        -32602
    );
}

#[tokio::test]
async fn a_directory_lists_its_direct_children() {
    let fleet = fleet().await;
    let read = async |path: &str, uri: &str| -> Vec<Value> {
        let answer = fleet.ask(path, "ann", "resources/directory/read", json!({"uri": uri})).await;
        let children = answer["result"]["resources"].as_array().unwrap_or_else(|| panic!("{answer}"));
        children.iter().map(|one| json!([one["uri"], one["name"], one["mimeType"]])).collect()
    };
    for (path, before) in [("/mcp", "skill://lab"), ("/mcp/lab", "skill:/")] {
        let at = |own: &str| format!("{before}/{own}");
        let children = read(path, &at("network/push")).await;
        let expected = [
            json!([at("network/push/SKILL.md"), "push", "text/markdown"]),
            json!([at("network/push/a.txt"), "a.txt", "text/plain"]),
            json!([at("network/push/scripts"), "scripts", "inode/directory"]),
        ];
        assert_eq!(children, expected);
        assert_eq!(read(path, &at("network/push/")).await, expected);
        assert_eq!(
            read(path, &at("network/push/scripts")).await,
            [json!([at("network/push/scripts/check.py"), "check.py", "text/plain"])]
        );
        assert_eq!(
            read(path, &at("network")).await,
            [json!([at("network/push"), "push", "inode/directory"])]
        );
    }
}

#[tokio::test]
async fn pages_cover_skills_and_directories_once() {
    let many: Vec<_> =
        (0..5).map(|n| skill(&format!("s{n}"), &[("SKILL.md", "x"), ("a", ""), ("b", "")])).collect();
    let served = served_with(&Fake::new([binding("lab", []).skills(many)]), |mut options| {
        options.page_size = NonZeroUsize::new(2).unwrap();
        options
    })
    .await;
    for (method, uri, key, count) in
        [("skills/list", "", "skills", 5), ("resources/directory/read", "skill://s0", "resources", 3)]
    {
        let mut params = json!({"uri": uri});
        let mut seen = Vec::new();
        loop {
            let answer = served.ask("/mcp/lab", "ann", method, params.clone()).await;
            let page = answer["result"][key].as_array().unwrap_or_else(|| panic!("{answer}"));
            seen.extend(page.iter().map(|one| one["uri"].as_str().unwrap().to_owned()));
            match answer["result"].get("nextCursor") {
                Some(cursor) => params["cursor"] = cursor.clone(),
                None => break,
            }
        }
        assert_eq!(seen.len(), count, "{seen:?}");
        assert!(seen.is_sorted_by(|one, next| one < next), "{seen:?}");
        // Of another directory it is nobody's.
        if let (Some(cursor), "skill://s0") = (params.get("cursor"), uri) {
            let other = json!({"uri": "skill://s1", "cursor": cursor});
            assert_eq!(served.ask("/mcp/lab", "ann", method, other).await["error"]["code"], -32602);
        }
    }
}
