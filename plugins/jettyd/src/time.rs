//! Instants: as callers write them, and as devices and servers do.

use std::time::{Duration, SystemTime};

use fleetgate_sdk::prelude::*;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Numbers up to here are seconds; as milliseconds they would lie before 1973.
const MOST_SECONDS: f64 = 1e11;
/// Numbers up to here are milliseconds, then microseconds, then nanoseconds.
const MOST_MILLISECONDS: f64 = 1e14;
const MOST_MICROSECONDS: f64 = 1e17;

/// Now, by the host's clock.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    of_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Of Unix milliseconds; what no calendar has is the last instant that it has.
#[must_use]
pub fn of_ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// A time that lies further ahead is the mistake of a clock, and not of now.
const AHEAD: Duration = Duration::from_secs(300);

/// Whether a time is one that cannot have been yet.
#[must_use]
pub fn is_ahead(at: Timestamp, now: Timestamp) -> bool {
    at > now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX)
}

/// An argument in RFC 3339, with an offset. `field` is its JSON pointer.
pub fn argument(field: &str, text: &str) -> Result<Timestamp, Fault> {
    rfc3339(text).ok_or_else(|| {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(64).collect();
        Fault::invalid(
            field,
            format!(
                "`{shown}` is not a time in RFC 3339 from the year 0000 to 9999-12-30. Write it with an offset from UTC \
                 below 24 hours, like 2025-05-19T00:00:00Z or 2025-05-19T02:00:00+02:00."
            ),
        )
    })
}

/// The parser behind it takes more than RFC 3339 has; the shape is looked at first.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b'T' | b't' | b' ')
        && bytes[13] == b':'
        && bytes[16] == b':'
        && !text.contains('[')
        && text.get(19..).is_some_and(|rest| {
            is_offset(rest.trim_start_matches(|c: char| matches!(c, '.' | ',') || c.is_ascii_digit()))
        });
    shaped.then(|| text.parse().ok()).flatten()
}

/// `Z`, or a sign, hours to 23 and minutes to 59 (RFC 3339, section 5.6). Some servers leave out the colon, or the minutes.
fn is_offset(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else { return text.eq_ignore_ascii_case("z") };
    let (hours, minutes) = offset.split_at_checked(2).unwrap_or((offset, ""));
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let within = |digits: &str, end: u8| {
        digits.len() == 2
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && digits.parse().is_ok_and(|number: u8| number < end)
    };
    within(hours, 24) && (offset.len() == 2 || within(minutes, 60))
}

/// What a device or a server wrote: Unix seconds, milliseconds, microseconds or nanoseconds, as a number or as its
/// digits, or RFC 3339. Servers that keep their times in UTC leave the offset out. None: nothing that can be understood,
/// or what some write for never, which is zero or the year 1.
#[must_use]
pub fn read(value: &Value) -> Option<Timestamp> {
    let at = match value {
        Value::Number(number) => of_number(number.as_f64()?),
        Value::String(text) => {
            let text = text.trim();
            rfc3339(text).or_else(|| without_offset(text)).or_else(|| of_number(text.parse().ok()?))
        }
        _ => None,
    };
    at.filter(|at| *at > Timestamp::UNIX_EPOCH)
}

/// `2024-03-18T12:00:00` or `2024-03-18 12:00:00.5`, in UTC.
fn without_offset(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_at_checked(19)?;
    let fraction = fraction.is_empty()
        || fraction.strip_prefix('.').is_some_and(|f| f.bytes().all(|b| b.is_ascii_digit()));
    let at: DateTime = text.parse().ok().filter(|_| fraction && seconds.is_ascii())?;
    TimeZone::UTC.to_timestamp(at).ok()
}

fn of_number(number: f64) -> Option<Timestamp> {
    let ms = match number.abs() {
        size if !number.is_finite() || size == 0.0 => return None,
        size if size < MOST_SECONDS => number * 1e3,
        size if size < MOST_MILLISECONDS => number,
        size if size < MOST_MICROSECONDS => number / 1e3,
        _ => number / 1e6,
    };
    // A float beyond the range becomes its end, which the calendar then refuses.
    #[allow(clippy::cast_possible_truncation)]
    Timestamp::from_millisecond(ms.round() as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_milliseconds_and_words_mean_the_same_instant() {
        let expected: Timestamp = "2024-03-18T12:00:00Z".parse().expect("a time");
        for written in [
            json!(1_710_763_200),
            json!(1_710_763_200.0),
            json!(1_710_763_200_000_i64),
            json!(1_710_763_200_000_000_i64),
            json!(1_710_763_200_000_000_000_i64),
            json!("1710763200"),
            json!("1710763200000"),
            json!("2024-03-18T12:00:00Z"),
            json!("2024-03-18T13:00:00+01:00"),
            json!("2024-03-18 12:00:00.000Z"),
            json!("2024-03-18T12:00:00z"),
            json!("2024-03-19T11:59:00+23:59"),
            json!("2024-03-17T12:01:00-23:59"),
            json!("2024-03-18T12:00:00-00:00"),
            json!("2024-03-18T17:30:00+0530"),
            json!("2024-03-18T13:00:00+01"),
            json!("2024-03-18 12:00:00+00"),
            json!("2024-03-18T12:00:00"),
            json!("2024-03-18 12:00:00.000"),
        ] {
            assert_eq!(read(&written), Some(expected), "{written}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for written in [
            json!(null),
            json!(0),
            json!(-5),
            json!(true),
            json!("soon"),
            json!("2024-03-18"),
            json!("2024-02-30T12:00:00"),
            json!("0001-01-01T00:00:00Z"),
            json!("1970-01-01T00:00:00Z"),
            json!({}),
            json!(1e300),
            json!("2024-03-18T12:00:00+25:00"),
            json!("2024-03-18T12:00:00+"),
            json!("2024-03-18T12:00:00[Europe/Rome]"),
        ] {
            assert_eq!(read(&written), None, "{written}");
        }
    }

    #[test]
    fn an_argument_needs_a_date_a_time_and_an_offset() {
        for wrong in [
            "",
            "yesterday",
            "2025-05-19",
            "2025-05-19T00:00:00",
            "1710763200",
            "2025-13-19T00:00:00Z",
            "20250519T000000Z",
            "2025-05-19T00:00:00+25:00",
            "2025-05-19T00:00:00+24:00",
            "2025-05-19T00:00:00-24:00",
            "2025-05-19T00:00:00+01:60",
            "2025-05-19T00:00:00+01:00:30",
            "2025-05-19T00:00:00+01:",
            "2025-05-19T00:00:00+1:00",
            "2025-05-19T00:00:00+0x:00",
            "2025-05-19T00:00:00+é1",
            "2025-05-19T00:00:00+",
            "2025-05-19T00:00:00ZZ",
            "2025-05-19T00:00:00é",
            "2025-05-19T00:00:0éZ00",
        ] {
            let fault = argument("/from", wrong).expect_err("it is no time");
            assert_eq!(
                (fault.code.as_str(), fault.field.as_deref()),
                ("invalid-arguments", Some("/from")),
                "{wrong}"
            );
        }
        assert!(argument("/from", "2025-05-19T02:00:00.5+02:00").is_ok());
    }
}
