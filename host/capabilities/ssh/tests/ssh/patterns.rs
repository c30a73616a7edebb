//! Patterns of commands: what `*` matches, and above all what it does not.

use fleetgate_ssh::testing::{Commands, Pattern};

/// Lines that are never what `show *` allows, each with what it would do on some device.
const SMUGGLED: &[(&str, &str)] = &[
    ("show version; reload", "a second command"),
    ("show version;reload", "a second command"),
    ("show ;reload", "a second command"),
    ("show version | redirect tftp://evil/x", "a pipe"),
    ("show version |sh", "a pipe"),
    ("show version || reload", "a second command"),
    ("show version && reload", "a second command"),
    ("show version & reload", "a second command"),
    ("show version > /etc/passwd", "a redirection"),
    ("show version >> /etc/passwd", "a redirection"),
    ("show < /etc/shadow", "a redirection"),
    ("show <(reload)", "a substitution"),
    ("show $(reload)", "a substitution"),
    ("show ${IFS}", "a substitution"),
    ("show $HOME", "a substitution"),
    ("show `reload`", "a substitution"),
    ("show (reload)", "a subshell"),
    ("show [reload]", "a substitution of Tcl's"),
    ("show [/system reboot]", "a substitution of RouterOS's"),
    ("show {reload}", "a block of RouterOS's"),
    ("show }reload", "a block"),
    ("show \\", "a line that goes on"),
    ("show \\n reload", "an escape"),
    ("show !reload", "history"),
    ("show !!", "history"),
    ("show !$", "history"),
    ("show version\nreload", "a line feed"),
    ("show version\rreload", "a carriage return"),
    ("show version\r\nreload", "both"),
    ("show version\u{b}reload", "a vertical tab"),
    ("show version\u{c}reload", "a form feed"),
    ("show version\u{85}reload", "a next line"),
    ("show version\u{2028}reload", "a line separator"),
    ("show version\u{2029}reload", "a paragraph separator"),
    ("show version\0reload", "a null"),
    ("show ver\t", "a completion"),
    ("show\tversion", "a tab"),
    ("show version\u{1}", "ctrl-a, the line's beginning"),
    ("show version\u{3}reload", "ctrl-c"),
    ("show version\u{4}", "ctrl-d"),
    ("show version\u{8}\u{8}\u{8}", "backspaces"),
    ("show version\u{7f}", "a delete"),
    ("show version\u{e}", "ctrl-n, the next of the history"),
    ("show version\u{10}", "ctrl-p, the last of the history"),
    ("show version\u{12}", "ctrl-r, the history's search"),
    ("show version\u{15}reload", "ctrl-u, which empties the line"),
    ("show version\u{16}\n", "ctrl-v, which takes the next as it is"),
    ("show version\u{17}\u{17}reload", "ctrl-w"),
    ("show version\u{18}\u{5}", "ctrl-x ctrl-e, an editor"),
    ("show version\u{19}", "ctrl-y"),
    ("show version\u{1a}", "ctrl-z"),
    ("show version\u{1b}[A", "the key up"),
    ("show version\u{1b}[1;5A", "ctrl and up"),
    ("show version\u{1b}OA", "the key up, in another mode"),
    ("show version\u{1b}.", "the last word of the history"),
    ("show version\u{9b}A", "the key up, in eight bits"),
    ("show version\u{90}", "a device control string"),
    ("show version\u{1b}]0;x\u{7}", "an operating system command"),
    ("show version\u{1c}", "ctrl-backslash"),
    ("show version\u{1e}", "a record separator"),
    ("show vers\u{200b}ion", "a zero width space"),
    ("show \u{202e}noisrev", "a right-to-left override"),
    ("show \u{feff}version", "a byte order mark"),
    ("show v\u{e9}rsion", "eight bits"),
    ("show \u{ff1b} reload", "a full-width semicolon"),
    ("show \u{ff5c} sh", "a full-width pipe"),
    ("show \u{2018}x", "a quotation mark that some turn into a straight one"),
    ("show \u{a0}version", "a no-break space"),
    ("show \u{e0041}", "a tag character"),
    (" show version", "a space before"),
    ("SHOW version", "capitals"),
    ("show", "less than was allowed"),
    ("showversion", "another word"),
    ("do show version", "a word before"),
    ("reload", "another command"),
    ("", "nothing"),
];

#[test]
fn what_is_smuggled_behind_an_allowed_command_is_not_allowed() {
    assert!(SMUGGLED.len() >= 60);
    let show = Pattern::parse("show *").unwrap();
    for (line, what) in SMUGGLED {
        assert!(!show.matches(line), "{what}: {line:?}");
    }
    let all = Commands::new(vec![Pattern::parse("show *").unwrap(), Pattern::parse("* *").unwrap()]);
    for (line, what) in SMUGGLED.iter().filter(|(line, _)| line.starts_with("show ")) {
        assert!(!all.allow(line), "{what}: {line:?}");
    }
}

#[test]
fn what_is_meant_is_allowed() {
    for (pattern, line) in [
        ("show *", "show version"),
        ("show *", "show "),
        ("show *", "show ip route 10.0.0.0 255.0.0.0"),
        ("show *", "show interfaces GigabitEthernet1/0/1"),
        ("show *", "show ip bgp regexp ^65000_"),
        ("show *", "show logging last 50 % \"#=+-_~@:/.,'?"),
        ("show ip * detail", "show ip route detail"),
        ("show ip * detail", "show ip ospf neighbor detail"),
        ("show running-config | include *", "show running-config | include hostname"),
        ("ping 10.0.0.?", "ping 10.0.0.?"),
        ("clear ip bgp \\*", "clear ip bgp *"),
        ("dir c:\\\\*", "dir c:\\temp"),
        ("description B\u{fc}ro *", "description B\u{fc}ro 12"),
        ("*", "anything at all"),
        ("a*b*c", "abc"),
        ("a*b*c", "a1b2b3c"),
        ("*aab", "aaaab"),
    ] {
        assert!(Pattern::parse(pattern).unwrap().matches(line), "{pattern:?} {line:?}");
    }
}

#[test]
fn what_stands_in_a_pattern_is_taken_as_it_is() {
    for (pattern, line) in [
        ("show running-config | include *", "show running-config | exclude x"),
        ("show running-config | include *", "show running-config | include x | redirect flash:x"),
        ("clear ip bgp \\*", "clear ip bgp 10.0.0.1"),
        ("ping 10.0.0.?", "ping 10.0.0.1"),
        ("show version", "show version "),
        ("a*b*c", "a1b2"),
        ("show.*", "show version"),
        ("show [a-z]*", "show v"),
    ] {
        assert!(!Pattern::parse(pattern).unwrap().matches(line), "{pattern:?} {line:?}");
    }
    let quick = Pattern::parse("*").unwrap();
    assert!(!quick.matches("^show^reload^"), "at the beginning of a line it is a substitution");
    assert!(quick.matches("grep ^show"));
}

#[test]
fn a_long_line_against_many_stars_is_decided_at_once() {
    let pattern = Pattern::parse(&"a*".repeat(100)).unwrap();
    assert!(!pattern.matches(&format!("{}b;", "a".repeat(4000))));
    assert!(pattern.matches(&"a".repeat(4000)));
}

#[test]
fn what_is_no_pattern_says_why() {
    for (text, why) in [
        ("", "empty"),
        ("show\nversion", "not printable"),
        ("show\tversion", "not printable"),
        ("show \u{1b}[A", "not printable"),
        ("show \u{202e}", "not printable"),
        ("show \\d", "a backslash"),
        ("show \\", "a backslash"),
    ] {
        let error = Pattern::parse(text).unwrap_err();
        assert!(error.to_string().contains(why), "{text:?}: {error}");
        assert!(!error.help().is_empty());
    }
    assert!(Pattern::parse(&"x".repeat(257)).is_err());
}

#[test]
fn a_pattern_lies_within_another_when_all_its_lines_do() {
    let covers =
        |wide: &str, narrow: &str| Pattern::parse(wide).unwrap().covers(&Pattern::parse(narrow).unwrap());
    for (wide, narrow) in [
        ("show *", "show *"),
        ("show *", "show version"),
        ("show *", "show ip *"),
        ("*", "show *"),
        ("show * detail", "show ip * detail"),
        ("clear \\*", "clear \\*"),
    ] {
        assert!(covers(wide, narrow), "{wide:?} {narrow:?}");
    }
    for (wide, narrow) in [
        ("show version", "show *"),
        ("show *", "sh *"),
        ("show *", "*"),
        ("show *", "show version | include x"),
        ("*", "a;b"),
        ("clear \\*", "clear *"),
        ("a*b", "a*"),
        // Matches `^x`, which runs the last command again with something else in it.
        ("*", "*^x"),
        ("*", "*^show^reload"),
    ] {
        assert!(!covers(wide, narrow), "{wide:?} {narrow:?}");
    }
}
