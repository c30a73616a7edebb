//! Messages that devices write into a terminal by themselves, between what they say to who is typing.

/// Whether a line is, or ends with, a message in the format of Cisco's and Arista's systems:
/// `*Mar  1 00:02:11.155: %SYS-5-CONFIG_I: Configured from console by ann on vty0`. A facility, a severity of 0 to 7 and
/// a mnemonic stand between `%` and `:`; IOS XR has several words in the facility, and a blank before the colon.
pub fn is_message(line: &str) -> bool {
    line.match_indices('%').any(|(at, _)| {
        let apart = at == 0 || line[..at].ends_with([' ', ':']);
        let Some((tag, _)) = line[at + 1..].split_once(':') else { return false };
        let tag = tag.trim_end();
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "-_".contains(c);
        let words: Vec<_> = tag.split('-').collect();
        let severity = words.iter().skip(1).position(|word| matches!(word.as_bytes(), [b'0'..=b'7']));
        apart
            && tag.chars().all(plain)
            && tag.starts_with(|c: char| c.is_ascii_uppercase())
            && severity.is_some_and(|at| at + 2 < words.len())
    })
}

#[cfg(test)]
mod tests {
    use super::is_message;

    #[test]
    fn messages_are_told_from_answers() {
        for line in [
            "*Mar  1 00:02:11.155: %SYS-5-CONFIG_I: Configured from console by ann on vty0 (192.0.2.9)",
            "Nov 16 10:00:00.123: %LINEPROTO-5-UPDOWN: Line protocol on Interface Gi0/1, changed state to down",
            "%LINK-3-UPDOWN: Interface Vlan10, changed state to up",
            "000043: Nov 16 10:00:00: %PLATFORM_ENV-1-FAN: Faulty fan",
            "RP/0/RSP0/CPU0:Nov 16 10:00:00.123 : config[65742]: %MGBL-CONFIG-6-DB_COMMIT : Configuration committed",
            "2026 Nov 16 10:00:00 n9k-1 %ETHPORT-5-IF_DOWN_CFG_CHANGE: Interface Ethernet1/1 is down",
            "Nov 16 10:00:00 leaf1 ConfigAgent: %SYS-5-CONFIG_E: Enter configuration mode from console",
        ] {
            assert!(is_message(line), "{line}");
        }
        for line in [
            "",
            "% Invalid input detected at '^' marker.",
            "%Error opening nvram:/x (Permission denied)",
            "CPU utilization for five seconds: 5%/0%; one minute: 6%",
            "  30 second input rate 0 bits/sec, 100% of: x",
            "%SYS-9-X: no severity",
            "%A-5: no mnemonic",
            "url http://a/%7E-5-x:80",
        ] {
            assert!(!is_message(line), "{line}");
        }
    }
}
