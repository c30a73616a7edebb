//! Codes, and what comes with them.

use std::time::Duration;

use fleetgate_sdk::prelude::*;

#[test]
fn every_documented_code_has_a_constructor() {
    let codes = [
        Fault::invalid("a", ""),
        Fault::unknown(""),
        Fault::denied(""),
        Fault::upstream(""),
        Fault::unavailable(""),
        Fault::timeout(""),
        Fault::cancelled(),
        Fault::internal(""),
        Fault::custom("own", ""),
    ]
    .map(|fault| fault.code);
    let documented = "invalid-arguments unknown denied upstream unavailable timeout cancelled internal own";
    assert_eq!(codes.join(" "), documented);
}

#[test]
fn only_what_may_pass_by_itself_is_retryable() {
    assert!(Fault::unavailable("").retryable);
    assert!(Fault::timeout("").retryable);
    for fault in [Fault::denied(""), Fault::upstream(""), Fault::cancelled(), Fault::internal("")] {
        assert!(!fault.retryable, "{fault}");
    }
    assert!(Fault::upstream("").retryable().retryable);
    let never = Fault::unavailable("").retry_after(Duration::from_secs(1)).not_retryable();
    assert_eq!((never.retryable, never.retry_after), (false, None));
}

#[test]
fn a_wait_makes_a_fault_retryable() {
    let fault = Fault::upstream("").retry_after(Duration::from_secs(5));
    assert_eq!((fault.retryable, fault.retry_after), (true, Some(Duration::from_secs(5))));
}

#[test]
fn a_field_is_a_json_pointer_even_when_only_its_name_is_given() {
    assert_eq!(Fault::invalid("identifier", "").field.as_deref(), Some("/identifier"));
    assert_eq!(Fault::invalid("/tags/0", "").field.as_deref(), Some("/tags/0"));
    assert_eq!(Fault::invalid("", "").field, None);
    assert_eq!(Fault::unknown("").field("/a").field.as_deref(), Some("/a"));
}

#[test]
fn details_are_always_an_object() {
    let fault = Fault::upstream("").details(json!({ "status": 500 })).detail("body", "x");
    assert_eq!(
        fault.details.map(|details| Value::Object(*details)),
        Some(json!({ "status": 500, "body": "x" }))
    );
    let fault = Fault::upstream("").details(json!([1]));
    assert_eq!(fault.details.map(|details| Value::Object(*details)), Some(json!({ "value": [1] })));
}

#[test]
fn a_fault_reads_as_a_sentence() {
    assert_eq!(
        Fault::invalid("id", "No such device.").to_string(),
        "invalid-arguments (/id): No such device."
    );
    assert_eq!(Fault::denied("Not yours.").message("Not mine.").to_string(), "denied: Not mine.");
}

#[test]
fn a_protocol_error_carries_its_code_and_data() {
    let fault = Fault::protocol(4001, "No such thing.").data(json!({ "uri": "x://y" }));
    assert!(fault.is("protocol"));
    assert_eq!(
        Value::Object(*fault.details.expect("details")),
        json!({ "code": 4001, "data": { "uri": "x://y" } })
    );
}

#[test]
fn the_codes_that_all_capabilities_have_mean_the_same_of_each() {
    use fleetgate_sdk::keyvalue::KeyValueError;
    use fleetgate_sdk::mqtt::MqttError;
    use fleetgate_sdk::ssh::SshError;

    for (own, code) in [
        ("denied", "denied"),
        ("invalid", "invalid-arguments"),
        ("timeout", "timeout"),
        ("cancelled", "cancelled"),
    ] {
        let faults = [
            ("ssh", Fault::from(SshError::new(own, "why").sent())),
            ("mqtt", Fault::from(MqttError::new(own, "why").sent())),
            ("keyvalue", Fault::from(KeyValueError::new(own, "why"))),
        ];
        for (key, fault) in faults {
            assert_eq!((fault.code.as_str(), fault.retryable), (code, false), "{key} {own}");
            assert!(fault.message.ends_with(": why."), "{fault}");
            let details = fault.details.expect("details");
            assert_eq!(details[key], own);
            assert_eq!(details.get("sent"), (key != "keyvalue").then_some(&json!(true)), "{key}");
        }
    }
    assert!(Fault::from(SshError::new("dropped", "why").retryable()).retryable);
}
