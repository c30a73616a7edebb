//! A question of a plugin on the whole way of a call.

use std::sync::Arc;

use fleetgate_core::audit::Record;
use fleetgate_core::call::{Answered, End, ToolCall};
use fleetgate_core::catalog::{Host, Scope};

use super::fake::capabilities;
use super::guest::packed;
use super::host::{Place, SANDBOX, context, in_time};
use super::jobs_guest::component;
use super::written::Written;

const MANIFEST: &str = r#"
[plugin]
id = "lab"
version = "1.0.0"
interface = "0.1"
title = "A plugin"
description = "For tests."
license = "Apache-2.0"
[client]
elicitation = "To ask who"
[tools]
ask = { requires = "any" }
"#;

/// A call of the tool that asks, and its record, where the binding has these settings.
async fn asked(settings: &str) -> (Answered, Record) {
    let place = Place::new(&format!("[plugins.lab]\n{settings}"));
    place.drop_file("lab", &packed(component(&["ask"]), MANIFEST));
    let audit = Arc::<Written>::default();
    let host = Host::start(place.options(), SANDBOX.clone(), capabilities(), audit.clone());
    let host = in_time(host).await.unwrap_or_else(|failed| panic!("{failed}"));
    assert!(host.survey().is_fine(), "{:?}", host.survey());
    let call = ToolCall {
        context: context(Scope::Binding("lab".into()), &[]),
        tool: "ask".into(),
        arguments: "{}".into(),
        answers: None,
    };
    let answered = in_time(host.call_tool(&host.catalog(), call)).await.unwrap();
    let record = audit.0.lock().unwrap().last().cloned().expect("a record");
    (answered, record)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ask_that_was_not_granted_is_a_fault_and_the_record_says_what_to_grant() {
    let (answered, record) = asked("").await;
    let End::Fault(fault) = answered.end else { panic!("{:?}", answered.end) };
    assert_eq!(fault.code, "denied");
    assert!(!fault.message.contains("[plugins."), "the caller is not shown the policy: {}", fault.message);
    assert_eq!(record.outcome, "fault:denied");
    let refused: Vec<_> = record.used.iter().filter(|used| used.starts_with("refused: ")).collect();
    assert_eq!(refused.len(), 1, "{record:?}");
    assert!(refused[0].contains("[plugins.lab.grant.client.elicitation]"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ask_that_was_granted_reaches_the_client_and_the_record_says_that_it_asked() {
    let (answered, record) = asked("grant.client.elicitation = {}\n").await;
    let End::Ask(question) = answered.end else { panic!("{:?}", answered.end) };
    assert_eq!(question.requests[0].params["message"], "[lab] Who?");
    assert_eq!((record.outcome.as_str(), record.used.as_slice()), ("asked", [].as_slice()));
}
