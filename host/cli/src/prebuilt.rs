//! The plugins that come with the program.

/// The plugins that are built beside the program: a list, since a directory of libraries holds more
/// than plugins.
pub(crate) const PREBUILT: [&str; 6] = ["bench", "file-log", "hello", "mask", "stamp", "throttle"];

/// Those of them that operators use: `bench` is for measuring.
pub(crate) fn operators() -> impl Iterator<Item = &'static str> {
    PREBUILT.into_iter().filter(|name| *name != "bench")
}
