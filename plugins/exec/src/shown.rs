//! What comes from outside, as it is shown to people.

use std::fmt::Write;

/// How many characters of it are shown.
const MOST: usize = 200;

/// A text in one line, cut, with what a terminal would obey escaped.
pub(crate) fn shown(text: &str) -> String {
    shown_up_to(text, MOST)
}

/// As [`shown`], with a limit of its own, in characters.
pub(crate) fn shown_up_to(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == most {
            shown.push_str("...");
            break;
        }
        let is_plain = !character.is_control() && !is_direction(character);
        let _ = if is_plain { shown.write_char(character) } else { write!(shown, "{}", character.escape_default()) };
    }
    shown
}

/// Characters that change the direction of what follows, or are not seen.
fn is_direction(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_is_obeyed() {
        assert_eq!(shown("a\u{1b}[2Jb\n\tc\u{202e}\u{fc}"), "a\\u{1b}[2Jb\\n\\tc\\u{202e}\u{fc}");
        assert_eq!(shown(&"x".repeat(1000)).len(), MOST + 3);
        assert_eq!(shown_up_to("abc", 3), "abc");
    }
}
