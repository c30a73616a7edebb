//! The JSON Schemas of this capability's tables, for editors. What they cannot say, the parsers check.

use fleetgate_core::capability::Schemas;
use serde_json::{Value, json};

use crate::legacy::OLD;
use crate::pattern::Commands;

pub(crate) fn schemas() -> Schemas {
    Schemas { request: request(), reach: reach(), grant: grant() }
}

fn methods(description: &str) -> Value {
    json!({
        "type": "array",
        "description": description,
        "items": { "enum": ["exec", "shell"] },
        "minItems": 1,
        "examples": [["exec"]]
    })
}

fn commands(description: &str) -> Value {
    json!({
        "type": "array",
        "description": format!("{description} Each is matched against the whole line. * is any text without ; | & < > $ ( ) ` \\ ! [ ] {{ }} and control characters, which have to stand in the pattern itself; \\* is a star."),
        "items": { "type": "string", "minLength": 1, "maxLength": 256 },
        "minItems": 1,
        "maxItems": Commands::MOST,
        "examples": [["show *", "ping *"]]
    })
}

fn request() -> Value {
    json!({
        "type": "object",
        "properties": {
            "methods": methods("What the plugin uses: commands without a terminal (exec), terminals (shell). By default both."),
            "commands": commands("Commands that the plugin sends. By default any.")
        }
    })
}

fn reach() -> Value {
    json!({
        "type": "object",
        "properties": {
            "methods": methods("What this tool uses of those."),
            "commands": commands("Commands that this tool sends of those; a read-only tool may send these and no others.")
        },
        "additionalProperties": false
    })
}

fn secret(what: &str) -> Value {
    json!({ "type": "string", "description": format!("{what}: a name from [secrets].") })
}

fn credential() -> Value {
    let user =
        json!({ "type": "string", "description": "The user's name.", "minLength": 1, "maxLength": 64 });
    json!({
        "description": "With what the host logs in. The plugin never sees it.",
        "oneOf": [
            {
                "type": "object",
                "properties": { "user": user, "password": secret("The password") },
                "required": ["user", "password"],
                "additionalProperties": false
            },
            {
                "type": "object",
                "properties": {
                    "user": user,
                    "key": secret("The private key, in OpenSSH's or PEM form"),
                    "passphrase": secret("The key's passphrase")
                },
                "required": ["user", "key"],
                "additionalProperties": false
            },
            {
                "type": "object",
                "properties": {
                    "user": user,
                    "agent": { "const": true, "description": "The keys of an SSH agent. The agent is never forwarded." },
                    "socket": { "type": "string", "description": "The agent's socket. By default $SSH_AUTH_SOCK." }
                },
                "required": ["user", "agent"],
                "additionalProperties": false
            }
        ]
    })
}

fn known_hosts() -> Value {
    json!({
        "type": "string",
        "description": "A file of host keys as OpenSSH has it. A device that does not stand there is refused."
    })
}

fn trust_on_first_use() -> Value {
    json!({
        "type": "boolean",
        "description": "Trust a device that is not known the first time, and remember its key. A changed key is refused."
    })
}

fn legacy() -> Value {
    json!({
        "type": "array",
        "description": "Old, weak algorithms that the devices need, each by its name.",
        "items": { "enum": OLD.map(|(name, _)| name) },
        "examples": [["diffie-hellman-group14-sha1", "ssh-rsa"]]
    })
}

/// A jump host with so many others before it: schemas have no `$ref` here, since they become part of another.
fn jump(left: usize) -> Value {
    let mut schema = json!({
        "type": "object",
        "description": "The host that the connections go through.",
        "properties": {
            "host": { "type": "string", "description": "Where it is, perhaps with a port.", "examples": ["bastion.example.com:22"] },
            "credential": credential(),
            "known_hosts": known_hosts(),
            "trust_on_first_use": trust_on_first_use(),
            "resolves": {
                "type": "boolean",
                "description": "It looks the targets' names up. Where they lead is not checked then. By default this host does, and checks."
            },
            "legacy": legacy()
        },
        "required": ["host", "credential"],
        "additionalProperties": false
    });
    if left > 0 {
        schema["properties"]["jump"] = jump(left - 1);
    }
    schema
}

fn grant() -> Value {
    let count = |description: &str, most: i64| json!({ "type": "integer", "description": description, "minimum": 1, "maximum": most });
    let duration = |description: &str| json!({ "type": "string", "description": description, "pattern": "^[0-9]+(ms|s|m|h)$" });
    json!({
        "type": "object",
        "properties": {
            "targets": {
                "type": "array",
                "description": "The devices: names (* is part of a label, a leading ** any number of labels), addresses and networks, each with a port or a range of ports (by default 22).",
                "items": { "type": "string" },
                "minItems": 1,
                "maxItems": 1024,
                "examples": [["*.lab.example.com:22", "10.1.0.0/16:22"]]
            },
            "networks": {
                "type": "array",
                "description": "Addresses beside public ones that the names may lead to: networks, addresses, or address and port, which alone opens loopback, link-local and metadata services.",
                "items": { "type": "string" },
                "examples": [["10.2.0.0/16"]]
            },
            "methods": methods("What is granted. By default all that the plugin asks for."),
            "commands": commands("Commands that are granted. By default all that the plugin asks for."),
            "credential": credential(),
            "enable": secret("The password that a device asks for after enable, sudo or su"),
            "type_password": {
                "type": "boolean",
                "description": "The login's password may be typed too, where a device asks for it (sudo). By default it is used for the login alone."
            },
            "password_after": {
                "type": "array",
                "description": "Lines after which passwords are typed, if the device asks for one then. Patterns like those of commands. By default enable, enable *, super, super *, su, su -, su - root, sudo -i, sudo -s, sudo su and sudo su -.",
                "items": { "type": "string", "minLength": 1, "maxLength": 256 },
                "maxItems": Commands::MOST,
                "examples": [["enable", "start shell user root"]]
            },
            "from_call": {
                "type": "boolean",
                "description": "Secret arguments of a call (user, password, enable) replace the credential."
            },
            "jump": jump(2),
            "known_hosts": known_hosts(),
            "trust_on_first_use": trust_on_first_use(),
            "legacy": legacy(),
            "connections": count("Connections at once, to all targets. By default 32.", 1024),
            "connections_per_target": count("Connections at once to one target. By default 4.", 64),
            "channels": count("Commands and terminals at once on one connection; 1 for devices that take no more. By default 8.", 64),
            "sessions": count("Commands and terminals at once, of all calls together. By default 64.", 1024),
            "connect_timeout": duration("For name, connection and key exchange, and once more for the login. By default 20s."),
            "idle": duration("How long an unused connection is kept. By default 60s."),
            "timeout": duration("For one command. By default the call's time."),
            "output": {
                "type": "string",
                "description": "What is kept of one command's output, and of what a terminal said and the plugin did not read yet. By default 4MiB.",
                "pattern": "^[0-9]+(B|KiB|MiB|GiB|KB|MB|GB)$"
            }
        },
        "required": ["targets"],
        "additionalProperties": false
    })
}
