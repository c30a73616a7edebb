//! Moments as people type them: `2h` (ago), `2026-03-01`, `2026-03-01T10:00`, or RFC 3339 in full.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// For clap. Without a zone, the local one is meant.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    read(text, &Zoned::now()).ok_or_else(|| {
        "write how long ago (30m, 2h, 7d), a day (2026-03-01), or a time (2026-03-01T10:00, 2026-03-01T10:00:00Z)"
            .to_owned()
    })
}

fn read(text: &str, now: &Zoned) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    if let Ok(local) = text.parse::<DateTime>() {
        let zone: TimeZone = now.time_zone().clone();
        return local.to_zoned(zone).ok().map(|zoned| zoned.timestamp());
    }
    // Years and months would be possible, but a sign would not be what it says.
    let ago: Span = text.parse().ok().filter(|span: &Span| !span.is_negative())?;
    now.checked_sub(ago).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::read;

    fn at(text: &str) -> Option<String> {
        let now = "2026-03-10T12:00:00+01:00[Europe/Berlin]".parse().unwrap();
        read(text, &now).map(|moment| moment.to_string())
    }

    #[test]
    fn moments_are_read_as_people_type_them() {
        assert_eq!(at("2h").as_deref(), Some("2026-03-10T09:00:00Z"));
        assert_eq!(at("7d").as_deref(), Some("2026-03-03T11:00:00Z"));
        assert_eq!(at("1h30m").as_deref(), Some("2026-03-10T09:30:00Z"));
        assert_eq!(at("2026-03-01").as_deref(), Some("2026-02-28T23:00:00Z"));
        assert_eq!(at("2026-03-01T10:00").as_deref(), Some("2026-03-01T09:00:00Z"));
        assert_eq!(at("2026-03-01T10:00:00Z").as_deref(), Some("2026-03-01T10:00:00Z"));
        assert_eq!(at("2026-03-01T10:00:00+05:00").as_deref(), Some("2026-03-01T05:00:00Z"));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in ["", "yesterday", "2026-13-01", "-2h", "12"] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
