//! Numbers of things, for people.

/// `1 callback`, `2 callbacks`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}
