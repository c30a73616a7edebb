//! A new version goes live by itself while it asks for no more than was approved. What asks for more waits for a
//! person, and what was approved serves meanwhile.

use fleetgate_e2e::{Installation, Modern, PATIENCE, Server, repacked};
use serde_json::{Value, json};

const TOOL: &str = "requires = \"manage\"\nread_only = true\naudit = [\"/identifier\"]";
const REQUEST: &str = "[capabilities.http.api]\nwhy = \"The fleet\"\noptional = true\nmethods = [\"GET\"]\npaths = [\"/v1/**\"]";

/// A version of the plugin `lists`: the code is always the same, the manifest says this of its only tool, and more.
fn version(number: &str, tool: &str, more: &str) -> Vec<u8> {
    repacked(
        "lists",
        &format!(
            "[plugin]\nid = \"lists\"\nversion = \"{number}\"\ninterface = \"0.1\"\ntitle = \"Lists\"\n\
             description = \"Has one tool.\"\n\n[roles]\nview = {{}}\nmanage = {{ includes = [\"view\"] }}\n\n\
             {more}\n\n[tools.one]\n{tool}\n"
        ),
    )
}

/// Its first version, with its table.
fn installation() -> Installation {
    let installation = Installation::new();
    installation.install_bytes("lists", &version("0.1.0", TOOL, REQUEST));
    installation.config("[serve]\nlocal_roles = [\"lists:manage\"]\n\n[plugins.lists]\n");
    installation
}

/// Of a plugin's file.
fn digest(path: &std::path::Path) -> String {
    let mut inspect = std::process::Command::new(fleetgate_e2e::program("fleetgate"));
    let said = fleetgate_e2e::Said::by(inspect.arg("inspect").arg(path).arg("--json"));
    said.json()["digest"].as_str().expect("a digest").to_owned()
}

/// The digest of the version that answers a call now, as the audit log has it.
async fn serves(installation: &Installation, client: &Modern) -> String {
    let answer = client.call("one", json!({})).await;
    assert_eq!(answer.text(), "one", "{answer:?}");
    installation.record(&answer.reference())["plugin"].as_str().expect("a digest").to_owned()
}

async fn until_it_serves(installation: &Installation, client: &Modern, wanted: &str) {
    let started = std::time::Instant::now();
    while serves(installation, client).await != wanted {
        assert!(started.elapsed() < PATIENCE, "{wanted} never serves");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

fn lock(installation: &Installation) -> String {
    std::fs::read_to_string(installation.path().join("fleetgate.lock")).expect("a lock")
}

/// What the lock says of the plugin, without its manifest.
fn locked(installation: &Installation, key: &str) -> String {
    let lock = lock(installation);
    let line = lock.lines().find_map(|line| line.strip_prefix(&format!("{key} = "))).expect("the key");
    line.trim_matches('"').to_owned()
}

/// Waits for the copy that is served after a restart.
async fn until_a_copy_is_kept(installation: &Installation, server: &Server) {
    let copies = installation.path().join(".fleetgate/approved");
    server
        .until("a copy is kept", || async {
            std::fs::read_dir(&copies).is_ok_and(|mut files| {
                files.any(|file| {
                    file.is_ok_and(|file| file.path().extension().is_some_and(|ext| ext == "wasm"))
                })
            })
        })
        .await;
}

#[tokio::test]
async fn each_way_of_asking_for_more_is_held_and_said_while_the_old_version_serves_on() {
    let installation = installation();
    let server = Server::start(&installation);
    let client = server.client_of("lists");
    let approved = digest(&installation.plugin_path("lists"));
    assert_eq!(serves(&installation, &client).await, approved);
    // `fleetgate check` is a process of its own, and finds the approved version there.
    until_a_copy_is_kept(&installation, &server).await;

    let wider = |from: &str, to: &str| {
        assert!(REQUEST.contains(from));
        REQUEST.replace(from, to)
    };
    let second = format!(
        "{REQUEST}\n\n[capabilities.http.other]\nwhy = \"More\"\nmethods = [\"GET\"]\npaths = [\"/**\"]"
    );
    let cases = [
        ("a new capability", TOOL.to_owned(), second, "asks for http.other"),
        ("another method", TOOL.to_owned(), wider("[\"GET\"]", "[\"GET\", \"POST\"]"), "POST"),
        ("more paths", TOOL.to_owned(), wider("/v1/**", "/**"), "/**"),
        (
            "a lower role",
            TOOL.replace("manage", "view"),
            REQUEST.into(),
            "the tool one requires view instead of manage",
        ),
        (
            "no role",
            TOOL.replace("manage", "any"),
            REQUEST.into(),
            "the tool one requires any instead of manage",
        ),
        (
            "not read-only",
            TOOL.replace("read_only = true\n", ""),
            REQUEST.into(),
            "the tool one is no longer read_only",
        ),
        (
            "less in the audit log",
            TOOL.replace("\"/identifier\"", ""),
            REQUEST.into(),
            "is no longer in the audit record",
        ),
        ("a secret", format!("{TOOL}\nsecret = [\"/password\"]"), REQUEST.into(), "/password"),
        ("raw results", format!("{TOOL}\nverbatim = true"), REQUEST.into(), "control characters"),
        ("more memory", TOOL.to_owned(), format!("{REQUEST}\n\n[limits]\nmemory = \"128MiB\""), "128MiB"),
    ];
    for (number, (what, tool, more, sentence)) in cases.into_iter().enumerate() {
        let number = format!("0.2.{number}");
        installation.install_bytes("lists", &version(&number, &tool, &more));
        server
            .until(what, || async {
                server.log().lines().any(|line| line.contains(&number) && line.contains("held"))
            })
            .await;
        assert_eq!(serves(&installation, &client).await, approved, "{what}");

        let said = installation.run(&["check"]);
        assert_eq!(said.code, 1, "{what}: {said:?}");
        for part in [sentence, "held", "fleetgate approve lists"] {
            assert!(said.stdout.contains(part), "{what}: {part:?} is not in {}", said.stdout);
        }
        let facts = installation.run(&["check", "--json"]).json();
        let plugin = facts["plugins"].as_array().expect("plugins")[0].clone();
        assert_eq!(plugin["state"], "held", "{what}: {plugin}");
        assert!(plugin["widening"].to_string().contains(sentence), "{what}: {plugin}");
        assert_eq!(plugin["serving"], json!(approved), "{what}: {plugin}");
        assert_eq!(locked(&installation, "digest"), approved, "{what}");
    }
}

#[tokio::test]
async fn a_held_version_is_shown_and_serves_once_a_person_said_yes() {
    let installation = installation();
    let server = Server::start(&installation);
    let client = server.client_of("lists");
    let old = serves(&installation, &client).await;
    installation.install_bytes("lists", &version("0.2.0", &TOOL.replace("manage", "view"), REQUEST));
    let new = digest(&installation.plugin_path("lists"));
    server.logs("held").await;

    // Nobody is at the terminal: it is shown, and nothing happens.
    let said = installation.run(&["approve", "lists"]);
    assert_eq!(said.code, 2, "{said:?}");
    for part in ["lists 0.1.0 -> 0.2.0", &old, &new, "the tool one requires view instead of manage"] {
        assert!(said.stdout.contains(part), "{part:?} is not in {}", said.stdout);
    }
    assert!(said.stderr.contains("--yes"), "{said:?}");
    let facts = installation.run(&["approve", "lists", "--json"]);
    assert_eq!(facts.code, 2, "{facts:?}");
    let facts = facts.json();
    assert_eq!((&facts["from"]["version"], &facts["to"]["version"]), (&json!("0.1.0"), &json!("0.2.0")));
    assert_eq!(facts["widening"], json!(["the tool one requires view instead of manage"]));
    assert_eq!((locked(&installation, "digest"), serves(&installation, &client).await), (old.clone(), old));

    let said = installation.run_well(&["approve", "lists", "--yes"]);
    assert!(said.stderr.contains("lists 0.2.0 is approved"), "{said:?}");
    until_it_serves(&installation, &client, &new).await;
    assert_eq!(locked(&installation, "digest"), new);
    assert_eq!(locked(&installation, "version"), "0.2.0");
    assert!(lock(&installation).contains("requires = \"view\""), "{}", lock(&installation));
    assert!(locked(&installation, "by").contains("user "), "{}", lock(&installation));
    installation.run_well(&["check"]);

    // A second time there is nothing to say yes to.
    let said = installation.run_well(&["approve", "lists"]);
    assert!(said.stderr.contains("approved already"), "{said:?}");
}

#[tokio::test]
async fn approving_shows_what_a_model_will_read_differently() {
    // The code is another plugin's here: hello's, whose tool is packed as one of lists'.
    let installation = installation();
    let server = Server::start(&installation);
    until_a_copy_is_kept(&installation, &server).await;
    drop(server);
    let text = format!(
        "[plugin]\nid = \"lists\"\nversion = \"0.2.0\"\ninterface = \"0.1\"\ntitle = \"Lists\"\n\
         description = \"Has another tool.\"\n\n[roles]\nview = {{}}\nmanage = {{ includes = [\"view\"] }}\n\n{REQUEST}\n\n\
         [tools.greet]\nrequires = \"manage\"\nread_only = true\n"
    );
    let other = fleetgate_e2e::packed(&fleetgate_e2e::plugin("hello"), "lists", &text);
    installation.install_bytes("lists", &other);
    let said = installation.run(&["approve", "lists"]);
    assert_eq!(said.code, 2, "{said:?}");
    for part in ["+ greet", "Greets somebody by name.", "- one"] {
        assert!(said.stdout.contains(part), "{part:?} is not in {}", said.stdout);
    }
}

#[tokio::test]
async fn what_is_held_stays_held_over_a_restart_and_the_approved_version_serves() {
    let installation = installation();
    let server = Server::start(&installation);
    let approved = serves(&installation, &server.client_of("lists")).await;
    until_a_copy_is_kept(&installation, &server).await;
    drop(server);
    // Its file is gone: it was overwritten while no host ran.
    installation.install_bytes("lists", &version("0.2.0", &TOOL.replace("manage", "any"), REQUEST));
    for _ in 0..2 {
        let server = Server::start(&installation);
        server.logs("held").await;
        assert_eq!(serves(&installation, &server.client_of("lists")).await, approved);
    }
}

#[tokio::test]
async fn a_kept_copy_that_was_changed_or_lost_is_not_served() {
    let installation = installation();
    let server = Server::start(&installation);
    until_a_copy_is_kept(&installation, &server).await;
    drop(server);
    installation.install_bytes("lists", &version("0.2.0", &TOOL.replace("manage", "any"), REQUEST));
    let copies = installation.path().join(".fleetgate/approved");
    let copy = std::fs::read_dir(&copies).expect("copies").next().expect("one").expect("a file").path();
    // Another version that is valid by itself, under the approved one's name.
    let other = version("0.1.0", &TOOL.replace("manage", "any"), REQUEST);
    std::fs::write(&copy, other).expect("our own file");
    for _ in 0..2 {
        let server = Server::start(&installation);
        server.logs("held").await;
        assert!(server.client().tool_names().await.is_empty(), "{}", server.log());
        let said = installation.run(&["call", "lists", "one"]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.stderr.contains("fleetgate approve lists"), "{said:?}");
        drop(server);
        std::fs::remove_file(&copy).ok();
    }
}

#[tokio::test]
async fn a_version_that_asks_for_no_more_goes_live_at_once_and_stands_in_the_lock() {
    let installation = installation();
    let server = Server::start(&installation);
    let client = server.client_of("lists");
    let first = serves(&installation, &client).await;
    assert_eq!(locked(&installation, "digest"), first);
    assert_eq!(locked(&installation, "by"), "its table in fleetgate.toml");
    let when = locked(&installation, "approved_at");

    let less = REQUEST.replace("/v1/**", "/v1/devices");
    for (number, tool, more) in [
        ("0.1.1", TOOL.to_owned(), REQUEST.to_owned()),
        ("0.1.2", TOOL.replace("\"manage\"", "[\"manage\", \"view\"]"), REQUEST.to_owned()),
        ("0.1.3", TOOL.to_owned().replace("\"manage\"", "[\"manage\", \"view\"]"), less),
        ("0.1.4", TOOL.to_owned(), String::new()),
    ] {
        installation.install_bytes("lists", &version(number, &tool, &more));
        let new = digest(&installation.plugin_path("lists"));
        until_it_serves(&installation, &client, &new).await;
        let stands = (locked(&installation, "version"), locked(&installation, "digest"));
        assert_eq!(stands, (number.to_owned(), new));
        // Nobody approved anything new.
        assert_eq!(locked(&installation, "approved_at"), when);
    }

    // What was given up has to be approved again.
    let narrow = serves(&installation, &client).await;
    installation.install_bytes("lists", &version("0.1.5", TOOL, REQUEST));
    server.logs("held").await;
    assert_eq!(serves(&installation, &client).await, narrow);
}

#[tokio::test]
async fn a_plugin_whose_entry_was_taken_from_the_lock_is_seen_for_the_first_time_again() {
    let installation = installation();
    let server = Server::start(&installation);
    let client = server.client_of("lists");
    serves(&installation, &client).await;
    installation.install_bytes("lists", &version("0.2.0", &TOOL.replace("manage", "view"), REQUEST));
    server.logs("held").await;
    std::fs::remove_file(installation.path().join("fleetgate.lock")).expect("a lock");
    until_it_serves(&installation, &client, &digest(&installation.plugin_path("lists"))).await;
    assert_eq!(locked(&installation, "version"), "0.2.0");
}

#[tokio::test]
async fn a_lock_that_cannot_be_understood_approves_nothing() {
    let installation = installation();
    let server = Server::start(&installation);
    let client = server.client_of("lists");
    let approved = serves(&installation, &client).await;
    until_a_copy_is_kept(&installation, &server).await;
    let path = installation.path().join("fleetgate.lock");
    installation.lock("nothing = \"of this\"\n");
    installation.install_bytes("lists", &version("0.2.0", &TOOL.replace("manage", "any"), REQUEST));
    server.logs("fleetgate.lock cannot be understood").await;
    server.logs("held").await;
    assert_eq!(serves(&installation, &client).await, approved);
    drop(server);
    for command in [&["check"][..], &["approve", "lists", "--yes"], &["call", "lists", "one"]] {
        let said = installation.run(command);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.all().contains("fleetgate.lock cannot be understood"), "{said:?}");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("it is left as it is"), "nothing = \"of this\"\n");
}

#[tokio::test]
async fn a_pin_takes_one_file_and_no_other() {
    let installation = installation();
    let pinned = digest(&installation.plugin_path("lists"));
    let table = |pin: &str| {
        format!("[serve]\nlocal_roles = [\"lists:manage\"]\n\n[plugins.lists]\npin = \"{pin}\"\n")
    };
    installation.config(&table(&pinned));
    let server = Server::start(&installation);
    let client = server.client_of("lists");
    assert_eq!(serves(&installation, &client).await, pinned);

    installation.install_bytes("lists", &version("0.1.1", TOOL, REQUEST));
    let other = digest(&installation.plugin_path("lists"));
    server.logs("is pinned to").await;
    assert_eq!(serves(&installation, &client).await, pinned);
    let said = installation.run(&["check"]);
    assert_eq!(said.code, 1, "{said:?}");
    for part in ["is pinned to", &pinned, &other] {
        assert!(said.stdout.contains(part), "{part:?} is not in {}", said.stdout);
    }

    installation.config(&table(&other));
    until_it_serves(&installation, &client, &other).await;
    installation.run_well(&["check"]);
    installation.config(&table("sha256:short"));
    let said = installation.run(&["check"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.all().contains("fleetgate.toml:5:7: plugins.lists.pin"), "{said:?}");
}

#[tokio::test]
async fn enabling_says_what_is_there_and_does_nothing_twice() {
    let installation = installation();
    installation.config("[serve]\n");
    let before = installation.config_text();
    let said = installation.run(&["enable", "list"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("there is no list.wasm") && said.stderr.contains("\"lists\""), "{said:?}");
    assert_eq!(installation.config_text(), before);

    let facts = installation.run_well(&["enable", "lists", "--json"]).json();
    assert_eq!(facts["digest"], json!(digest(&installation.plugin_path("lists"))));
    let added: &Value = &facts["table"];
    assert_eq!(installation.config_text(), format!("{before}\n{}", added.as_str().expect("a table")));
    assert_eq!(facts["digest"], json!(locked(&installation, "digest")));

    let said = installation.run(&["enable", "lists"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("has a table in fleetgate.toml already"), "{said:?}");
    let said = installation.run(&["approve", "hello"]);
    assert_eq!(said.code, 2, "{said:?}");
    installation.install("hello");
    let said = installation.run(&["approve", "hello", "--yes"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("fleetgate enable hello"), "{said:?}");
}

#[tokio::test]
async fn a_version_that_can_never_be_served_cannot_take_the_place_of_one_that_can() {
    let installation = installation();
    let server = Server::start(&installation);
    let client = server.client_of("lists");
    let first = digest(&installation.plugin_path("lists"));
    until_a_copy_is_kept(&installation, &server).await;
    // Its manifest names a tool that its code does not have, and asks for more, so that it is held.
    let more = format!(
        "{}\n\n[tools.gone]\nrequires = \"view\"",
        REQUEST.replace("[\"GET\"]", "[\"GET\", \"POST\"]")
    );
    installation.install_bytes("lists", &version("0.2.0", TOOL, &more));
    let approved = installation.run(&["approve", "lists", "--yes"]);
    assert_eq!(approved.code, 1, "{}", approved.all());
    assert!(approved.all().contains("tools.gone"), "{}", approved.all());
    assert_eq!(locked(&installation, "digest"), first);
    assert_eq!(serves(&installation, &client).await, first);
}
