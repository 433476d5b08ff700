//! What many patterns match, held against the rule for one.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::topic::Cache;

fn subscriptions<T: Copy + Ord>(pairs: &[(&str, T)]) -> Subscriptions<T> {
    let mut subscriptions = Subscriptions::new();
    pairs.iter().for_each(|(pattern, value)| subscriptions.add(&pattern.parse().unwrap(), *value));
    subscriptions
}

fn matching<T: Copy + Ord>(subscriptions: &Subscriptions<T>, topic: &str) -> Vec<T> {
    let mut found = Vec::new();
    subscriptions.matching(topic, &mut found);
    found
}

/// The nodes of a trie, and the places for values and branches that its memory has room for.
fn memory<T>(node: &Node<T>) -> (usize, usize) {
    let branches = node.exact.values().chain(&node.one).map(|branch| memory(branch));
    let own = (1, node.exact.capacity() + node.rest.capacity() + node.end.capacity());
    branches.fold(own, |sum, branch| (sum.0 + branch.0, sum.1 + branch.1))
}

#[test]
fn all_patterns_that_match_are_found() {
    let subscriptions = subscriptions(&[
        (">", 7),
        ("log.*", 2),
        ("log.app", 5),
        ("*.app", 1),
        ("log.>", 3),
        ("log", 4),
        ("log.app.*", 6),
    ]);
    for (topic, expected) in [
        ("log.app", vec![1, 2, 3, 5, 7]),
        ("log", vec![4, 7]),
        ("log.", vec![2, 3, 7]),
        ("log.app.error", vec![3, 6, 7]),
        ("my.app", vec![1, 7]),
        ("", vec![7]),
        ("*.app", vec![1, 7]),
        ("log.*", vec![2, 3, 7]),
        ("log.>", vec![2, 3, 7]),
    ] {
        assert_eq!(matching(&subscriptions, topic), expected, "{topic}");
    }
}

#[test]
fn a_value_is_found_once_however_many_of_its_patterns_match() {
    let subscriptions = subscriptions(&[("a.b", 9), ("a.*", 9), ("*.b", 9), (">", 9), ("a.>", 1), ("a.b", 9)]);
    assert_eq!(matching(&subscriptions, "a.b"), [1, 9]);
    assert_eq!(subscriptions.len(), 5, "the pair that was added twice is one");
}

#[test]
fn values_are_appended_behind_what_was_found_before() {
    let subscriptions = subscriptions(&[("a", 2), ("*", 1), (">", 2)]);
    let mut found = vec![2, 2, 1];
    subscriptions.matching("a", &mut found);
    assert_eq!(found, [2, 2, 1, 1, 2]);
}

#[test]
fn removing_leaves_nothing_behind() {
    let patterns = ["a", "a.b.c", "a.*.c", "a.b.>", "*.*.*.*", ">", "x.y", "x.z"];
    let mut subscriptions = Subscriptions::new();
    let all: Vec<Pattern> = patterns.iter().map(|pattern| pattern.parse().unwrap()).collect();
    let many: Vec<Pattern> = (0..1000).map(|number| format!("many.{number}.>").parse().unwrap()).collect();
    for value in 0..100 {
        all.iter().for_each(|pattern| subscriptions.add(pattern, value));
    }
    let before = memory(&subscriptions.root);
    many.iter().for_each(|pattern| subscriptions.add(pattern, 0));
    assert!(many.iter().all(|pattern| subscriptions.remove(pattern, 0)));
    assert_eq!(memory(&subscriptions.root), before, "one branch goes, and the others stay");
    for value in 0..100 {
        assert!(all.iter().all(|pattern| subscriptions.remove(pattern, value)));
    }
    assert!(subscriptions.is_empty());
    assert_eq!(memory(&subscriptions.root), (1, 0), "the root, which has allocated nothing");
}

#[test]
fn removing_what_is_not_there_changes_nothing() {
    let mut subscriptions = subscriptions(&[("a.b", 1), ("a.*", 1), ("a.>", 1)]);
    let before = memory(&subscriptions.root);
    for (pattern, value) in
        [("a", 1), ("a.b", 2), ("a.*", 2), ("a.>", 2), ("a.c", 1), ("a.b.c", 1), ("a.*.c", 1), ("*.b", 1), (">", 1)]
    {
        assert!(!subscriptions.remove(&pattern.parse().unwrap(), value), "{pattern}");
    }
    assert_eq!((subscriptions.len(), memory(&subscriptions.root)), (3, before));
    assert_eq!(matching(&subscriptions, "a.b"), [1]);
}

/// All ways to write `*` for any of twenty tokens, but those with more than three of each kind, which would take 400 MB:
/// so there is a choice at each level, and a walk that tried each would take a million ways.
#[test]
fn combinations_of_twenty_levels_are_found_without_trying_all() {
    const LEVELS: u32 = 20;
    let all = (0..1_u32 << LEVELS).filter(|choice| choice.count_ones() <= 3 || choice.count_zeros() <= 32 - LEVELS + 3);
    check_combinations(LEVELS, &all.collect::<Vec<_>>());
}

#[test]
fn all_combinations_of_twelve_levels_are_found() {
    check_combinations(12, &Vec::from_iter(0..1 << 12));
}

/// Subscribes with `*` where a bit of the choice is 1 and with `a` elsewhere, and the choice as value.
fn check_combinations(levels: u32, choices: &[u32]) {
    let mut subscriptions = Subscriptions::new();
    for choice in choices {
        let tokens: Vec<_> = (0..levels).map(|level| if choice >> level & 1 == 0 { "a" } else { "*" }).collect();
        subscriptions.add(&tokens.join(".").parse().unwrap(), *choice);
    }
    // All match; then those with `*` where the topic has something else.
    let mut topic = vec!["a"; levels as usize];
    assert_eq!(matching(&subscriptions, &topic.join(".")), choices);
    for level in 0..levels {
        topic[level as usize] = "b";
        let expected: Vec<_> = choices.iter().copied().filter(|choice| choice.trailing_ones() > level).collect();
        assert_eq!(matching(&subscriptions, &topic.join(".")), expected);
    }
}

#[test]
fn topics_of_any_length_are_answered() {
    let deepest = vec!["*"; Pattern::MAX_TOKENS].join(".");
    let longest = "a".repeat(Pattern::MAX_BYTES);
    let subscriptions = subscriptions(&[(&deepest, 1), (&longest, 2), ("*.>", 3)]);
    for (topic, expected) in [
        (".".repeat(Pattern::MAX_TOKENS - 2), vec![3]),
        (".".repeat(Pattern::MAX_TOKENS - 1), vec![1, 3]),
        (".".repeat(Pattern::MAX_TOKENS), vec![3]),
        (".".repeat(1_000_000), vec![3]),
        (longest.clone(), vec![2]),
        (longest.clone() + "a", vec![]),
        ("a".repeat(1_000_000), vec![]),
    ] {
        assert_eq!(matching(&subscriptions, &topic), expected, "{} bytes", topic.len());
    }
}

/// Few tokens, so that they often match; some that only topics have.
fn topic() -> impl Strategy<Value = String> {
    prop::collection::vec("[ab]|[ab]|[ab]|[*>]||ü", 1..6).prop_map(|tokens| tokens.join("."))
}

fn pattern() -> impl Strategy<Value = Pattern> {
    ("(([ab*]|ü)\\.){0,4}([ab*>]|ü)").prop_map(|text| text.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_subscriptions_answer_as_their_patterns_do(
        added in prop::collection::vec((pattern(), 0..8_u32), 0..40),
        removed in prop::collection::vec((pattern(), 0..8_u32), 0..10),
        first_removed in 0..10_usize,
        topics in prop::collection::vec(topic(), 1..10),
    ) {
        let mut pairs = BTreeSet::new();
        let mut subscriptions = Subscriptions::new();
        let mut cache = Cache::new();
        for (pattern, value) in &added {
            subscriptions.add(pattern, *value);
            pairs.insert((pattern, *value));
            cache.matching(&subscriptions, &topics[0]);
        }
        for (pattern, value) in added.iter().take(first_removed).chain(&removed) {
            prop_assert_eq!(subscriptions.remove(pattern, *value), pairs.remove(&(pattern, *value)));
        }
        prop_assert_eq!(subscriptions.len(), pairs.len());
        for topic in topics {
            let matched = pairs.iter().filter(|(pattern, _)| pattern.matches(&topic)).map(|(_, value)| *value);
            let expected: Vec<_> = BTreeSet::from_iter(matched).into_iter().collect();
            prop_assert_eq!(&matching(&subscriptions, &topic), &expected, "{}", topic);
            prop_assert_eq!(cache.matching(&subscriptions, &topic), &expected, "{}, with a cache", topic);
        }
        prop_assert!(pairs.iter().all(|(pattern, value)| subscriptions.remove(pattern, *value)));
        prop_assert_eq!(memory(&subscriptions.root), (1, 0));
    }
}
