//! What a device shows of the line that was typed, which is no answer to it.

use super::syslog;

/// Where the echo of a command begins, and what comes after it. A terminal shows the prompt and the command in one
/// line; spaces and line ends in it are the device's own, which folds long lines.
pub fn split_at_echo<'a>(written: &'a str, before: &str, command: &str) -> Option<(&'a str, &'a str)> {
    if let Some(after) = after_echo(written, before, command) {
        return Some(("", after));
    }
    let again = written.match_indices(before).filter(|_| !before.is_empty()).find_map(|(at, _)| {
        let begins = at > 0 && written.as_bytes()[at - 1] == b'\n';
        let after = begins.then(|| after_echo(&written[at..], before, command)).flatten()?;
        Some((&written[..at], after))
    });
    again.or_else(|| Some(("", after_messages(written, before, command)?)))
}

/// What comes after the echo, where messages of the device's own came behind the prompt, which some show again and others
/// do not.
fn after_messages<'a>(written: &'a str, before: &str, command: &str) -> Option<&'a str> {
    let mut rest = written.strip_prefix(before).unwrap_or(written);
    let mut messages = 0;
    while let Some((line, after)) = rest.split_once('\n') {
        match line {
            line if line.trim().is_empty() => {}
            line if syslog::is_message(line) => messages += 1,
            _ => return after_echo(rest, before, command).filter(|_| messages > 0),
        }
        rest = after;
    }
    None
}

/// What comes after the echo, where the text begins with it.
fn after_echo<'a>(written: &'a str, before: &str, command: &str) -> Option<&'a str> {
    let text = written.strip_prefix(before).unwrap_or(written);
    let mut left = command.chars().filter(|c| !c.is_whitespace()).peekable();
    let mut end = 0;
    for (at, character) in text.char_indices() {
        if left.peek().is_none() {
            break;
        }
        if !character.is_whitespace() && left.next() != Some(character) {
            return None;
        }
        end = at + character.len_utf8();
    }
    let (line, after) = text[end..].split_once('\n').unwrap_or((&text[end..], ""));
    (left.peek().is_none() && line.trim().is_empty()).then_some(after)
}

/// An answer without the echo of its command.
pub fn without_echo<'a>(written: &'a str, before: &str, command: &str) -> &'a str {
    if let Some((_, after)) = split_at_echo(written, before, command) {
        return after;
    }
    // A long line that scrolls sideways (`$`), or a prompt that stood there alone.
    match written.strip_prefix(before) {
        Some(text) if !before.is_empty() => match text.split_once('\n').unwrap_or((text, "")) {
            (line, after)
                if line.contains('$') || line.trim().is_empty() || is_begun(line, after, command) =>
            {
                after
            }
            _ => text,
        },
        _ => written,
    }
}

/// Junos stops showing a line where it goes wrong, and points there.
fn is_begun(line: &str, after: &str, command: &str) -> bool {
    let begun = line.trim();
    !begun.is_empty()
        && command.starts_with(begun)
        && after.lines().next().is_some_and(|next| next.trim() == "^")
}

#[cfg(test)]
mod tests {
    use super::without_echo;

    #[test]
    fn the_echo_is_taken_off_however_the_device_shows_it() {
        for (written, expected) in [
            ("R1#show clock\n12:00\n", "12:00\n"),
            ("R1# show clock  \n12:00\n", "12:00\n"),
            ("R1#show clock", ""),
            // Folded, not shown, scrolled.
            ("R1#show cl\nock\n12:00\n", "12:00\n"),
            ("R1#\n12:00\n", "12:00\n"),
            ("R1#$w clock\n12:00\n", "12:00\n"),
            // Shown as far as it was understood.
            ("R1#show \n      ^\nunknown command.\n", "      ^\nunknown command.\n"),
            // No echo, and the answer begins at once.
            ("R1#12:00\n", "12:00\n"),
            // The answer repeats the command.
            ("R1#show clock\nshow clock\n", "show clock\n"),
            ("R1#show clock detail\n", "show clock detail\n"),
            // Messages behind the prompt, which is shown again or is not.
            ("R1#\n*Mar  1 00:00:01: %SYS-5-CONFIG_I: Configured\nshow clock\n12:00\n", "12:00\n"),
            ("R1#*Mar  1 00:00:01: %SYS-5-CONFIG_I: Configured\nR1#show clock\n12:00\n", "12:00\n"),
            // The rest of the answer before.
            ("R1# was the hub\nR1#show clock\n12:00\n", "12:00\n"),
        ] {
            assert_eq!(without_echo(written, "R1#", "show clock"), expected, "{written:?}");
        }
    }
}
