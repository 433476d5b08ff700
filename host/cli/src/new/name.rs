//! The name of a new plugin.

use std::str::FromStr;

use hookrail::ParseError;

/// Names with another meaning in Rust, or in the new package.
const TAKEN: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "hookrail",
    "hookrail-abi",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "tracing",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// What the templates define or import under names like those of types.
const TYPES: &[&str] = &[
    "AtomicU64",
    "Bytes",
    "Config",
    "Default",
    "Dir",
    "Dropped",
    "Duration",
    "Endpoints",
    "Err",
    "Error",
    "Header",
    "Hooks",
    "Instance",
    "Instant",
    "Level",
    "Message",
    "MessageDelivered",
    "MessageDropped",
    "MessagePublish",
    "NoConfig",
    "Ok",
    "OpenOptions",
    "Ordering",
    "Plugin",
    "Point",
    "Received",
    "Result",
    "Secret",
    "Self",
    "Sink",
    "SinkIo",
    "Source",
    "SourceIo",
    "Startup",
    "State",
    "Text",
    "Vec",
    "Verdict",
    "Write",
];

/// A name for a plugin, its package, its library and its type.
///
/// # Invariants
/// Lower-case ASCII letters, digits, `-` and `_`, starting with a letter; not a Rust keyword.
pub(super) struct Name(String);

impl Name {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the crate in Rust.
    pub(super) fn in_rust(&self) -> String {
        self.0.replace('-', "_")
    }

    /// The type: `rate-limit` is `RateLimit`.
    pub(super) fn of_type(&self) -> String {
        let words = self.0.split(['-', '_']).filter(|word| !word.is_empty());
        let name: String = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
        if TYPES.contains(&&*name) { name + "Plugin" } else { name }
    }

    /// The path at which cargo puts its library.
    pub(super) fn library(&self) -> String {
        format!("target/release/lib{}.so", self.in_rust())
    }

    /// The file that `make` makes.
    pub(super) fn library_in_c(&self) -> String {
        format!("lib{}.so", self.in_rust())
    }
}

impl FromStr for Name {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        if !text.starts_with(|first: char| first.is_ascii_lowercase()) || !text.bytes().all(is_plain) || text.len() > 64
        {
            let why = "a name is made of up to 64 lower-case letters, digits, `-` and `_`, a letter first";
            return Err(ParseError::new(why));
        }
        if TAKEN.contains(&text) {
            return Err(ParseError::new("the name means something else in Rust"));
        }
        // INVARIANT: established by the checks above.
        Ok(Name(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_for_all_it_names() {
        let name: Name = "rate-limit_2".parse().unwrap();
        assert_eq!((name.in_rust(), name.of_type()), ("rate_limit_2".into(), "RateLimit2".into()));
        for (taken, other) in [("message", "MessagePlugin"), ("source", "SourcePlugin"), ("ok", "OkPlugin")] {
            assert_eq!(taken.parse::<Name>().unwrap().of_type(), other);
        }
        for bad in ["", "2fast", "-a", "Mask", "a b", "a/b", "fn", "m\u{e4}sk", &"a".repeat(65)] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
