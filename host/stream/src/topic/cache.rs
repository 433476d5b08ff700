//! What was found for a topic, for whoever publishes on it again.

use std::fmt;
use std::hash::BuildHasher;

use super::hash::HashTokens;
use super::subscriptions::Subscriptions;

/// How many topics are remembered.
const PLACES: usize = 256;

/// The longest topic that is remembered, in bytes: a stranger's may have megabytes.
const MAX_TOPIC: usize = 256;

/// The most values that are remembered of a topic. Where there are more, finding them is not what costs.
const MAX_VALUES: usize = 64;

/// The answers of [`Subscriptions`] to the last topics of one caller, who has it to itself and needs no lock.
///
/// Each topic has one place that it may be remembered at, chosen by a hash with a secret; another topic of that place
/// takes it over. There are 256 places, which take 150 kB at most, and nothing is allocated once they are filled. An
/// answer is used only as long as the subscriptions are what they were: each change gives them a new number, which no
/// other subscriptions of the process have.
pub struct Cache<T> {
    places: Box<[Place<T>]>,
    /// What was found last and not remembered before.
    found: Vec<T>,
}

#[derive(Default)]
struct Place<T> {
    topic: String,
    /// The number of the subscriptions that `values` is the answer of.
    generation: u64,
    values: Vec<T>,
}

impl<T> Cache<T> {
    /// Without any answer.
    pub fn new() -> Self {
        // INVARIANT: that is the answer of subscriptions without a pattern, whose number is 0.
        let place = || Place { topic: String::new(), generation: 0, values: Vec::new() };
        Cache { places: (0..PLACES).map(|_| place()).collect(), found: Vec::new() }
    }
}

impl<T: Copy + Ord> Cache<T> {
    /// What [`Subscriptions::matching`] finds: the values of all patterns that match the topic, each once, in ascending
    /// order. It is looked up if it is remembered.
    pub fn matching(&mut self, subscriptions: &Subscriptions<T>, topic: &str) -> &[T] {
        let generation = subscriptions.generation();
        let place = &mut self.places[HashTokens::default().hash_one(topic) as usize % PLACES];
        if place.generation == generation && place.topic == topic {
            return &place.values;
        }
        self.found.clear();
        subscriptions.matching(topic, &mut self.found);
        if topic.len() <= MAX_TOPIC && self.found.len() <= MAX_VALUES {
            place.generation = generation;
            topic.clone_into(&mut place.topic);
            self.found.clone_into(&mut place.values);
        }
        &self.found
    }
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Cache::new()
    }
}

impl<T> fmt::Debug for Cache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<T: Copy + Ord>(subscriptions: &Subscriptions<T>, topic: &str) -> Vec<T> {
        let mut found = Vec::new();
        subscriptions.matching(topic, &mut found);
        found
    }

    fn remembered<T>(cache: &Cache<T>, topic: &str) -> bool {
        cache.places.iter().any(|place| place.topic == topic)
    }

    #[test]
    fn an_answer_is_as_young_as_the_subscriptions() {
        let (log, all) = ("log.*".parse().unwrap(), ">".parse().unwrap());
        let (mut subscriptions, mut cache) = (Subscriptions::new(), Cache::new());
        let mut check = |subscriptions: &Subscriptions<u32>, expected: &[u32]| {
            for _ in 0..3 {
                assert_eq!(cache.matching(subscriptions, "log.app"), expected);
                assert_eq!(cache.matching(subscriptions, ""), &expected[..expected.len().saturating_sub(1)]);
            }
        };
        check(&subscriptions, &[]);
        subscriptions.add(&log, 2);
        check(&subscriptions, &[2]);
        let before = subscriptions.clone();
        subscriptions.add(&all, 1);
        check(&subscriptions, &[1, 2]);
        check(&before, &[2]);
        assert!(subscriptions.remove(&all, 1));
        check(&subscriptions, &[2]);
        assert!(subscriptions.remove(&log, 2));
        check(&subscriptions, &[]);
    }

    #[test]
    fn subscriptions_of_one_history_are_told_apart() {
        let mut both: [Subscriptions<u32>; 2] = Default::default();
        both[0].add(&"a".parse().unwrap(), 1);
        both[1].add(&"b".parse().unwrap(), 1);
        let mut cache = Cache::new();
        for (which, topic, expected) in
            [(0, "a", &[1][..]), (1, "a", &[]), (0, "a", &[1]), (1, "b", &[1]), (0, "b", &[])]
        {
            assert_eq!(cache.matching(&both[which], topic), expected, "{which} {topic}");
        }
    }

    #[test]
    fn more_topics_than_places_are_answered() {
        let mut subscriptions = Subscriptions::new();
        (0..2000).for_each(|number| subscriptions.add(&format!("user.{number}.*").parse().unwrap(), number));
        let mut cache = Cache::new();
        for number in (0..2000).chain(0..2000) {
            assert_eq!(cache.matching(&subscriptions, &format!("user.{number}.seen")), [number]);
        }
        assert_eq!(cache.places.len(), PLACES);
    }

    #[test]
    fn what_is_too_large_is_answered_and_not_kept() {
        let mut subscriptions = Subscriptions::new();
        subscriptions.add(&"*".parse().unwrap(), 0);
        (0..65).for_each(|value| subscriptions.add(&"many.*".parse().unwrap(), value));
        let mut cache = Cache::new();
        for (topic, is_kept) in [("a".repeat(256), true), ("a".repeat(257), false), ("many.x".into(), false)] {
            for _ in 0..2 {
                assert_eq!(cache.matching(&subscriptions, &topic), found(&subscriptions, &topic));
            }
            assert_eq!(remembered(&cache, &topic), is_kept, "{} bytes", topic.len());
        }
    }
}
