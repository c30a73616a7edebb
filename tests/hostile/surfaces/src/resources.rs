//! Lists of resources and templates, and what is read.

use crate::bindings::exports::fleetgate::plugin::resources::{
    Answers, Content, Fault, Guest, ReadOutcome, ResourceInfo, ResourceTemplate,
};
use crate::{Liar, changing, lie};

fn resource(uri: &str) -> ResourceInfo {
    ResourceInfo {
        uri: uri.to_owned(),
        name: "one".to_owned(),
        title: None,
        description: Some("One.".to_owned()),
        mime_type: Some("text/plain".to_owned()),
        size: None,
        meta: None,
        extra: None,
    }
}

fn template(uri_template: &str) -> ResourceTemplate {
    ResourceTemplate {
        uri_template: uri_template.to_owned(),
        name: "item".to_owned(),
        title: None,
        description: Some("An item.".to_owned()),
        mime_type: None,
        meta: None,
        extra: None,
    }
}

fn content(uri: &str) -> Content {
    Content {
        kind: "resource".to_owned(),
        text: Some("one".to_owned()),
        data: None,
        mime_type: Some("text/plain".to_owned()),
        uri: Some(uri.to_owned()),
        meta: None,
        extra: None,
    }
}

const ONE: &str = "surfaces://items/one";

impl Guest for Liar {
    fn list_resources(cursor: Option<String>) -> Result<(Vec<ResourceInfo>, Option<String>), Fault> {
        let (mut resources, mut next) = (vec![resource(ONE)], None);
        match lie().as_str() {
            "resources-twice" => resources.extend([resource(ONE), resource("surfaces://items/%6fne")]),
            "resources-not-ours" => resources.extend(
                [
                    "other://items/one",
                    "surfaces://guarded/one",
                    "skill://careful/SKILL.md",
                    "file:///etc/passwd",
                ]
                .map(resource),
            ),
            "resources-no-uris" => {
                let wrong = ["", "items/one", "surfaces://items/../guarded/one", "surfaces://items/\u{202e}"];
                resources.extend(wrong.map(resource));
            }
            "resources-many" => {
                resources = (0..100_000).map(|n| resource(&format!("{ONE}/{n}"))).collect();
            }
            "resources-long" => resources[0].description = Some("x".repeat(1 << 20)),
            "resources-meta" => resources[0].meta = Some("[1]".to_owned()),
            "resources-no-json" => resources[0].extra = Some("{".to_owned()),
            "resources-hidden" => resources[0].description = Some("One\u{202e}\u{e0041}\u{200b}.".to_owned()),
            "resources-endless" => {
                let page: u64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or_default();
                resources[0].uri = format!("{ONE}/{page}");
                next = Some((page + 1).to_string());
            }
            "resources-cursor" => next = Some("x".repeat(1 << 20)),
            "resources-trap" => panic!("while listing"),
            _ => {}
        }
        Ok((resources, next))
    }

    fn list_templates() -> Result<Vec<ResourceTemplate>, Fault> {
        let mut templates = vec![template("surfaces://items/{id}")];
        match lie().as_str() {
            "templates-twice" => templates.push(template("surfaces://items/{id}")),
            "templates-not-ours" => templates.push(template("other://items/{id}")),
            "templates-escape" => templates.push(template("{+anything}")),
            "templates-broken" => templates.push(template("surfaces://items/{id")),
            "templates-changing" => templates[0].description = Some(changing()),
            "templates-many" => {
                templates = (0..100_000).map(|n| template(&format!("{ONE}/{n}/{{id}}"))).collect();
            }
            "templates-long" => templates[0].title = Some("x".repeat(1 << 20)),
            "templates-trap" => panic!("in the probe"),
            "templates-fault" => return Err(fault("no templates today")),
            _ => {}
        }
        Ok(templates)
    }

    fn read_resource(uri: String, _: Option<Answers>) -> Result<ReadOutcome, Fault> {
        let mut contents = vec![content(&uri)];
        match lie().as_str() {
            "read-nothing" => contents.clear(),
            "read-another" => contents[0].uri = Some("surfaces://guarded/one".to_owned()),
            "read-nameless" => contents[0].uri = None,
            "read-no-uri" => contents[0].uri = Some("one".to_owned()),
            "read-two-things" => contents[0].data = Some(vec![1]),
            "read-no-thing" => contents[0].text = None,
            "read-text-block" => contents[0].kind = "text".to_owned(),
            "read-huge" => contents[0].text = Some("x".repeat(20 << 20)),
            "read-hidden" => contents[0].text = Some("one\u{202e}\u{1b}[2J".to_owned()),
            _ => {}
        }
        Ok(ReadOutcome::Done(contents))
    }
}

pub fn fault(message: &str) -> Fault {
    Fault {
        code: "internal".to_owned(),
        message: message.to_owned(),
        field: None,
        retryable: false,
        retry_after_ms: None,
        details: None,
    }
}
