//! What comes from outside, as it is shown to people.

/// How many characters of it are shown.
const MOST: usize = 200;

/// A text in one line, cut, with what a terminal would obey escaped.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == MOST {
            shown.push_str("...");
            break;
        }
        match character {
            // They change the direction of what follows, or are not seen.
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_is_obeyed() {
        assert_eq!(shown("a\u{1b}[2Jb\nc\u{202e}\u{fc}"), "a\\u{1b}[2Jb\\nc\\u{202e}\u{fc}");
        assert_eq!(shown(&"x".repeat(1000)).len(), MOST + 3);
    }
}
