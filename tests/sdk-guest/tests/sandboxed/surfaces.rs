//! Resources, prompts, completions and skills.

use serde_json::{Value, json};

use crate::host::{Answer, Answers, Host, PromptOutcome, ReadOutcome};

fn answered(key: &str, value: Value, state: Option<Vec<u8>>) -> Option<Answers> {
    Some(Answers { items: vec![Answer { key: key.into(), value: value.to_string() }], state })
}

#[tokio::test]
async fn resources_are_listed_page_by_page() {
    let host = Host::default();
    let (first, next) = host.list_resources(None).await.expect("they are listed");
    let uris: Vec<_> = first.iter().map(|one| one.uri.as_str()).collect();
    assert_eq!(uris, ["x://note", "x://items/1"]);
    assert_eq!(first[0].description.as_deref(), Some("A note."));
    assert_eq!(first[0].extra.as_deref(), Some("{\"annotations\":{\"priority\":1}}"));
    assert_eq!(first[1].size, Some(2));
    let (second, next) = host.list_resources(next.as_deref()).await.expect("they are listed");
    assert_eq!((second[0].uri.as_str(), next), ("x://items/2", None));
    assert_eq!(host.list_resources(Some("x")).await.expect_err("no cursor").code, "invalid-arguments");
}

#[tokio::test]
async fn templates_are_listed_and_read() {
    let host = Host::default();
    let templates = host.list_templates().await;
    assert_eq!((templates[0].uri_template.as_str(), templates.len()), ("x://items/{id}", 1));

    let Ok(ReadOutcome::Done(note)) = host.read("x://note", None).await else { panic!("it is read") };
    assert_eq!((note[0].kind.as_str(), note[0].uri.as_deref()), ("resource", Some("x://note")));
    assert_eq!(
        (note[0].text.as_deref(), note[0].mime_type.as_deref()),
        (Some("# Note"), Some("text/markdown"))
    );
    let Ok(ReadOutcome::Done(item)) = host.read("x://items/1", None).await else { panic!("it is read") };
    assert_eq!((item[0].text.as_deref(), item[0].data.as_deref()), (None, Some(&[0, 255][..])));

    let fault = host.read("x://items/x", None).await.expect_err("there is none");
    assert_eq!((fault.code.as_str(), fault.details.is_some()), ("unknown", false));
    let fault = host.read("x://other", None).await.expect_err("there is none");
    assert_eq!(fault.details.as_deref(), Some("{\"uri\":\"x://other\"}"));
}

#[tokio::test]
async fn a_read_asks_and_goes_on() {
    let host = Host::default();
    let Ok(ReadOutcome::Ask(question)) = host.read("x://items/2", None).await else { panic!("it asks") };
    assert_eq!(
        (question.requests[0].kind.as_str(), question.state.as_deref()),
        ("elicitation-url", Some(&b"2"[..]))
    );
    let answers = answered("sure", json!({ "action": "accept" }), question.state);
    assert!(matches!(host.read("x://items/2", answers).await, Ok(ReadOutcome::Done(_))));
}

#[tokio::test]
async fn prompts_are_listed_and_filled_in() {
    let host = Host::default();
    let prompts = host.list_prompts().await;
    assert_eq!((prompts[0].name.as_str(), prompts[0].title.as_deref()), ("greet", Some("Greet")));
    let arguments: Vec<_> = prompts[0]
        .arguments
        .iter()
        .map(|one| (one.name.as_str(), one.description.as_deref(), one.required))
        .collect();
    assert_eq!(arguments, [("name", Some("Whom."), true), ("times", None, false)]);

    let got = host.get_prompt("greet", json!({ "name": "Ann", "times": "2" }), None).await;
    let Ok(PromptOutcome::Done(messages)) = got else { panic!("it is filled in: {got:?}") };
    assert_eq!((messages[0].role.as_str(), messages[1].role.as_str()), ("user", "assistant"));
    assert_eq!(messages[0].content.text.as_deref(), Some("Hello Ann 2"));
    assert_eq!(messages[1].content.data.as_deref(), Some(&[1][..]));

    let asked = host.get_prompt("greet", json!({ "name": "?" }), None).await;
    let Ok(PromptOutcome::Ask(question)) = asked else { panic!("it asks: {asked:?}") };
    assert_eq!(question.requests[0].kind, "roots");
    let answers = answered("roots", json!({ "roots": [] }), None);
    let got = host.get_prompt("greet", json!({ "name": "?" }), answers).await;
    assert!(matches!(got, Ok(PromptOutcome::Done(_))));

    let fault = host.get_prompt("greet", json!({}), None).await.expect_err("a name is needed");
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/name")));
    assert_eq!(host.get_prompt("other", json!({}), None).await.expect_err("there is none").code, "unknown");
}

#[tokio::test]
async fn arguments_are_completed() {
    let host = Host::default();
    let ask = async |reference: &str, argument: &str, context: Value| {
        host.complete(reference, argument, "an", context).await
    };
    let completion = ask("prompt:greet", "name", json!({})).await.expect("it completes");
    assert_eq!(
        (completion.values, completion.total, completion.has_more),
        (vec!["Ann".to_owned()], Some(1), false)
    );
    let completion = ask("prompt:greet", "name", json!({ "times": "1" })).await.expect("it completes");
    assert_eq!(completion.values, ["Ann", "Anna"]);
    assert!(ask("prompt:greet", "times", json!({})).await.expect("nothing is known").values.is_empty());
    assert_eq!(
        ask("resource:x://items/{id}", "id", json!({})).await.expect_err("it fails").code,
        "unavailable"
    );
}

#[tokio::test]
async fn skills_are_whole() {
    let skills = Host::default().list_skills().await;
    assert_eq!(skills[0].path, "deep/skill");
    let frontmatter: Value = serde_json::from_str(&skills[0].frontmatter).expect("it is JSON");
    assert_eq!(frontmatter, json!({ "name": "skill", "description": "Says how." }));
    let files: Vec<_> =
        skills[0].files.iter().map(|file| (file.path.as_str(), file.data.as_slice())).collect();
    assert_eq!(
        files,
        [
            ("SKILL.md", &include_bytes!("../../skill/SKILL.md")[..]),
            ("scripts/run.py", &include_bytes!("../../skill/scripts/run.py")[..]),
        ]
    );
}
