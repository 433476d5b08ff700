//! Which names plugins and callbacks may have.

/// Whether a name can be part of the names of instances, callbacks and directories: no character of it separates names,
/// and none commands a terminal.
pub const fn is_plain(name: &str) -> bool {
    let (name, mut index) = (name.as_bytes(), 0);
    while index < name.len() {
        if !(name[index].is_ascii_alphanumeric() || matches!(name[index], b'-' | b'_' | b'.')) {
            return false;
        }
        index += 1;
    }
    !name.is_empty()
}
