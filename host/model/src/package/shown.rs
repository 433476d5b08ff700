//! Text that nobody has looked at yet, for people to see.

/// Text of a package that nobody has looked at yet, for people to see: without what would command their
/// terminal, and with an end.
pub fn shown(text: &str) -> String {
    const MOST: usize = 1000;
    let mut shown = String::new();
    for letter in text.chars().take(MOST) {
        // Debug would escape quotes too, which print.
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
