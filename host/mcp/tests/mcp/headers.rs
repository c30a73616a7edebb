//! What the headers of a modern request say must be what its body says.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::backend::{Does, Fake, binding, tool};
use crate::running::{Served, served};
use crate::surfaces::{Fills, Reads, prompt, resource};

async fn lab() -> Served {
    let mut custom = tool("custom", Does::Echo);
    custom.input = json!({
        "type": "object",
        "properties": {
            "value": {"type": "string", "x-mcp-header": "Value"},
            "deep": {"type": "object", "properties": {"count": {"type": "integer", "x-mcp-header": "Count"}}},
        },
    });
    let lab = binding("lab", [custom])
        .prompts([prompt("p", Fills::Echo)])
        .resources([resource("naas://jobs", Reads::Echo)]);
    served(&Fake::new([lab])).await
}

fn request(lab: &Served, method: &str, params: Value, headers: &[(&str, &str)]) -> RequestBuilder {
    let mut params = params;
    params["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                             "io.modelcontextprotocol/clientCapabilities": {}});
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
    let request = lab.post("/mcp/lab", "ann", body.to_string()).header("mcp-protocol-version", "2026-07-28");
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

async fn outcome(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn method_and_name_must_be_there_and_be_those_of_the_body() {
    let lab = lab().await;
    for (method, params, name) in [
        ("tools/call", json!({"name": "custom"}), "custom"),
        ("prompts/get", json!({"name": "p"}), "p"),
        ("resources/read", json!({"uri": "naas://jobs"}), "naas://jobs"),
    ] {
        let base64 = format!("=?base64?{}?=", base64_of(name));
        let padded = format!("  {name} \t");
        for headers in [
            [("mcp-method", method), ("mcp-name", name)],
            [("MCP-METHOD", method), ("Mcp-Name", &padded)],
            [("Mcp-Method", method), ("MCP-NAME", &base64)],
        ] {
            let (status, answer) = outcome(request(&lab, method, params.clone(), &headers)).await;
            assert!(status == 200 && answer.get("result").is_some(), "{headers:?}: {answer}");
        }
        let upper = method.to_uppercase();
        for headers in [
            vec![("mcp-name", name)],
            vec![("mcp-method", method)],
            vec![("mcp-method", "tools/list"), ("mcp-name", name)],
            vec![("mcp-method", &*upper), ("mcp-name", name)],
            vec![("mcp-method", method), ("mcp-name", "other")],
            vec![("mcp-method", method), ("mcp-name", name), ("mcp-name", name)],
            vec![("mcp-method", method), ("mcp-name", "=?base64?!?=")],
        ] {
            let (status, answer) = outcome(request(&lab, method, params.clone(), &headers)).await;
            assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32020)), "{headers:?}: {answer}");
            assert_eq!(answer["id"], 7);
        }
    }
}

#[tokio::test]
async fn an_argument_that_its_schema_names_a_header_for_is_there_as_well() {
    let lab = lab().await;
    let called = |arguments: Value, headers: &[(&str, &str)]| {
        let all = [&[("mcp-method", "tools/call"), ("mcp-name", "custom")], headers].concat();
        outcome(request(&lab, "tools/call", json!({"name": "custom", "arguments": arguments}), &all))
    };
    let (value, hello) = (json!({"value": "Hello"}), format!("=?base64?{}?=", base64_of("Hello")));
    let literal = base64_of("Hello");
    for (arguments, headers) in [
        (value.clone(), vec![("mcp-param-value", "Hello")]),
        (value.clone(), vec![("Mcp-Param-Value", " Hello ")]),
        (value.clone(), vec![("mcp-param-value", &*hello)]),
        (json!({"value": literal}), vec![("mcp-param-value", &*literal)]),
        (json!({"deep": {"count": 3}}), vec![("mcp-param-count", "3")]),
        (json!({"value": null}), vec![]),
        (json!({}), vec![]),
    ] {
        let (status, answer) = called(arguments.clone(), &headers).await;
        assert!(status == 200 && answer.get("result").is_some(), "{arguments} {headers:?}: {answer}");
    }
    for (arguments, headers) in [
        (value.clone(), vec![]),
        (value.clone(), vec![("mcp-param-value", "hello")]),
        (value.clone(), vec![("mcp-param-value", "=?base64?SGVsbG8?=")]),
        (value.clone(), vec![("mcp-param-value", "=?base64?SGVs!!!bG8=?=")]),
        (value, vec![("mcp-param-value", "Hello"), ("mcp-param-value", "Hello")]),
        (json!({}), vec![("mcp-param-value", "Hello")]),
        (json!({"deep": {"count": 3}}), vec![("mcp-param-count", "4")]),
    ] {
        let (status, answer) = called(arguments.clone(), &headers).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (400, &json!(-32020)),
            "{arguments} {headers:?}: {answer}"
        );
    }
}

fn base64_of(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    text.as_bytes()
        .chunks(3)
        .flat_map(|chunk| {
            let bits =
                (0..3).fold(0_u32, |bits, index| bits << 8 | u32::from(*chunk.get(index).unwrap_or(&0)));
            (0..4).map(move |index| match index <= chunk.len() {
                true => DIGITS[(bits >> (18 - 6 * index)) as usize & 63] as char,
                false => '=',
            })
        })
        .collect()
}
