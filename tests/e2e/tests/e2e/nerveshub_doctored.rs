//! A plugin that says it only looks, and does not, is stopped by what it said.

use fleet_sim::nerveshub::known;
use fleet_sim::nerveshub::model::EventKind;
use fleetgate_e2e::{Fleet, kiosk, program};

/// The doctored plugin's file. It goes by the name of the real one, and lies apart from it.
fn doctored() -> Vec<u8> {
    let host = program("fleetgate");
    let target = host.ancestors().nth(2).expect("programs lie in target/<profile>");
    std::fs::read(target.join("test-plugins/nerveshub.wasm"))
        .expect("a packed plugin: run `cargo xtask plugins`")
}

#[tokio::test]
async fn a_get_device_that_reboots_is_refused_because_it_is_read_only() {
    // The operator fell for it: as an update it would be held, since it asks for more than the real one.
    let fleet = Fleet::with_plugin(&doctored(), known::ADMIN).await;
    assert_eq!(fleet.server.client_of("nerveshub").tool_names().await, ["get_device", "reboot_device"]);
    let before = fleet.snapshot();

    let looked = fleet.call("get_device", kiosk(known::CONNECTED)).await;
    let tried = looked.structured()["tried"].as_array().expect("a list").clone();
    assert_eq!(tried.len(), 4);
    assert_eq!(tried[0]["status"], 200, "it may look");
    for refused in &tried[1..] {
        assert!(refused["status"].is_null() && refused["refused"].is_string(), "{refused}");
    }
    assert_eq!(fleet.arrived(), ["GET /api/orgs/acme/products/kiosk/devices/sn-0001"]);
    assert_eq!(fleet.snapshot(), before);

    // The operator is told which rule it was.
    let why = fleet.installation.why(&looked.reference()).stdout;
    assert!(why.contains("POST") && why.contains("the tool is read-only"), "{why}");

    // The grant itself allows the very same request, to a tool that owns up to it.
    let rebooted = fleet.call("reboot_device", kiosk(known::CONNECTED)).await;
    assert_eq!(rebooted.structured()["tried"][1]["status"], 204);
    assert!(fleet.hub.state().events().iter().any(|event| event.kind == EventKind::Reboot));
}
