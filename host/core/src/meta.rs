//! `_meta`: the keys that are no plugin's.
//!
//! A plugin that set one of them would speak for the protocol, or for the host. They are dropped from whatever a
//! plugin says, wherever it says it.

/// What the keys begin with by which this host says something.
pub const OWN_PREFIX: &str = "dev.fleetgate";
/// Keys without a prefix that belong to the protocol.
const BARE: [&str; 4] = ["progressToken", "traceparent", "tracestate", "baggage"];

/// Whether a key of `_meta` is the protocol's or the host's.
///
/// The specification of 2026-07-28 (`basic/index`, "`_meta`") reserves prefixes whose second label is `mcp` or
/// `modelcontextprotocol`; 2025-06-18 and 2025-11-25 reserve those where such a label is followed by one more. Both are
/// kept, and a first label of that name too.
pub fn is_reserved(key: &str) -> bool {
    let Some((prefix, _)) = key.rsplit_once('/') else { return BARE.contains(&key) };
    // A key has one slash; of one that has more, no part may be taken for such a prefix.
    prefix.split('/').any(|prefix| is_own(prefix) || is_protocols(prefix))
}

fn is_own(prefix: &str) -> bool {
    let mut labels = prefix.split('.');
    OWN_PREFIX.split('.').all(|own| labels.next().is_some_and(|label| label.eq_ignore_ascii_case(own)))
}

fn is_protocols(prefix: &str) -> bool {
    let labels: Vec<&str> = prefix.split('.').collect();
    labels.iter().enumerate().any(|(at, label)| {
        let protocols = ["mcp", "modelcontextprotocol"].iter().any(|own| label.eq_ignore_ascii_case(own));
        protocols && (at <= 1 || at + 1 < labels.len())
    })
}

#[cfg(test)]
mod tests {
    use super::is_reserved;

    #[test]
    fn keys_of_the_protocol_and_of_the_host_are_reserved_however_they_are_spelled() {
        for key in [
            "io.modelcontextprotocol/serverInfo",
            "IO.ModelContextProtocol/serverInfo",
            "dev.mcp/x",
            "com.mcp.tools/x",
            "com.example.mcp.tools/x",
            "mcp/x",
            "mcp.dev/x",
            "org.modelcontextprotocol.api/x",
            "modelcontextprotocol.io/x",
            "a/io.modelcontextprotocol/x",
            "dev.fleetgate/binding",
            "Dev.Fleetgate/binding",
            "dev.fleetgate.more/x",
            "progressToken",
            "traceparent",
            "tracestate",
            "baggage",
        ] {
            assert!(is_reserved(key), "{key}");
        }
        for key in [
            "com.example.mcp/x",
            "com.example/x",
            "com.example/mcp",
            "dev.fleetgates/x",
            "com.dev.fleetgate/x",
            "dev/fleetgate",
            "ui",
            "plain",
            "mcp",
            "",
        ] {
            assert!(!is_reserved(key), "{key}");
        }
    }
}
