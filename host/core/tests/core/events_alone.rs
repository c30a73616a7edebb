//! A handler of events has no caller: what belongs to one does not exist for it, and it changes nothing beyond the host
//! unless the operator says so.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use fleetgate_core::sandbox::CallInfo;
use fleetgate_core::secret_arguments::Vault;

use super::events_world::{GRANTS, World};
use super::radio::heard;

/// The call of a handler that was given something.
async fn call_of(world: &World) -> Arc<CallInfo> {
    let seen: Arc<Mutex<Option<Arc<CallInfo>>>> = Arc::default();
    let see = seen.clone();
    world.station.handles(move |call, batch| {
        *see.lock().unwrap() = Some(call);
        std::future::ready(Ok(vec![Ok(()); batch.len()]))
    });
    world.station.says("news", vec![heard("a", "one")]).await;
    world.until("news", |status| status.handled == 1).await;
    let seen = seen.lock().unwrap().take();
    seen.expect("it ran")
}

#[tokio::test]
async fn a_handler_has_no_principal_no_roles_and_no_session() {
    let world = World::new("ev-nobody", GRANTS).await;
    let call = call_of(&world).await;
    assert!(!call.has_caller());
    assert_eq!((&*call.principal, call.session.as_str(), &*call.client_capabilities), ("", "", "{}"));
    assert!(call.roles.is_empty());
}

#[tokio::test]
async fn a_handler_has_no_jobs() {
    let world = World::new("ev-no-jobs", GRANTS).await;
    let call = call_of(&world).await;
    let none = Vault::default();
    let faults = [
        call.jobs.submit(&none, "look", "{}".into(), None).await.map(|_| ()),
        call.jobs.get("abc").map(|_| ()),
        call.jobs.outcome("abc").await.map(|_| ()),
        call.jobs.list(None).map(|_| ()),
        call.jobs.cancel("abc").map(|_| ()),
    ];
    for fault in faults {
        assert_eq!(fault.expect_err("there is nobody").code, "denied");
    }
    assert_eq!(call.jobs.id(), None);
}

#[tokio::test]
async fn a_handler_has_no_credential_of_a_caller() {
    let world = World::new("ev-no-secrets", GRANTS).await;
    let call = call_of(&world).await;
    assert!(call.secrets.mask().is_none(), "there are no secret arguments");
}

#[tokio::test]
async fn a_handler_reads_and_remembers_and_may_change_nothing_else() {
    let world = World::new("ev-reads", GRANTS).await;
    let call = call_of(&world).await;
    assert!(call.policy.may_remember());
    assert!(!call.policy.may_act("radio.set", "send") && !call.policy.may_act("radio.set", ""));
    let refusal = call.policy.cannot_act("radio.set: a letter", "radio.set", "send");
    assert_eq!(
        refusal.to_string(),
        "radio.set: a letter: a handler of events only reads; to allow it: \
         [plugins.ev-reads.grant.events.news] may = [… \"radio.set:send\"]"
    );
    assert!(call.granted.contains("radio.set"), "what is granted to the plugin is granted to its handler");
}

#[tokio::test]
async fn what_the_grant_says_it_may_do_it_may_do_and_nothing_beside() {
    let settings = "grant.radio.set = {}\ngrant.events.news = { may = [\"radio.set:send\"] }\n";
    let world = World::new("ev-may", settings).await;
    let call = call_of(&world).await;
    assert!(call.policy.may_act("radio.set", "send"));
    assert!(!call.policy.may_act("radio.set", "tune") && !call.policy.may_act("radio.other", "send"));
}

#[tokio::test]
async fn each_run_that_may_act_is_audited_with_its_cause_and_one_that_reads_is_counted() {
    let settings = "grant.radio.set = {}\ngrant.events.news = { may = [\"radio.set\"] }\n";
    let world = World::new("ev-audit", settings).await;
    world.station.says("news", vec![heard("a", "one")]).await;
    world.until("news", |status| status.handled == 1).await;
    let id = world.station.events()[0].id.clone();
    let intents = world.audit.intents.lock().unwrap().clone();
    let [intent] = intents.as_slice() else { panic!("{intents:?}") };
    assert_eq!((intent.tool.as_str(), intent.principal.as_str()), ("event news", ""));
    assert_eq!(intent.arguments["event"], "news");
    assert_eq!(intent.arguments["ids"], serde_json::json!([id]));
    let outcomes: Vec<String> =
        world.audit.outcomes.lock().unwrap().iter().map(|record| record.outcome.clone()).collect();
    assert_eq!(outcomes, ["ok"]);

    let reads = World::new("ev-counted", GRANTS).await;
    reads.station.says("news", vec![heard("a", "one")]).await;
    let status = reads.until("news", |status| status.handled == 1).await;
    assert_eq!(status.runs, 1);
    assert!(
        reads.audit.intents.lock().unwrap().is_empty() && reads.audit.outcomes.lock().unwrap().is_empty()
    );
}

#[tokio::test]
async fn a_run_that_may_act_and_cannot_be_recorded_does_not_begin() {
    let settings = "grant.radio.set = {}\ngrant.events.news = { may = [\"radio.set\"] }\n";
    let world = World::new("ev-unrecorded", settings).await;
    world.audit.full.store(true, Ordering::Relaxed);
    world.station.says("news", vec![heard("a", "one")]).await;
    world.until("news", |status| status.runs > 0).await;
    assert!(world.station.events().is_empty());
    world.audit.full.store(false, Ordering::Relaxed);
    let status = world.until("news", |status| status.handled == 1).await;
    assert_eq!(status.set_aside, 0);
}
