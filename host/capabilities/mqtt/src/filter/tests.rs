//! The rules against their own words, and against trying every topic of a small world.

use super::*;

fn filter(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn filters(texts: &[&str]) -> Filters {
    Filters::new(texts.iter().map(|text| filter(text)))
}

/// Texts of up to `most` of these levels.
fn texts(levels: &[&str], most: usize) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut of_length: Vec<String> = levels.iter().map(|level| (*level).to_owned()).collect();
    for _ in 0..most {
        let longer =
            of_length.iter().flat_map(|begin| levels.iter().map(move |level| format!("{begin}/{level}")));
        let longer = longer.collect();
        all.append(&mut std::mem::replace(&mut of_length, longer));
    }
    // One empty level alone is no topic.
    all.retain(|text| !text.is_empty());
    all
}

/// What section 4.7 says, written as it is said: level by level, backtracking where `#` may stop.
fn says(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) => true,
        (["+", rest @ ..], [_, more @ ..]) => says(rest, more),
        ([name, rest @ ..], [level, more @ ..]) => name == level && says(rest, more),
        ([], []) => true,
        _ => false,
    }
}

fn spec(filter: &str, topic: &str) -> bool {
    let wild = filter.starts_with(['+', '#']);
    let (filter, topic_levels): (Vec<_>, Vec<_>) = (filter.split('/').collect(), topic.split('/').collect());
    says(&filter, &topic_levels) && !(wild && topic.starts_with('$'))
}

/// All filters of up to three levels over a small alphabet. `x` and `y` never stand in filters: they are the levels
/// that nobody has named.
fn small_filters() -> Vec<String> {
    let mut all = texts(&["a", "", "$s", "+", "#"], 3);
    all.retain(|text| Filter::parse(text).is_ok());
    all
}

fn small_topics() -> Vec<String> {
    texts(&["a", "", "$s", "x"], 4)
}

#[test]
fn a_filter_takes_what_the_specification_says_on_every_small_topic() {
    let topics = small_topics();
    for text in small_filters() {
        let parsed = filter(&text);
        assert_eq!(parsed.to_string(), text);
        for topic in &topics {
            assert_eq!(parsed.takes(topic), spec(&text, topic), "{text:?} and {topic:?}");
        }
    }
}

#[test]
fn a_set_covers_a_filter_exactly_where_no_small_topic_shows_otherwise() {
    let (all, topics) = (small_filters(), small_topics());
    let taken: Vec<Vec<bool>> =
        all.iter().map(|text| topics.iter().map(|topic| spec(text, topic)).collect()).collect();
    let (mut yes, mut no) = (0, 0);
    for (first, one) in all.iter().enumerate() {
        // Every single filter, and every pair with a neighbour in the list: unions cover what neither covers alone.
        for second in [first, (first * 7 + 3) % all.len(), (first * 13 + 5) % all.len()] {
            let set = filters(&[one, &all[second]]);
            for (third, asked) in all.iter().enumerate() {
                let mut every = taken[third].iter().enumerate().filter(|(_, is)| **is);
                let covered = every.all(|(topic, _)| taken[first][topic] || taken[second][topic]);
                assert_eq!(set.cover(&filter(asked)), covered, "{set} and {asked:?}");
                *(if covered { &mut yes } else { &mut no }) += 1;
            }
        }
    }
    assert!(yes > 2_000 && no > 10_000, "{yes} {no}");
}

#[test]
fn what_two_filters_both_take_is_the_filter_of_both_on_every_small_topic() {
    let (all, topics) = (small_filters(), small_topics());
    for one in &all {
        for other in &all {
            let both = filter(one).and(&filter(other));
            for topic in &topics {
                let is = both.as_ref().is_some_and(|both| both.takes(topic));
                assert_eq!(is, spec(one, topic) && spec(other, topic), "{one:?} and {other:?}: {topic:?}");
            }
        }
    }
}

#[test]
fn the_pairs_that_people_get_wrong() {
    for (granted, asked, covered) in [
        ("#", "a/+/b", true),
        ("+", "#", false),
        ("+/#", "#", true),
        ("a/#", "a", true),
        ("a/+", "a", false),
        ("a/+/#", "a/#", false),
        ("a/#", "+/b", false),
        ("a/+", "a/#", false),
        ("+/b", "a/b", true),
        ("a/b", "a/+", false),
        ("#", "$SYS/#", false),
        ("+/broker/load", "$SYS/broker/load", false),
        ("$SYS/#", "$SYS/broker/+", true),
        ("a/+", "a//", false),
        ("a/+/+", "a//", true),
        ("/+", "/a", true),
        ("+/+", "/a", true),
        ("+", "/a", false),
    ] {
        assert_eq!(filters(&[granted]).cover(&filter(asked)), covered, "{granted} {asked}");
    }
    assert!(filters(&["a", "a/+/#"]).cover(&filter("a/#")), "two that cover what neither does");
}

#[test]
fn what_is_no_filter_is_refused_with_its_reason() {
    for (text, why) in [
        ("", NotATopic::Empty),
        ("a+", NotATopic::PartOfLevel),
        ("a/b#", NotATopic::PartOfLevel),
        ("++", NotATopic::PartOfLevel),
        ("#/a", NotATopic::NotLast),
        ("a/\0", NotATopic::Character),
        ("a/\u{1b}[31m", NotATopic::Character),
        ("a/\u{ffff}", NotATopic::Character),
        ("$share/group/#", NotATopic::Special),
        ("$queue/a", NotATopic::Special),
        ("$exclusive/a", NotATopic::Special),
    ] {
        assert_eq!(Filter::parse(text), Err(why), "{text:?}");
    }
    assert_eq!(Filter::parse(&"a/".repeat(200)), Err(NotATopic::TooLong));
    assert_eq!(Filter::parse(&"a".repeat(5000)), Err(NotATopic::TooLong));
    assert_eq!(check_topic("a/+"), Err(NotATopic::Wildcard));
    assert_eq!(check_topic("a/#"), Err(NotATopic::Wildcard));
    assert_eq!(check_topic("$share/g/a"), Ok(()), "as a topic it is one like others");
    assert_eq!(check_topic("/"), Ok(()));
}

#[test]
fn the_intersection_of_sets_has_no_filter_that_the_others_cover() {
    let asked = filters(&["site/+/+/state", "site/+/+/alarm", "site/#"]);
    let granted = filters(&["site/acme/#", "other/#"]);
    assert_eq!(asked.clone().within([&granted]).unwrap(), filters(&["site/acme/#"]));
    let reach = filters(&["site/+/+/state"]);
    assert_eq!(asked.clone().within([&granted, &reach]).unwrap(), filters(&["site/acme/+/state"]));
    assert!(asked.within([&filters(&["nothing/of/it"])]).unwrap().is_empty());
}

#[test]
fn the_levels_at_the_wildcards_name_the_device() {
    assert_eq!(filter("site/+/+/state").wild_levels("site/acme/d1/state"), "acme/d1");
    assert_eq!(filter("site/acme/+/state").wild_levels("site/acme/d1/state"), "d1");
    assert_eq!(filter("site/+/#").wild_levels("site/acme/d1/state"), "acme/d1/state");
    assert_eq!(filter("site/+/#").wild_levels("site/acme"), "acme");
    assert_eq!(filter("site/7").wild_levels("site/7"), "site/7");
}

#[test]
fn an_intersection_that_nobody_means_is_refused_at_once() {
    // Each pair has another filter in common.
    let one = Filters::new((0..64).map(|at| filter(&format!("a/{at}{}/#", "/+".repeat(120)))));
    let many = |first: usize| {
        let levels =
            |at: usize| (0..60).map(move |level| if level == at { "x".to_owned() } else { "+".to_owned() });
        let texts = (first..first + 50).map(move |at| levels(at).collect::<Vec<_>>().join("/") + "/#");
        Filters::new(texts.map(|text| filter(&text)).collect::<Vec<_>>())
    };
    assert_eq!(many(0).within([&many(5)]), None);
    assert!(one.clone().within([&one]).is_some_and(|both| both == one));
}
