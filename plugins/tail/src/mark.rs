//! Where a file is to be read on after a restart.

use std::fmt::Write;

use serde_json::{Value, from_str};

use crate::fingerprint::Fingerprint;

/// The value of the mark of a file; its key is the [identity](crate::identity::Identity).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Behind the last byte that was sent.
    pub(crate) offset: u64,
    /// Of the beginning of the file.
    pub(crate) head: Fingerprint,
    /// Of the last bytes before the offset.
    pub(crate) before: Fingerprint,
    /// The path under which the file was first seen.
    pub(crate) path: String,
}

/// Writes the value of a mark: `{"offset":1200,"head":[1024,"85944171f73967e8"],"before":[64,"…"],"path":"/a.log"}`.
pub(crate) fn write(out: &mut String, offset: u64, head: Fingerprint, before: Fingerprint, path: &str) {
    out.clear();
    let [head, before] = [head, before].map(|print| format!("[{},\"{:016x}\"]", print.length, print.hash));
    // A text takes all that is written to it.
    let _ = write!(out, r#"{{"offset":{offset},"head":{head},"before":{before},"path":{}}}"#, Value::from(path));
}

impl Place {
    /// Reads the value of a mark; `None` if it is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let value: Value = from_str(text).ok()?;
        let (head, before) = (fingerprint(&value["head"])?, fingerprint(&value["before"])?);
        let offset = value["offset"].as_u64()?;
        let fits = head.length <= Fingerprint::HEAD && before.length as u64 <= offset.min(Fingerprint::BEFORE as u64);
        fits.then(|| Some(Place { offset, head, before, path: value["path"].as_str()?.into() }))?
    }
}

fn fingerprint(value: &Value) -> Option<Fingerprint> {
    let (length, hash) = (value[0].as_u64()?, value[1].as_str()?);
    Some(Fingerprint { length: length.try_into().ok()?, hash: u64::from_str_radix(hash, 16).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_is_written() {
        let (head, before) = (Fingerprint::of(&[7; 1024]), Fingerprint::of(&[7; 64]));
        for path in ["/var/log/a.log", "/a \"quoted\"\n/ü.log"] {
            let mut text = String::from("what was there before");
            write(&mut text, 1 << 60, head, before, path);
            assert_eq!(Place::parse(&text), Some(Place { offset: 1 << 60, head, before, path: path.into() }));
        }
    }

    #[test]
    fn what_is_no_mark_is_not_taken_for_one() {
        let whole = r#"{"offset":9,"head":[9,"0a"],"before":[9,"0b"],"path":"/a"}"#;
        assert!(Place::parse(whole).is_some());
        for (part, wrong) in [
            (whole, ""),
            (whole, "known"),
            ("\"offset\":9", "\"offset\":-9"),
            ("\"offset\":9", "\"offset\":8"),
            ("[9,\"0a\"]", "[1025,\"0a\"]"),
            ("\"0a\"", "\"xx\""),
            ("\"0b\"", "11"),
            ("\"/a\"", "7"),
        ] {
            let text = whole.replace(part, wrong);
            assert_eq!(Place::parse(&text), None, "{text}");
        }
    }
}
