//! Which errors may be gone in a moment.

/// Whether an error with that code may be gone in a moment: the plugin is busy, there are too many connections, or the
/// home is in use.
pub fn is_retryable(code: &str) -> bool {
    ["HR0106", "HR0708", "HR0812"].contains(&code)
}
