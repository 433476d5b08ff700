//! What goes wrong in a plugin.

/// What goes wrong in a plugin: any error, or a text (`"...".into()`).
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A result of plugin code.
pub type Result<T, E = Error> = std::result::Result<T, E>;
