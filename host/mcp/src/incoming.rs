//! JSON-RPC messages as they arrive, one or several at once, wherever rmcp does not read them itself.
//!
//! Several at once are a batch: 2025-03-26 obliges a server to take them, and 2025-06-18 ended them. Each message of
//! a batch is what it would be alone; what is wrong with one of them is told beside the others' answers.

use std::borrow::Cow;
use std::collections::HashSet;

use rmcp::ErrorData;
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, ErrorCode, GetMeta, JsonRpcError, JsonRpcMessage, ProtocolVersion,
    RequestId, ServerJsonRpcMessage,
};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use serde_json::value::{RawValue, Value};

use crate::tasks::{self, Listening};

/// The most messages in one batch.
pub(crate) const MOST_MESSAGES: usize = 100;

/// The most values in one message, or in all messages of a batch. A value of two bytes takes dozens once it is parsed,
/// so the length alone bounds little.
pub(crate) const MOST_VALUES: usize = 250_000;

/// Something that is no message, or none that may come here. The text is for whoever wrote the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
    /// Whose answer this is, where that could be read.
    pub(crate) id: Option<RequestId>,
}

impl Wrong {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        ErrorData::invalid_request(message.into(), None).into()
    }

    /// What the parser says.
    pub(crate) fn of(error: &serde_json::Error) -> Self {
        match error.classify() {
            Category::Data => Self::invalid(format!("not a JSON-RPC message: {error}")),
            _ => ErrorData::parse_error(format!("not JSON: {error}"), None).into(),
        }
    }

    pub(crate) fn to(self, id: Option<RequestId>) -> Self {
        Self { id, ..self }
    }

    /// As an answer.
    pub(crate) fn into_message(self) -> ServerJsonRpcMessage {
        JsonRpcMessage::Error(JsonRpcError::new(self.id, ErrorData::new(self.code, self.message, self.data)))
    }
}

impl From<ErrorData> for Wrong {
    fn from(error: ErrorData) -> Self {
        Self { code: error.code, message: error.message.into_owned(), data: error.data, id: None }
    }
}

/// Refuses JSON with more values than anyone sends. Nothing needs to have been made of its values yet.
pub(crate) fn bounded(json: &[u8]) -> Result<(), Wrong> {
    if values(json) <= MOST_VALUES {
        return Ok(());
    }
    Err(Wrong::invalid(format!("a message may have at most {MOST_VALUES} values")))
}

/// How many values there are in this JSON, or a few more: before each stands a comma, or it opens with a bracket.
fn values(json: &[u8]) -> usize {
    let mut count = 0;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b',' | b'[' | b'{' => count += 1,
            // Text may have as many commas as it likes.
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    count
}

/// Whether this is meant to be several messages.
pub(crate) fn is_batch(text: &[u8]) -> bool {
    text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

/// One message. None: an answer that cannot be read, which nobody is told of, or two sides could go on telling each
/// other for ever.
pub(crate) fn message(text: &[u8]) -> Result<Option<ClientJsonRpcMessage>, Wrong> {
    /// A repeated key is an error here: two readers could take it two ways.
    #[derive(Deserialize)]
    struct Outline<'a> {
        #[serde(borrow, default)]
        id: Option<&'a RawValue>,
        #[serde(borrow, default)]
        method: Option<Cow<'a, str>>,
        #[serde(default)]
        result: Option<IgnoredAny>,
        #[serde(default)]
        error: Option<IgnoredAny>,
    }
    if text.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        let wrong = serde_json::from_slice::<IgnoredAny>(text).err();
        return Err(
            wrong.map_or_else(|| Wrong::invalid("a message is a JSON object"), |wrong| Wrong::of(&wrong))
        );
    }
    let outline: Outline<'_> =
        serde_json::from_slice(text).map_err(|wrong| Wrong::of(&wrong).to(id_of(text)))?;
    let wrong = match serde_json::from_slice(text) {
        Ok(message) => return subscribes_to_what_it_knows(message, text).map(Some),
        Err(wrong) => wrong,
    };
    if outline.method.is_none() && (outline.result.is_some() || outline.error.is_some()) {
        return Ok(None);
    }
    let id = outline.id.and_then(|id| serde_json::from_str(id.get()).ok());
    // It is JSON, so it nests too deep or is no message.
    let wrong = match std::str::from_utf8(text) {
        Ok(_) => Wrong::invalid(format!("not a JSON-RPC message: {wrong}")),
        Err(_) => Wrong::of(&wrong),
    };
    Err(wrong.to(id))
}

/// The id of JSON that may be wrong otherwise. One that is repeated is nobody's, and so is what is no JSON.
pub(crate) fn id_of(text: &[u8]) -> Option<RequestId> {
    #[derive(Deserialize)]
    struct Id {
        id: RequestId,
    }
    let text = std::str::from_utf8(text).ok()?;
    serde_json::from_str(text).map(|Id { id }| id).ok()
}

/// A subscription to tasks is for clients that declare that they know tasks.
fn subscribes_to_what_it_knows(
    message: ClientJsonRpcMessage,
    text: &[u8],
) -> Result<ClientJsonRpcMessage, Wrong> {
    #[derive(Deserialize)]
    struct Asked {
        params: Listening,
    }
    if let JsonRpcMessage::Request(request) = &message
        && matches!(request.request, ClientRequest::SubscriptionsListenRequest(_))
        && serde_json::from_slice(text).is_ok_and(|Asked { params }| params.lacks_tasks())
    {
        return Err(Wrong::from(tasks::undeclared()).to(Some(request.id.clone())));
    }
    Ok(message)
}

/// Several messages.
#[derive(Debug)]
pub(crate) struct Batch {
    /// In their order.
    pub(crate) messages: Vec<ClientJsonRpcMessage>,
    /// What is wrong with the others.
    pub(crate) wrong: Vec<ServerJsonRpcMessage>,
}

impl Batch {
    /// The ids of its requests.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &RequestId> {
        self.messages.iter().filter_map(|message| match message {
            JsonRpcMessage::Request(request) => Some(&request.id),
            _ => None,
        })
    }
}

/// Reads a batch, in a session of this version. None: nothing is negotiated yet.
///
/// # Errors
/// It is not JSON, or the version has no batches; it has no messages, too many, two of one id, or one that opens a
/// session.
pub(crate) fn batch(text: &[u8], version: Option<&ProtocolVersion>) -> Result<Batch, Wrong> {
    let members: Vec<&RawValue> = serde_json::from_slice(text).map_err(|wrong| Wrong::of(&wrong))?;
    match version {
        Some(version) if *version <= ProtocolVersion::V_2025_03_26 => {}
        Some(version) => {
            let text = format!("there are no batches in {version}: send the messages one by one");
            return Err(Wrong::invalid(text));
        }
        None => {
            let text = "a batch belongs to a session: begin with initialize, which is no part of it";
            return Err(Wrong::invalid(text));
        }
    }
    if members.is_empty() {
        return Err(Wrong::invalid("a batch has at least one message"));
    }
    if members.len() > MOST_MESSAGES {
        return Err(Wrong::invalid(format!("a batch may have at most {MOST_MESSAGES} messages")));
    }
    let mut batch = Batch { messages: Vec::new(), wrong: Vec::new() };
    for member in members {
        match message(member.get().as_bytes()).and_then(|message| message.map(of_session).transpose()) {
            Ok(message) => batch.messages.extend(message),
            Err(wrong) => batch.wrong.push(wrong.into_message()),
        }
    }
    let mut ids = HashSet::new();
    if let Some(twice) = batch.ids().find(|id| !ids.insert(*id)) {
        return Err(Wrong::invalid(format!("two requests of the batch have the id {twice}")));
    }
    // Specification of 2025-03-26, `basic/lifecycle`, "Initialization".
    if batch.messages.iter().any(opens_session) {
        return Err(Wrong::invalid("initialize cannot be part of a batch: send it by itself"));
    }
    Ok(batch)
}

/// A message that can be meant for a session. A request that says its version itself is none: it has no session.
pub(crate) fn of_session(message: ClientJsonRpcMessage) -> Result<ClientJsonRpcMessage, Wrong> {
    match &message {
        JsonRpcMessage::Request(request) if request.request.get_meta().protocol_version().is_some() => {
            let wrong = Wrong::invalid(
                "a request that says its protocol version belongs to no session: send it by itself",
            );
            Err(wrong.to(Some(request.id.clone())))
        }
        _ => Ok(message),
    }
}

fn opens_session(message: &ClientJsonRpcMessage) -> bool {
    matches!(message, JsonRpcMessage::Request(request) if matches!(request.request, ClientRequest::InitializeRequest(_)))
}

/// A message as JSON. An error without an id says so, as JSON-RPC 2.0 wants it (section 5); MCP's own schema leaves
/// the id out since 2025-11-25.
pub(crate) fn written(message: &ServerJsonRpcMessage, version: Option<&ProtocolVersion>) -> String {
    #[derive(Serialize)]
    struct Nobodys<'a> {
        jsonrpc: &'static str,
        id: (),
        error: &'a ErrorData,
    }
    let text = match message {
        JsonRpcMessage::Error(JsonRpcError { id: None, error, .. })
            if says_null(version.map(ProtocolVersion::as_str)) =>
        {
            serde_json::to_string(&Nobodys { jsonrpc: "2.0", id: (), error })
        }
        message => serde_json::to_string(message),
    };
    text.unwrap_or_else(|error| {
        tracing::error!(%error, "a message cannot be written");
        String::from(
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"the answer cannot be written"}}"#,
        )
    })
}

/// Whether an error that is nobody's answer has the id null in this version.
pub(crate) fn says_null(version: Option<&str>) -> bool {
    version.is_none_or(|version| version < ProtocolVersion::V_2025_11_25.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_text_is_not() {
        for (json, count) in [
            ("1", 0),
            ("[1,2,3]", 3),
            (r#"{"a":[{},{"b":1}]}"#, 5),
            (r#"[",[{\",{",1]"#, 2),
            (r#"["\\",2]"#, 2),
        ] {
            assert_eq!(values(json.as_bytes()), count, "{json}");
        }
    }

    #[test]
    fn what_is_no_message_is_told_to_its_sender_by_its_id() {
        for (text, code, id) in [
            ("{", -32700, None),
            ("{\"a\": \u{1}}", -32700, None),
            ("nonsense", -32700, None),
            ("", -32700, None),
            ("1", -32600, None),
            ("[]", -32600, None),
            ("{}", -32600, None),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600, None),
            (r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#, -32600, Some(RequestId::Number(7))),
            (r#"{"id":"x","method":"ping"}"#, -32600, Some(RequestId::String("x".into()))),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, -32600, Some(RequestId::Number(1))),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, -32600, None),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"x"}"#, -32600, Some(RequestId::Number(1))),
            (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, -32600, Some(RequestId::Number(1))),
            (r#"{"jsonrpc":"2.0","id":1}"#, -32600, Some(RequestId::Number(1))),
            (r#"{"jsonrpc":"2.0","id":{},"method":5}"#, -32600, None),
        ] {
            let wrong = message(text.as_bytes()).unwrap_err();
            assert_eq!((wrong.code.0, &wrong.id), (code, &id), "{text}: {}", wrong.message);
        }
        assert_eq!(
            message(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").unwrap_err().code.0,
            -32700
        );
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_not_answered() {
        for text in [r#"{"error":{"code":1,"message":"x"}}"#, r#"{"jsonrpc":"2.0","id":{},"result":{}}"#] {
            assert!(message(text.as_bytes()).unwrap().is_none(), "{text}");
        }
        let echo = written(&Wrong::invalid("x").into_message(), None);
        assert!(matches!(message(echo.as_bytes()), Ok(None | Some(JsonRpcMessage::Error(_)))));
    }

    #[test]
    fn an_error_that_is_nobodys_says_null_until_the_schema_has_no_id() {
        let error = || Wrong::invalid("x").into_message();
        for version in [None, Some(ProtocolVersion::V_2025_03_26), Some(ProtocolVersion::V_2025_06_18)] {
            assert!(written(&error(), version.as_ref()).contains("\"id\":null"), "{version:?}");
        }
        for version in [ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28] {
            assert!(!written(&error(), Some(&version)).contains("id"), "{version}");
        }
    }
}
