//! Text for people's terminals. What a plugin, a package, a file or another host says may contain anything: it must
//! neither command the terminal nor look like other text.

use std::borrow::Cow;

/// The styles of this program.
pub(crate) const BOLD: &str = "\x1b[1m";
pub(crate) const RED: &str = "\x1b[1;31m";
pub(crate) const END: &str = "\x1b[0m";

/// Escapes all such characters but line breaks, tabs and the styles of this program.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    let is_escaped = |letter| is_harmful(letter) && !matches!(letter, '\n' | '\t');
    let Some(mut at) = text.find(is_escaped) else { return text.into() };
    let (mut harmless, mut rest) = (String::with_capacity(text.len()), text);
    loop {
        harmless.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(style) = [BOLD, RED, END].into_iter().find(|style| rest.starts_with(style)) {
            harmless.push_str(style);
            rest = &rest[style.len()..];
        } else if let Some(letter) = rest.chars().next() {
            harmless.extend(letter.escape_default());
            rest = &rest[letter.len_utf8()..];
        }
        match rest.find(is_escaped) {
            Some(next) => at = next,
            None => return (harmless + rest).into(),
        }
    }
}

/// Escapes all such characters: for a text that is part of a line.
pub(crate) fn part(text: String) -> String {
    if !text.contains(is_harmful) {
        return text;
    }
    let mut harmless = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_harmful(letter) { harmless.extend(letter.escape_default()) } else { harmless.push(letter) }
    }
    harmless
}

/// Whether a terminal obeys it, or shows what is behind it in another order.
fn is_harmful(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_commands_are_escaped_and_nothing_else() {
        for (text, shown) in [
            ("", ""),
            ("two\n\tlines, e\u{301} and \u{1f600}", "two\n\tlines, e\u{301} and \u{1f600}"),
            ("a\u{1b}[2Jb\u{7}", r"a\u{1b}[2Jb\u{7}"),
            ("\u{9b}31m\r\u{202e}x", r"\u{9b}31m\r\u{202e}x"),
            ("\u{1b}[1mbold\u{1b}[0m, \u{1b}[31mred", "\u{1b}[1mbold\u{1b}[0m, \\u{1b}[31mred"),
        ] {
            assert_eq!(lines(text), shown);
        }
        assert_eq!(part("a\u{1b}[1m\nb".into()), r"a\u{1b}[1m\nb");
        assert_eq!(part("e\u{301}".into()), "e\u{301}");
    }
}
