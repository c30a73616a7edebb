use std::sync::Arc;

use fleetgate_auth::audit::{AuditLog, CallRecord, Filter, directory, find, why};
use fleetgate_core::audit::{Audit, Intent, Record};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::sample::{ended, intent, look, reboot};

struct Log {
    state: TempDir,
    log: Arc<AuditLog>,
}

impl Log {
    fn new() -> Self {
        let state = tempdir().unwrap();
        let log = AuditLog::open(state.path()).unwrap();
        Self { state, log }
    }

    fn call(&self, intent: Intent, outcome: &str) {
        self.log.intent(&intent).unwrap();
        self.log.outcome(&ended(intent, outcome)).unwrap();
    }

    fn find(&self, filter: Filter) -> Vec<CallRecord> {
        self.log.flush().unwrap();
        let found = find(&directory(self.state.path()), &filter).unwrap();
        assert_eq!(found.damaged, []);
        found.calls
    }

    fn names(&self, filter: Filter) -> Vec<String> {
        self.find(filter).into_iter().map(|call| call.call).collect()
    }

    fn why(&self, reference: &str) -> Option<CallRecord> {
        self.log.flush().unwrap();
        why(&directory(self.state.path()), reference).unwrap()
    }
}

fn with(set: impl FnOnce(&mut Filter)) -> Filter {
    let mut filter = Filter::default();
    set(&mut filter);
    filter
}

fn three_reboots() -> Log {
    let log = Log::new();
    log.call(reboot("c1", "pump-7"), "ok");
    log.call(reboot("c2", "pump-8"), "fault:upstream");
    log.call(Intent { principal: "ann".into(), binding: "lab".into(), ..reboot("c3", "pump-7") }, "ok");
    log.log.outcome(&ended(look("c4"), "ok")).unwrap();
    log
}

#[test]
fn who_rebooted_a_device_is_one_question() {
    let log = three_reboots();
    let calls = log.find(with(|filter| {
        filter.tool = Some("reboot_device".into());
        filter.arguments = vec![("identifier".into(), "pump-7".into())];
    }));
    let who: Vec<_> = calls.iter().map(|call| (call.call.as_str(), call.principal.as_str())).collect();
    assert_eq!(who, [("c1", "local"), ("c3", "ann")]);
}

#[test]
fn an_intent_and_its_outcome_are_one_call() {
    let log = three_reboots();
    let calls = log.find(Filter::default());
    assert_eq!(calls.len(), 4);
    let first = calls.iter().find(|call| call.call == "c1").unwrap();
    assert_eq!(first.outcome.as_deref(), Some("ok"));
    assert_eq!(first.duration_ms, Some(12.0));
}

#[test]
fn a_call_whose_host_died_shows_without_an_outcome() {
    let log = three_reboots();
    log.log.intent(&reboot("lost", "pump-9")).unwrap();
    let calls = log.find(with(|filter| filter.outcome = Some(Filter::NO_OUTCOME.into())));
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].call.as_str(), &calls[0].outcome, calls[0].duration_ms), ("lost", &None, None));
    assert_eq!(log.why("lost").unwrap().outcome, None);
}

#[test]
fn calls_are_found_by_binding_principal_and_outcome() {
    let log = three_reboots();
    assert_eq!(log.names(with(|filter| filter.binding = Some("lab".into()))), ["c3"]);
    assert_eq!(log.names(with(|filter| filter.principal = Some("ann".into()))), ["c3"]);
    assert_eq!(log.names(with(|filter| filter.outcome = Some("fault:upstream".into()))), ["c2"]);
    assert_eq!(log.names(with(|filter| filter.outcome = Some("fault".into()))), ["c2"]);
    assert_eq!(log.names(with(|filter| filter.outcome = Some("refused".into()))), [""; 0]);
}

#[test]
fn a_tool_is_found_by_its_own_name_and_by_the_one_on_the_shared_endpoint() {
    let log = three_reboots();
    let tool = |name: &str| log.names(with(|filter| filter.tool = Some(name.into())));
    assert_eq!(tool("reboot_device"), ["c1", "c2", "c3"]);
    assert_eq!(tool("nerveshub_reboot_device"), ["c1", "c2"]);
    assert_eq!(tool("device"), [""; 0]);
}

#[test]
fn calls_are_found_by_when_they_started() {
    let log = three_reboots();
    let now = Timestamp::now();
    let hour = SignedDuration::from_hours(1);
    assert_eq!(log.find(with(|filter| filter.since = Some(now - hour))).len(), 4);
    assert_eq!(log.find(with(|filter| filter.since = Some(now + hour))).len(), 0);
    assert_eq!(log.find(with(|filter| filter.until = Some(now + hour))).len(), 4);
    assert_eq!(log.find(with(|filter| filter.until = Some(now - hour))).len(), 0);
}

#[test]
fn arguments_are_found_by_pointer_by_element_and_by_value() {
    let log = Log::new();
    let arguments =
        json!({ "commands": ["show version", "reload"], "target/host": "sw1", "force": true, "count": 3 });
    log.call(intent("c1", "send_config", arguments), "ok");
    let by = |name: &str, value: &str| {
        log.names(with(|filter| filter.arguments = vec![(name.into(), value.into())]))
    };
    assert_eq!(by("commands", "reload"), ["c1"]);
    assert_eq!(by("/target/host", "sw1"), ["c1"]);
    assert_eq!(by("target/host", "sw1"), ["c1"]);
    assert_eq!(by("force", "true"), ["c1"]);
    assert_eq!(by("count", "3"), ["c1"]);
    assert_eq!(by("count", "4"), [""; 0]);
    assert_eq!(by("absent", ""), [""; 0]);
}

#[test]
fn a_limit_keeps_the_newest() {
    let log = three_reboots();
    log.log.flush().unwrap();
    let filter = with(|filter| filter.limit = Some(2));
    let found = find(&directory(log.state.path()), &filter).unwrap();
    let names: Vec<_> = found.calls.iter().map(|call| call.call.as_str()).collect();
    assert_eq!((names.len(), found.more), (2, true));
    assert!(names.contains(&"c4"), "{names:?}");
}

#[test]
fn why_tells_the_rule_that_refused_a_call() {
    let log = three_reboots();
    let refused = Record {
        reason: Some("needs nerveshub:manage".into()),
        used: vec!["refused: http.api GET http://169.254.169.254/".into()],
        ..ended(reboot("c9", "pump-7"), "refused")
    };
    log.log.outcome(&refused).unwrap();
    let call = log.why("c9").unwrap();
    assert_eq!(call.reason.as_deref(), Some("needs nerveshub:manage"));
    assert_eq!(call.used, ["refused: http.api GET http://169.254.169.254/"]);
}

#[test]
fn why_wants_the_whole_reference() {
    let log = three_reboots();
    assert!(log.why("c").is_none());
    assert!(log.why("nowhere").is_none());
    // The word stands in the record, but not as its reference.
    assert!(log.why("pump-7").is_none());
}

#[test]
fn a_log_that_does_not_exist_yet_is_an_empty_one() {
    let state = tempdir().unwrap();
    assert_eq!(find(&directory(state.path()), &Filter::default()).unwrap().calls, []);
    assert!(why(&directory(state.path()), "c1").unwrap().is_none());
}
