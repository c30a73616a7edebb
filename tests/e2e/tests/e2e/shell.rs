//! Resources and prompts from the shell, as `fleetgate call` does it for tools.

use fleetgate_e2e::Installation;
use serde_json::json;

fn installed() -> Installation {
    let installation = Installation::new();
    installation.install("conformance");
    installation.config("[serve]\n\n[plugins.conformance]\n");
    installation
}

#[test]
fn a_resource_is_read_as_it_is() {
    let installation = installed();
    let text = installation.run_well(&["read", "conformance", "test://static-text"]);
    assert_eq!(text.stdout, "This is the content of the static text resource.", "not a byte more");
    let picture = installation.fleetgate(&["read", "conformance", "test://static-binary"]);
    assert!(picture.status.success(), "{picture:?}");
    assert!(picture.stdout.starts_with(b"\x89PNG\r\n\x1a\n"), "the very bytes go to a pipe");
    let of_template = installation.run_well(&["read", "conformance", "test://template/7/data"]);
    assert!(of_template.stdout.contains("Data for ID: 7"), "{of_template:?}");

    let facts = installation.run_well(&["read", "conformance", "test://static-binary", "--json"]).json();
    let one = &facts["contents"][0];
    assert_eq!((&one["uri"], &one["mime_type"]), (&json!("test://static-binary"), &json!("image/png")));
    assert_eq!(one["bytes"], picture.stdout.len());
    assert!(one["data"].as_str().expect("base64").starts_with("iVBORw0KGgo"), "{facts}");
    assert!(facts["reference"].is_string());
}

#[test]
fn a_prompt_is_filled_in() {
    let installation = installed();
    let prompt = ["prompt", "conformance", "test_prompt_with_arguments", r#"{"arg1": "a", "arg2": "b"}"#];
    let text = installation.run_well(&prompt).stdout;
    assert_eq!(text, "user:\nPrompt with arguments: arg1='a', arg2='b'\n");
    let facts = installation.run_well(&[&prompt[..], &["--json"]].concat()).json();
    let message = &facts["messages"][0];
    assert_eq!((&message["role"], &message["content"]["kind"]), (&json!("user"), &json!("text")));
    let simple = installation.run_well(&["prompt", "conformance", "test_simple_prompt"]).stdout;
    assert!(simple.contains("This is a simple prompt for testing."), "{simple}");
}

#[test]
fn what_is_not_there_or_not_right_is_said() {
    let installation = installed();
    for (arguments, said) in [
        (&["read", "conformance", "test://nothing"][..], "there is no resource \"test://nothing\" here"),
        (&["prompt", "conformance", "nothing"], "there is no prompt \"nothing\" here"),
    ] {
        let refused = installation.run(arguments);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains(said) && refused.stderr.contains("fleetgate inspect"), "{refused:?}");
        let facts = installation.run(&[arguments, &["--json"]].concat());
        assert_eq!(facts.code, 1);
        assert!(facts.json()["refused"].as_str().expect("a sentence").contains(said), "{facts:?}");
    }
    let missing = installation.run(&["prompt", "conformance", "test_prompt_with_arguments", "{}"]);
    assert_eq!(missing.code, 1, "{missing:?}");
    assert!(missing.stderr.contains("invalid-arguments") && missing.stderr.contains("arg1"), "{missing:?}");
}

#[test]
fn what_is_asked_back_needs_somebody_who_answers() {
    let installation = installed();
    let ungranted = installation.run(&["prompt", "conformance", "test_input_required_result_prompt", "{}"]);
    assert_eq!(ungranted.code, 1, "{ungranted:?}");
    assert!(ungranted.stderr.contains("denied"), "{ungranted:?}");
    let grant = "[plugins.conformance.grant.client.elicitation]\n";
    installation.config(&(installation.config_text() + grant));
    let asks = installation.run(&["prompt", "conformance", "test_input_required_result_prompt", "{}"]);
    assert_eq!(asks.code, 1, "{asks:?}");
    assert!(asks.stderr.contains("the plugin asks something back (elicitation-form)"), "{asks:?}");
}
