//! The host's own callback on `message.publish`, at priority 1000.

use hookrail_abi::catalogue::MessagePublish;
use hookrail_abi::{Message, Priority, Verdict};
use hookrail_dispatch::Callbacks;
use hookrail_model::instance::HOST;

use crate::config::MessageLimits;

/// The code of a message that is too large.
pub const TOO_LARGE: u16 = 413;

/// The code of a message whose topic is malformed.
pub const BAD_TOPIC: u16 = 400;

/// The callbacks that every host starts with.
pub(crate) fn callbacks(limits: MessageLimits) -> Callbacks {
    Callbacks::new(HOST).on(MessagePublish, "validate", Priority::BUILT_IN, move |message| {
        match judge(&limits, message) {
            Ok(()) => Verdict::Continue,
            Err((code, reason)) => Verdict::deny(code, reason),
        }
    })
}

fn judge(limits: &MessageLimits, message: &Message) -> Result<(), (u16, String)> {
    let (body, headers, topic) = (message.body.len(), message.headers.len(), &message.topic);
    if body > limits.max_body {
        return Err((TOO_LARGE, format!("its body has {body} bytes, {} are allowed", limits.max_body)));
    }
    if headers > limits.max_headers {
        return Err((TOO_LARGE, format!("it has {headers} headers, {} are allowed", limits.max_headers)));
    }
    if topic.len() > limits.max_topic {
        return Err((TOO_LARGE, format!("its topic has {} bytes, {} are allowed", topic.len(), limits.max_topic)));
    }
    // Most streams have a single topic, so most calls only scan its bytes.
    match malformed(topic) {
        None => Ok(()),
        Some(what) => Err((BAD_TOPIC, format!("its topic {what}"))),
    }
}

/// A topic is dot-separated tokens, none of them empty; `. * > %`, spaces and control characters in a token are written
/// as `%XX`. An empty topic is allowed.
fn malformed(topic: &str) -> Option<&'static str> {
    let mut rest = topic.as_bytes();
    if rest.is_empty() {
        return None;
    }
    if rest[0] == b'.' || rest[rest.len() - 1] == b'.' {
        return Some("has an empty token");
    }
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            b'.' if tail.first() == Some(&b'.') => return Some("has an empty token"),
            b'*' | b'>' => return Some("has a wildcard, which only subscriptions may"),
            0..=b' ' | 0x7f => return Some("has a space or a control character: write it as %XX"),
            b'%' => match tail {
                [a, b, tail @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => rest = tail,
                _ => return Some("has a % that no two hex digits follow: write it as %25"),
            },
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_tokens_with_dots_between() {
        for good in ["", "a", "a.b.c", "log.app-1", "a%2Eb", "\u{fc}ber"] {
            assert_eq!(malformed(good), None, "{good}");
        }
        for (bad, said) in
            [(".a", "empty"), ("a.", "empty"), ("a..b", "empty"), ("a.*", "wildcard"), ("a b", "space"), ("a%2", "hex")]
        {
            assert!(malformed(bad).is_some_and(|what| what.contains(said)), "{bad}");
        }
    }
}
