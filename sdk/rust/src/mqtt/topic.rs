//! Topics and filters, by MQTT's own rules (MQTT 5.0 and 3.1.1, section 4.7).

use super::MqttError;

/// The most bytes of a topic or a filter: its length is written in two bytes.
const LONGEST: usize = 65_535;

/// A topic of these levels: `topic(["jettyd", tenant, device, "command"])`. No level can become another place: one that
/// is empty, or has a `/`, `+`, `#` or control character, is refused.
///
/// # Errors
/// `invalid`, with the level that cannot be one.
pub fn topic<L: AsRef<str>>(levels: impl IntoIterator<Item = L>) -> Result<String, MqttError> {
    let mut topic = String::new();
    for (at, level) in levels.into_iter().enumerate() {
        let level = level.as_ref();
        if level.is_empty() || level.contains(['/', '+', '#']) || level.chars().any(char::is_control) {
            let message =
                format!("{level:?} cannot be a level of a topic: it has characters, but no /, + or #");
            return Err(MqttError::new("invalid", message));
        }
        if at > 0 {
            topic.push('/');
        }
        topic.push_str(level);
    }
    check_topic(&topic)?;
    Ok(topic)
}

/// Whether a topic lies in a filter. What begins with `$` is matched by no filter that begins with a wildcard.
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (mut wanted, mut levels) = (filter.split('/'), topic.split('/'));
    loop {
        match (wanted.next(), levels.next()) {
            // `a/#` matches `a` too.
            (Some("#"), _) => return true,
            (Some("+"), Some(_)) => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// Whether a filter matches all that another one does.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn covers(wide: &str, narrow: &str) -> bool {
    if narrow.starts_with('$') && wide.starts_with(['+', '#']) {
        return false;
    }
    let (mut wide, mut narrow) = (wide.split('/'), narrow.split('/'));
    loop {
        match (wide.next(), narrow.next()) {
            (Some("#"), _) => return true,
            (_, Some("#")) => return false,
            (Some("+"), Some(_)) => {}
            (Some(wide), Some(narrow)) if wide == narrow => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// What can be published to.
pub(crate) fn check_topic(topic: &str) -> Result<(), MqttError> {
    if topic.is_empty() || topic.len() > LONGEST || topic.contains(['+', '#', '\0']) {
        let message = "a topic has 1 to 65535 bytes, and no +, # or NUL";
        return Err(MqttError::new("invalid", message));
    }
    Ok(())
}

/// What can be listened to.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn check_filter(filter: &str) -> Result<(), MqttError> {
    let levels = filter.split('/').collect::<Vec<_>>();
    let fits = levels.iter().enumerate().all(|(at, level)| match *level {
        "+" => true,
        "#" => at + 1 == levels.len(),
        level => !level.contains(['+', '#']),
    });
    if !fits || filter.is_empty() || filter.len() > LONGEST || filter.contains('\0') {
        let message =
            format!("{filter:?} is no topic filter: + stands for one level, and # for all at the end");
        return Err(MqttError::new("invalid", message));
    }
    Ok(())
}
