//! A topic taken apart.

use super::pattern::Pattern;

/// As many tokens as the longest pattern has, and one more to know that there are more.
const LOOKED_AT: usize = Pattern::MAX_TOKENS + 1;

/// The first tokens of a topic, found once, however many branches of a trie look at them.
pub(super) struct Tokens<'a> {
    topic: &'a str,
    count: usize,
    /// Where each of the `count` tokens begins, and where one behind them would: a dot further than the last one ends.
    starts: [usize; LOOKED_AT + 1],
}

impl<'a> Tokens<'a> {
    /// Takes a topic apart; any text is one.
    #[inline]
    pub(super) fn of(topic: &'a str) -> Self {
        let mut tokens = Tokens { topic, count: 0, starts: [0; LOOKED_AT + 1] };
        for (place, byte) in topic.bytes().enumerate() {
            if byte == b'.' {
                tokens.count += 1;
                tokens.starts[tokens.count] = place + 1;
                if tokens.count == LOOKED_AT {
                    return tokens;
                }
            }
        }
        tokens.count += 1;
        tokens.starts[tokens.count] = topic.len() + 1;
        tokens
    }

    /// The token with that number, counted from 0, if the topic has so many. Behind those that are looked at there is
    /// none.
    #[inline]
    pub(super) fn at(&self, number: usize) -> Option<&'a str> {
        (number < self.count).then(|| &self.topic[self.starts[number]..self.starts[number + 1] - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_split() {
        let longest = vec!["ä"; LOOKED_AT].join(".");
        for topic in ["", ".", "log", "log.", "..log", "größe.π.x", &longest] {
            let tokens = Tokens::of(topic);
            let found: Vec<_> = (0..).map_while(|number| tokens.at(number)).collect();
            assert_eq!(found, topic.split('.').collect::<Vec<_>>());
        }
    }

    #[test]
    fn of_endless_topics_only_the_first_tokens_are_looked_at() {
        let topic = ".".repeat(1_000_000);
        let tokens = Tokens::of(&topic);
        assert_eq!((0..).map_while(|number| tokens.at(number)).count(), LOOKED_AT);
        assert_eq!(tokens.at(usize::MAX), None);
    }
}
