//! What a guest says beside a topic or filters: JSON of which each key is looked at, and nothing is passed over.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::filter::{check_topic, ends_connections};
use crate::message::Properties;
use crate::qos::Qos;

const TIMEOUT: u64 = 5_000;
/// Of the JSON, in bytes.
const LONGEST: usize = 32 << 10;
/// Of all properties of one message, in bytes; they come on top of the payload.
const MOST_PROPERTIES: usize = 8 << 10;
/// Pairs.
const MOST_PAIRS: usize = 64;

/// How to publish.
#[derive(Debug, Clone)]
pub(crate) struct Publishing {
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) timeout: Duration,
    pub(crate) properties: Properties,
}

/// How to listen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    pub(crate) qos: Qos,
    /// What the broker kept from before is heard too.
    pub(crate) retained: bool,
    pub(crate) timeout: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct PublishOptions {
    qos: u64,
    retain: bool,
    timeout_ms: u64,
    content_type: Option<String>,
    response_topic: Option<String>,
    correlation_data: Option<String>,
    user_properties: Vec<(String, String)>,
    message_expiry_interval: Option<u32>,
}

impl Default for PublishOptions {
    fn default() -> Self {
        Self {
            qos: 1,
            retain: false,
            timeout_ms: TIMEOUT,
            content_type: None,
            response_topic: None,
            correlation_data: None,
            user_properties: Vec::new(),
            message_expiry_interval: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct OpenOptions {
    qos: u64,
    retained: bool,
    timeout_ms: u64,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { qos: 1, retained: true, timeout_ms: TIMEOUT }
    }
}

fn parse<T: DeserializeOwned + Default>(options: Option<&str>) -> Result<T, Failure> {
    let Some(options) = options else { return Ok(T::default()) };
    if options.len() > LONGEST {
        return Err(Failure::Invalid(format!("the options are longer than {LONGEST} bytes")));
    }
    // A list would be taken for an object whose keys come in their order.
    if !options.trim_start().starts_with('{') {
        return Err(Failure::Invalid("the options are not a JSON object".into()));
    }
    serde_json::from_str(options).map_err(|error| Failure::Invalid(format!("the options: {error}")))
}

fn qos(number: u64) -> Result<Qos, Failure> {
    Qos::new(number).ok_or_else(|| Failure::Invalid(format!("{number} is not a QoS: there are 0, 1 and 2")))
}

impl Publishing {
    pub(crate) fn parse(options: Option<&str>) -> Result<Self, Failure> {
        let options: PublishOptions = parse(options)?;
        let correlation_data = options.correlation_data.map(|data| STANDARD.decode(data).map(Bytes::from));
        let correlation_data = correlation_data
            .transpose()
            .map_err(|error| Failure::Invalid(format!("correlationData is not Base64: {error}")))?;
        if let Some(topic) = &options.response_topic {
            check_topic(topic).map_err(|error| Failure::Invalid(format!("responseTopic: {error}")))?;
        }
        let properties = Properties {
            content_type: options.content_type,
            response_topic: options.response_topic,
            correlation_data,
            user: options.user_properties,
            expiry: options.message_expiry_interval,
        };
        let texts =
            properties.user.iter().flat_map(|(key, value)| [key, value]).chain(&properties.content_type);
        if texts.into_iter().any(|text| text.contains(ends_connections)) {
            let why = "a property holds a control character, or one that Unicode gives to nobody";
            return Err(Failure::Invalid(why.into()));
        }
        if properties.size() > MOST_PROPERTIES || properties.user.len() > MOST_PAIRS {
            return Err(Failure::TooLarge(format!(
                "a message's properties have at most {MOST_PROPERTIES} bytes, and {MOST_PAIRS} pairs"
            )));
        }
        Ok(Self {
            qos: qos(options.qos)?,
            retain: options.retain,
            timeout: Duration::from_millis(options.timeout_ms),
            properties,
        })
    }
}

impl Opening {
    pub(crate) fn parse(options: Option<&str>) -> Result<Self, Failure> {
        let OpenOptions { qos: number, retained, timeout_ms } = parse(options)?;
        Ok(Self { qos: qos(number)?, retained, timeout: Duration::from_millis(timeout_ms) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_defaults_and_their_own_words() {
        let publishing = Publishing::parse(None).unwrap();
        assert_eq!(
            (publishing.qos, publishing.retain, publishing.timeout),
            (Qos::AtLeastOnce, false, Duration::from_secs(5))
        );
        let all = r#"{"qos":2,"retain":true,"timeoutMs":10,"contentType":"a/b","responseTopic":"r","correlationData":"AQI=",
            "userProperties":[["k","v"]],"messageExpiryInterval":60}"#;
        let Publishing { properties, .. } = Publishing::parse(Some(all)).unwrap();
        assert_eq!(properties.correlation_data.as_deref(), Some(&[1, 2][..]));
        let told = properties.json().unwrap();
        assert_eq!(told["userProperties"][0][1], "v");
        assert_eq!(told["correlationData"], "AQI=");
        let opening = Opening::parse(Some(r#"{"qos":0,"retained":false}"#)).unwrap();
        assert_eq!((opening.qos, opening.retained), (Qos::AtMostOnce, false));
    }

    #[test]
    fn what_is_no_option_is_refused() {
        for options in [
            "[]",
            "",
            "{}x",
            r#"{"qos":3}"#,
            r#"{"qos":-1}"#,
            r#"{"Retain":true}"#,
            r#"{"correlationData":"?"}"#,
            r#"{"responseTopic":"a/+"}"#,
            r#"{"userProperties":[["a"]]}"#,
            r#"{"contentType":"a\u0000b"}"#,
            r#"{"contentType":"\uffff"}"#,
            r#"{"userProperties":[["a","\ufdd0"]]}"#,
            r#"{"messageExpiryInterval":4294967296}"#,
        ] {
            assert!(matches!(Publishing::parse(Some(options)), Err(Failure::Invalid(_))), "{options}");
        }
        let many = format!(r#"{{"contentType":"{}"}}"#, "a".repeat(9000));
        assert!(matches!(Publishing::parse(Some(&many)), Err(Failure::TooLarge(_))));
        assert!(matches!(Opening::parse(Some(r#"{"retain":true}"#)), Err(Failure::Invalid(_))));
        assert!(matches!(
            Opening::parse(Some(&format!("{{}}{}", " ".repeat(LONGEST)))),
            Err(Failure::Invalid(_))
        ));
    }
}
