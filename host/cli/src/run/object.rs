//! A line of any JSON object: which of its fields are the topic and the headers of its message.

use std::borrow::Cow;
use std::fmt;

use hookrail::Message;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The fields that become something of the message; only those of the object itself, not of objects within.
pub(super) struct Fields<'a> {
    pub(super) topic: Option<&'a str>,
    pub(super) headers: &'a [String],
}

impl Fields<'_> {
    /// Takes the fields of a line into the message.
    ///
    /// # Errors
    /// If the line is no JSON object. The message may have some of its fields.
    pub(super) fn take(&self, line: &[u8], message: &mut Message) -> Result<(), serde_json::Error> {
        let mut line = serde_json::Deserializer::from_slice(line);
        Taking { fields: self, message }.deserialize(&mut line)?;
        line.end()
    }
}

struct Taking<'a> {
    fields: &'a Fields<'a>,
    message: &'a mut Message,
}

/// A string of JSON, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> DeserializeSeed<'de> for Taking<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Taking<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key()? {
            let is_topic = self.fields.topic == Some(&*name);
            if !is_topic && !self.fields.headers.iter().any(|header| *header == name) {
                let IgnoredAny = map.next_value()?;
                continue;
            }
            let Some(value) = text(map.next_value()?).map_err(A::Error::custom)? else { continue };
            if is_topic {
                self.message.topic.set(&value);
            }
            if self.fields.headers.iter().any(|header| *header == name) {
                self.message.add_header(&name, &value);
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("it is a JSON array; `jq -c '.[]'` writes each of its elements on a line"))
    }
}

/// A value as the text of a header: what a string says, anything else as it is written; `None` for null.
fn text(value: &RawValue) -> Result<Option<Cow<'_, str>>, serde_json::Error> {
    match value.get() {
        "null" => Ok(None),
        string if string.starts_with('"') => serde_json::from_str(string).map(|Text(text)| Some(text)),
        other => Ok(Some(other.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(line: &str) -> Result<(String, Vec<(String, String)>), String> {
        let headers = ["level", "n", "both"].map(String::from);
        let mut message = Message::empty();
        let fields = Fields { topic: Some("both"), headers: &headers };
        fields.take(line.as_bytes(), &mut message).map_err(|error| error.to_string())?;
        let headers = message.headers.iter().map(|header| (header.key.to_string(), header.value.to_string()));
        Ok((message.topic.to_string(), headers.collect()))
    }

    #[test]
    fn the_named_fields_are_taken_and_no_other() {
        let header = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        for (line, topic, headers) in [
            ("{}", "", vec![]),
            (r#" {"a":1,"level":"warn","b":{"n":2}} "#, "", vec![header("level", "warn")]),
            (r#"{"n":1.50,"level":null}"#, "", vec![header("n", "1.50")]),
            (r#"{"n":{"a":[true]},"n":false}"#, "", vec![header("n", r#"{"a":[true]}"#), header("n", "false")]),
            (r#"{"n":123456789012345678901234567890}"#, "", vec![header("n", "123456789012345678901234567890")]),
            (r#"{"n":{"b":1, "a":2}}"#, "", vec![header("n", r#"{"b":1, "a":2}"#)]),
            (r#"{"\u0062oth":"x\ny"}"#, "x\ny", vec![header("both", "x\ny")]),
        ] {
            assert_eq!(taken(line), Ok((topic.to_owned(), headers)), "{line}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (line, said) in [
            ("[]", "it is a JSON array; `jq"),
            (r#"[{"level":"warn"}]"#, "it is a JSON array; `jq"),
            ("1", "expected a JSON object"),
            ("null", "expected a JSON object"),
            (r#""text""#, "expected a JSON object"),
            ("text", "expected"),
            (r#"{"a":1"#, "EOF"),
            (r#"{"a":1} {}"#, "trailing characters"),
        ] {
            let error = taken(line).unwrap_err();
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}
