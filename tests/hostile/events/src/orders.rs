//! What the handler tries that it may not, and what it is told.

use fleetgate_sdk::jobs;
use fleetgate_sdk::keyvalue::Bucket;
use fleetgate_sdk::mqtt::{Publication, Subscription};
use fleetgate_sdk::prelude::*;
use fleetgate_sdk::ssh::Connection;
use serde_json::{Value, json};

/// Does it, and tells what came of it. None: nothing was ordered.
pub fn carry_out(order: &str) -> Value {
    let done = match order {
        "publish" => published("elsewhere/alarm"),
        "publish-granted" => published("granted/answer"),
        "listen" => {
            Subscription::open("mqtt.broker", &["granted/#"]).map(|_| json!("listened")).map_err(Fault::from)
        }
        "http-read" => http_read(),
        "http-write" => http_write(),
        "ssh" => Connection::connect("ssh.devices", "127.0.0.1", 22)
            .map(|_| json!("connected"))
            .map_err(Fault::from),
        "own-bucket" => own(),
        "submit-job" => submitted(),
        "list-jobs" => jobs::list(None).map(|_| json!("listed")),
        "changed" => {
            call::tools_changed();
            Ok(json!("told"))
        }
        _ => return Value::Null,
    };
    match done {
        Ok(done) => done,
        Err(fault) => json!({ "code": fault.code, "message": fault.message, "details": fault.details }),
    }
}

fn published(topic: &str) -> Result<Value, Fault> {
    Publication::json(topic, &json!({ "from": "handler" })).send("mqtt.broker")?;
    Ok(json!("published"))
}

fn http_read() -> Result<Value, Fault> {
    Ok(json!(http::upstream("api").get(["granted", "body"]).send()?.status()))
}

fn http_write() -> Result<Value, Fault> {
    Ok(json!(http::upstream("api").post(["granted", "body"]).body("x", "text/plain").send()?.status()))
}

fn own() -> Result<Value, Fault> {
    Bucket::open("keyvalue.own")?.set("from", "handler")?;
    Ok(json!("written"))
}

fn submitted() -> Result<Value, Fault> {
    Ok(json!(jobs::submit("work", &json!({}))?.send()?.id))
}
