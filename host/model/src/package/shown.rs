//! Unchecked text, made safe to display.

/// Unchecked text of a package, made safe to display: without terminal control characters, and limited in length.
pub fn shown(text: &str) -> String {
    const MOST: usize = 1000;
    let mut shown = String::new();
    for letter in text.chars().take(MOST) {
        // Debug would also escape quotes, which are printable.
        match letter {
            '"' | '\'' | '\\' => shown.push(letter),
            _ => shown.extend(letter.escape_debug()),
        }
    }
    if text.chars().nth(MOST).is_some() {
        shown.push_str("...");
    }
    shown
}
