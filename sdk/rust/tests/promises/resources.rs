//! Resources and templates.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Harness};

#[derive(Serialize)]
struct Job {
    id: u32,
}

/// The jobs.
#[resource(
    uri = "naas://jobs", requires = "viewer", name = "jobs-list", title = "Jobs", mime_type = "application/json",
    size = 12, annotations = { audience = ["user", "assistant"], priority = 0.5 },
    icons = ["data:image/png;base64,AA=="], meta = { "example.com/a" = 1 }
)]
fn jobs() -> Result<Json<Vec<Job>>, Fault> {
    Ok(Json(vec![Job { id: 7 }]))
}

/// A picture.
#[resource(uri = "naas://logo.png", requires = "any")]
fn logo() -> Result<Vec<u8>, Fault> {
    Ok(vec![1, 2])
}

/// Several at once.
#[resource(uri = "naas://all", requires = "any", mime_type = "text/markdown")]
fn all() -> Result<Vec<Content>, Fault> {
    Ok(vec![
        Content::text("# one"),
        Content::resource_bytes("naas://other", [3], "image/png").priority(1.0),
        Content::text("{}").mime_type("application/json"),
    ])
}

/// Nothing.
#[resource(uri = "naas://empty", requires = "any")]
fn empty() -> Result<Vec<Content>, Fault> {
    Ok(Vec::new())
}

#[derive(Deserialize, JsonSchema)]
struct JobUri {
    id: u32,
    part: Part,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Part {
    Log,
    Result,
}

/// A part of a job.
#[template(uri = "naas://jobs/{id}/{part}", requires = "viewer", title = "Job", mime_type = "text/plain", list = parts)]
fn job(args: JobUri) -> Result<String, Fault> {
    let part = match args.part {
        Part::Log => "log",
        Part::Result => "result",
    };
    Ok(format!("{part} of {}", args.id))
}

/// Two pages.
fn parts(cursor: Option<&str>) -> Result<ResourcePage, Fault> {
    let info = |id: &str| ResourceInfo::new(job::uri(&[("id", id), ("part", "log")]), format!("Log of {id}"));
    match cursor {
        None => Ok(ResourcePage::new(vec![info("1")], Some("2:x".to_owned()))),
        Some("2:x") => Ok(ResourcePage::new(vec![info("2").title("Two").size(3)], None)),
        Some(_) => Err(Fault::invalid("/cursor", "no such page")),
    }
}

#[derive(Deserialize, JsonSchema)]
struct Path {
    path: String,
}

/// A file.
#[template(uri = "naas://files/{+path}", requires = "viewer", list = files)]
fn file(args: Path) -> Result<Outcome<String>, Fault> {
    match call::answers().url("sure") {
        Answer::Missing if args.path == "secret" => {
            Ok(Question::new().url("sure", "Really?", "https://example.com").into())
        }
        _ => Ok(Outcome::Done(args.path)),
    }
}

fn files(_: Option<&str>) -> Result<Vec<ResourceInfo>, Fault> {
    Ok(vec![ResourceInfo::new("naas://files/a/b", "b")])
}

fleetgate_sdk::export! { resources: jobs, logo, all, empty, job, file }

fn read(uri: &str) -> Result<Vec<Content>, Fault> {
    testing::read::<Exported>(uri)
}

#[test]
fn a_resource_is_read_by_its_uri_and_has_its_media_type() {
    assert_eq!(
        read("naas://jobs"),
        Ok(vec![Content::resource_text("naas://jobs", "[{\"id\":7}]", "application/json")])
    );
    assert_eq!(
        read("naas://logo.png"),
        Ok(vec![Content::resource_bytes("naas://logo.png", [1, 2], "application/octet-stream")])
    );
}

#[test]
fn contents_say_themselves_where_they_lie_and_what_they_are_or_the_resource_does() {
    assert_eq!(
        read("naas://all"),
        Ok(vec![
            Content::resource_text("naas://all", "# one", "text/markdown"),
            Content::resource_bytes("naas://other", [3], "image/png").priority(1.0),
            Content::resource_text("naas://all", "{}", "application/json"),
        ])
    );
}

#[test]
fn what_is_not_there_is_unknown_and_names_its_uri() {
    for uri in [
        "naas://nothing",
        "naas://empty",
        "naas://jobs/",
        "naas://jobs/7",
        "naas://jobs/x/log",
        "naas://jobs/7/x",
    ] {
        let fault = read(uri).expect_err("there is nothing");
        assert!(fault.is("unknown"), "{uri}: {fault}");
    }
    assert_eq!(
        read("naas://nothing").expect_err("nothing").details.expect("details")["uri"],
        "naas://nothing"
    );
}

#[test]
fn a_template_gives_its_variables_as_the_fields_types() {
    assert_eq!(
        read("naas://jobs/7/result"),
        Ok(vec![Content::resource_text("naas://jobs/7/result", "result of 7", "text/plain")])
    );
    assert_eq!(read("naas://files/a/b%20c").expect("it is read")[0].text.as_deref(), Some("a/b c"));
}

#[test]
fn a_path_that_leads_away_is_unknown() {
    for uri in ["naas://files/../x", "naas://files/a/%2e%2e/x", "naas://files/..%2Fx", "naas://files/a%00"] {
        assert!(read(uri).expect_err("it is refused").is("unknown"), "{uri}");
    }
}

#[test]
fn a_read_may_ask_and_go_on_with_the_answer() {
    let asked = testing::read_resource::<Exported>("naas://files/secret").expect("it asks");
    assert!(matches!(asked, Outcome::Ask(question) if question.requests[0].key == "sure"));
    let host = Harness::new().answer("sure", json!({ "action": "accept" }));
    assert_eq!(
        host.run(|| read("naas://files/secret")).expect("it is read")[0].text.as_deref(),
        Some("secret")
    );
}

#[test]
fn lists_hold_what_has_one_uri_first_and_then_what_each_template_lists() {
    let uris = |page: &ResourcePage| page.resources.iter().map(|one| one.uri.clone()).collect::<Vec<_>>();
    let first = testing::list_resources::<Exported>(None).expect("it is listed");
    assert_eq!(
        uris(&first),
        ["naas://jobs", "naas://logo.png", "naas://all", "naas://empty", "naas://jobs/1/log"]
    );
    let info = &first.resources[0];
    assert_eq!((info.name.as_str(), info.title.as_deref(), info.size), ("jobs-list", Some("Jobs"), Some(12)));
    assert_eq!(info.description.as_deref(), Some("The jobs."));
    assert_eq!(Value::from(info.meta.clone()), json!({ "example.com/a": 1 }));
    assert_eq!(
        Value::from(info.extra.clone()),
        json!({
            "annotations": { "audience": ["user", "assistant"], "priority": 0.5 },
            "icons": [{ "src": "data:image/png;base64,AA==", "mimeType": "image/png" }],
        })
    );
    let next = first.next.expect("there is another page");
    let second = testing::list_resources::<Exported>(Some(&next)).expect("it is listed");
    assert_eq!(uris(&second), ["naas://jobs/2/log", "naas://files/a/b"]);
    assert_eq!(second.next, None);
}

#[test]
fn a_cursor_that_is_none_is_refused() {
    for cursor in ["", "x", "0", "x:y", "0:nonsense", "-1:x"] {
        let fault = testing::list_resources::<Exported>(Some(cursor)).expect_err("it is refused");
        assert!(fault.is("invalid-arguments"), "{cursor}: {fault}");
    }
}

#[test]
fn templates_are_listed_apart() {
    let templates = testing::list_templates::<Exported>().expect("they are listed");
    let uris: Vec<_> = templates.iter().map(|template| &template["uriTemplate"]).collect();
    assert_eq!(uris, ["naas://jobs/{id}/{part}", "naas://files/{+path}"]);
    assert_eq!(templates[0]["title"], "Job");
    assert_eq!(templates[0]["manifest"], json!({ "resource": "naas://jobs/*/*", "requires": "viewer" }));
    assert_eq!(templates[1]["manifest"]["resource"], "naas://files/**");
}

mod unfit {
    use super::*;

    /// Has no field for its variable.
    #[template(uri = "x://{other}/y", requires = "any")]
    fn wrong(args: Path) -> Result<String, Fault> {
        Ok(args.path)
    }

    fleetgate_sdk::export! { resources: wrong }
}

#[test]
fn a_variable_without_a_field_is_a_mistake_of_the_plugin() {
    let fault = testing::list_templates::<unfit::Exported>().expect_err("it is refused");
    assert!(fault.is("internal") && fault.message.contains("variable `other`"), "{fault}");
}
