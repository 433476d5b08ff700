//! What a message says, as part of a file's name.
//!
//! The theorem: whatever the text is, what is put is not empty, at most [`LONGEST`] bytes long, made of letters, digits,
//! `-`, `_`, `.`, `%` and `~`, and neither begins nor ends with a dot, nor has two in a row. So a name in which it stands
//! is one name, and neither `.` nor `..`, whatever the operator has written around it. Two texts give two names, unless
//! they are long and their hashes are the same.

use std::fmt::Write;

/// The most bytes that are put.
pub(crate) const LONGEST: usize = 128;
/// The bytes of a hash and of what it is introduced by.
const HASH: usize = 2 + 16;

pub(crate) fn put_escaped(name: &mut String, text: &str) {
    let start = name.len();
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let is_plain = match byte {
            // Between others, it separates the tokens of a topic.
            b'.' => at > 0 && at + 1 < bytes.len() && bytes[at - 1] != b'.',
            // Alone, it stands for nothing.
            b'-' => bytes.len() > 1,
            _ => byte.is_ascii_alphanumeric() || byte == b'_',
        };
        if is_plain {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02X}");
        }
    }
    if bytes.is_empty() {
        name.push('-');
    }
    if name.len() - start > LONGEST {
        name.truncate(start + LONGEST - HASH);
        let _ = write!(name, "%~{:016x}", hash(bytes));
    }
}

/// FNV-1a: the names of files must not change with the compiler, as `DefaultHasher` may.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut name = String::new();
        put_escaped(&mut name, text);
        name
    }

    #[test]
    fn topics_stay_readable_and_everything_else_is_escaped() {
        for (text, expected) in [
            ("log.app-1.my_host", "log.app-1.my_host"),
            ("../../etc/passwd", "%2E%2E%2F.%2E%2Fetc%2Fpasswd"),
            ("a/b", "a%2Fb"),
            ("a\0b\n\x1b\x7f", "a%00b%0A%1B%7F"),
            (".", "%2E"),
            ("..", "%2E%2E"),
            ("a..b", "a.%2Eb"),
            (".a.", "%2Ea%2E"),
            ("", "-"),
            ("-", "%2D"),
            ("-a", "-a"),
            ("100%", "100%25"),
            ("{date} ~", "%7Bdate%7D%20%7E"),
            ("\u{fc}", "%C3%BC"),
        ] {
            assert_eq!(escaped(text), expected, "{text:?}");
        }
    }

    #[test]
    fn all_short_texts_give_names_that_are_safe_and_different() {
        const LETTERS: [&str; 8] = [".", "/", "-", "%", "2", "E", "\0", "a"];
        let mut texts = vec![String::new()];
        for length in 0..4 {
            let longer: Vec<_> = texts.iter().filter(|text| text.len() == length).cloned().collect();
            texts.extend(longer.iter().flat_map(|text| LETTERS.map(|letter| format!("{text}{letter}"))));
        }
        let names: HashSet<_> = texts.iter().map(|text| escaped(text)).collect();
        assert_eq!(names.len(), texts.len());
        for name in names {
            let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.%~".contains(&byte);
            assert!(name.bytes().all(is_safe) && !name.is_empty(), "{name}");
            assert!(!name.starts_with('.') && !name.ends_with('.') && !name.contains(".."), "{name}");
        }
    }

    #[test]
    fn a_long_text_gives_a_short_name_of_its_own_that_never_changes() {
        assert_eq!(escaped(&"a".repeat(LONGEST)), "a".repeat(LONGEST));
        let long = "x".repeat(100_000);
        let names = ["1", "2"].map(|end| escaped(&format!("{long}{end}")));
        assert!(names.iter().all(|name| name.len() == LONGEST));
        assert_ne!(names[0], names[1]);
        assert_eq!(escaped(&"/".repeat(100))[LONGEST - HASH..], *"%~71fe55e54daeb411");
    }
}
