//! What one plugin cannot take from others by jobs, and what a job cannot do any more.

use std::collections::BTreeSet;
use std::fs;

use fleetgate_core::call::ToolCall;
use fleetgate_core::catalog::Scope;
use fleetgate_core::jobs::Status;
use fleetgate_core::principal::{HeldRole, Principal};

use super::host::in_time;
use super::jobs_world::{World, ann, call};

/// A host that takes this many jobs of each kind, with the plugin bound twice.
async fn two_bindings(bounds: &str) -> (World, Principal) {
    let world = World::with(&format!("[plugins.other]\nuse = \"lab\"\n[jobs]\n{bounds}\n")).await;
    let both = ["lab:operator", "other:operator"].map(|role| HeldRole::parse(role).unwrap());
    (world, Principal::new("ann", both))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_binding_takes_a_quarter_of_a_callers_jobs_and_leaves_the_rest_to_others() {
    let (world, ann) = two_bindings("per_principal = 8").await;
    for _ in 0..2 {
        world.job(&ann, "loop").await;
    }
    let fault = world.fault(&ann, "loop").await;
    assert_eq!(fault.message, "you have 2 jobs that have not ended (2 of lab): wait for one, or cancel it");
    let mut elsewhere = call(&ann, "loop");
    elsewhere.context.scope = Scope::Binding("other".into());
    in_time(world.jobs().begin(&world.catalog(), elsewhere))
        .await
        .expect("the other binding has its own part");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_plugin_keeps_makes_room_for_its_newer_jobs_and_tasks_of_clients_do_not() {
    let world = World::with("[jobs]\nkept_per_principal = 8\n").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = world.said(&ann(), "s-done").await;
        world.over_with(&ann(), &id).await;
        ids.push(id);
        // Jobs are as old as their millisecond.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    assert_eq!(world.get(&ann(), &ids[0]), None);
    assert_eq!(world.stored(&format!("job/{}", ids[0])).await, None);
    assert_eq!(world.stored(&format!("result/{}", ids[0])).await, None);
    assert!(world.get(&ann(), &ids[1]).is_some() && world.get(&ann(), &ids[2]).is_some());
    let tasks = [world.job(&ann(), "done").await, world.job(&ann(), "done").await];
    for task in &tasks {
        assert_eq!(world.over_with(&ann(), &task.id).await.status, Status::Completed);
    }
    // Nothing is left of the plugin's own, and a client was promised its tasks.
    assert_eq!(world.said(&ann(), "s-done").await, "unavailable");
    assert!(world.fault(&ann(), "done").await.message.contains("still kept"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_call_cannot_stop_a_job_that_may_be_changing_something() {
    let world = World::new().await;
    let job = world.job(&ann(), "loop").await;
    let stop = || ToolCall { arguments: format!("{{\"id\":\"{}\"}}", job.id).into(), ..call(&ann(), "c") };
    assert_eq!(world.said_of(stop()).await, "denied");
    assert!(!world.get(&ann(), &job.id).unwrap().status.is_over());
    world.cancel(&ann(), &job.id).unwrap();
    world.over_with(&ann(), &job.id).await;
    // It is over: there is nothing to stop.
    assert_eq!(world.said_of(stop()).await, *job.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_away_while_a_job_waits_for_its_turn_is_not_done() {
    for taken in ["[plugins.lab.tools.done]\nenabled = false\n", ""] {
        let world = World::with("[plugins.lab.limits]\n[jobs]\nbinding_concurrency = 1\n").await;
        let running = world.job(&ann(), "loop").await;
        // It has passed the look at what is allowed.
        world.until(&ann(), &running.id, |job| job.message.is_some()).await;
        let waiting = world.job(&ann(), "done").await;
        assert_eq!(waiting.status, Status::Queued);
        let path = world.place.path("fleetgate.toml");
        let settings = fs::read_to_string(&path).unwrap();
        let now = match taken {
            "" => settings.replace("[plugins.lab]", "[plugins.another]\nuse = \"lab\""),
            table => format!("{settings}{table}"),
        };
        fs::write(&path, now.replace("[plugins.lab.limits]", "")).unwrap();
        world.host.reload().await;
        world.cancel(&ann(), &running.id).expect("a job of what was taken away can be stopped");
        let ended = in_time(async {
            loop {
                let dead = world.stored(&format!("job/{}", waiting.id)).await.expect("it is kept");
                let record: serde_json::Value = serde_json::from_slice(&dead).unwrap();
                if record["status"] == "failed" {
                    return record;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await;
        assert_eq!(ended["fault"]["code"], "denied", "{taken}: {ended}");
        let outcomes = world.audit.0.lock().unwrap();
        assert!(outcomes.iter().any(|record| record.outcome == "fault:denied"), "{taken}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_was_lost_while_a_job_waits_for_its_turn_is_not_used() {
    let held = "[serve]\nlocal_roles = [\"lab:operator\"]\n";
    let world = World::with(&format!("[jobs]\nbinding_concurrency = 1\n{held}")).await;
    let local = Principal::new("local", [HeldRole::parse("lab:operator").unwrap()]);
    let running = world.job(&ann(), "loop").await;
    world.until(&ann(), &running.id, |job| job.message.is_some()).await;
    let waiting = world.job(&local, "loop").await;
    let without_role = world.job(&local, "done").await;
    let path = world.place.path("fleetgate.toml");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace(held, "[serve]\nlocal_roles = []\n"))
        .unwrap();
    world.host.reload().await;
    world.cancel(&ann(), &running.id).expect("it runs");
    let ended = world.over_with(&local, &waiting.id).await;
    assert_eq!(ended.fault.expect("it was not done").code, "denied");
    assert_eq!(world.over_with(&local, &without_role.id).await.status, Status::Completed, "it takes no role");
    assert_eq!(world.host.holding(&local).roles().count(), 0);
    assert_eq!(world.host.holding(&ann()), ann(), "whom nobody knows holds what he held");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_unknown_ids_is_two_records() {
    let world = World::new().await;
    let mut references = BTreeSet::new();
    for number in 0..1000 {
        let id = format!("{number:026}");
        let refused = world.within(&ann(), &Scope::Shared, |jobs, access| jobs.unknown(access, &id));
        references.insert(refused.reference().to_string());
    }
    let records = || world.audit.0.lock().unwrap().clone();
    assert_eq!((records().len(), references.len()), (1, 1));
    assert!(references.contains(&records()[0].intent.call), "the reference leads to the record");
    world.stop().await;
    let reason = records()[1].reason.clone().unwrap();
    assert!(reason.starts_with("999 more requests like") && reason.contains("no job of this id"), "{reason}");
    assert_eq!(records().len(), 2);
}
