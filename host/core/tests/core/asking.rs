//! What may be asked of a client, and what of its answers a guest gets.

use fleetgate_core::asking::{Asker, Asks, Unaskable, answers, check};
use fleetgate_core::domain::{InputRequest, Question};
use serde_json::{Map, Value, json};

use super::asking_tables::grants;
use super::host::{Place, Plugin};

const CLIENT: &str = "[client]
elicitation = { why = \"To ask\", modes = [\"form\", \"url\"] }
sampling = \"To put in words\"
roots = \"To look around\"
";

const EVERYTHING: &str = "grant.client.elicitation.hosts = [\"login.example.com\"]
grant.client.sampling.max_tokens = 500
grant.client.roots = {}
";

fn asks(table: &str) -> Asks {
    Asks::of(&grants(CLIENT, table).unwrap_or_else(|problems| panic!("{problems}")).granted)
}

fn request(kind: &str, params: Value) -> InputRequest {
    InputRequest { key: "k".into(), kind: kind.into(), params }
}

fn question(requests: impl IntoIterator<Item = InputRequest>) -> Question {
    Question { requests: requests.into_iter().collect(), state: None }
}

fn checked_with(table: &str, question: Question) -> Result<Question, Unaskable> {
    check(question, &Asker { binding: "naas-lab", label: None, asks: &asks(table) })
}

fn checked(question: Question) -> Result<Question, Unaskable> {
    checked_with(EVERYTHING, question)
}

/// The parameters of one request as they are sent.
#[track_caller]
fn sent(kind: &str, params: Value) -> Value {
    let mut checked =
        checked(question([request(kind, params)])).unwrap_or_else(|refused| panic!("{refused:?}"));
    checked.requests.remove(0).params
}

#[track_caller]
fn refused(kind: &str, params: Value) -> Unaskable {
    let shown = params.to_string();
    checked(question([request(kind, params)])).expect_err(&shown)
}

fn form(schema: Value) -> Value {
    json!({"message": "Please fill this in", "requestedSchema": schema})
}

fn field(schema: Value) -> Value {
    form(json!({"type": "object", "properties": {"x": schema}}))
}

fn sampling() -> Value {
    json!({"messages": [{"role": "user", "content": {"type": "text", "text": "Hi"}}], "maxTokens": 100})
}

#[test]
fn what_was_not_granted_is_denied_and_the_record_names_the_grant() {
    let url = json!({"message": "Sign in", "url": "https://login.example.com/"});
    for (kind, params, grant) in [
        ("elicitation-form", field(json!({"type": "string"})), "[plugins.naas-lab.grant.client.elicitation]"),
        ("elicitation-url", url.clone(), "[plugins.naas-lab.grant.client.elicitation] with hosts"),
        ("sampling", sampling(), "[plugins.naas-lab.grant.client.sampling]"),
        ("roots", json!({}), "[plugins.naas-lab.grant.client.roots]"),
    ] {
        let refused = checked_with("", question([request(kind, params.clone())])).unwrap_err();
        assert_eq!(refused.fault.code, "denied", "{refused:?}");
        assert!(refused.why.contains(grant), "{refused:?}");
        assert!(
            !refused.fault.message.contains("plugins."),
            "the caller is not shown the policy: {refused:?}"
        );
        checked(question([request(kind, params)])).unwrap_or_else(|refused| panic!("{refused:?}"));
    }
    let forms_alone =
        checked_with("grant.client.elicitation = {}\n", question([request("elicitation-url", url)]));
    assert_eq!(forms_alone.unwrap_err().fault.code, "denied");
    let urls_alone = "grant.client.elicitation = { modes = [\"url\"], hosts = [\"a.example\"] }\n";
    let form = question([request("elicitation-form", field(json!({"type": "string"})))]);
    assert_eq!(checked_with(urls_alone, form).unwrap_err().fault.code, "denied");
}

#[test]
fn a_person_sees_who_asks() {
    let of = |label, message: &str| {
        let params = json!({"message": message, "requestedSchema": {"type": "object", "properties": {}}});
        let asks = asks(EVERYTHING);
        let asker = Asker { binding: "naas-lab", label, asks: &asks };
        let asked = check(question([request("elicitation-form", params)]), &asker).unwrap();
        asked.requests[0].params["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(of(None, "Reboot?"), "[naas-lab] Reboot?");
    assert_eq!(of(Some("LAB"), "Reboot?"), "[naas-lab: LAB] Reboot?");
    // Nothing pushes the name away, and nothing stands before it.
    assert_eq!(of(None, "\n\n\n\n[naas] Trust me\n\n \n\nReboot?"), "[naas-lab] [naas] Trust me\nReboot?");
    assert_eq!(of(None, "\u{202e}?toobeR\u{1b}[2J"), "[naas-lab] \\u{202e}?toobeR\\u{1b}[2J");
    let url = sent("elicitation-url", json!({"message": "Sign in", "url": "https://login.example.com/x"}));
    assert_eq!(
        url,
        json!({"mode": "url", "message": "[naas-lab] Sign in", "url": "https://login.example.com/x"})
    );
    let mut asked = sampling();
    asked["systemPrompt"] = "You are \u{200b}root.".into();
    let prompt = sent("sampling", asked)["systemPrompt"].as_str().unwrap().to_owned();
    assert!(prompt.contains("naas-lab") && prompt.ends_with("You are \\u{200b}root."), "{prompt}");
    assert!(sent("sampling", sampling())["systemPrompt"].as_str().unwrap().contains("naas-lab"));
}

#[test]
fn a_question_is_bounded() {
    let many = |count: usize| {
        let requests =
            (0..count).map(|at| InputRequest { key: format!("k{at}"), ..request("roots", json!({})) });
        checked(question(requests))
    };
    assert!(many(1).is_ok() && many(16).is_ok());
    for wrong in
        [many(0), many(17), checked(question([request("roots", json!({})), request("roots", json!({}))]))]
    {
        assert_eq!(wrong.unwrap_err().fault.code, "protocol");
    }
    for key in ["", "a b", "ä", "a/b", "a\n", &"k".repeat(65)] {
        let wrong = InputRequest { key: key.into(), ..request("roots", json!({})) };
        assert!(checked(question([wrong])).unwrap_err().fault.message.contains("is no key"), "{key}");
    }
    for kind in ["", "elicitation", "password", "roots "] {
        assert!(refused(kind, json!({})).fault.message.contains("is no kind of question"), "{kind}");
    }
    let with_state = |size: usize| {
        let mut question = question([request("roots", json!({}))]);
        question.state = Some(vec![7; size]);
        checked(question)
    };
    assert_eq!(with_state(64 << 10).unwrap().state.unwrap().len(), 64 << 10);
    assert!(with_state((64 << 10) + 1).unwrap_err().fault.message.contains("state"));
    let long = json!({"message": "x".repeat((4 << 10) + 1), "requestedSchema": {"type": "object"}});
    assert!(refused("elicitation-form", long).fault.message.contains("message"));
    for message in [json!(null), json!(""), json!(" \n\n "), json!(5)] {
        refused("elicitation-form", json!({"message": message, "requestedSchema": {"type": "object"}}));
        refused("elicitation-url", json!({"message": message, "url": "https://login.example.com/"}));
    }
    let big = |at: usize| {
        let choices: Vec<String> = (0..12).map(|choice| format!("{choice:01000}")).collect();
        let schema = json!({"type": "object", "properties": {"x": {"type": "string", "enum": choices}}});
        InputRequest { key: format!("k{at}"), ..request("elicitation-form", form(schema)) }
    };
    assert!(checked(question((0..4).map(big))).is_ok());
    assert!(checked(question((0..8).map(big))).unwrap_err().fault.message.contains("forms"));
}

#[test]
fn a_form_that_mcp_knows_is_sent_as_it_was_written() {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "title": "Name", "description": "Yours", "minLength": 1, "maxLength": 20, "default": "Ann"},
            "mail": {"type": "string", "format": "email"},
            "page": {"type": "string", "format": "uri"},
            "day": {"type": "string", "format": "date"},
            "moment": {"type": "string", "format": "date-time"},
            "age": {"type": "integer", "minimum": 0, "maximum": 150, "default": 30},
            "score": {"type": "number", "default": 95.5},
            "sure": {"type": "boolean", "default": true},
            "plain": {"type": "string", "enum": ["a", "b"], "default": "b"},
            "named": {"type": "string", "enum": ["a", "b"], "enumNames": ["A", "B"]},
            "titled": {"type": "string", "oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]},
            "many": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string", "enum": ["a", "b"]}, "default": ["a"]},
            "titles": {"type": "array", "items": {"anyOf": [{"const": "a", "title": "A"}]}}
        },
        "required": ["sure", "name"]
    });
    let sent = sent("elicitation-form", form(schema.clone()));
    assert_eq!(sent["mode"], "form");
    assert_eq!(
        sent["requestedSchema"].to_string(),
        schema.to_string(),
        "the same text: the order is the person's"
    );
}

#[test]
fn what_only_generators_of_schemas_write_is_left_out() {
    let written = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Sure", "type": "object",
        "additionalProperties": false,
        "properties": {
            "n": {"type": "integer", "format": "uint32", "minimum": 0},
            "l": {"type": "array", "uniqueItems": true, "items": {"type": "string", "enum": ["a"]}},
            "o": {"type": "string", "oneOf": [{"type": "string", "const": "a", "description": "The first"}, {"const": "b"}]},
            "d": {"type": "string", "default": null}
        },
        "required": []
    });
    assert_eq!(
        sent("elicitation-form", form(written))["requestedSchema"],
        json!({
            "type": "object", "title": "Sure",
            "properties": {
                "n": {"type": "integer", "minimum": 0},
                "l": {"type": "array", "items": {"type": "string", "enum": ["a"]}},
                "o": {"type": "string", "oneOf": [{"const": "a", "title": "The first"}, {"const": "b", "title": "b"}]},
                "d": {"type": "string"}
            }
        })
    );
}

#[test]
fn a_form_that_mcp_does_not_know_is_refused() {
    for schema in [
        json!(null),
        json!([]),
        json!({}),
        json!({"type": "array"}),
        json!({"type": ["object"]}),
        json!({"type": "object", "properties": []}),
        json!({"type": "object", "properties": {"x": {}}}),
        json!({"type": "object", "properties": {"x": true}}),
        json!({"type": "object", "properties": {"": {"type": "string"}}}),
        json!({"type": "object", "properties": {"a\u{200b}b": {"type": "string"}}}),
        json!({"type": "object", "properties": {}, "required": ["x"]}),
        json!({"type": "object", "properties": {"x": {"type": "string"}}, "required": "x"}),
        json!({"type": "object", "properties": {"x": {"type": "string"}}, "required": [1]}),
        json!({"type": "object", "allOf": []}),
        json!({"type": "object", "$ref": "#/$defs/x"}),
        json!({"type": "object", "patternProperties": {}}),
        json!({"type": "object", "title": 5}),
        json!({"type": "object", "title": "x".repeat(2000)}),
        Value::from_iter([
            (
                "properties".to_owned(),
                (0..33)
                    .map(|at| (format!("f{at}"), json!({"type": "boolean"})))
                    .collect::<Map<_, _>>()
                    .into(),
            ),
            ("type".to_owned(), json!("object")),
        ]),
    ] {
        let refused = refused("elicitation-form", form(schema.clone()));
        assert_eq!(refused.fault.code, "protocol", "{schema}: {refused:?}");
    }
    for schema in [
        json!({"type": ["string", "null"]}),
        json!({"type": "object", "properties": {}}),
        json!({"type": "null"}),
        json!({"$ref": "#/$defs/x"}),
        json!({"type": "string", "pattern": "(a+)+$"}),
        json!({"type": "string", "const": "x"}),
        json!({"type": "string", "format": "hostname"}),
        json!({"type": "string", "format": 5}),
        json!({"type": "string", "minLength": -1}),
        json!({"type": "string", "minLength": 3, "maxLength": 2}),
        json!({"type": "string", "default": 5}),
        json!({"type": "string", "maxLength": 2, "default": "long"}),
        json!({"type": "string", "format": "email", "default": "nobody"}),
        json!({"type": "string", "default": "a\u{202e}b"}),
        json!({"type": "string", "title": 5}),
        json!({"type": "string", "description": "x".repeat(2000)}),
        json!({"type": "integer", "minimum": "0"}),
        json!({"type": "integer", "default": 1.5}),
        json!({"type": "number", "minimum": 2, "maximum": 1}),
        json!({"type": "number", "multipleOf": 2}),
        json!({"type": "boolean", "default": "yes"}),
        json!({"type": "string", "enum": []}),
        json!({"type": "string", "enum": [1, 2]}),
        json!({"type": "string", "enum": "ab"}),
        json!({"type": "string", "enum": ["a\u{202e}b"]}),
        json!({"type": "string", "enum": ["a", "b"], "enumNames": ["A"]}),
        json!({"type": "string", "enum": ["a"], "default": "b"}),
        json!({"type": "string", "enum": (0..257).map(|at| at.to_string()).collect::<Vec<_>>()}),
        json!({"type": "string", "oneOf": []}),
        json!({"type": "string", "oneOf": [{"title": "A"}]}),
        json!({"type": "array"}),
        json!({"type": "array", "items": {"type": "string"}}),
        json!({"type": "array", "items": {"anyOf": [{"const": 5}]}}),
        json!({"type": "array", "items": {"enum": ["a"]}, "default": ["b"]}),
        json!({"type": "array", "items": {"enum": ["a"]}, "minItems": 2, "maxItems": 1}),
    ] {
        let refused = refused("elicitation-form", field(schema.clone()));
        assert_eq!(refused.fault.code, "protocol", "{schema}: {refused:?}");
        assert!(refused.fault.message.contains("field \"x\""), "{refused:?}");
    }
}

#[test]
fn a_form_never_asks_for_a_secret() {
    let named = |name: &str, schema: Value| form(json!({"type": "object", "properties": {name: schema}}));
    let text = json!({"type": "string"});
    for params in [
        named("password", text.clone()),
        named("newPassword", text.clone()),
        named("api_key", text.clone()),
        named("pin", json!({"type": "integer"})),
        named("x", json!({"type": "string", "title": "Your token"})),
        named("x", json!({"type": "string", "description": "The private key of the router"})),
        form(json!({"type": "object", "title": "Credentials", "properties": {"x": text}})),
        json!({"message": "Enter the enable secret", "requestedSchema": {"type": "object", "properties": {"x": text}}}),
    ] {
        let refused = refused("elicitation-form", params.clone());
        assert_eq!(refused.fault.code, "denied", "{params}: {refused:?}");
        assert!(refused.fault.message.contains("secret") && refused.why.contains("\"k\""), "{refused:?}");
    }
    for schema in
        [json!({"type": "string", "format": "password"}), json!({"type": "string", "writeOnly": true})]
    {
        assert!(refused("elicitation-form", field(schema)).fault.message.contains("secret"));
    }
    // Nothing is typed in: what is chosen is no secret.
    for params in [
        named("token_rotation", json!({"type": "boolean"})),
        named("which_key", json!({"type": "string", "enum": ["the API key", "the SSH key"]})),
        json!({"message": "All passwords will be rotated. Go on?", "requestedSchema": {"type": "object", "properties": {}}}),
    ] {
        sent("elicitation-form", params);
    }
}

#[test]
fn people_are_sent_to_granted_sites_alone() {
    let to = |url: &str| json!({"message": "Sign in", "url": url, "elicitationId": "mine", "more": 1});
    let plain = sent("elicitation-url", to("https://login.example.com"));
    assert_eq!(plain["url"], "https://login.example.com/");
    assert_eq!(plain.as_object().unwrap().len(), 3, "and nothing else: {plain}");
    let ungranted = refused("elicitation-url", to("https://evil.example/login"));
    assert_eq!(ungranted.fault.code, "denied");
    assert!(ungranted.why.contains("hosts = [… \"evil.example\"]"), "{ungranted:?}");
    for url in ["http://login.example.com/", "https://u@login.example.com/", "javascript:alert(1)", ""] {
        assert_eq!(refused("elicitation-url", to(url)).fault.code, "protocol", "{url}");
    }
    refused("elicitation-url", json!({"message": "Sign in"}));
}

#[test]
fn what_the_model_is_asked_is_rebuilt_from_what_is_known() {
    let mut params = sampling();
    for (key, value) in [
        ("maxTokens", json!(100_000)),
        ("temperature", json!(0.5)),
        ("stopSequences", json!(["END"])),
        ("modelPreferences", json!({"hints": [{"name": "small", "x": 1}], "costPriority": 0.5, "x": 1})),
        ("includeContext", json!("allServers")),
        ("metadata", json!({"x": 1})),
        ("task", json!({})),
    ] {
        params[key] = value;
    }
    let mut sent = sent("sampling", params);
    sent.as_object_mut().unwrap().remove("systemPrompt");
    assert_eq!(
        sent,
        json!({
            "messages": [{"role": "user", "content": {"type": "text", "text": "Hi"}}],
            "maxTokens": 500, "temperature": 0.5, "stopSequences": ["END"],
            "modelPreferences": {"hints": [{"name": "small"}], "costPriority": 0.5}
        })
    );
    let text = json!({"type": "text", "text": "x"});
    for (key, wrong) in [
        ("maxTokens", json!(null)),
        ("maxTokens", json!(0)),
        ("maxTokens", json!("100")),
        ("messages", json!([])),
        ("messages", json!({})),
        ("messages", json!([{"role": "system", "content": text}])),
        ("messages", json!([{"role": "user"}])),
        ("messages", json!([{"role": "user", "content": "Hi"}])),
        ("messages", json!([{"role": "user", "content": []}])),
        ("messages", json!([{"role": "user", "content": {"type": "text"}}])),
        ("messages", json!([{"role": "user", "content": {"type": "video", "data": ""}}])),
        ("messages", json!([{"role": "user", "content": {"type": "image", "data": "x"}}])),
        ("messages", vec![json!({"role": "user", "content": text}); 65].into()),
        ("systemPrompt", json!(5)),
        ("systemPrompt", json!("x".repeat((16 << 10) + 1))),
        ("temperature", json!("hot")),
        ("stopSequences", json!("END")),
        ("stopSequences", json!([1])),
        ("modelPreferences", json!({"costPriority": 5})),
        ("modelPreferences", json!({"hints": ["small"]})),
        ("tools", json!(["x"])),
    ] {
        let mut params = sampling();
        params[key] = wrong;
        assert_eq!(refused("sampling", params.clone()).fault.code, "protocol", "{params}");
    }
    let mut params = sampling();
    params["toolChoice"] = json!({"mode": "any"});
    params["tools"] = json!([{"name": "x"}]);
    refused("sampling", params);
}

#[test]
fn roots_have_no_parameters() {
    assert_eq!(sent("roots", json!({"message": "give", "_meta": {}})), json!({}));
}

/// What of an answer to this request comes back.
fn answered(kind: &str, params: Value, given: Value) -> Option<Value> {
    let given = json!({"k": given, "other": {"action": "accept"}});
    let mut items = answers(&[request(kind, params)], given.as_object().unwrap());
    assert!(items.len() <= 1);
    items.pop().map(|(key, value)| {
        assert_eq!(key, "k");
        value
    })
}

#[test]
fn an_answer_to_a_form_fits_it_or_is_none() {
    let schema = json!({"type": "object", "required": ["text"], "properties": {
        "text": {"type": "string", "minLength": 2, "maxLength": 3},
        "mail": {"type": "string", "format": "email"},
        "page": {"type": "string", "format": "uri"},
        "day": {"type": "string", "format": "date"},
        "moment": {"type": "string", "format": "date-time"},
        "whole": {"type": "integer", "minimum": 1, "maximum": 5},
        "number": {"type": "number"},
        "flag": {"type": "boolean"},
        "one": {"type": "string", "oneOf": [{"const": "a", "title": "A"}]},
        "some": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string", "enum": ["a", "b", "c"]}}
    }});
    let with = |name: &str, value: Value| {
        let mut content = json!({"text": "äöü"});
        content[name] = value;
        answered("elicitation-form", form(schema.clone()), json!({"action": "accept", "content": content}))
    };
    for (name, good, bad) in [
        ("text", json!("xy"), vec![json!("x"), json!("wxyz"), json!(5), json!(null), json!(["xy"])]),
        (
            "mail",
            json!("ann@example.com"),
            vec![json!("ann"), json!("@x"), json!("a@"), json!("a@b@c"), json!("a b@c")],
        ),
        ("page", json!("https://example.com/"), vec![json!("example"), json!("")]),
        ("day", json!("2026-02-28"), vec![json!("2026-02-30"), json!("28.2.2026")]),
        ("moment", json!("2026-02-28T12:00:00Z"), vec![json!("2026-02-28T12:00:00"), json!("noon")]),
        ("whole", json!(5), vec![json!(0), json!(6), json!(1.5), json!("5"), json!(true)]),
        ("number", json!(-1.5), vec![json!("1"), json!(null)]),
        ("flag", json!(false), vec![json!("true"), json!(0)]),
        ("one", json!("a"), vec![json!("A"), json!("b"), json!(["a"])]),
        (
            "some",
            json!(["c", "a"]),
            vec![json!([]), json!(["a", "a"]), json!(["a", "b", "c"]), json!(["x"]), json!("a")],
        ),
    ] {
        assert_eq!(with(name, good.clone()).expect("it fits")["content"][name], good);
        for bad in bad {
            assert_eq!(with(name, bad.clone()), None, "{name} = {bad}");
        }
    }
    assert_eq!(with("more", json!({"x": 1})), Some(json!({"action": "accept", "content": {"text": "äöü"}})));
    for given in [
        json!(null),
        json!(12345),
        json!("accept"),
        json!([]),
        json!({}),
        json!({"action": "agree"}),
        json!({"action": "accept"}),
        json!({"action": "accept", "content": []}),
        json!({"action": "accept", "content": {}}),
        json!({"action": ["accept"], "content": {"text": "xy"}}),
    ] {
        assert_eq!(answered("elicitation-form", form(schema.clone()), given.clone()), None, "{given}");
    }
    for action in ["decline", "cancel"] {
        let given = json!({"action": action, "content": {"text": "ignored"}, "_meta": {}});
        assert_eq!(
            answered("elicitation-form", form(schema.clone()), given),
            Some(json!({"action": action}))
        );
    }
    let empty = form(json!({"type": "object", "properties": {}}));
    assert_eq!(
        answered("elicitation-form", empty, json!({"action": "accept"})),
        Some(json!({"action": "accept", "content": {}}))
    );
}

#[test]
fn answers_of_other_kinds_fit_or_are_none_too() {
    let said = json!({"role": "assistant", "content": {"type": "text", "text": "Paris", "x": 1}, "model": "m",
                      "stopReason": "endTurn", "_meta": {}});
    assert_eq!(
        answered("sampling", json!({}), said.clone()),
        Some(
            json!({"role": "assistant", "content": {"type": "text", "text": "Paris"}, "model": "m", "stopReason": "endTurn"})
        )
    );
    for (key, wrong) in [
        ("role", json!("system")),
        ("content", json!("Paris")),
        ("content", json!({"type": "text"})),
        ("model", json!(null)),
        ("model", json!("x".repeat(257))),
        ("stopReason", json!(5)),
    ] {
        let mut given = said.clone();
        given[key] = wrong;
        assert_eq!(answered("sampling", json!({}), given.clone()), None, "{given}");
    }
    let roots = |roots: Value| answered("roots", json!({}), json!({"roots": roots, "_meta": {}}));
    assert_eq!(
        roots(json!([{"uri": "file:///a", "name": "A", "x": 1}, {"uri": "file:///b"}])),
        Some(json!({"roots": [{"uri": "file:///a", "name": "A"}, {"uri": "file:///b"}]}))
    );
    assert_eq!(roots(json!([])), Some(json!({"roots": []})));
    for wrong in [
        json!(null),
        json!({}),
        json!(["file:///a"]),
        json!([{"uri": "https://example.com/"}]),
        json!([{"uri": "/etc"}]),
        json!([{"name": "A"}]),
        json!([{"uri": "file:///a", "name": 5}]),
        json!([{"uri": format!("file:///{}", "x".repeat(5000))}]),
        vec![json!({"uri": "file:///a"}); 257].into(),
    ] {
        assert_eq!(roots(wrong.clone()), None, "{wrong}");
    }
    assert_eq!(
        answered("elicitation-url", json!({}), json!({"action": "accept", "content": {"x": 1}})),
        Some(json!({"action": "accept"}))
    );
    assert_eq!(answered("elicitation-url", json!({}), json!({})), None);
}

#[test]
fn huge_answers_are_left_out() {
    let text = |size: usize| json!({"role": "assistant", "content": {"type": "text", "text": "x".repeat(size)}, "model": "m"});
    assert!(answered("sampling", json!({}), text(900 << 10)).is_some());
    assert!(answered("sampling", json!({}), text(1 << 20)).is_none());
    let asked: Vec<_> =
        (0..8).map(|at| InputRequest { key: format!("k{at}"), ..request("sampling", json!({})) }).collect();
    let given: Map<_, _> = asked.iter().map(|asked| (asked.key.clone(), text(900 << 10))).collect();
    assert_eq!(answers(&asked, &given).len(), 4, "no more than 4 MiB of them");
}

#[tokio::test]
async fn a_plugin_in_place_of_its_own_server_may_ask_but_not_send_people_to_sites_that_nobody_named() {
    let place = Place::new("");
    place.drop_plugin(&Plugin::new("naas", "0.1.0").and(
        "[client]\nelicitation = { why = \"To ask\", modes = [\"form\", \"url\"] }\nsampling = \"x\"\nroots = \"x\"\n",
    ));
    let mut options = place.options();
    options.only_plugin = Some("naas".into());
    options.environment = fleetgate_core::catalog::Environment::of(|_| None);
    let host = place.try_start(options).await.expect("it starts");
    let live = host.catalog().binding("naas").expect("served").clone();
    let granted: Vec<_> = live.granted.iter().map(String::as_str).collect();
    assert_eq!(granted, ["client.elicitation", "client.roots", "client.sampling"]);
    let asker = Asker { binding: "naas", label: None, asks: &live.asks };
    let form = question([request("elicitation-form", field(json!({"type": "boolean"})))]);
    assert!(check(form, &asker).is_ok());
    let url = json!({"message": "Sign in", "url": "https://login.example.com/"});
    assert_eq!(check(question([request("elicitation-url", url)]), &asker).unwrap_err().fault.code, "denied");
}
