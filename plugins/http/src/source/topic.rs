//! The topic that a request names.

const LONGEST: usize = 1024;

/// Whether that can be the topic of messages.
///
/// # Errors
/// Why it cannot.
pub(crate) fn check(topic: &str) -> Result<(), &'static str> {
    if topic.len() > LONGEST {
        return Err("it is longer than 1024 bytes");
    }
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '*' | '>');
    if topic.split('.').any(str::is_empty) || topic.contains(is_odd) {
        return Err("let it be words with dots between them, without spaces, `*` and `>`");
    }
    Ok(())
}

/// Whether that can be the topic of a message that has its own. Other hosts may have topics of other shapes, so this only
/// refuses what has no bounds or could not be shown.
///
/// # Errors
/// Why it cannot.
pub(crate) fn check_own(topic: &str) -> Result<(), &'static str> {
    match topic {
        _ if topic.len() > LONGEST => Err("its topic is longer than 1024 bytes"),
        _ if topic.contains(char::is_control) => Err("its topic has control characters"),
        _ => Ok(()),
    }
}

/// The topic in the query of a request, if there is one.
///
/// # Errors
/// Why it is none.
pub(crate) fn of_query(query: &str) -> Result<Option<String>, String> {
    let mut topic = None;
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let Some(value) = part.strip_prefix("topic=") else {
            return Err("the only parameter is `topic`".into());
        };
        let value = decoded(value).ok_or("`topic` is not percent-encoded UTF-8")?;
        check(&value).map_err(|why| format!("`topic`: {why}"))?;
        if topic.replace(value).is_some() {
            return Err("`topic` is there twice".into());
        }
    }
    Ok(topic)
}

fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, behind @ ..] = rest {
        let (byte, behind) = match (first, behind) {
            (b'%', [high, low, behind @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                (u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?, behind)
            }
            (b'%', _) => return None,
            _ => (*first, behind),
        };
        bytes.push(byte);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_a_topic_or_is_refused() {
        for (query, topic) in [
            ("", Ok(None)),
            ("topic=a.b", Ok(Some("a.b".into()))),
            ("topic=%61%2Eb&", Ok(Some("a.b".into()))),
            ("topic=gr%C3%B6%C3%9Fe", Ok(Some("gr\u{f6}\u{df}e".into()))),
            ("topic=a&topic=b", Err("`topic` is there twice".to_owned())),
            ("tpoic=a", Err("the only parameter is `topic`".into())),
            ("topic=%4", Err("`topic` is not percent-encoded UTF-8".into())),
            ("topic=%+1", Err("`topic` is not percent-encoded UTF-8".into())),
            ("topic=%FF", Err("`topic` is not percent-encoded UTF-8".into())),
        ] {
            assert_eq!(of_query(query), topic, "{query}");
        }
        for query in ["topic=", "topic=a..b", "topic=a.%2A", "topic=a%0Ab", "topic=a%20b", "topic=%3E"] {
            assert!(of_query(query).unwrap_err().contains("words with dots"), "{query}");
        }
        assert!(of_query(&format!("topic={}", "x".repeat(1025))).unwrap_err().contains("longer"));
    }
}
