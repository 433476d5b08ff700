//! What an operator has subscribed to.

use std::collections::BTreeMap;

use hookrail_abi::Message;

const MOST_TOPICS: usize = 1024;
const LONGEST_TOPIC: usize = 1024;

/// One subscription: a message that fits one of the patterns and has all the headers.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    patterns: Vec<Vec<Token>>,
    headers: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// `*`: any one.
    Any,
    /// `>`: one or more, at the end.
    Rest,
    Text(String),
}

impl Filter {
    /// # Errors
    /// Which pattern is none, and why.
    pub(crate) fn new(topics: &[String], headers: BTreeMap<String, String>) -> Result<Self, String> {
        if topics.is_empty() {
            return Err("`topics` is empty: `[\">\"]` is every topic".into());
        }
        if topics.len() > MOST_TOPICS {
            return Err(format!("`topics` has {} patterns: let it have at most {MOST_TOPICS}", topics.len()));
        }
        let pattern = |topic: &String| pattern(topic).map_err(|why| format!("the pattern {topic:?} {why}"));
        Ok(Filter { patterns: topics.iter().map(pattern).collect::<Result<_, _>>()?, headers })
    }

    pub(crate) fn wants(&self, message: &Message) -> bool {
        self.patterns.iter().any(|pattern| fits(pattern, message.topic.as_str()))
            && self
                .headers
                .iter()
                .all(|(key, value)| message.headers.iter().any(|header| header.key == **key && header.value == **value))
    }
}

fn pattern(topic: &str) -> Result<Vec<Token>, &'static str> {
    if topic.len() > LONGEST_TOPIC {
        return Err("is longer than 1024 bytes");
    }
    let mut tokens = Vec::new();
    for token in topic.split('.') {
        if tokens.last() == Some(&Token::Rest) {
            return Err("goes on: `>` stands at the end");
        }
        tokens.push(match token {
            "" => return Err("has an empty token"),
            "*" => Token::Any,
            ">" => Token::Rest,
            text if text.contains(['*', '>']) => return Err("has a wildcard in a token: it stands for a whole token"),
            text => Token::Text(text.into()),
        });
    }
    Ok(tokens)
}

fn fits(pattern: &[Token], topic: &str) -> bool {
    let mut tokens = topic.split('.');
    for wanted in pattern {
        match (wanted, tokens.next()) {
            (_, None) => return false,
            (Token::Rest, Some(_)) => return true,
            (Token::Any, Some(_)) => {}
            (Token::Text(text), Some(token)) if text == token => {}
            (Token::Text(_), Some(_)) => return false,
        }
    }
    tokens.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_those_of_a_pipeline_do() {
        for (pattern, fits, misses) in [
            ("log.app", &["log.app"][..], &["log", "log.app.error", "log.apps", ""][..]),
            ("log.*", &["log.app", "log."], &["log", "log.app.error"]),
            ("log.>", &["log.app", "log.app.error"], &["log", "logs.app"]),
            (">", &["a", "a.b", ""], &[]),
            ("*", &["a", ""], &["a.b"]),
            ("*.error", &["app.error"], &["error", "app.b.error"]),
        ] {
            let filter = Filter::new(&[pattern.into()], BTreeMap::new()).unwrap();
            for topic in fits {
                assert!(filter.wants(&Message::new(topic, "")), "{pattern}: {topic}");
            }
            for topic in misses {
                assert!(!filter.wants(&Message::new(topic, "")), "{pattern}: {topic}");
            }
        }
    }

    #[test]
    fn headers_are_wanted_besides() {
        let headers = BTreeMap::from([("level".into(), "error".into())]);
        let filter = Filter::new(&["a".into(), "b".into()], headers).unwrap();
        let mut message = Message::new("b", "");
        assert!(!filter.wants(&message));
        message.add_header("level", "info");
        message.add_header("level", "error");
        assert!(filter.wants(&message));
    }
}
