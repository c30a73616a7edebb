//! Requests of a caller, and a plugin with jobs to read.

use std::sync::{Arc, Mutex};

use fleetgate_core::audit::{Audit, AuditFailed, Intent, Record};
use fleetgate_core::call::{
    Answered, Complete, Completed, End, PromptGet, Refused, ResourceList, ResourceRead,
};
use fleetgate_core::catalog::{Host, Scope};
use fleetgate_core::domain::{Completion, Content, Fault, PromptMessage, ResourceInfo, ResourcePage};
use serde_json::{Map, Value, json};

use super::fake::capabilities;
use super::guest::Does;
use super::host::{Place, Plugin, SANDBOX, context, in_time};

/// The roles of every plugin here.
pub const ROLES: &str = "[roles]\nviewer = {}\noperator = {}\n";

/// With resources: everybody who may view may read everything, but for what failed.
pub fn jobs() -> Plugin {
    let list = ["naas://jobs", "naas://jobs/7", "naas://jobs/failed", "other://hidden"];
    let list: Vec<Value> = list.iter().map(|uri| json!({ "uri": uri, "name": "a job" })).collect();
    Plugin::bare("naas")
        .and(ROLES)
        .and("[resources.\"naas://**\"]\nrequires = \"viewer\"\n")
        .and("[resources.\"naas://jobs/failed\"]\nrequires = \"operator\"\n")
        .exports("resources", "list-resources", Does::Answers(json!({ "ok": [list, null] })))
        .exports("resources", "read-resource", Does::Answers(json!({ "ok": { "done": [own("$1")] } })))
}

/// A block of a read: at this URI, and its text is the URI that was asked for.
pub fn own(uri: &str) -> Value {
    json!({ "kind": "resource", "uri": uri, "text": "$1", "mime-type": "text/plain" })
}

/// A host that serves one plugin.
pub async fn serving(plugin: Plugin, settings: &str) -> (Place, Arc<Host>) {
    let place = Place::new(settings);
    place.drop_plugin(&plugin);
    let host = place.start().await;
    let survey = host.survey();
    assert!(survey.is_fine(), "{:?}", survey.plugins);
    (place, host)
}

/// Why a plugin is not served.
pub async fn refused(plugin: Plugin) -> String {
    let settings = format!("[plugins.{}]\n", plugin.id);
    let place = Place::new(&settings);
    place.drop_plugin(&plugin);
    let host = place.start().await;
    assert!(host.catalog().bindings().next().is_none(), "it must not be served");
    super::host::why_broken(&host.survey(), &plugin.id)
}

pub async fn page(host: &Host, binding: &str, roles: &[&str]) -> ResourcePage {
    let list = list_request(binding, roles);
    let answered = in_time(host.list_resources(&host.catalog(), list)).await.expect("it is let in");
    match answered.end {
        End::Done(page) => page,
        other => panic!("{other:?}"),
    }
}

pub fn list_request(binding: &str, roles: &[&str]) -> ResourceList {
    let scope = Scope::Binding(binding.into());
    ResourceList { context: context(scope, roles), binding: binding.into(), cursor: None }
}

/// The URIs that a caller sees.
pub async fn listed(host: &Host, binding: &str, roles: &[&str]) -> Vec<String> {
    page(host, binding, roles).await.resources.into_iter().map(|one: ResourceInfo| one.uri).collect()
}

pub async fn read(
    host: &Host,
    binding: &str,
    uri: &str,
    roles: &[&str],
) -> Result<Answered<Vec<Content>>, Refused> {
    let scope = Scope::Binding(binding.into());
    let read = ResourceRead {
        context: context(scope, roles),
        binding: binding.into(),
        uri: uri.into(),
        answers: None,
    };
    in_time(host.read_resource(&host.catalog(), read)).await
}

pub async fn get(
    host: &Host,
    scope: Scope,
    prompt: &str,
    arguments: Value,
    roles: &[&str],
) -> Result<Answered<Vec<PromptMessage>>, Refused> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let get = PromptGet { context: context(scope, roles), prompt: prompt.into(), arguments, answers: None };
    in_time(host.get_prompt(&host.catalog(), get)).await
}

pub async fn complete(
    host: &Host,
    of: Completed,
    argument: &str,
    given: Value,
    roles: &[&str],
) -> Result<Answered<Completion>, Refused> {
    let Value::Object(given) = given else { panic!("arguments are an object") };
    let (argument, value) = (argument.to_owned(), "so far".to_owned());
    let complete = Complete { context: context(Scope::Shared, roles), of, argument, value, given };
    in_time(host.complete(&host.catalog(), complete)).await
}

/// What was returned.
#[track_caller]
pub fn done<T: std::fmt::Debug>(answered: Result<Answered<T>, Refused>) -> T {
    match answered.expect("it is let in").end {
        End::Done(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// The fault that was returned.
#[track_caller]
pub fn fault<T: std::fmt::Debug>(answered: Result<Answered<T>, Refused>) -> Fault {
    match answered.expect("it is let in").end {
        End::Fault(fault) => fault,
        other => panic!("{other:?}"),
    }
}

/// An audit that keeps what is recorded in memory, and can record no intent.
#[derive(Default)]
pub struct Kept(pub Mutex<Vec<Record>>);

impl Audit for Kept {
    fn intent(&self, _: &Intent) -> Result<(), AuditFailed> {
        Err(AuditFailed { reason: "no intent can be kept here".into() })
    }

    fn outcome(&self, record: &Record) -> Result<(), AuditFailed> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }

    fn hash(&self, arguments: &str) -> String {
        format!("hash of {arguments}")
    }
}

impl Kept {
    /// What was recorded, as `binding tool outcome`.
    pub fn lines(&self) -> Vec<String> {
        let records = self.0.lock().unwrap();
        let line =
            |record: &Record| format!("{} {} {}", record.intent.binding, record.intent.tool, record.outcome);
        records.iter().map(line).collect()
    }
}

/// A host that serves one plugin and records in memory.
pub async fn recorded(plugin: Plugin) -> (Place, Arc<Host>, Arc<Kept>) {
    let place = Place::new(&format!("[plugins.{}]\n", plugin.id));
    place.drop_plugin(&plugin);
    let kept = Arc::new(Kept::default());
    let host = Host::start(place.options(), SANDBOX.clone(), capabilities(), kept.clone());
    (place, in_time(host).await.expect("it starts"), kept)
}

/// No arguments.
pub fn nothing() -> Value {
    Value::Object(Map::new())
}
