//! Every tool, resource and prompt of the naas plugin does what it promises with a NAAS server, as its documents describe
//! it and as its source does.

use fleet_sim::naas::{Behaviour, known};
use fleetgate_e2e::network::{on, quick, show};
use fleetgate_e2e::{Network, Server, http_client, with};
use serde_json::{Value, json};

const BOTH: [Behaviour; 2] = [Behaviour::AsDocumented, Behaviour::StrictUpstream];

#[tokio::test]
async fn what_the_product_page_lists_is_listed() {
    let network = Network::grown(quick(Behaviour::AsDocumented), known::ADMIN, "admin", "").await;
    let client = network.server.client_of("naas");
    let mut tools = client.tool_names().await;
    tools.sort();
    let expected = [
        "cancel_job",
        "create_api_key",
        "get_job_result",
        "list_jobs",
        "revoke_api_key",
        "send_command",
        "send_command_structured",
        "send_config",
    ];
    assert_eq!(tools, expected);
    let names = |list: &Value, key: &str| -> Vec<String> {
        list.as_array()
            .expect("a list")
            .iter()
            .map(|one| one[key].as_str().expect("text").to_owned())
            .collect()
    };
    let resources = client.request("resources/list", json!({})).await;
    let mut uris = names(&resources.result()["resources"], "uri");
    uris.sort();
    assert_eq!(uris, ["naas://contexts", "naas://health", "naas://jobs", "naas://jobs/failed"]);
    let prompts = client.request("prompts/list", json!({})).await;
    let mut prompts = names(&prompts.result()["prompts"], "name");
    prompts.sort();
    assert_eq!(prompts, ["config_push", "show_commands", "troubleshoot_device"]);
}

#[tokio::test]
async fn commands_come_back_with_what_the_device_printed() {
    for behaviour in BOTH {
        let network = Network::of(behaviour).await;
        let arguments = show(json!({"commands": ["show version", "show clock"], "tags": {"env": "lab"}}));
        let answer = network.call("send_command", arguments).await;
        let job = answer.structured();
        let id = job["job_id"].as_str().expect("an id");
        assert_eq!((&job["status"], &job["error"]), (&json!("finished"), &Value::Null), "{behaviour:?}");
        assert!(
            job["results"]["show version"].as_str().is_some_and(|text| text.contains("Cisco IOS")),
            "{job}"
        );
        assert!(job["results"]["show clock"].is_string(), "{job}");
        assert_eq!(job["tags"], json!({"env": "lab"}));
        assert!(job.get("app").is_none() && job.get("version").is_none(), "{job}");
        assert!(job.get("warnings").is_none(), "{job}");
        assert!(network.naas.state().job(id).is_some(), "the id is the server's");
    }
}

#[tokio::test]
async fn tables_come_back_as_rows_and_text_where_there_is_no_template() {
    for behaviour in BOTH {
        let network = Network::of(behaviour).await;
        let commands = json!({"commands": ["show ip interface brief", "show nonsense"]});
        let answer = network.call("send_command_structured", show(commands)).await;
        let results = &answer.structured()["results"];
        assert!(results["show ip interface brief"][0].is_object(), "{results}");
        assert!(results["show nonsense"].is_string(), "{results}");
    }
}

#[tokio::test]
async fn configuration_arrives_is_saved_and_committed_where_asked() {
    for behaviour in BOTH {
        let network = Network::of(behaviour).await;
        let lines = ["interface Loopback7", " description uplink"];
        let arguments = on(known::IOS, "cisco_ios", &lines);
        let answer = network.call("send_config", arguments.clone()).await;
        assert!(answer.structured()["results"]["config_set_output"].is_string(), "{answer:?}");
        let device = || network.naas.state().device(known::IOS).expect("the switch");
        assert!(device().config.iter().any(|line| line.contains("Loopback7")), "{:?}", device().config);
        assert!(!device().saved);
        network.call("send_config", with(arguments, json!({"save_config": true}))).await.structured();
        assert!(device().saved);

        let router = on(known::JUNOS, "juniper_junos", &["set system host-name edge-2"]);
        network.call("send_config", router.clone()).await.structured();
        let junos = || network.naas.state().device(known::JUNOS).expect("the router");
        assert!(junos().config.is_empty(), "nothing takes effect without a commit");
        network.call("send_config", with(router, json!({"commit": true}))).await.structured();
        assert!(junos().config.iter().any(|line| line.contains("edge-2")), "{:?}", junos().config);
    }
}

#[tokio::test]
async fn jobs_are_listed_and_asked_for_again_by_who_submitted_them() {
    let network = Network::of(Behaviour::AsDocumented).await;
    let first = network.call("send_command", show(json!({}))).await.structured()["job_id"].clone();
    let second =
        network.call("send_config", show(json!({"commands": ["hostname x"]}))).await.structured()["job_id"]
            .clone();

    let again = network.call("get_job_result", json!({"job_id": first})).await;
    assert_eq!(again.structured()["status"], "finished");
    let again = network.call("get_job_result", json!({"job_id": second})).await;
    assert!(again.structured()["results"]["config_set_output"].is_string(), "{again:?}");

    let list = network.call("list_jobs", json!({"per_page": 1, "page": 2})).await;
    let list = list.structured();
    assert_eq!(list["pagination"], json!({"page": 2, "per_page": 1, "total": 2, "pages": 2}));
    let all = network.read("naas://jobs").await;
    let ids: Vec<_> = all["jobs"].as_array().expect("jobs").iter().map(|job| &job["job_id"]).collect();
    assert!(ids.len() == 2 && ids.contains(&&first) && ids.contains(&&second), "{ids:?}");
    assert!(ids.contains(&&list["jobs"][0]["job_id"]), "{list}");
    let failed = network.call("list_jobs", json!({"status": "failed"})).await;
    assert_eq!(failed.structured()["jobs"], json!([]));
}

/// A job that another program submitted with the same key.
async fn somebody_elses(network: &Network) -> String {
    let answer = http_client()
        .post(format!("{}/v2/send-command", network.naas.url()))
        .bearer_auth(network.naas.token(known::OPERATOR))
        .header("content-type", "application/json")
        .body(show(json!({"commands": ["show inventory"]})).to_string())
        .send()
        .await
        .expect("the server answers");
    let answer: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
    answer["job_id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_job_that_was_handed_to_nobody_here_is_unknown_to_everybody_but_admins() {
    let network = Network::of(Behaviour::AsDocumented).await;
    let theirs = somebody_elses(&network).await;
    let own = network.call("send_command", show(json!({}))).await.structured()["job_id"].clone();
    for tool in ["get_job_result", "cancel_job"] {
        let answer = network.call(tool, json!({"job_id": theirs})).await;
        assert_eq!(answer.fault()["code"], "unknown", "{answer:?}");
    }
    let list = network.call("list_jobs", json!({})).await;
    let ids: Vec<_> =
        list.structured()["jobs"].as_array().expect("jobs").iter().map(|job| &job["job_id"]).collect();
    assert_eq!(ids, [&own]);

    let Network { naas: _naas, installation, server } = network;
    drop(server);
    installation.config(&installation.config_text().replace("\"naas:operator\"", "\"naas:admin\""));
    let server = Server::start(&installation);
    let client = server.client_of("naas");
    let answer = client.call("get_job_result", json!({"job_id": theirs})).await;
    assert!(answer.structured()["status"].is_string(), "{answer:?}");
    let list = client.call("list_jobs", json!({})).await;
    assert_eq!(list.structured()["pagination"]["total"], 2);
}

#[tokio::test]
async fn notes_of_jobs_survive_the_host() {
    let Network { naas: _naas, installation, server } = Network::of(Behaviour::AsDocumented).await;
    let submitted = server.client_of("naas").call("send_command", show(json!({}))).await;
    let id = submitted.structured()["job_id"].clone();
    drop(server);
    let server = Server::start(&installation);
    let answer = server.client_of("naas").call("get_job_result", json!({"job_id": id})).await;
    assert_eq!(answer.structured()["status"], "finished", "{answer:?}");
}

#[tokio::test]
async fn a_job_that_takes_long_is_named_asked_for_again_and_cancelled() {
    let seed = quick(Behaviour::AsDocumented);
    let network = Network::grown(seed, known::OPERATOR, "operator", "job_timeout = \"300ms\"\n").await;
    let answer = network.call("send_command", on(known::SLOW, "cisco_ios", &["show version"])).await;
    assert_eq!((&answer.fault()["code"], &answer.fault()["retryable"]), (&json!("timeout"), &json!(false)));
    let id = answer.fault()["details"]["job_id"].as_str().expect("the id").to_owned();
    assert!(answer.text().starts_with(&format!("Job {id} did not complete within 0.3s")), "{answer:?}");
    let now = network.call("get_job_result", json!({"job_id": id})).await;
    assert_eq!(now.structured()["status"], "started");
    let cancelled = network.call("cancel_job", json!({"job_id": id})).await;
    assert_eq!(cancelled.text(), format!("Job {id} cancelled."));
    let now = network.call("get_job_result", json!({"job_id": id})).await;
    assert_eq!(now.structured()["status"], "canceled");
}

#[tokio::test]
async fn a_job_that_has_ended_cannot_be_cancelled() {
    let network = Network::of(Behaviour::AsDocumented).await;
    let id = network.call("send_command", show(json!({}))).await.structured()["job_id"].clone();
    let answer = network.call("cancel_job", json!({"job_id": id})).await;
    assert_eq!(answer.fault()["code"], "conflict");
    assert!(answer.text().starts_with("NAAS HTTP 409: "), "{answer:?}");
}

#[tokio::test]
async fn the_servers_state_is_there_to_read() {
    let network = Network::of(Behaviour::AsDocumented).await;
    let health = network.read("naas://health").await;
    assert_eq!(health["status"], "healthy", "{health}");
    assert!(health["components"]["workers"].is_object() && health.get("app").is_none(), "{health}");
    let contexts = network.read("naas://contexts").await;
    let names: Vec<_> =
        contexts["contexts"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, [known::DEFAULT, known::IDLE, known::LAB]);
    network.call("send_command", on(known::CRASHES, "cisco_ios", &["show version"])).await;
    let failed = network.read("naas://jobs/failed").await;
    assert_eq!(
        (&failed["total"], &failed["jobs"][0]["host"]),
        (&json!(1), &json!(known::CRASHES)),
        "{failed}"
    );
    assert_eq!(failed["jobs"][0]["error_code"], "UNKNOWN");
}

#[tokio::test]
async fn the_context_of_the_binding_is_that_of_its_jobs() {
    let start = |more: &'static str| {
        Network::grown(quick(Behaviour::AsDocumented), known::LAB_OPERATOR, "operator", more)
    };
    let refused = start("").await.call("send_command", show(json!({}))).await;
    assert!(refused.text().starts_with("NAAS HTTP 403: "), "{refused:?}");
    let network = start("context = \"lab\"\n").await;
    network.call("send_command", show(json!({}))).await.structured();
    assert_eq!(network.naas.state().jobs()[0].request.context, "lab");
}
