use crate::home::Home;

#[test]
fn where_no_event_was_ever_handled_looking_makes_no_store_and_says_so() {
    let home = Home::new();
    home.config("");
    for command in ["list", "dead"] {
        let ran = home.run(&["events", command]);
        assert_eq!((ran.code(), ran.out()), (0, String::new()), "{}", ran.err());
        assert!(
            ran.err().contains("no event was ever handled") || ran.err().contains("nothing was set aside")
        );
        let ran = home.run(&["events", command, "--json"]);
        assert_eq!((ran.code(), ran.out(), ran.err()), (0, String::new(), String::new()));
    }
    for command in ["retry", "drop"] {
        home.run(&["events", command, "lab", "news", "--all"])
            .refused(1, &["no event was ever handled here"]);
    }
    assert!(!home.path().join(".config/fleetgate/.fleetgate/store").exists());
}

#[test]
fn whoever_settles_events_says_which() {
    let home = Home::new();
    home.config("");
    for command in ["retry", "drop"] {
        home.run(&["events", command, "lab", "news"]).refused(2, &["<ID>"]);
        home.run(&["events", command, "lab", "news", "abc", "--all"]).refused(2, &["--all"]);
        home.run(&["events", command, "lab"]).refused(2, &["<EVENT>"]);
    }
}
