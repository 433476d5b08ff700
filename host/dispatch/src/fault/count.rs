//! Numbers of faults, in words.

/// So many of them.
pub(crate) fn count(faults: u64) -> String {
    if faults == 1 { "1 fault".into() } else { format!("{faults} faults") }
}
