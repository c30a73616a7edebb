//! Jobs: durable, owned, bounded, and ended for good.

use std::time::Duration;

use fleetgate_core::call::{End, Refused, ToolCall};
use fleetgate_core::catalog::Scope;
use fleetgate_core::jobs::{Begun, Job, Status};
use fleetgate_core::principal::Principal;
use fleetgate_core::store::{Batch, Key, Page, Space, Store};
use serde_json::{Map, Value, json};

use super::guest::packed;
use super::host::{in_time, write};
use super::jobs_guest::component;
use super::jobs_world::{MANIFEST, TOOLS, World, ann, bob, call};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_stored_before_its_id_is_known_and_its_result_before_it_says_completed() {
    let world = World::new().await;
    let job = world.job(&ann(), "done").await;
    let record: Value =
        serde_json::from_slice(&world.stored(&format!("job/{}", job.id)).await.unwrap()).unwrap();
    assert_eq!((&record["principal"], &record["tool"]), (&json!("ann"), &json!("done")));
    assert_eq!(record["arguments_hash"], "hash of {}");
    assert!(job.id.len() == 26 && job.ttl_ms == 3_600_000, "{job:?}");

    let job = world.over_with(&ann(), &job.id).await;
    assert_eq!(job.status, Status::Completed);
    let result = world.jobs().result(&job).await.unwrap().expect("a result");
    assert_eq!(result.structured.unwrap().get(), r#"{"done":true}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_audited_as_one() {
    let world = World::new().await;
    let job = world.job(&ann(), "done").await;
    world.over_with(&ann(), &job.id).await;
    let records = world.audit.0.lock().unwrap();
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!(record.intent.job.as_deref(), Some(&*job.id));
    assert_eq!(record.outcome, "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_job_returned_is_kept_as_its_result_and_nowhere_else() {
    let world = World::new().await;
    let job = world.job(&ann(), "done").await;
    world.over_with(&ann(), &job.id).await;
    world.stop().await;
    // The text of the result, in JSON or in a text of JSON.
    let holds = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace('\\', "");
        text.contains("{\"done\":true}")
    };
    let all = world.store.list(&Space::new("jobs").unwrap(), Page::of("")).await.unwrap();
    let kept = all.entries.iter().filter(|entry| holds(&entry.value)).map(|entry| entry.key.to_string());
    assert_eq!(kept.collect::<Vec<_>>(), [format!("result/{}", job.id)]);
    assert!(all.entries.len() > 1 && !all.more, "{all:?}");
    let listed = std::fs::read(world.place.path("test.jobs.json")).unwrap();
    assert!(String::from_utf8_lossy(&listed).contains(&*job.id) && !holds(&listed));
    let records = format!("{:?}", world.audit.0.lock().unwrap());
    assert!(records.contains(&*job.id) && !records.contains("true"), "{records}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_anybody_else_a_job_is_as_unknown_as_any_other_id() {
    let world = World::new().await;
    let job = world.job(&ann(), "loop").await;
    for id in [&*job.id, "aaaaaaaaaaaaaaaaaaaaaaaaaa", ""] {
        assert_eq!(world.get(&bob(), id), None);
        assert_eq!(world.cancel(&bob(), id), None);
        let answered =
            world.within(&bob(), &Scope::Shared, |jobs, access| jobs.answer(access, id, &Map::new()));
        assert_eq!(answered, None);
    }
    assert!(
        world.within(&bob(), &Scope::Shared, |jobs, access| jobs.list(access, None)).unwrap().jobs.is_empty()
    );
    // The reason is the operator's alone.
    let refused = world.within(&bob(), &Scope::Shared, |jobs, access| jobs.unknown(access, &job.id));
    assert!(
        matches!(&refused, Refused::Unknown { .. }) && !refused.to_string().contains("a job of"),
        "{refused}"
    );
    let reason = world.audit.0.lock().unwrap().last().unwrap().reason.clone();
    assert_eq!(reason.as_deref(), Some("it is a job of ann"));
    assert!(!world.get(&ann(), &job.id).unwrap().status.is_over());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_the_role_or_asks_elsewhere_sees_the_job_no_more() {
    let world = World::new().await;
    let job = world.job(&ann(), "loop").await;
    let without = Principal::new("ann", []);
    assert_eq!(world.get(&without, &job.id), None);
    assert_eq!(world.cancel(&without, &job.id), None);
    let other = Scope::Binding("other".into());
    assert_eq!(world.within(&ann(), &other, |jobs, access| jobs.get(access, &job.id)), None);
    let own = Scope::Binding("lab".into());
    assert!(world.within(&ann(), &own, |jobs, access| jobs.get(access, &job.id)).is_some());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_ends_the_guest_and_cancelling_again_changes_nothing() {
    let world = World::new().await;
    let job = world.job(&ann(), "loop").await;
    // It computes for ever, and said how far it is.
    let working = world.until(&ann(), &job.id, |job| job.progress.is_some()).await;
    assert_eq!((working.status, working.message.as_deref()), (Status::Working, Some("half way")));
    assert_eq!((working.progress, working.total), (Some(1.0), Some(2.0)));
    world.cancel(&ann(), &job.id).expect("it is hers");
    let over = world.over_with(&ann(), &job.id).await;
    assert_eq!(over.status, Status::Cancelled);
    assert_eq!(world.cancel(&ann(), &job.id).unwrap().status, Status::Cancelled);
    assert!(world.jobs().dead().is_empty());
    let outcome = world.audit.0.lock().unwrap().last().unwrap().outcome.clone();
    assert_eq!(outcome, "fault:cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_the_tool_is_kept_and_a_crash_is_for_the_operator_too() {
    let world = World::new().await;
    let fault = world.job(&ann(), "fault").await;
    let fault = world.over_with(&ann(), &fault.id).await;
    assert_eq!(fault.fault.unwrap().message, "the device said no");
    let trap = world.job(&ann(), "trap").await;
    let trap = world.over_with(&ann(), &trap.id).await;
    assert_eq!((trap.status, trap.fault.unwrap().code.as_str()), (Status::Failed, "internal"));
    let dead = world.jobs().dead();
    assert_eq!(dead.iter().filter(|dead| dead.id == trap.id).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_what_ran_is_failed_with_a_reason_and_what_ended_is_still_there() {
    let world = World::new().await;
    let done = world.job(&ann(), "done").await;
    world.over_with(&ann(), &done.id).await;
    let running = world.job(&ann(), "loop").await;
    world.until(&ann(), &running.id, |job| job.progress.is_some()).await;

    let world = world.again().await;
    let done = world.get(&ann(), &done.id).expect("it is kept");
    assert_eq!(done.status, Status::Completed);
    assert!(world.jobs().result(&done).await.unwrap().is_some());

    let failed = world.get(&ann(), &running.id).expect("it is kept");
    let fault = failed.fault.clone().expect("a reason");
    assert_eq!((failed.status, fault.code.as_str(), fault.retryable), (Status::Failed, "interrupted", false));
    assert!(fault.message.contains("It is not known whether it took effect"), "{}", fault.message);
    assert_eq!(world.get(&bob(), &running.id), None);
    let dead = world.jobs().dead();
    let [dead] = &dead[..] else { panic!("{dead:?}") };
    assert_eq!((&*dead.id, dead.code.as_str(), &*dead.principal), (&*running.id, "interrupted", "ann"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_stops_says_the_same_and_takes_no_more() {
    let world = World::new().await;
    let running = world.job(&ann(), "loop").await;
    world.until(&ann(), &running.id, |job| job.progress.is_some()).await;
    world.stop().await;
    let failed = world.get(&ann(), &running.id).expect("it is kept");
    assert_eq!(failed.fault.unwrap().code, "interrupted");
    let refused = world.fault(&ann(), "done").await;
    assert_eq!((refused.code.as_str(), refused.retryable), ("unavailable", true));
    // The operator reads it beside the store, also when the host is gone.
    let said = fleetgate_core::jobs::read_mirror(&world.place.path("test.jobs.json")).unwrap();
    assert_eq!((said.dead.len(), said.jobs.len()), (1, 1));
    assert_eq!(said.jobs[0].status, Status::Failed);
    // And after the next start nothing else became of it.
    let world = world.again().await;
    assert_eq!(world.get(&ann(), &running.id).unwrap().fault.unwrap().code, "interrupted");
    assert_eq!(world.jobs().dead().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_waits_for_its_turn_was_not_begun_when_the_host_stops() {
    let world = World::with("[jobs]\nbinding_concurrency = 1\n").await;
    let running = world.job(&ann(), "loop").await;
    world.until(&ann(), &running.id, |job| job.progress.is_some()).await;
    let waiting = world.job(&ann(), "loop").await;
    assert_eq!(waiting.status, Status::Queued);
    world.stop().await;
    let failed = world.get(&ann(), &waiting.id).unwrap();
    let fault = failed.fault.unwrap();
    assert!(fault.retryable && fault.message.contains("nothing was done"), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_have_turns_of_their_own_and_one_that_waits_can_be_cancelled() {
    let world = World::with("[jobs]\nbinding_concurrency = 1\n").await;
    let running = world.job(&ann(), "loop").await;
    let waiting = world.job(&ann(), "loop").await;
    assert_eq!(waiting.status, Status::Queued);
    world.cancel(&ann(), &waiting.id).unwrap();
    assert_eq!(world.over_with(&ann(), &waiting.id).await.status, Status::Cancelled);
    // Calls are not in their way.
    let answered = in_time(world.host.call_tool(&world.catalog(), call(&ann(), "done"))).await.unwrap();
    assert!(matches!(answered.end, End::Done(_)));
    // The next one has its turn when the first is gone.
    let next = world.job(&ann(), "done").await;
    world.cancel(&ann(), &running.id).unwrap();
    assert_eq!(world.over_with(&ann(), &next.id).await.status, Status::Completed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_each_bound_a_new_job_is_refused_and_says_which() {
    for (settings, begun, word) in [
        ("per_principal = 1", "loop", "have not ended"),
        ("kept_per_principal = 1", "done", "still kept"),
        ("kept = 1", "done", "as many jobs are kept"),
        ("queue = 1\nbinding_concurrency = 1", "loop", "wait for their turn"),
    ] {
        let world = World::with(&format!("[jobs]\n{settings}\n")).await;
        world.job(&ann(), begun).await;
        if settings.starts_with("queue") {
            assert_eq!(world.job(&ann(), begun).await.status, Status::Queued);
        }
        let fault = world.fault(&ann(), "loop").await;
        assert!(fault.code == "unavailable" && fault.message.contains(word), "{settings}: {fault:?}");
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_recorded_does_not_begin() {
    let world = World::new().await;
    *world.store.prefix.lock().unwrap() = Some("job/");
    let fault = world.fault(&ann(), "done").await;
    assert_eq!((fault.code.as_str(), fault.retryable), ("unavailable", true));
    let outcomes: Vec<String> =
        world.audit.0.lock().unwrap().iter().map(|record| record.outcome.clone()).collect();
    assert_eq!(outcomes, ["fault:unavailable"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_cannot_be_kept_is_a_failure_that_says_so() {
    for settings in ["", "[jobs]\nresults = \"1B\"\n"] {
        let world = World::with(settings).await;
        if settings.is_empty() {
            *world.store.prefix.lock().unwrap() = Some("result/");
        }
        let job = world.job(&ann(), "done").await;
        let job = world.over_with(&ann(), &job.id).await;
        let fault = job.fault.clone().expect("a fault");
        assert_eq!((job.status, fault.code.as_str()), (Status::Failed, "internal"));
        assert!(
            fault.message.contains("ran to its end, but its result could not be kept"),
            "{}",
            fault.message
        );
        assert_eq!(world.jobs().dead()[0].id, job.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_that_is_no_task_and_wrong_arguments_are_answered_at_once() {
    let world = World::new().await;
    assert!(matches!(world.begin(&ann(), "s-nothing").await, Ok(Begun::Ended(_))));
    assert!(matches!(world.begin(&ann(), "absent").await, Err(Refused::Unknown { .. })));
    let stranger = Principal::new("eve", []);
    assert!(matches!(world.begin(&stranger, "loop").await, Err(Refused::Forbidden { .. })));
    let wrong = ToolCall { arguments: r#"{"extra":1}"#.into(), ..call(&ann(), "done") };
    match in_time(world.jobs().begin(&world.catalog(), wrong)).await {
        Ok(Begun::Ended(answered)) => {
            assert!(matches!(answered.end, End::Fault(fault) if fault.code == "invalid-arguments"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_listed_newest_first_in_pages() {
    let world = World::with("[jobs]\nper_principal = 1000\n").await;
    let mut begun = Vec::new();
    for _ in 0..105 {
        begun.push(world.job(&ann(), "done").await.id);
    }
    let list = |cursor: Option<&str>| {
        world.within(&ann(), &Scope::Shared, |jobs, access| jobs.list(access, cursor)).expect("a page")
    };
    let first = list(None);
    let second = list(first.next.as_deref());
    assert_eq!((first.jobs.len(), second.jobs.len(), second.next), (100, 5, None));
    let all: Vec<&Job> = first.jobs.iter().chain(&second.jobs).collect();
    assert!(all.is_sorted_by_key(|job| std::cmp::Reverse(job.created_ms)));
    let mut ids: Vec<_> = all.iter().map(|job| job.id.clone()).collect();
    ids.sort();
    begun.sort();
    assert_eq!(ids, begun);
    let wrong = world.within(&ann(), &Scope::Shared, |jobs, access| jobs.list(access, Some("nonsense")));
    assert_eq!(wrong, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_submits_its_own_tools_as_its_caller() {
    let world = World::new().await;
    let id = world.said(&ann(), "s-done").await;
    let job = world.over_with(&ann(), &id).await;
    assert_eq!((job.status, &*job.tool), (Status::Completed, "done"));
    assert_eq!(world.get(&bob(), &id), None);
    assert_eq!(world.said(&ann(), "s-nothing").await, "unknown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_call_cannot_submit_what_may_change_something() {
    let world = World::new().await;
    assert_eq!(world.said(&ann(), "s-loop").await, "denied");
    assert!(
        world.within(&ann(), &Scope::Shared, |jobs, access| jobs.list(access, None)).unwrap().jobs.is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_cannot_submit_what_its_caller_may_not_call() {
    let world = World::new().await;
    // Raised by the operator for the caller's sake: the tool that submits is for everybody.
    let manifest = MANIFEST
        .replace("s-loop = { requires = \"any\", read_only = true }", "s-loop = { requires = \"any\" }");
    world.place.drop_file("lab", &packed(component(&TOOLS), &manifest.replace("1.0.0", "1.0.1")));
    write(&world.place.path("fleetgate.lock"), b"");
    std::fs::remove_file(world.place.path("fleetgate.lock")).unwrap();
    let world = world.again().await;
    let stranger = Principal::new("eve", []);
    assert_eq!(world.said(&stranger, "s-loop").await, "denied");
    let id = world.said(&ann(), "s-loop").await;
    assert_eq!(id.len(), 26, "{id}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_submit_jobs_come_to_an_end() {
    let world = World::new().await;
    let first = world.said(&ann(), "go").await;
    assert_eq!(first.len(), 26, "{first}");
    let jobs = || world.within(&ann(), &Scope::Shared, |jobs, access| jobs.list(access, None)).unwrap().jobs;
    in_time(async {
        while jobs().len() < 4 || jobs().iter().any(|job| !job.status.is_over()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let jobs = jobs();
    assert_eq!(jobs.len(), 4);
    let mut refused = 0;
    for job in &jobs {
        let result = world.jobs().result(job).await.unwrap().expect("a result");
        refused += usize::from(result.structured.unwrap().get() == r#"{"said":"limit"}"#);
    }
    assert_eq!(refused, 1, "the last one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_store_a_plugin_is_told_that_there_are_no_jobs() {
    let world = World::new().await;
    let host = world.place.start().await;
    let answered = in_time(host.call_tool(&host.catalog(), call(&ann(), "s-done"))).await.unwrap();
    let End::Done(result) = answered.end else { panic!("{:?}", answered.end) };
    assert_eq!(result.structured.unwrap().get(), r#"{"said":"unavailable"}"#);
}

/// Ann's call of the tool that submits one that asks, by a client with these capabilities.
fn asking(capabilities: Value) -> ToolCall {
    let mut call = call(&ann(), "s-ask");
    call.context.client_capabilities = capabilities.to_string().into();
    call
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_asks_only_a_client_that_can_answer_what_runs_in_the_background() {
    let world = World::with("grant.client.elicitation = {}\n").await;
    let forms = json!({"elicitation": {}});
    for capabilities in [json!({}), forms.clone()] {
        let id = world.said_of(asking(capabilities)).await;
        let job = world.over_with(&ann(), &id).await;
        let fault = job.fault.expect("a reason");
        assert_eq!((job.status, fault.code.as_str()), (Status::Failed, "unavailable"));
        assert!(fault.message.contains("knows no tasks"), "{}", fault.message);
    }
    assert!(world.jobs().dead().is_empty(), "it came to a proper end");

    let mut knows = forms;
    knows["extensions"] = json!({"io.modelcontextprotocol/tasks": {}});
    let id = world.said_of(asking(knows)).await;
    let job = world.until(&ann(), &id, |job| job.status == Status::InputRequired).await;
    assert_eq!(job.asks[0].params["message"], "[lab] Who?");
    world.cancel(&ann(), &id).expect("it is hers");
    assert_eq!(world.over_with(&ann(), &id).await.status, Status::Cancelled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_kept_any_longer_is_gone() {
    let world = World::new().await;
    let job = world.job(&ann(), "done").await;
    world.over_with(&ann(), &job.id).await;
    let key = format!("job/{}", job.id);
    let mut record: Value = serde_json::from_slice(&world.stored(&key).await.unwrap()).unwrap();
    record["ttl_ms"] = json!(1);
    let batch = Batch::new().put(Key::new(key).unwrap(), record.to_string(), None);
    world.store.write(&Space::new("jobs").unwrap(), batch).await.unwrap();
    let world = world.again().await;
    assert_eq!(world.get(&ann(), &job.id), None);
}
