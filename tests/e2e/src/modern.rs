//! A client of protocol version 2026-07-28 at its barest: one POST for each request, no handshake, nothing hidden.

use std::sync::Once;

use serde_json::{Value, json};

/// One endpoint.
#[derive(Clone)]
pub struct Modern {
    http: reqwest::Client,
    url: String,
    capabilities: Value,
    headers: Vec<(&'static str, &'static str)>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// HTTP headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The JSON-RPC message, or null.
    pub message: Value,
}

impl Answer {
    /// The result; panics with the whole answer if there is none.
    pub fn result(&self) -> &Value {
        let result = &self.message["result"];
        assert!(result.is_object(), "no result: {self:?}");
        result
    }

    /// The JSON-RPC error's code; panics if it is no error.
    pub fn error_code(&self) -> i64 {
        self.message["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {self:?}"))
    }

    /// Whether the tool succeeded.
    pub fn succeeded(&self) -> bool {
        self.message["result"].is_object() && self.message["result"]["isError"] != true
    }

    /// The structured result of a tool that succeeded.
    pub fn structured(&self) -> &Value {
        assert!(self.succeeded(), "the tool failed: {self:?}");
        &self.result()["structuredContent"]
    }

    /// All text of a tool's result.
    pub fn text(&self) -> String {
        let blocks = self.result()["content"].as_array().cloned().unwrap_or_default();
        blocks.iter().filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The reference that the caller was given, for `fleetgate why`.
    pub fn reference(&self) -> String {
        let places = [
            &self.message["result"]["_meta"]["dev.fleetgate/reference"],
            &self.message["error"]["data"]["reference"],
        ];
        let found = places.into_iter().find_map(Value::as_str);
        found.unwrap_or_else(|| panic!("no reference: {self:?}")).to_owned()
    }

    /// The fault of a tool that failed, as the host tells it: code, field, retryable, details.
    pub fn fault(&self) -> &Value {
        assert_eq!(self.result()["isError"], true, "the tool did not fail: {self:?}");
        &self.result()["_meta"]["dev.fleetgate/fault"]
    }
}

impl Modern {
    /// A client of this endpoint.
    pub fn new(url: &str) -> Self {
        Self { http: http_client(), url: url.to_owned(), capabilities: json!({}), headers: Vec::new() }
    }

    /// The same, with these capabilities.
    pub fn that_can(self, capabilities: Value) -> Self {
        Self { capabilities, ..self }
    }

    /// The same, with one more header in each request.
    pub fn that_says(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// One request with its standard headers.
    pub async fn request(&self, method: &str, mut params: Value) -> Answer {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": self.capabilities,
        });
        let mut request = self
            .http
            .post(&self.url)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method);
        if let Some(name) = ["name", "uri", "taskId"].iter().find_map(|key| params[key].as_str()) {
            request = request.header("mcp-name", name);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let response = request.body(body.to_string()).send().await.expect("the host answers");
        let status = response.status().as_u16();
        let headers: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let text = response.text().await.expect("a whole answer");
        Answer { status, headers, message: message(&text) }
    }

    /// Calls a tool.
    pub async fn call(&self, tool: &str, arguments: Value) -> Answer {
        self.request("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// The tools that are listed, over all pages.
    pub async fn tools(&self) -> Vec<Value> {
        let (mut tools, mut params) = (Vec::new(), json!({}));
        loop {
            let answer = self.request("tools/list", params).await;
            let result = answer.result();
            tools.extend(result["tools"].as_array().expect("a list").iter().cloned());
            match result["nextCursor"].as_str() {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return tools,
            }
        }
    }

    /// Their names.
    pub async fn tool_names(&self) -> Vec<String> {
        self.tools().await.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }
}

/// A client of HTTP.
pub fn http_client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Without one, reqwest cannot make a client, even for plain HTTP. A second one is refused; fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::new()
}

/// The last JSON-RPC message of a JSON body or of an event stream.
fn message(text: &str) -> Value {
    if let Ok(message) = serde_json::from_str(text) {
        return message;
    }
    text.lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?.trim()).ok())
        .rfind(|message: &Value| message.get("id").is_some())
        .unwrap_or(Value::Null)
}
