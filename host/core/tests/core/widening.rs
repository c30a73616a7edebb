//! Which new versions are held until they are approved, and which go live at once.

use fleetgate_core::manifest::widening;

use super::manifest::{FULL, after_about, read};

/// A plugin with three roles, a capability, three tools and some resources.
const OLD: &str = "[roles]
view = {}
manage = { includes = [\"view\"] }
audit = {}
[capabilities.post.letters]
why = \"Letters\"
boxes = [\"in\", \"out\"]
env = { url = [\"POST_URL\"] }
[config.region]
type = \"string\"
description = \"Where.\"
env = \"REGION\"
[limits]
memory = \"64MiB\"
cpu = \"1s\"
concurrency = 4
[tools.look]
requires = \"view\"
read_only = true
[tools.act]
requires = \"manage\"
timeout = \"30s\"
secret = [\"/password\"]
audit = [\"/host\"]
reach = { \"post.letters\" = { boxes = [\"in\"] } }
[tools.rare]
requires = [\"manage\", \"audit\"]
opt_in = true
[resources.\"naas://jobs/*\"]
requires = \"view\"
[resources.\"naas://jobs/failed\"]
requires = \"manage\"
[prompts.push]
requires = \"manage\"
";

/// What the version that has `to` for `from` widens.
#[track_caller]
fn changed(from: &str, to: &str) -> Vec<String> {
    assert!(OLD.contains(from), "{from:?} is not in the old manifest");
    widening(&after_about(OLD), &after_about(&OLD.replacen(from, to, 1)))
}

#[track_caller]
fn added(text: &str) -> Vec<String> {
    widening(&after_about(OLD), &after_about(&format!("{OLD}{text}")))
}

#[test]
fn the_same_manifest_widens_nothing() {
    let full = read(FULL).unwrap();
    assert!(widening(&full, &full).is_empty());
    assert!(added("").is_empty());
}

#[test]
fn a_new_capability_widens_with_all_that_it_asks() {
    let said = added("[capabilities.post.secret]\nwhy = \"More\"\nboxes = [\"all\"]\n");
    assert_eq!(said, ["asks for post.secret: More", "post.secret: letters of the box all"]);
}

#[test]
fn what_a_capability_asks_beyond_the_old_widens() {
    assert_eq!(changed("[\"in\", \"out\"]", "[\"in\", \"out\", \"all\"]"), ["post.letters: the box all"]);
    assert!(changed("[\"in\", \"out\"]", "[\"in\"]").is_empty());
}

#[test]
fn a_new_environment_variable_widens() {
    let said = changed("[\"POST_URL\"]", "[\"POST_URL\", \"AWS_SECRET_ACCESS_KEY\"]");
    assert_eq!(said, ["post.letters, for url, is read from the environment variable AWS_SECRET_ACCESS_KEY"]);
    let said = changed("env = \"REGION\"", "env = \"HOSTNAME\"");
    assert_eq!(said, ["the setting region is read from the environment variable HOSTNAME"]);
    assert!(changed("env = \"REGION\"\n", "").is_empty());
    let default = "{ variables = [\"POST_URL\"], default = \"post://localhost:2375\" }";
    let said = changed("[\"POST_URL\"]", default);
    assert_eq!(
        said,
        ["post.letters, for url, is \"post://localhost:2375\" where no environment variable says otherwise"]
    );
}

#[test]
fn a_lowered_requirement_widens() {
    assert_eq!(
        changed("requires = \"manage\"\ntimeout", "requires = \"view\"\ntimeout"),
        ["the tool act requires view instead of manage"]
    );
    assert_eq!(
        changed("requires = \"view\"\nread_only", "requires = \"any\"\nread_only"),
        ["the tool look requires any instead of view"]
    );
    assert_eq!(
        changed("requires = [\"manage\", \"audit\"]", "requires = \"manage\""),
        ["the tool rare requires manage instead of audit and manage"]
    );
    assert_eq!(
        changed("requires = \"manage\"\ntimeout", "requires = \"audit\"\ntimeout"),
        ["the tool act requires audit instead of manage"]
    );
    assert_eq!(
        changed("[prompts.push]\nrequires = \"manage\"", "[prompts.push]\nrequires = \"view\""),
        ["the prompt push requires view instead of manage"]
    );
}

#[test]
fn a_raised_requirement_does_not_widen() {
    assert!(changed("requires = \"view\"\nread_only", "requires = \"manage\"\nread_only").is_empty());
    assert!(
        changed("requires = \"view\"\nread_only", "requires = [\"view\", \"audit\"]\nread_only").is_empty()
    );
}

#[test]
fn a_role_that_includes_more_than_before_widens() {
    assert_eq!(changed("view = {}", "view = { includes = [\"audit\"] }").len(), 2, "manage includes view");
    let said = changed("audit = {}", "audit = { includes = [\"manage\"] }");
    assert_eq!(
        said,
        ["whoever holds the role audit also holds manage", "whoever holds the role audit also holds view"]
    );
}

#[test]
fn a_new_role_that_includes_an_old_one_widens_since_somebody_may_hold_its_name() {
    assert_eq!(
        changed("audit = {}", "audit = {}\nviewer = { includes = [\"view\"] }"),
        ["whoever holds the role viewer also holds view"]
    );
    assert!(changed("audit = {}", "audit = {}\nother = {}").is_empty());
}

#[test]
fn a_role_that_includes_less_does_not_widen() {
    assert!(changed("manage = { includes = [\"view\"] }", "manage = {}").is_empty());
}

#[test]
fn a_tool_that_required_a_role_that_is_gone_widens() {
    let old = after_about("[roles]\na = {}\nb = {}\n[tools.x]\nrequires = \"a\"\n");
    let new = after_about("[roles]\nb = {}\n[tools.x]\nrequires = \"b\"\n");
    assert_eq!(widening(&old, &new), ["the tool x requires b instead of a"]);
}

#[test]
fn a_new_tool_that_only_reads_for_a_known_role_does_not_widen() {
    assert!(added("[tools.new]\nrequires = \"view\"\nread_only = true\n").is_empty());
}

#[test]
fn a_new_tool_that_changes_things_widens() {
    assert_eq!(
        added("[tools.new]\nrequires = \"manage\"\n"),
        ["new tool new, which changes things, for whoever holds manage"]
    );
    let said = added("[tools.new]\nrequires = \"manage\"\ndestructive = true\n");
    assert_eq!(said, ["new tool new, which may destroy things, for whoever holds manage"]);
}

#[test]
fn a_new_tool_for_everybody_widens_even_if_it_only_reads() {
    let said = added("[tools.new]\nrequires = \"any\"\nread_only = true\n");
    assert_eq!(said, ["new tool new, which reads, for everybody who is authenticated"]);
}

#[test]
fn a_new_read_only_tool_with_a_reach_of_its_own_widens() {
    let said = added(
        "[tools.new]\nrequires = \"view\"\nread_only = true\nreach = { \"post.letters\" = { boxes = [\"out\"] } }\n",
    );
    assert_eq!(
        said,
        [
            "new tool new, read-only with a reach of its own, for whoever holds view",
            "the tool new reaches in post.letters: the boxes {\"out\"}"
        ]
    );
}

#[test]
fn a_new_tool_that_waits_for_the_operator_does_not_widen() {
    assert!(added("[tools.new]\nrequires = \"any\"\ndestructive = true\nopt_in = true\n").is_empty());
}

#[test]
fn a_tool_that_is_gone_does_not_widen_and_its_new_name_is_a_new_tool() {
    assert!(changed("[tools.look]\nrequires = \"view\"\nread_only = true\n", "").is_empty());
    let said = changed("[tools.act]", "[tools.do]");
    assert!(said[0].starts_with("new tool do, which changes things"), "{said:?}");
}

#[test]
fn a_tool_that_says_otherwise_of_what_it_does_widens() {
    assert_eq!(changed("read_only = true\n", ""), ["the tool look is no longer read_only"]);
    assert_eq!(
        changed("timeout = \"30s\"", "timeout = \"30s\"\nread_only = true").first().unwrap(),
        "the tool act is read_only"
    );
    assert_eq!(
        changed("timeout = \"30s\"", "timeout = \"30s\"\ndestructive = true"),
        ["the tool act is destructive"]
    );
}

#[test]
fn a_changed_secret_widens() {
    assert_eq!(
        changed("secret = [\"/password\"]\n", ""),
        ["the plugin sees the argument /password of the tool act, which was a secret"]
    );
    assert_eq!(
        changed("[\"/password\"]", "[\"/password\", \"/enable\"]"),
        ["the tool act takes the argument /enable as a secret"]
    );
}

#[test]
fn an_argument_that_leaves_the_audit_record_widens() {
    let said = changed("audit = [\"/host\"]\n", "");
    assert_eq!(said, ["the argument /host of the tool act is no longer in the audit record"]);
    assert!(changed("audit = [\"/host\"]", "audit = [\"/host\", \"/port\"]").is_empty());
}

#[test]
fn a_lifted_or_changed_reach_widens() {
    let reach = "reach = { \"post.letters\" = { boxes = [\"in\"] } }\n";
    assert_eq!(
        changed(reach, ""),
        ["the tool act reaches everything granted as post.letters, not a part of it"]
    );
    let wider = "reach = { \"post.letters\" = { boxes = [\"in\", \"out\"] } }\n";
    assert_eq!(changed(reach, wider), ["the tool act reaches in post.letters: the box out"]);
    assert!(widening(&after_about(&OLD.replace(reach, wider)), &after_about(OLD)).is_empty());
}

#[test]
fn a_reach_narrows_a_tool_that_changes_things_and_widens_one_that_only_reads() {
    let reach = "reach = { \"post.letters\" = { boxes = [\"in\"] } }\n";
    let (bare, with) = (OLD.replace(reach, ""), OLD);
    assert!(widening(&after_about(&bare), &after_about(with)).is_empty());
    let said = changed("read_only = true\n", &format!("read_only = true\n{reach}"));
    assert_eq!(said, ["the tool look reaches in post.letters: the boxes {\"in\"}"]);
}

#[test]
fn less_waiting_for_the_operator_and_less_cleaning_widen() {
    assert_eq!(
        changed("opt_in = true\n", ""),
        ["the tool rare no longer waits until the operator enables it"]
    );
    assert_eq!(
        changed("opt_in = true\n", "opt_in = true\nverbatim = true\n"),
        ["results of the tool rare keep their control characters"]
    );
}

#[test]
fn more_resources_widen() {
    assert_eq!(changed("\"64MiB\"", "\"65MiB\""), ["asks for 65MiB of memory in a call instead of 64MiB"]);
    assert_eq!(changed("cpu = \"1s\"", "cpu = \"1500ms\""), ["asks for 1500ms in guest code instead of 1s"]);
    assert_eq!(changed("concurrency = 4", "concurrency = 5"), ["asks for 5 calls at once instead of 4"]);
    assert_eq!(changed("timeout = \"30s\"", "timeout = \"1m\""), ["the tool act may take 1m instead of 30s"]);
    assert!(changed("\"64MiB\"", "\"1MiB\"").is_empty());
    assert!(changed("timeout = \"30s\"", "timeout = \"1s\"").is_empty());
}

#[test]
fn a_resource_with_less_required_widens_however_it_is_brought_about() {
    let said = changed(
        "[resources.\"naas://jobs/failed\"]\nrequires = \"manage\"",
        "[resources.\"naas://jobs/failed\"]\nrequires = \"view\"",
    );
    assert_eq!(said, ["the resource naas://jobs/failed requires view instead of manage"]);
    // Gone, so that the wider pattern decides.
    let said = changed("[resources.\"naas://jobs/failed\"]\nrequires = \"manage\"\n", "");
    assert_eq!(
        said,
        ["the resource naas://jobs/*, where it overlaps naas://jobs/failed, requires view instead of manage"]
    );
    // A longer pattern before an old one.
    let said = added("[resources.\"naas://jobs/fail*\"]\nrequires = \"view\"\n");
    assert_eq!(
        said,
        [
            "the resource naas://jobs/fail*, where it overlaps naas://jobs/failed, requires view instead of manage"
        ]
    );
    assert!(added("[resources.\"naas://jobs/1\"]\nrequires = \"manage\"\n").is_empty());
    assert!(added("[resources.\"naas://other/*\"]\nrequires = \"view\"\n").is_empty());
}

#[test]
fn a_new_resource_or_prompt_for_everybody_widens() {
    assert_eq!(
        added("[resources.\"naas://all\"]\nrequires = \"any\"\n"),
        ["the resource naas://all is new, for everybody who is authenticated"]
    );
    assert_eq!(
        added("[prompts.hi]\nrequires = \"any\"\n"),
        ["the prompt hi is new, for everybody who is authenticated"]
    );
    assert!(added("[prompts.hi]\nrequires = \"view\"\n").is_empty());
}

#[test]
fn words_for_people_do_not_widen() {
    assert!(changed("why = \"Letters\"", "why = \"All the letters\"").is_empty());
    assert!(added("[config.more]\ntype = \"bool\"\ndescription = \"More.\"\n").is_empty());
}

#[test]
fn a_header_that_tells_conversations_apart_widens_when_it_is_new_or_another() {
    let said = ["tells conversations apart by the request header x-chat"];
    assert_eq!(added("[session]\nheader = \"X-Chat\"\n"), said);
    let with = |header: &str| after_about(&format!("{OLD}[session]\nheader = \"{header}\"\n"));
    assert_eq!(widening(&with("X-Other"), &with("X-Chat")), said);
    assert!(widening(&with("X-Chat"), &with("x-chat")).is_empty());
    assert!(widening(&with("X-Chat"), &after_about(OLD)).is_empty());
}
