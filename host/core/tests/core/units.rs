//! Durations and sizes.

use std::time::Duration;

use fleetgate_core::units::{format_duration, format_size, parse_duration, parse_size};

#[test]
fn a_duration_is_a_number_and_a_unit() {
    for (text, millis) in
        [("500ms", 500), ("2s", 2000), ("5m", 300_000), ("1h", 3_600_000), ("0s", 0), ("007s", 7000)]
    {
        assert_eq!(parse_duration(text).unwrap(), Duration::from_millis(millis));
    }
}

#[test]
fn a_size_is_a_number_and_a_unit() {
    for (text, bytes) in [
        ("5B", 5),
        ("64KiB", 65_536),
        ("16MiB", 16 << 20),
        ("1GiB", 1 << 30),
        ("10KB", 10_000),
        ("1MB", 1_000_000),
        ("1GB", 1_000_000_000),
    ] {
        assert_eq!(parse_size(text).unwrap(), bytes);
    }
}

#[test]
fn a_wrong_spelling_is_answered_with_the_right_one() {
    for (text, help) in [
        ("30", "write 30s or 30ms"),
        ("2S", "write 2s"),
        ("2 s", "write 2s"),
        ("2sec", "write 500ms, 30s, 5m or 1h"),
        ("1.5s", "write 500ms, 30s, 5m or 1h"),
        ("-1s", "write 500ms, 30s, 5m or 1h"),
        ("s", "write 500ms, 30s, 5m or 1h"),
        ("", "write 500ms, 30s, 5m or 1h"),
        ("1h30m", "write 500ms, 30s, 5m or 1h"),
        ("99999999999999999999s", "write a smaller number"),
        ("18446744073709551615h", "write a smaller number"),
    ] {
        assert_eq!(parse_duration(text).unwrap_err().help(), help, "{text}");
    }
    for (text, help) in [
        ("64", "write 64MiB or 64KiB"),
        ("64mib", "write 64MiB"),
        ("64M", "write 64KiB, 16MiB or 1GiB"),
        ("18446744073709551615KiB", "write a smaller number"),
    ] {
        assert_eq!(parse_size(text).unwrap_err().help(), help, "{text}");
    }
}

#[test]
fn what_is_written_back_reads_the_same() {
    for text in ["0ms", "1ms", "1500ms", "2s", "90s", "5m", "1h", "36h"] {
        assert_eq!(format_duration(parse_duration(text).unwrap()), text);
    }
    for text in ["0B", "5B", "1000B", "64KiB", "16MiB", "3GiB", "1025KiB"] {
        assert_eq!(format_size(parse_size(text).unwrap()), text);
    }
    assert_eq!(format_duration(Duration::from_secs(60)), "1m");
    assert_eq!(format_size(u64::MAX), format!("{}B", u64::MAX));
}
