//! What devices write, and what is seen of it.

use super::Screen;

fn seen(written: &str) -> (String, String) {
    // In pieces of every length, since a device may write in any.
    let whole = one(written, usize::MAX);
    for length in [1, 2, 3, 7] {
        assert_eq!(one(written, length), whole, "{written:?} in pieces of {length}");
    }
    whole
}

fn one(written: &str, length: usize) -> (String, String) {
    let mut screen = Screen::new(1 << 20, false);
    for piece in written.as_bytes().chunks(length.min(written.len().max(1))) {
        screen.feed(piece);
    }
    (screen.take(), screen.line())
}

#[test]
fn every_kind_of_line_end_ends_one_line() {
    assert_eq!(seen("a\r\nb\nc\r\r\nd\n\rR1#"), ("a\nb\nc\nd\n".into(), "R1#".into()));
}

#[test]
fn colours_titles_and_modes_are_not_text() {
    let written = "\u{1b}]0;r1: ~\u{7}\u{1b}[?25h\u{1b}(B\u{1b}[1;32muser@r1\u{1b}[0m:\u{1b}[34m~\u{1b}[0m$ ";
    assert_eq!(seen(written), (String::new(), "user@r1:~$".into()));
}

#[test]
fn a_pager_line_that_is_taken_back_leaves_nothing() {
    // IOS, IOS XE: backspaces, spaces, backspaces.
    let back = "\u{8}".repeat(9);
    let written = format!("one\r\n --More-- {back}        {back}   two\r\n");
    assert_eq!(seen(&written).0, "one\n   two\n");
    let written = format!("one\r\n --More-- {back}        {back}\r\n");
    assert_eq!(seen(&written).0, "one\n\n");
    // FortiOS, Junos: over it with a carriage return.
    assert_eq!(seen("one\r\n--More-- \r         \rset a\r\n").0, "one\nset a\n");
    assert_eq!(seen("---(more 45%)---\r\u{1b}[Ktwo\r\n").0, "two\n");
}

#[test]
fn a_pager_line_that_stays_is_taken_out_when_it_was_answered() {
    for after in ["\r\ntwo\r\n", "two\r\n"] {
        let mut screen = Screen::new(1000, false);
        screen.feed(b"one\r\n--More--");
        screen.answer_pager();
        screen.feed(after.as_bytes());
        assert_eq!(screen.take(), "one\ntwo\n", "{after:?}");
    }
}

#[test]
fn spaces_at_the_end_of_a_line_are_the_devices_own() {
    assert_eq!(seen("Gi0/1     \r\nGi0/2").0, "Gi0/1     \n");
}

#[test]
fn a_prompt_that_is_painted_twice_stands_there_once() {
    // RouterOS.
    let written = "[admin@gw] > \r[admin@gw] > /ip address print\r\n";
    assert_eq!(seen(written).0, "[admin@gw] > /ip address print\n");
    // ProCurve places everything by row and column.
    let written = "\u{1b}[24;1H\u{1b}[2K\u{1b}[24;1H\u{1b}[1;24r\u{1b}[24;1HSW1# \u{1b}[24;1H\u{1b}[24;6H\u{1b}[?25h\
                   \u{1b}[24;6Hshow time\u{1b}[24;6H\u{1b}[24;15H\u{1b}E\u{1b}[24;1H\u{1b}[24;1HMon\u{1b}E";
    assert_eq!(seen(written).0, "SW1# show time\nMon\n");
}

#[test]
fn a_screen_that_moves_up_ends_the_line() {
    let enter =
        "\u{1b}[1;0H\u{1b}[1M\u{1b}[24;1H\u{1b}[1L\u{1b}[24;15H\u{1b}[24;1H\u{1b}[2K\u{1b}[24;1H\u{1b}E";
    let written = format!("\u{1b}[24;1HSW1# \u{1b}[24;6Hshow time{enter}Mon\r\n");
    assert_eq!(seen(&written).0, "SW1# show time\n\nMon\n");
}

#[test]
fn a_return_alone_ends_a_line_where_devices_use_it_so() {
    let mut screen = Screen::new(1000, true);
    screen.feed(b"md5\rsum\r\r\nnext\r\n");
    assert_eq!(screen.take(), "md5\nsum\nnext\n");
    screen.feed(b"--More--\r        \rtail\r\n");
    assert_eq!(screen.take(), "tail\n");
}

#[test]
fn characters_of_several_bytes_and_broken_ones_are_both_read() {
    assert_eq!(seen("Zürich €\r\n").0, "Zürich €\n");
    let mut screen = Screen::new(1000, false);
    screen.feed(b"Z\xfcrich\r\n\xff");
    assert_eq!(screen.take(), "Z\u{fffd}rich\n");
}

#[test]
fn what_is_over_the_limit_is_dropped_and_said() {
    let mut screen = Screen::new(10, false);
    screen.feed("12345\n12345\n12345\nR1#".as_bytes());
    assert_eq!((screen.is_cut(), screen.take(), screen.line()), (true, "12345\n".into(), "R1#".into()));
    screen.feed("x".repeat(1 << 20).as_bytes());
    assert!(!screen.is_short() && screen.width() <= super::line::WIDEST);
}

#[test]
fn hostile_sequences_are_bounded() {
    let mut screen = Screen::new(1000, false);
    screen.feed(format!("\u{1b}[{}", "9".repeat(10_000)).as_bytes());
    screen.feed(b"\x1b[99999999999999C\x1b[4000000000;4000000000Hx\x1b[999999D\x1b[99999PR1#");
    assert_eq!(screen.line(), "R1#");
}
