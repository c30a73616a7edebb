//! Settings.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Harness;

fn with<T>(value: &str, read: impl FnOnce() -> T) -> T {
    Harness::new().config("k", value).run(read)
}

#[test]
fn a_setting_that_is_not_there_is_none_or_the_default() {
    Harness::new().run(|| {
        assert_eq!(config::get("k"), None);
        assert_eq!(config::get_or("k", "x"), "x");
        assert_eq!(config::boolean("k"), Ok(None));
        assert_eq!(config::duration("k"), Ok(None));
    });
    assert_eq!(config::get("k"), None, "also without a harness");
    assert_eq!(with("y", || config::get_or("k", "x")), "y");
}

#[test]
fn flags_and_numbers_are_read() {
    assert_eq!(with("true", || config::boolean("k")), Ok(Some(true)));
    assert_eq!(with("false", || config::boolean("k")), Ok(Some(false)));
    assert_eq!(with("-7", || config::integer("k")), Ok(Some(-7)));
    assert_eq!(with("2.5", || config::number("k")), Ok(Some(2.5)));
}

#[test]
fn durations_carry_units() {
    let cases = [
        ("500ms", 500),
        ("2s", 2_000),
        ("5m", 300_000),
        ("1h", 3_600_000),
        ("1d", 86_400_000),
        ("1m30s", 90_000),
        ("0s", 0),
    ];
    for (text, milliseconds) in cases {
        assert_eq!(
            with(text, || config::duration("k")),
            Ok(Some(Duration::from_millis(milliseconds))),
            "{text}"
        );
    }
    assert_eq!(with("3us", || config::duration("k")), Ok(Some(Duration::from_micros(3))));
    assert_eq!(with("3ns", || config::duration("k")), Ok(Some(Duration::from_nanos(3))));
}

#[test]
fn sizes_carry_units() {
    for (text, bytes) in
        [("7", 7), ("7B", 7), ("1KB", 1_000), ("2MB", 2_000_000), ("1KiB", 1_024), ("64MiB", 64 << 20)]
    {
        assert_eq!(with(text, || config::size("k")), Ok(Some(bytes)), "{text}");
    }
}

#[test]
fn lists_and_tables_are_json() {
    assert_eq!(
        with("[\"a\",\"b\"]", || config::json::<Vec<String>>("k")),
        Ok(Some(vec!["a".into(), "b".into()]))
    );
}

#[test]
fn a_setting_of_another_type_is_an_internal_fault_that_names_it() {
    let faults = [
        with("yes", || config::boolean("k").map(drop)),
        with("1.5", || config::integer("k").map(drop)),
        with("NaN", || config::number("k").map(drop)),
        with("{", || config::json::<Value>("k").map(drop)),
        with("5", || config::duration("k").map(drop)),
        with("5 weeks", || config::duration("k").map(drop)),
        with("", || config::duration("k").map(drop)),
        with("99999999999999999999d", || config::duration("k").map(drop)),
        with("18446744073709551615d", || config::duration("k").map(drop)),
        with("MiB", || config::size("k").map(drop)),
        with("5 parsecs", || config::size("k").map(drop)),
        with("18446744073709551615GiB", || config::size("k").map(drop)),
    ];
    for fault in faults {
        let fault = fault.expect_err("it is another type");
        assert!(fault.is("internal"), "{fault}");
        assert!(fault.message.starts_with("The setting `k` is "), "{fault}");
    }
}
