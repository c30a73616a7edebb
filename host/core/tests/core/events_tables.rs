//! `[capabilities.events.<name>]` in a manifest, and its grants.

use fleetgate_core::capability::Capabilities;
use fleetgate_core::catalog::grant_table;
use fleetgate_core::diagnostic::{Diagnostics, Document};
use fleetgate_core::manifest::{self, Manifest, widening};
use fleetgate_core::settings::Grants;

use super::fake::{Post, capabilities};
use super::manifest::{ABOUT, after_about, read};
use super::radio::Radio;
use super::said::assert_said;

const SET: &str = "[capabilities.radio.set]\nwhy = \"To hear\"\nboxes = [\"a\", \"b\"]\n";
const LETTERS: &str = "[capabilities.post.letters]\nwhy = \"Letters\"\nboxes = [\"in\"]\n";

fn news(table: &str) -> String {
    format!("{SET}{LETTERS}[capabilities.events.news]\nwhy = \"To remember\"\n{table}\n")
}

fn heard(boxes: &str) -> String {
    news(&format!("from = {{ \"radio.set\" = {{ boxes = {boxes} }} }}"))
}

fn every(every: &str) -> String {
    news(&format!("every = \"{every}\""))
}

#[track_caller]
fn refused(text: &str) -> Diagnostics {
    read(format!("{ABOUT}{text}")).expect_err("it must be refused")
}

fn line_of(text: &str, piece: &str) -> usize {
    let text = format!("{ABOUT}{text}");
    text.lines().position(|line| line.contains(piece)).expect("it stands there") + 1
}

fn grants(manifest: &Manifest, grant: &str) -> Result<Grants, Diagnostics> {
    let text = format!(
        "[plugins.naas]\n[plugins.naas.grant.radio.set]\n[plugins.naas.grant.post.letters]\nurl = \"post://x\"\n\
         [plugins.naas.grant.events.news]\n{grant}\n"
    );
    let settings = super::settings::read(text).expect("valid settings");
    settings.bindings["naas"].grants(manifest, &capabilities(), &settings.secrets, &settings.limits)
}

#[track_caller]
fn not_granted(manifest: &str, grant: &str) -> Diagnostics {
    grants(&after_about(manifest), grant).expect_err("it must be refused")
}

#[test]
fn what_is_asked_for_is_said_to_the_operator() {
    let asked = after_about(&heard("[\"a\"]"));
    let request = &asked.capabilities["events.news"];
    assert_eq!((request.why.as_str(), request.optional), ("To remember", false));
    assert_eq!(request.request.describe(), ["listens to radio.set (the boxes {\"a\"})"]);
    let asked = after_about(&every("90s"));
    assert_eq!(asked.capabilities["events.news"].request.describe(), ["runs every 90s"]);
}

#[test]
fn an_event_has_one_source_and_it_is_one_that_speaks() {
    let text = news("");
    assert_said(
        &refused(&text),
        line_of(&text, "events.news"),
        "capabilities.events.news",
        &["nothing says when"],
    );
    let text = news("from = { \"radio.set\" = {} }\nevery = \"60s\"");
    let key = "capabilities.events.news.every";
    assert_said(&refused(&text), line_of(&text, "every"), key, &["heard or comes from time to time"]);
    let key = "capabilities.events.news.from";
    for (from, pieces) in [
        ("from = {}", &["one source"][..]),
        ("from = { \"radio.set\" = {}, \"post.letters\" = {} }", &["one source"]),
    ] {
        let text = news(from);
        assert_said(&refused(&text), line_of(&text, "from ="), key, pieces);
    }
    for (from, name, pieces) in [
        ("from = { \"post.letters\" = {} }", "post.letters", &["nothing is heard from"][..]),
        ("from = { \"radio.sett\" = {} }", "radio.sett", &["not a capability", "did you mean", "radio.set"]),
        ("from = { \"events.news\" = {} }", "events.news", &["not a capability"]),
    ] {
        let text = news(from);
        let key = format!("{key}.\"{name}\"");
        let said = refused(&text);
        assert!(said.to_string().contains(pieces[0]), "{key}: {said}");
        assert!(pieces.iter().all(|piece| said.to_string().contains(piece)), "{said}");
    }
}

#[test]
fn what_is_listened_to_lies_within_the_request_that_it_is_heard_through() {
    let said = refused(&heard("[\"a\", \"c\"]")).to_string();
    assert!(said.contains("the box c was not asked for"), "{said}");
}

#[test]
fn a_time_is_neither_too_short_nor_too_long() {
    for wrong in ["999ms", "25h", "0s"] {
        let text = every(wrong);
        let key = "capabilities.events.news.every";
        assert_said(&refused(&text), line_of(&text, "every ="), key, &["out of range", "1s", "24h"]);
    }
    for right in ["1s", "24h"] {
        after_about(&every(right));
    }
}

#[test]
fn an_event_is_granted_by_no_environment_variable() {
    let said = refused(&news("every = \"60s\"\nenv = { every = [\"EVERY\"] }")).to_string();
    assert!(said.contains("unknown key \"env\""), "{said}");
}

#[test]
fn a_tool_has_no_reach_into_events_and_a_host_without_them_says_so() {
    let tool = "[tools.look]\nrequires = \"any\"\nreach = { \"events.news\" = {} }\n";
    let said = refused(&format!("{}{tool}", every("60s"))).to_string();
    assert!(said.contains("a tool's reach says nothing about events"), "{said}");
    let document = std::sync::Arc::new(Document::new("plugin.toml", format!("{ABOUT}{}", every("60s"))));
    let without = Capabilities::new().with(Post).with(Radio);
    let said = manifest::parse(&document, &without).expect_err("it must be refused").to_string();
    assert!(said.contains("this host has no capability \"events\""), "{said}");
}

#[test]
fn a_grant_narrows_what_is_listened_to() {
    let asked = after_about(&heard("[\"a\", \"b\"]"));
    let granted = grants(&asked, "from = { \"radio.set\" = { boxes = [\"a\"] } }").unwrap();
    let said = granted.granted["events.news"].describe();
    assert_eq!(said[0], "listens to the boxes {\"a\"} alone");
    assert_eq!(said[1], "its handler reads and remembers, and changes nothing beyond the host");
    let said = not_granted(&heard("[\"a\"]"), "from = { \"radio.set\" = { boxes = [\"b\"] } }").to_string();
    assert!(said.contains("the plugin does not listen to the box b"), "{said}");
    let said = not_granted(&heard("[\"a\"]"), "from = { \"post.letters\" = {} }").to_string();
    assert!(said.contains("does not come from \"post.letters\"") && said.contains("radio.set"), "{said}");
    let said = not_granted(&heard("[\"a\"]"), "every = \"60s\"").to_string();
    assert!(said.contains("does not come from time to time"), "{said}");
}

#[test]
fn an_event_is_heard_only_through_what_is_granted_too() {
    let manifest =
        after_about(&heard("[\"a\"]").replace("boxes = [\"a\", \"b\"]", "boxes = [\"a\"]\noptional = true"));
    let text = "[plugins.naas]\n[plugins.naas.grant.events.news]\n";
    let settings = super::settings::read(text).expect("valid settings");
    let granted =
        settings.bindings["naas"].grants(&manifest, &capabilities(), &settings.secrets, &settings.limits);
    let said = granted.expect_err("it must be refused").to_string();
    assert!(said.contains("events.news is heard from radio.set, which is not granted"), "{said}");
    assert!(said.contains("add [plugins.naas.grant.radio.set]"), "{said}");
}

#[test]
fn a_grant_makes_a_time_longer_and_never_shorter() {
    let asked = after_about(&every("60s"));
    let said = |grant| grants(&asked, grant).unwrap().granted["events.news"].describe()[0].clone();
    assert_eq!(said("every = \"5m\""), "its handler runs every 5m");
    assert_eq!(said(""), "its handler runs every 1m");
    let said = not_granted(&every("60s"), "every = \"59s\"").to_string();
    assert!(said.contains("does not ask to run more often than every 1m"), "{said}");
    let said = not_granted(&every("60s"), "from = { \"radio.set\" = {} }").to_string();
    assert!(said.contains("not heard from anywhere"), "{said}");
}

#[test]
fn what_a_handler_may_change_is_named_by_what_the_plugin_asks_for() {
    let asked = after_about(&every("60s"));
    let grant = "may = [\"radio.set:send\", \"post.letters\"]";
    let said = grants(&asked, grant).unwrap().granted["events.news"].describe();
    assert_eq!(said[1], "its handler may change something by itself: radio.set:send, post.letters");
    for (may, pieces) in [
        ("radio.sett", &["does not ask for", "did you mean", "radio.set"][..]),
        ("radio.set:sendd", &["nothing that is done", "did you mean", "send"]),
        ("post.letters:write", &["nothing that is done", "write \"post.letters\" alone"]),
        ("events.news", &["does not ask for"]),
        ("*", &["does not ask for"]),
        ("", &["does not ask for"]),
    ] {
        let said = not_granted(&every("60s"), &format!("may = [\"{may}\"]")).to_string();
        assert!(pieces.iter().all(|piece| said.contains(piece)), "{may}: {said}");
    }
}

#[test]
fn limits_of_an_event_are_bounded() {
    let asked = after_about(&every("60s"));
    grants(&asked, "batch = 200\nattempts = 100\nqueue = 100000").unwrap();
    for wrong in ["batch = 0", "batch = 201", "attempts = 0", "attempts = 101", "queue = 0", "queue = 100001"]
    {
        let said = not_granted(&every("60s"), wrong).to_string();
        assert!(said.contains("out of range"), "{wrong}: {said}");
    }
    let said = not_granted(&every("60s"), "attempt = 3").to_string();
    assert!(said.contains("did you mean \"attempts\""), "{said}");
}

#[test]
fn a_new_event_a_wider_one_and_a_more_frequent_one_are_held() {
    let widens = |old: &str, new: &str| widening(&after_about(old), &after_about(new));
    let none = format!("{SET}{LETTERS}");
    assert_eq!(
        widens(&none, &heard("[\"a\"]")),
        ["asks for events.news: To remember", "events.news: listens to radio.set (the boxes {\"a\"})"]
    );
    assert_eq!(widens(&heard("[\"a\"]"), &heard("[\"a\", \"b\"]")), ["events.news: listens to the box b"]);
    assert_eq!(widens(&every("60s"), &every("30s")), ["events.news: runs every 30s instead of every 1m"]);
    assert_eq!(widens(&heard("[\"a\"]"), &every("1h")), ["events.news: runs every 1h"]);
    for (old, new) in
        [(heard("[\"a\", \"b\"]"), heard("[\"a\"]")), (every("30s"), every("60s")), (heard("[\"a\"]"), none)]
    {
        assert!(widens(&old, &new).is_empty());
    }
}

#[test]
fn the_table_to_paste_says_what_may_be_said() {
    let table = grant_table(&after_about(&heard("[\"a\"]")), "lab");
    let expected = "# To remember\n[plugins.lab.grant.events.news]\n\
                    # from = { \"radio.set\" = { … } }  # less, if you like\n\
                    # may = [\"post.letters\", \"radio.set:send\"]  # its handler only reads without\n";
    assert!(table.contains(expected), "{table}");
    let table = grant_table(&after_about(&every("60s")), "lab");
    assert!(table.contains("# every = \"1m\"  # longer, if you like\n"), "{table}");
}
