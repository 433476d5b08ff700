//! The plugins that come with the program.

/// The plugins that are built beside the program. Listed explicitly, since a directory of libraries contains more than
/// plugins.
pub(crate) const PREBUILT: [&str; 9] =
    ["bench", "exec", "file-log", "hello", "http", "mask", "stamp", "tail", "throttle"];

/// Those that operators use: `bench` is only for measuring.
pub(crate) fn operators() -> impl Iterator<Item = &'static str> {
    PREBUILT.into_iter().filter(|name| *name != "bench")
}
