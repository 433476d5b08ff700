//! Which sinks of a pipeline a message goes to.

use std::collections::BTreeMap;

use hookrail_abi::Message;
use hookrail_model::pipeline::SinkConfig;

use crate::topic::{Cache, Pattern, Subscriptions};

/// The sinks of a pipeline, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// Those that want some topics.
    by_topic: Subscriptions<usize>,
    /// Those that want all topics.
    of_all: Vec<usize>,
    /// The headers that a sink wants, by its number.
    headers: Vec<BTreeMap<String, String>>,
}

impl Routes {
    /// Those of sinks without a mistake, which are numbered in the order of their names.
    pub(crate) fn of(sinks: &BTreeMap<String, SinkConfig>) -> Self {
        let mut routes = Routes::default();
        for sink in sinks.values() {
            let pattern = |topic: &String| topic.parse::<Pattern>().expect("it was checked");
            routes.add(&sink.topics.iter().map(pattern).collect::<Vec<_>>(), sink.headers.clone());
        }
        routes
    }

    /// Adds the next sink.
    pub(crate) fn add(&mut self, topics: &[Pattern], headers: BTreeMap<String, String>) {
        let number = self.headers.len();
        if topics.is_empty() {
            self.of_all.push(number);
        }
        topics.iter().for_each(|pattern| self.by_topic.add(pattern, number));
        self.headers.push(headers);
    }

    /// Writes the numbers of the sinks that want the message, in ascending order.
    pub(crate) fn find(&self, message: &Message, cache: &mut Cache<usize>, found: &mut Vec<usize>) {
        found.clear();
        if !self.by_topic.is_empty() {
            found.extend(cache.matching(&self.by_topic, message.topic.as_str()));
        }
        if !self.of_all.is_empty() {
            found.extend(&self.of_all);
            found.sort_unstable();
        }
        found.retain(|number| has(message, &self.headers[*number]));
    }
}

/// Whether a message has all these headers, with these values.
pub(crate) fn has(message: &Message, headers: &BTreeMap<String, String>) -> bool {
    headers
        .iter()
        .all(|(key, value)| message.headers.iter().any(|header| header.key == **key && header.value == **value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_goes_to_the_sinks_that_want_its_topic_and_its_headers() {
        let pattern = |text: &str| text.parse::<Pattern>().unwrap();
        let headers = |value: &str| BTreeMap::from([("level".to_owned(), value.to_owned())]);
        let mut routes = Routes::default();
        routes.add(&[pattern("log.>"), pattern("log.a")], BTreeMap::new());
        routes.add(&[], headers("error"));
        routes.add(&[pattern("other")], BTreeMap::new());
        let (mut cache, mut found) = (Cache::new(), Vec::new());
        let mut message = Message::new("log.a", "");
        routes.find(&message, &mut cache, &mut found);
        assert_eq!(found, [0]);
        message.add_header("level", "info");
        message.add_header("level", "error");
        routes.find(&message, &mut cache, &mut found);
        assert_eq!(found, [0, 1]);
        message.topic.set("nobody.wants.it");
        message.headers.clear();
        routes.find(&message, &mut cache, &mut found);
        assert_eq!(found, Vec::<usize>::new());
    }
}
