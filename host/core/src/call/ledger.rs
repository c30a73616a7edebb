//! What will stand in the audit record of one request.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Map;

use super::passage::Passage;
use super::{Answered, End};
use crate::audit::{Audit, Intent, Record};
use crate::catalog::{LiveBinding, Scope};
use crate::sandbox::CallInfo;

/// Written when it is closed, and also when the request's future is dropped half-way, since something may have
/// happened by then.
pub(super) struct Ledger<'a> {
    pub(super) audit: &'a Arc<dyn Audit>,
    pub(super) reference: Arc<str>,
    pub(super) arrived: Instant,
    pub(super) intent: Intent,
    /// The rule that refused it, or more about the fault, for the operator.
    pub(super) reason: Option<String>,
    /// Once a guest runs.
    pub(super) info: Option<Arc<CallInfo>>,
    written: bool,
}

impl<'a> Ledger<'a> {
    /// `entry`: what it is for, in the words of the record. `arguments`: what of them may be hashed.
    pub(super) fn open(
        audit: &'a Arc<dyn Audit>,
        (principal, arguments): (&str, Option<&str>),
        binding: &LiveBinding,
        entry: String,
        reference: &Arc<str>,
        arrived: Instant,
    ) -> Self {
        let intent = Intent {
            call: reference.to_string(),
            principal: principal.to_owned(),
            binding: binding.name.to_string(),
            tool: entry,
            plugin: binding.plugin.digest.to_string(),
            arguments: Map::new(),
            arguments_hash: arguments.map(|text| audit.hash(text)).unwrap_or_default(),
            job: None,
        };
        Self {
            audit,
            reference: reference.clone(),
            arrived,
            intent,
            reason: None,
            info: None,
            written: false,
        }
    }

    pub(super) fn refuse(&mut self, reason: String) {
        self.reason = Some(reason);
        self.write("refused".into());
    }

    /// `is_error`: the guest returned that it failed.
    pub(super) fn close<T>(mut self, end: End<T>, is_error: impl FnOnce(&T) -> bool) -> Answered<T> {
        let outcome = match &end {
            End::Done(answer) if is_error(answer) => "tool-error".to_owned(),
            End::Done(_) => "ok".to_owned(),
            End::Ask(_) => "asked".to_owned(),
            End::Fault(fault) => {
                self.reason.get_or_insert_with(|| fault.message.clone());
                format!("fault:{}", fault.code)
            }
        };
        self.write(outcome);
        Answered { reference: self.reference.clone(), binding: self.intent.binding.as_str().into(), end }
    }

    fn write(&mut self, outcome: String) {
        self.written = true;
        let mut used = Vec::new();
        if let Some(info) = &self.info {
            used = info.used.used();
            used.extend(info.used.refused().into_iter().map(|why| format!("refused: {why}")));
        }
        let (intent, reason) = (self.intent.clone(), self.reason.take());
        write(self.audit, &Record { intent, outcome, reason, used, duration: self.arrived.elapsed() });
    }
}

impl Drop for Ledger<'_> {
    fn drop(&mut self) {
        if !self.written {
            self.reason = Some("whoever asked went away".into());
            self.write("fault:cancelled".into());
        }
    }
}

/// The record of a request for what is not there.
pub(super) fn nothing_found<P: Passage>(
    audit: &Arc<dyn Audit>,
    request: &P,
    reference: &Arc<str>,
    arrived: Instant,
) {
    let binding = match &request.context().scope {
        Scope::Shared => request.whose().unwrap_or_default().to_owned(),
        Scope::Binding(name) => name.to_string(),
    };
    let intent = Intent {
        call: reference.to_string(),
        principal: request.context().principal.name().to_owned(),
        binding: crate::text::clean(&binding[..binding.floor_char_boundary(64)]).into_owned(),
        tool: request.asked_for(),
        plugin: String::new(),
        arguments: Map::new(),
        // Nobody knows what is secret in the arguments of what is not there.
        arguments_hash: String::new(),
        job: None,
    };
    let (outcome, reason) = ("refused".into(), Some(request.not_found()));
    write(audit, &Record { intent, outcome, reason, used: Vec::new(), duration: arrived.elapsed() });
}

/// The request has happened, so a record that cannot be written is reported and not more.
fn write(audit: &Arc<dyn Audit>, record: &Record) {
    if let Err(failed) = audit.outcome(record) {
        tracing::error!(call = %record.intent.call, outcome = %record.outcome, reason = %failed, "an outcome was not recorded");
    }
}
