//! What an event makes the handler do to its host.

use std::time::Duration;

use fleetgate_sdk::keyvalue::Bucket;
use fleetgate_sdk::prelude::*;
use serde_json::json;

use crate::orders;

/// An order, as it is published.
#[derive(Deserialize)]
struct Order {
    /// What to do.
    #[serde(default)]
    r#do: String,
    /// Only so many times; then it is done.
    times: Option<u32>,
}

/// Does what the events say. Whatever happens, it is in the log that they came.
#[events]
pub fn handle(batch: Vec<Event>) -> Vec<Result<(), Fault>> {
    let mut answers = Vec::new();
    let size = batch.len();
    for event in batch {
        let order: Order = event.json().unwrap_or(Order { r#do: String::new(), times: None });
        let order = match order.times {
            Some(times) if event.attempt > times => Order { r#do: String::new(), ..order },
            _ => order,
        };
        match order.r#do.as_str() {
            "loop" => loop {
                std::hint::black_box(&event);
            },
            "sleep" => loop {
                // Whatever the host says about it.
                let _ = call::sleep(Duration::from_secs(3600));
            },
            "trap" => panic!("told to"),
            "memory" => loop {
                std::mem::forget(vec![1_u8; 1 << 20]);
            },
            "fewer" => return Vec::new(),
            "more" => answers.push(Ok(())),
            _ => {}
        }
        answers.push(handled(&event, &order.r#do, size));
    }
    answers
}

fn handled(event: &Event, order: &str, size: usize) -> Result<(), Fault> {
    let done = orders::carry_out(order);
    let log = Bucket::open("keyvalue.log")?;
    let number = log.increment("number", 1)?;
    log.increment(&format!("count/{}", event.id), 1)?;
    let line = json!({
        "id": event.id, "source": event.source, "subject": event.subject, "time": event.time_ms,
        "attempt": event.attempt, "attributes": event.attributes, "data": event.text(), "batch": size,
        "principal": call::principal(), "roles": call::roles(), "session": call::session(),
        "binding": call::binding(), "job": call::job(), "done": done,
    });
    log.set_json(&format!("line/{number:08}"), &line)?;
    match order {
        "fail" => Err(Fault::unavailable("Told to fail.")),
        "fatal" => Err(Fault::internal("Told to fail for good.")),
        _ => Ok(()),
    }
}
