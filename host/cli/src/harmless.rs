//! Text for people's terminals. What a plugin, a package, a file or another host says may contain anything: it must
//! neither command the terminal nor look like other text.

use std::borrow::Cow;

/// The styles of this program.
pub(crate) const BOLD: &str = "\x1b[1m";
pub(crate) const RED: &str = "\x1b[1;31m";
pub(crate) const END: &str = "\x1b[0m";

/// One line: escapes all characters that command a terminal, break the line or reverse it, but the styles of this
/// program.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    styled(text, is_harmful)
}

/// Several lines, which the program has put together: escapes all such characters but line breaks and the styles of
/// this program. What others have written is a [`part`] of one of the lines, or [`indented`].
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    styled(text, |letter| is_harmful(letter) && letter != '\n')
}

fn styled(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    let Some(mut at) = text.find(&is_escaped) else { return text.into() };
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
        match rest.find(&is_escaped) {
            Some(next) => at = next,
            None => return (harmless + rest).into(),
        }
    }
}

/// Escapes all such characters but line breaks, and indents the lines after the first: for a text of several
/// lines that others may have written. What begins further left is the program's own.
pub(crate) fn indented(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(|line| part(line.into())).collect();
    // A list is indented already.
    let is_list = lines[1..].iter().all(|line| line.starts_with("  "));
    lines.join(if is_list { "\n  " } else { "\n    " })
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

/// JSON that says the same: what a terminal would obey is written as JSON escapes it, in the texts where alone it is.
pub(crate) fn json(text: String) -> String {
    let is_escaped = |letter: char| is_harmful(letter) && letter != '\n';
    if !text.contains(is_escaped) {
        return text;
    }
    let mut harmless = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_escaped(letter) { harmless += &format!("\\u{:04x}", letter as u32) } else { harmless.push(letter) }
    }
    harmless
}

/// Whether a terminal obeys it, breaks the line there, or shows what is behind it in another order.
fn is_harmful(letter: char) -> bool {
    letter.is_control() && letter != '\t'
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_the_same_and_commands_no_terminal() {
        let said = "a\u{1b}[2J\u{9b}31m\u{7f}\u{202e}x\n\ty \u{1f600}";
        let shown = json(serde_json::to_string_pretty(&[said]).unwrap());
        assert!(!shown.contains(|letter| is_harmful(letter) && letter != '\n'), "{shown:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&shown).unwrap(), [said]);
    }

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
            assert_eq!(line(text), shown.replace('\n', "\\n"));
        }
        assert_eq!(part("a\u{1b}[1m\nb".into()), r"a\u{1b}[1m\nb");
        assert_eq!(part("e\u{301}".into()), "e\u{301}");
        assert_eq!(part("a\u{61c}b\u{2028}c\u{2066}d\te".into()), "a\\u{61c}b\\u{2028}c\\u{2066}d\te");
        assert_eq!(indented("of:\n  a\n  b"), "of:\n    a\n    b");
        assert_eq!(indented("a\nerror\u{1b}[1m\n\n  b\tc\r"), "a\n    error\\u{1b}[1m\n    \n      b\tc\\r");
    }
}
