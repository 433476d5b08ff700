//! The lines of a cuttlefish file.
//!
//! The grammar is that of EMQX 4.x's `conf_parse`, combined with how later versions read the same files. Later versions
//! read values as HOCON does: text may be quoted, and a `#` after a space begins a comment, which earlier versions took
//! as part of the value. So quotes are accepted, and such a `#` is refused.

use std::fmt;

/// A line with a key and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key, split at its dots; it has at least one part, and none is empty.
    pub path: Vec<String>,
    /// The value, as text.
    pub value: String,
    /// The line number, starting at 1.
    pub line: usize,
}

/// A mistake in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line number, starting at 1.
    pub line: usize,
    /// What is wrong, and how to fix it.
    pub what: String,
}

/// All mistakes; at least one.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

/// Reads all lines in order; a key may be repeated.
///
/// # Errors
/// If a line is malformed: all such lines.
pub fn parse(text: &str) -> Result<Vec<Entry>, Mistakes> {
    let (mut entries, mut mistakes) = (Vec::new(), Vec::new());
    let lines = text.strip_prefix('\u{feff}').unwrap_or(text).split('\n');
    for (line, text) in (1..).zip(lines) {
        let text = text.strip_suffix('\r').unwrap_or(text).trim_matches(BLANKS);
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        match setting(text) {
            Ok((path, value)) => entries.push(Entry { path, value, line }),
            Err(what) => mistakes.push(Mistake { line, what }),
        }
    }
    if mistakes.is_empty() { Ok(entries) } else { Err(Mistakes(mistakes)) }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|Mistake { line, what }| write!(f, "\n  line {line}: {what}"))
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

/// The largest number of words in a key: no real key has more, and each is a level of nesting.
const MOST_WORDS: usize = 32;

fn setting(text: &str) -> Result<(Vec<String>, String), String> {
    let Some((path, rest)) = key(text) else { return Err(no_setting(text)) };
    let Some(value) = rest.trim_start_matches(BLANKS).strip_prefix('=') else { return Err(no_setting(text)) };
    if path.len() > MOST_WORDS {
        return Err(format!("its key has {} words, {MOST_WORDS} are allowed", path.len()));
    }
    Ok((path, value_of(value.trim_start_matches(BLANKS))?))
}

/// The key at the start of a line, and the rest after it.
fn key(text: &str) -> Option<(Vec<String>, &str)> {
    let (mut path, mut rest) = (vec![String::new()], text);
    loop {
        let word = path.last_mut().expect("it has one from the start");
        let mut letters = rest.chars();
        match letters.next() {
            Some('.') => path.push(String::new()),
            // An escaped dot, which is part of the word.
            Some('\\') if letters.next() == Some('.') => word.push('.'),
            Some(letter @ ('a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | '@' | '/' | ':')) => word.push(letter),
            _ => break,
        }
        rest = letters.as_str();
    }
    path.iter().all(|word| !word.is_empty()).then_some((path, rest))
}

fn value_of(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it has no value; an empty text is `\"\"`".into());
    }
    if text.starts_with('"') {
        let quoted = "it begins with a quote and is not text in quotes: put quotes around all of it, and `\\` before \
                      each within";
        return serde_json::from_str(text).map_err(|_| quoted.into());
    }
    match text.match_indices('#').find(|(at, _)| text[..*at].ends_with(BLANKS)) {
        Some(_) => Err("is what follows `#` a comment? Then put it on a line of its own, else put the value in \
                        quotes"
            .into()),
        None => Ok(text.into()),
    }
}

fn no_setting(text: &str) -> String {
    if text.starts_with("include") {
        "what it includes is not read: import that too, or put it here".into()
    } else if text.starts_with("{{") {
        "it is to be filled in when EMQX is built: import the file of an installation".into()
    } else {
        "it is neither `key = value` nor a comment; keys are words of letters, digits, `_` and `-` with dots between"
            .into()
    }
}
