//! Numbers of faults, in words.

/// The number with its noun.
pub(crate) fn count(faults: u64) -> String {
    if faults == 1 { "1 fault".into() } else { format!("{faults} faults") }
}
