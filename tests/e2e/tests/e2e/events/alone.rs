//! Nobody calls a handler: what belongs to a caller is not there, and nothing is changed beyond the host unless the
//! operator says so.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{Attacked, BINDING};

/// An upstream that notes each request's method.
async fn upstream() -> (String, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let noted = seen.clone();
    let app = Router::new().fallback(move |request: Request<Body>| async move {
        noted.lock().expect("a list").push(request.method().to_string());
        "fine"
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, seen)
}

fn others(url: &str) -> String {
    format!(
        "[plugins.{BINDING}.grant.http.api]\nurl = \"{url}\"\n\n[plugins.{BINDING}.grant.keyvalue.own]\n\n\
         [plugins.{BINDING}.grant.ssh.devices]\ntargets = [\"127.0.0.1:22\"]\ntrust_on_first_use = true\n\
         credential = {{ user = \"nobody\", password = \"login\" }}\n\n[secrets]\nlogin = {{ file = \"login\" }}\n"
    )
}

/// What came of one order.
async fn ordered(attacked: &Attacked, order: &str) -> Value {
    let topic = format!("granted/{order}");
    attacked.publish(&topic, &json!({ "do": order })).await;
    attacked.told(&topic, 1).await[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_has_no_caller_and_changes_nothing_without_the_operators_word() {
    let (url, seen) = upstream().await;
    let attacked = Attacked::hearing("", &others(&url)).await;
    for order in ["publish", "publish-granted", "http-write", "ssh", "own-bucket", "submit-job", "list-jobs"]
    {
        let told = ordered(&attacked, order).await;
        assert_eq!(told["done"]["code"], "denied", "{order}: {told}");
        let text = told["done"].to_string();
        assert!(!text.contains("may") && !text.contains("granted/#"), "the policy is told: {text}");
        let nobody = (&json!(""), &json!(""), &Value::Null);
        assert_eq!((&told["principal"], &told["session"], &told["job"]), nobody);
        assert_eq!(told["roles"], json!([]));
    }
    assert_eq!(ordered(&attacked, "http-read").await["done"], json!(200), "reading is allowed");
    assert_eq!(ordered(&attacked, "listen").await["done"], "listened");
    assert_eq!(*seen.lock().expect("a list"), ["GET"]);
    // The operator is told what would allow it.
    for needed in ["refused", "mqtt.broker:publish", "http.api:write", "ssh.devices"] {
        attacked.server().logs(needed).await;
    }
    let lines = attacked.lines().await;
    assert!(lines.iter().all(|line| line["subject"] != "granted/answer"), "it was published: {lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_handler_may_is_done_and_audited_with_its_cause() {
    let (url, seen) = upstream().await;
    let may = "may = [\"mqtt.broker:publish\", \"http.api:write\"]\n";
    let attacked = Attacked::hearing(may, &others(&url)).await;
    let told = ordered(&attacked, "http-write").await;
    assert_eq!(told["done"], json!(200), "{told}");
    assert_eq!(*seen.lock().expect("a list"), ["POST"]);
    assert_eq!(ordered(&attacked, "publish-granted").await["done"], "published");
    assert_eq!(ordered(&attacked, "publish").await["done"], "published");
    assert_eq!(ordered(&attacked, "ssh").await["done"]["code"], "denied", "that is another word");
    // What it published within what it hears comes back as an event of its own.
    attacked.told("granted/answer", 1).await;

    let id = told["id"].as_str().expect("an id").to_owned();
    let find = ["audit", "find", "--json", "--binding", BINDING, "--outcome", "ok"];
    attacked
        .until("the run is in the audit log", async || {
            attacked.installation.run_well(&find).stdout.contains(&id)
        })
        .await;
    let records = attacked.installation.run_well(&find).json_lines();
    let record = records.iter().find(|record| record.to_string().contains(&id)).expect("its record");
    assert_eq!((&record["principal"], &record["outcome"]), (&json!(""), &json!("ok")), "{record}");
    assert!(record["tool"].as_str().is_some_and(|tool| tool.contains("heard")), "{record}");
    assert!(record["used"].to_string().contains("POST"), "what it did is there: {record}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_table_nothing_is_heard_and_with_a_narrower_one_less() {
    let silent = Attacked::new("");
    silent.publish("granted/a", &json!({ "do": "" })).await;
    let from = "from = { \"mqtt.broker\" = { subscribe = [\"granted/probe\", \"granted/one/#\"], qos = 1 } }";
    let narrow = Attacked::hearing(from, "").await;
    for topic in ["granted/two/x", "elsewhere/x", "granted/one/x"] {
        narrow.publish(topic, &json!({ "do": "" })).await;
    }
    narrow.told("granted/one/x", 1).await;
    let lines = narrow.lines().await;
    assert!(lines.iter().all(|line| line["subject"] != "granted/two/x"), "{lines:?}");
    assert!(lines.iter().all(|line| line["subject"] != "elsewhere/x"), "{lines:?}");
    assert!(silent.lines().await.is_empty(), "it was never granted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_runs_no_more_often_than_granted() {
    let attacked = Attacked::new(&format!("[plugins.{BINDING}.grant.events.tick]\nevery = \"2s\"\n"));
    let ticks = attacked.told("tick", 3).await;
    let times: Vec<u64> = ticks.iter().map(|tick| tick["time"].as_u64().expect("a time")).collect();
    assert!(times.windows(2).all(|pair| pair[1] >= pair[0] + 1_900), "{times:?}");
    assert!(ticks.iter().all(|tick| tick["source"] == "events.tick" && tick["data"] == ""), "{ticks:?}");
}
