//! What parsers make of the canned output, for `send-command-structured`: the rows that the template set has for
//! the command, or nothing, which the server answers with the raw text.

use serde_json::{Value, json};

use super::super::model::{Device, Platform};

/// The rows, with their columns' names in lower case.
pub(crate) fn parsed(device: &Device, command: &str) -> Option<Value> {
    if device.platform != Platform::Ios {
        return None;
    }
    let rows = match command.split_whitespace().collect::<Vec<_>>().join(" ").as_str() {
        "show clock" => json!([{
            "time": "11:54:03.018", "timezone": "UTC", "dayweek": "Sat", "month": "Apr", "day": "16", "year": "2022",
        }]),
        "show ip interface brief" => brief(&device.address),
        "show vlan brief" => vlans(),
        _ => return None,
    };
    Some(rows)
}

fn brief(address: &str) -> Value {
    let rows = [
        ("Vlan1", "unassigned", "administratively down", "down"),
        ("Vlan20", address, "up", "up"),
        ("FastEthernet0", "unassigned", "administratively down", "down"),
        ("GigabitEthernet1/0/1", "unassigned", "up", "up"),
        ("GigabitEthernet1/0/2", "unassigned", "up", "up"),
        ("GigabitEthernet1/0/3", "unassigned", "down", "down"),
        ("GigabitEthernet1/0/4", "unassigned", "administratively down", "down"),
        ("GigabitEthernet1/0/49", "unassigned", "up", "up"),
    ];
    let row = |(interface, address, status, protocol): (&str, &str, &str, &str)| json!({"interface": interface, "ip_address": address, "status": status, "proto": protocol});
    rows.map(row).into_iter().collect()
}

fn vlans() -> Value {
    let rows: [(&str, &str, &str, &[&str]); 8] = [
        ("1", "default", "active", &["Gi1/0/6", "Gi1/0/7", "Gi1/0/8"]),
        ("20", "users", "active", &["Gi1/0/1", "Gi1/0/2", "Gi1/0/3"]),
        ("30", "printers", "active", &["Gi1/0/5"]),
        ("999", "parking", "active", &["Gi1/0/4"]),
        ("1002", "fddi-default", "act/unsup", &[]),
        ("1003", "token-ring-default", "act/unsup", &[]),
        ("1004", "fddinet-default", "act/unsup", &[]),
        ("1005", "trnet-default", "act/unsup", &[]),
    ];
    let row = |(id, name, status, interfaces)| json!({"vlan_id": id, "vlan_name": name, "status": status, "interfaces": interfaces});
    rows.map(row).into_iter().collect()
}
