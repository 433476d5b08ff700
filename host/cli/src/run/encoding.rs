//! The encoding of an input, by its first bytes.

/// The mark at the beginning of some texts in UTF-8.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// The marks at the beginning of texts in other encodings, and their names; the first that fits is it.
const OTHER_MARKS: [(&[u8], &str); 4] =
    [(b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")];

/// What the first bytes of an input say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Nothing: it is passed on as it is.
    Bytes,
    /// It begins with a [`MARK`].
    Marked,
    /// It has no mark, but a zero in every second byte.
    PerhapsUtf16,
    /// It begins with the mark of this one, which no pattern for UTF-8 matches.
    Other(&'static str),
}

impl Encoding {
    /// The encoding of an input that begins with these bytes; `None` if it takes more of them to say.
    pub(super) fn of(start: &[u8], is_whole: bool) -> Option<Self> {
        // For what comes after a first zero nobody waits: binary data begins so.
        let is_begun = |mark: &[u8]| start.len() < mark.len() && mark.starts_with(start) && !start.starts_with(&[0]);
        if !is_whole && (is_begun(MARK) || OTHER_MARKS.iter().any(|(mark, _)| is_begun(mark))) {
            return None;
        }
        if let Some((_, name)) = OTHER_MARKS.iter().find(|(mark, _)| start.starts_with(mark)) {
            return Some(Encoding::Other(name));
        }
        match start {
            _ if start.starts_with(MARK) => Some(Encoding::Marked),
            [1..=255, 0, 1..=255, 0, ..] | [0, 1..=255, 0, 1..=255, ..] => Some(Encoding::PerhapsUtf16),
            _ => Some(Encoding::Bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell() {
        for (start, expected) in [
            (&b"a"[..], Encoding::Bytes),
            (b"\xef\xbb", Encoding::Bytes),
            (b"", Encoding::Bytes),
            (b"\xff", Encoding::Bytes),
            (b"\xfd\xff\0a", Encoding::Bytes),
            (b"\0\0\0\0", Encoding::Bytes),
            (b"a\0b\n", Encoding::Bytes),
            (b"\xef\xbb\xbf", Encoding::Marked),
            (b"\xef\xbb\xbfa\0b\0", Encoding::Marked),
            (b"\xff\xfea\0", Encoding::Other("UTF-16")),
            (b"\xff\xfe", Encoding::Other("UTF-16")),
            (b"\xfe\xff\0a", Encoding::Other("UTF-16")),
            (b"\xff\xfe\0\0a\0\0\0", Encoding::Other("UTF-32")),
            (b"\0\0\xfe\xff\0\0\0a", Encoding::Other("UTF-32")),
            (b"a\0b\0", Encoding::PerhapsUtf16),
            (b"\0a\0b", Encoding::PerhapsUtf16),
        ] {
            assert_eq!(Encoding::of(start, true), Some(expected), "{}", start.escape_ascii());
        }
    }

    #[test]
    fn no_more_is_waited_for_than_it_takes() {
        for start in [&b""[..], b"\xef", b"\xef\xbb", b"\xff", b"\xfe"] {
            assert_eq!(Encoding::of(start, false), None, "{}", start.escape_ascii());
        }
        for start in [&b"a"[..], b"\n", b"\xefa", b"\xef\xbba", b"\xffa", b"\0"] {
            assert_eq!(Encoding::of(start, false), Some(Encoding::Bytes), "{}", start.escape_ascii());
        }
    }
}
