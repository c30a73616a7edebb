//! Questions of a plugin, to clients of both eras and back.

use fleetgate_core::call::End;
use fleetgate_core::domain::{Answers, Content, Fault, InputRequest, Question, ToolResult};
use serde_json::{Value, json};

use crate::backend::{Does, Fake, binding, tool};
use crate::running::{Events, Served, Session, last, served};
use crate::surfaces::{Fills, Reads, prompt, resource};

fn done(text: impl Into<String>) -> End {
    End::Done(ToolResult { content: vec![Content::text(text)], ..Default::default() })
}

fn asks(requests: impl IntoIterator<Item = InputRequest>, state: Option<&str>) -> End {
    let state = state.map(|state| state.as_bytes().to_vec());
    End::Ask(Question { requests: requests.into_iter().collect(), state })
}

fn request(key: &str, kind: &str, params: Value) -> InputRequest {
    InputRequest { key: key.into(), kind: kind.into(), params }
}

fn form(key: &str, field: &str) -> InputRequest {
    let schema = json!({"type": "object", "properties": {field: {"type": "string"}}, "required": [field]});
    let params = json!({"mode": "form", "message": format!("[lab] {field}?"), "requestedSchema": schema});
    request(key, "elicitation-form", params)
}

fn sampling(key: &str) -> InputRequest {
    let message = json!({"role": "user", "content": {"type": "text", "text": "Hi"}});
    request(key, "sampling", json!({"messages": [message], "maxTokens": 10, "systemPrompt": "From lab."}))
}

fn roots(key: &str) -> InputRequest {
    request(key, "roots", json!({}))
}

/// Asks for a name until there is one.
fn greet(answers: Option<Answers>) -> End {
    let items = answers.unwrap_or_default().items;
    match items.iter().find(|(key, _)| key == "who") {
        Some((_, answer)) if answer["action"] == "accept" => {
            done(format!("Hello, {}! ({})", answer["content"]["name"].as_str().unwrap(), items.len()))
        }
        Some((_, answer)) => done(format!("Then not: {}", answer["action"].as_str().unwrap())),
        None => asks([form("who", "name")], None),
    }
}

/// Three different things at once, and one again if it is missing.
fn gather(answers: Option<Answers>) -> End {
    let Some(answers) = answers else {
        return asks([form("who", "name"), sampling("text"), roots("where")], Some("start"));
    };
    assert!(answers.state.is_some());
    match &answers.items[..] {
        [(who, _), (text, said), (place, roots)] => {
            assert_eq!((who.as_str(), text.as_str(), place.as_str()), ("who", "text", "where"));
            done(format!("{} from {}", said["content"]["text"], roots["roots"][0]["uri"]))
        }
        _ => asks([roots("where")], Some("again")),
    }
}

/// Two steps, the second of which knows the first by the state alone.
fn steps(answers: Option<Answers>) -> End {
    let Some(answers) = answers else { return asks([form("step1", "name")], None) };
    match (&answers.state, &answers.items[..]) {
        (None, [(_, first)]) => asks([form("step2", "color")], first["content"]["name"].as_str()),
        (Some(name), [(_, second)]) => {
            let name = String::from_utf8(name.clone()).unwrap();
            done(format!("{name} likes {}", second["content"]["color"].as_str().unwrap()))
        }
        _ => done("lost"),
    }
}

fn forever(_: Option<Answers>) -> End {
    asks([form("who", "name")], None)
}

fn everything() -> Value {
    json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}})
}

async fn lab(asks: fn(Option<Answers>) -> End) -> Served {
    served(&Fake::new([binding("lab", [tool("it", Does::Ask(asks))])])).await
}

fn accept(content: Value) -> Value {
    json!({"action": "accept", "content": content})
}

fn sampled(text: &str) -> Value {
    json!({"role": "assistant", "content": {"type": "text", "text": text}, "model": "m", "stopReason": "endTurn"})
}

/// A modern call of the tool, with whatever more.
async fn call(lab: &Served, more: Value) -> Value {
    call_as(lab, "ann", everything(), more).await
}

async fn call_as(lab: &Served, caller: &str, can: Value, more: Value) -> Value {
    let mut params = json!({"name": "it", "arguments": {"b": 1, "a": 2},
                            "_meta": {"io.modelcontextprotocol/clientCapabilities": can}});
    for (key, value) in more.as_object().unwrap() {
        params[key] = value.clone();
    }
    lab.ask("/mcp/lab", caller, "tools/call", params).await
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

fn state(answer: &Value) -> &Value {
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    &answer["result"]["requestState"]
}

#[tokio::test]
async fn a_modern_client_gets_the_question_and_comes_back_with_the_answer() {
    let lab = lab(greet).await;
    let question = call(&lab, json!({})).await;
    let asked = &question["result"]["inputRequests"]["who"];
    assert_eq!(asked["method"], "elicitation/create");
    assert_eq!(asked["params"]["message"], "[lab] name?");
    assert_eq!(asked["params"]["requestedSchema"]["properties"], json!({"name": {"type": "string"}}));
    assert_eq!(question["result"]["_meta"]["dev.fleetgate/binding"], "lab");
    assert_eq!(question["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "fleetgate");
    let answers = json!({"who": accept(json!({"name": "Ann"}))});
    let answer = call(&lab, json!({"inputResponses": answers, "requestState": state(&question)})).await;
    assert_eq!(text(&answer), "Hello, Ann! (1)");
    assert_eq!(answer["result"]["resultType"], "complete");
}

#[tokio::test]
async fn declining_is_an_answer() {
    let lab = lab(greet).await;
    for action in ["decline", "cancel"] {
        let question = call(&lab, json!({})).await;
        let answers = json!({"who": {"action": action, "content": {"name": "ignored"}}});
        let answer = call(&lab, json!({"inputResponses": answers, "requestState": state(&question)})).await;
        assert_eq!(text(&answer), format!("Then not: {action}"));
    }
}

#[tokio::test]
async fn a_missing_or_wrong_answer_is_asked_for_again_and_never_completes() {
    let lab = lab(greet).await;
    for wrong in [
        json!({}),
        json!({"who": 12345}),
        json!({"who": null}),
        json!({"who": "Ann"}),
        json!({"who": []}),
        json!({"who": {}}),
        json!({"who": {"action": "yes", "content": {"name": "Ann"}}}),
        json!({"who": {"action": "accept"}}),
        json!({"who": {"action": "accept", "content": "Ann"}}),
        json!({"who": accept(json!({}))}),
        json!({"who": accept(json!({"name": 5}))}),
        json!({"who": accept(json!({"name": null}))}),
        json!({"other": accept(json!({"name": "Ann"}))}),
    ] {
        let question = call(&lab, json!({})).await;
        let with_state = json!({"inputResponses": wrong, "requestState": state(&question)});
        for more in [with_state, json!({"inputResponses": wrong})] {
            let again = call(&lab, more).await;
            assert!(state(&again).is_string(), "{wrong}");
            assert!(again["result"]["inputRequests"]["who"].is_object(), "{wrong}");
        }
    }
    let question = call(&lab, json!({"inputResponses": null})).await;
    assert!(state(&question).is_string());
}

#[tokio::test]
async fn what_was_not_asked_for_is_passed_over() {
    let lab = lab(greet).await;
    let answers = json!({
        "who": accept(json!({"name": "Ann", "more": {"deep": 1}})), "x": accept(json!({})), "y": 5
    });
    let question = call(&lab, json!({})).await;
    let answer = call(&lab, json!({"inputResponses": answers, "requestState": state(&question)})).await;
    assert_eq!(text(&answer), "Hello, Ann! (1)");
}

#[tokio::test]
async fn an_answer_that_comes_before_the_question_is_held_against_what_the_plugin_asks() {
    let lab = lab(greet).await;
    let answers = json!({"who": accept(json!({"name": "Ann"})), "x": 1});
    assert_eq!(text(&call(&lab, json!({"inputResponses": answers})).await), "Hello, Ann! (1)");
}

#[tokio::test]
async fn several_things_are_asked_at_once() {
    let lab = lab(gather).await;
    let question = call(&lab, json!({})).await;
    let asked = &question["result"]["inputRequests"];
    assert_eq!(asked["who"]["method"], "elicitation/create");
    assert_eq!(asked["text"]["method"], "sampling/createMessage");
    assert_eq!(asked["text"]["params"]["maxTokens"], 10);
    assert_eq!(asked["text"]["params"]["systemPrompt"], "From lab.");
    assert_eq!(asked["where"]["method"], "roots/list");
    let answers = json!({
        "who": accept(json!({"name": "Ann"})), "text": sampled("Hi there"),
        "where": {"roots": [{"uri": "file:///home/ann", "name": "Home"}]}
    });
    let answer = call(&lab, json!({"inputResponses": answers, "requestState": state(&question)})).await;
    assert_eq!(text(&answer), "\"Hi there\" from \"file:///home/ann\"");
}

#[tokio::test]
async fn each_round_has_a_state_of_its_own() {
    let lab = lab(steps).await;
    let first = call(&lab, json!({})).await;
    let answers = json!({"step1": accept(json!({"name": "Ann"}))});
    let second = call(&lab, json!({"inputResponses": answers, "requestState": state(&first)})).await;
    assert_ne!(state(&first), state(&second));
    assert!(second["result"]["inputRequests"]["step2"].is_object());
    let answers = json!({"step2": accept(json!({"color": "blue"}))});
    let answer = call(&lab, json!({"inputResponses": answers, "requestState": state(&second)})).await;
    assert_eq!(text(&answer), "Ann likes blue");
}

#[tokio::test]
async fn a_state_is_good_once_and_for_its_own_request_alone() {
    let fake = Fake::new([
        binding("lab", [tool("it", Does::Ask(greet)), tool("other", Does::Ask(greet))]),
        binding("twin", [tool("it", Does::Ask(greet))]),
    ]);
    let lab = served(&fake).await;
    let answers = json!({"who": accept(json!({"name": "Ann"}))});
    let question = call(&lab, json!({})).await;
    let fresh = state(&question).as_str().unwrap();
    let back = |token: &str| json!({"inputResponses": answers, "requestState": token});
    let refused = |answer: Value| {
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("asked anew"), "{message}");
        message
    };
    let before = fake.seen().len();
    refused(call(&lab, back(&format!("{fresh}-TAMPERED"))).await);
    refused(call(&lab, back("")).await);
    refused(call_as(&lab, "bob", everything(), back(fresh)).await);
    let mut other = back(fresh);
    other["name"] = "other".into();
    refused(call(&lab, other).await);
    let mut other = back(fresh);
    other["arguments"] = json!({"a": 2, "b": 2});
    refused(call(&lab, other).await);
    for (path, name) in [("/mcp", "lab_it"), ("/mcp/twin", "it")] {
        let mut params = back(fresh);
        params["name"] = name.into();
        params["arguments"] = json!({"b": 1, "a": 2});
        refused(lab.ask(path, "ann", "tools/call", params).await);
    }
    assert_eq!(fake.seen().len(), before, "none of them ran");
    let mut reordered = back(fresh);
    reordered["arguments"] = json!({"a": 2, "b": 1});
    assert_eq!(text(&call(&lab, reordered).await), "Hello, Ann! (1)");
    assert!(refused(call(&lab, back(fresh)).await).contains("used"));
}

#[tokio::test]
async fn a_plugin_that_was_replaced_meanwhile_asks_anew() {
    let fake = Fake::new([binding("lab", [tool("it", Does::Ask(gather))])]);
    let lab = served(&fake).await;
    let question = call(&lab, json!({})).await;
    let mut newer = binding("lab", [tool("it", Does::Ask(gather))]);
    newer.file = "2";
    fake.publish([newer], &["lab"]);
    let answers = json!({
        "who": accept(json!({"name": "Ann"})), "text": sampled("Hi"), "where": {"roots": [{"uri": "file:///"}]}
    });
    let again = call(&lab, json!({"inputResponses": answers, "requestState": state(&question)})).await;
    assert_eq!(again["result"]["inputRequests"].as_object().unwrap().len(), 3, "as if for the first time");
    let answer = call(&lab, json!({"inputResponses": answers, "requestState": state(&again)})).await;
    assert_eq!(text(&answer), "\"Hi\" from \"file:///\"");
}

#[tokio::test]
async fn a_modern_client_is_asked_only_what_it_declares() {
    let lab = lab(gather).await;
    for (can, lacks) in [
        (json!({}), json!({"elicitation": {"form": {}}, "sampling": {}, "roots": {}})),
        (json!({"elicitation": {}, "roots": {}}), json!({"sampling": {}})),
        (
            json!({"elicitation": {"url": {}}, "roots": {}, "sampling": {}}),
            json!({"elicitation": {"form": {}}}),
        ),
    ] {
        let params = json!({"name": "it", "_meta": {"io.modelcontextprotocol/clientCapabilities": can}});
        let response = lab.modern("/mcp/lab", "ann", "tools/call", params).send().await.unwrap();
        assert_eq!(response.status(), 400);
        let answer = last(response).await;
        assert_eq!(answer["error"]["code"], -32021, "{answer}");
        assert_eq!(answer["error"]["data"]["requiredCapabilities"], lacks);
    }
}

/// The two requests besides calls that may ask, and where their text is.
const OTHERS: [(&str, &str, &str, &str); 2] = [
    ("prompts/get", "name", "greeting", "/result/messages/0/content/text"),
    ("resources/read", "uri", "lab://greeting", "/result/contents/0/text"),
];

async fn lab_of_others() -> Served {
    let lab = binding("lab", []).prompts([prompt("greeting", Fills::Ask)]);
    served(&Fake::new([lab.resources([resource("lab://greeting", Reads::Ask)])])).await
}

#[tokio::test]
async fn prompts_and_resources_ask_modern_clients_too() {
    let lab = lab_of_others().await;
    for (method, key, name, text) in OTHERS {
        let ask = async |more: Value| {
            let mut params = json!({"_meta": {"io.modelcontextprotocol/clientCapabilities": everything()}});
            params[key] = name.into();
            for (key, value) in more.as_object().unwrap() {
                params[key] = value.clone();
            }
            lab.ask("/mcp/lab", "ann", method, params).await
        };
        let question = ask(json!({})).await;
        assert_eq!(question["result"]["inputRequests"]["who"]["params"]["message"], "[lab] Who?", "{method}");
        let answers = json!({"who": accept(json!({"name": "Ann"}))});
        let with_state = json!({"inputResponses": answers, "requestState": state(&question)});
        let answer = ask(with_state.clone()).await;
        assert_eq!(answer.pointer(text), Some(&json!("Ann")), "{answer}");
        assert_eq!(answer["result"]["resultType"], "complete");
        assert_eq!(ask(with_state).await["error"]["code"], -32602);
        assert_eq!(ask(json!({"inputResponses": answers})).await.pointer(text), Some(&json!("Ann")));
        let mut bare = json!({});
        bare[key] = name.into();
        let refused = lab.ask("/mcp/lab", "ann", method, bare).await;
        assert_eq!(refused["error"]["code"], -32021, "{refused}");
    }
}

#[tokio::test]
async fn prompts_and_resources_ask_legacy_clients_too() {
    let lab = lab_of_others().await;
    for (method, key, name, text) in OTHERS {
        let mut params = json!({});
        params[key] = name.into();
        let session = old(&lab, "2025-11-25", everything()).await;
        let (asked, end) = talk(&session, method, params.clone(), &[accept(json!({"name": "Ann"}))]).await;
        assert_eq!(asked[0]["params"]["message"], "[lab] Who?");
        assert_eq!(end.pointer(text), Some(&json!("Ann")), "{end}");
        // There is no result that could say it, so it is an error of the protocol.
        let session = old(&lab, "2025-11-25", json!({})).await;
        let (_, end) = talk(&session, method, params, &[]).await;
        assert_eq!(end["error"]["data"]["code"], "unavailable", "{end}");
    }
}

async fn old<'a>(lab: &'a Served, version: &str, can: Value) -> Session<'a> {
    lab.legacy_that_can("/mcp/lab", "ann", version, can).await
}

/// Calls the tool and answers what it asks, in order. What it asked, and how the call ended.
async fn conversation(session: &Session<'_>, answers: &[Value]) -> (Vec<Value>, Value) {
    talk(session, "tools/call", json!({"name": "it"}), answers).await
}

async fn talk(session: &Session<'_>, method: &str, params: Value, answers: &[Value]) -> (Vec<Value>, Value) {
    let response = session.request(8, method, params).send().await.unwrap();
    let (mut events, mut asked) = (Events::of(response), Vec::new());
    for answer in answers {
        let question = events.message().await.unwrap();
        assert!(question["method"].is_string(), "{question}");
        let mut reply = json!({"jsonrpc": "2.0", "id": question["id"]});
        let part = if answer.get("code").is_some() { "error" } else { "result" };
        reply[part] = answer.clone();
        assert_eq!(session.post(reply).send().await.unwrap().status(), 202);
        asked.push(question);
    }
    let end = events.message().await.unwrap();
    assert_eq!(end["id"], 8, "{end}");
    (asked, end)
}

#[tokio::test]
async fn a_legacy_client_is_asked_on_the_stream_of_its_request() {
    let lab = lab(greet).await;
    for version in ["2025-11-25", "2025-06-18"] {
        let session = old(&lab, version, everything()).await;
        let (asked, end) = conversation(&session, &[accept(json!({"name": "Ann"}))]).await;
        assert_eq!(asked[0]["method"], "elicitation/create");
        assert_eq!(asked[0]["params"]["message"], "[lab] name?");
        // 2025-06-18 knows no modes.
        let mode = (version == "2025-11-25").then(|| json!("form"));
        assert_eq!(asked[0]["params"].get("mode"), mode.as_ref());
        assert_eq!(asked[0]["params"]["requestedSchema"]["required"], json!(["name"]));
        assert_eq!(text(&end), "Hello, Ann! (1)");
        assert_eq!(end["result"].get("resultType"), None);
    }
}

#[tokio::test]
async fn a_legacy_client_is_asked_several_things_and_again_what_it_answered_wrongly() {
    let lab = lab(gather).await;
    let session = old(&lab, "2025-11-25", everything()).await;
    let place = json!({"roots": [{"uri": "file:///home/ann"}]});
    let answers = [accept(json!({"name": "Ann"})), sampled("Hi"), place];
    let (asked, end) = conversation(&session, &answers).await;
    let methods: Vec<_> = asked.iter().map(|asked| asked["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["elicitation/create", "sampling/createMessage", "roots/list"]);
    assert_eq!(text(&end), "\"Hi\" from \"file:///home/ann\"");
}

#[tokio::test]
async fn a_legacy_client_is_asked_in_rounds() {
    let lab = lab(steps).await;
    let session = old(&lab, "2025-11-25", everything()).await;
    let answers = [accept(json!({"name": "Ann"})), accept(json!({"color": "blue"}))];
    let (_, end) = conversation(&session, &answers).await;
    assert_eq!(text(&end), "Ann likes blue");
}

#[tokio::test]
async fn a_wrong_answer_of_a_legacy_client_is_asked_for_again() {
    let lab = lab(greet).await;
    let session = old(&lab, "2025-11-25", everything()).await;
    let wrong = [accept(json!({"name": 5})), accept(json!({})), json!({"roots": []}), json!({})];
    let mut answers = wrong.to_vec();
    answers.push(accept(json!({"name": "Ann"})));
    let (asked, end) = conversation(&session, &answers).await;
    assert_eq!((asked.len(), text(&end)), (5, "Hello, Ann! (1)"));
}

#[tokio::test]
async fn a_plugin_that_asks_without_end_is_ended() {
    let lab = lab(forever).await;
    let session = old(&lab, "2025-11-25", everything()).await;
    let answers = vec![accept(json!({"name": "Ann"})); 16];
    let (_, end) = conversation(&session, &answers).await;
    assert_eq!(end["result"]["_meta"]["dev.fleetgate/fault"]["code"], "limit");
}

#[tokio::test]
async fn a_legacy_client_that_cannot_be_asked_gets_a_tool_error_that_says_so() {
    let lab = lab(greet).await;
    // Elicitation came with 2025-06-18: whatever an older client declares, it is something else.
    for (version, can) in
        [("2025-11-25", json!({"sampling": {}})), ("2025-03-26", everything()), ("2024-11-05", everything())]
    {
        let session = old(&lab, version, can).await;
        let (_, end) = conversation(&session, &[]).await;
        assert_eq!(end["result"]["isError"], true, "{end}");
        assert_eq!(end["result"]["_meta"]["dev.fleetgate/fault"]["code"], "unavailable");
        assert!(text(&end).contains("elicitation"), "{end}");
    }
}

#[tokio::test]
async fn a_client_that_answers_with_an_error_ends_the_call() {
    let lab = lab(greet).await;
    let session = old(&lab, "2025-11-25", everything()).await;
    let (_, end) = conversation(&session, &[json!({"code": -1, "message": "the user is away"})]).await;
    assert_eq!(end["result"]["isError"], true);
    assert!(text(&end).contains("the user is away"), "{end}");
}

#[tokio::test]
async fn a_url_is_shown_to_clients_that_open_urls() {
    fn sign_in(answers: Option<Answers>) -> End {
        match answers {
            None => {
                let params =
                    json!({"mode": "url", "message": "[lab] Sign in", "url": "https://login.example.com/"});
                asks([request("in", "elicitation-url", params)], None)
            }
            Some(answers) => done(answers.items[0].1.to_string()),
        }
    }
    let lab = lab(sign_in).await;
    let question = call(&lab, json!({})).await;
    let params = &question["result"]["inputRequests"]["in"]["params"];
    assert_eq!((&params["mode"], &params["url"]), (&json!("url"), &json!("https://login.example.com/")));
    let answers = json!({"in": {"action": "accept", "content": {"stolen": 1}}});
    let answer = call(&lab, json!({"inputResponses": answers, "requestState": state(&question)})).await;
    assert_eq!(text(&answer), r#"{"action":"accept"}"#);

    let session = old(&lab, "2025-11-25", everything()).await;
    let (asked, _) = conversation(&session, &[json!({"action": "accept"})]).await;
    assert!(asked[0]["params"]["elicitationId"].is_string());
    let session = old(&lab, "2025-06-18", everything()).await;
    let (_, end) = conversation(&session, &[]).await;
    assert_eq!(end["result"]["_meta"]["dev.fleetgate/fault"]["code"], "unavailable");
}

#[tokio::test]
async fn a_call_that_is_given_up_takes_its_question_back() {
    let lab = lab(greet).await;
    let session = old(&lab, "2025-11-25", everything()).await;
    let response = session.request(8, "tools/call", json!({"name": "it"})).send().await.unwrap();
    let mut events = Events::of(response);
    let question = events.message().await.unwrap();
    let mut standing = Events::of(session.get().send().await.unwrap());
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 8}});
    assert_eq!(session.post(cancel).send().await.unwrap().status(), 202);
    let taken_back = standing.message().await.unwrap();
    assert_eq!(taken_back["method"], "notifications/cancelled", "{taken_back}");
    assert_eq!(taken_back["params"]["requestId"], question["id"]);
}

#[tokio::test]
async fn a_plugin_can_end_a_call_with_a_json_rpc_error() {
    fn breaks(_: Option<Answers>) -> End {
        let details = json!({"code": 1001, "data": {"job": 7}});
        End::Fault(Fault { details: Some(details), ..Fault::new("protocol", "The job broke.") })
    }
    let lab = lab(breaks).await;
    let session = old(&lab, "2025-11-25", json!({})).await;
    for answer in [call(&lab, json!({})).await, session.ask("tools/call", json!({"name": "it"})).await] {
        let error = &answer["error"];
        assert_eq!((&error["code"], &error["message"]), (&json!(1001), &json!("The job broke.")), "{answer}");
        assert_eq!(error["data"], json!({"reference": "ref1", "data": {"job": 7}}));
    }
}
