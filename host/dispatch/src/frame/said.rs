//! What plugin code said, and how it panicked.

use std::fmt;

/// A text, and the dispatch it was said in.
pub struct Reported {
    pub(super) kind: u32,
    /// The text.
    pub text: String,
    /// The panic that the text is about.
    pub panic: Option<Panic>,
    /// The dispatch that it was said from, and the entry in that, if any.
    pub(super) within: Option<(u64, *mut ())>,
}

/// A panic in a plugin.
pub struct Panic {
    /// Which generation of the plugin panicked, where that is known.
    pub generation: Option<u64>,
    /// What it panicked with.
    pub message: String,
    /// File, line and column.
    pub place: Option<String>,
    /// The functions that it came from, a line each; names are looked up when it is shown.
    pub backtrace: Option<Box<dyn fmt::Display + Send + Sync>>,
}

impl Panic {
    /// The functions that it came from, for the log.
    pub fn backtrace(&self) -> Option<tracing::field::DisplayValue<&dyn fmt::Display>> {
        self.backtrace.as_ref().map(|backtrace| tracing::field::display(&**backtrace as &dyn fmt::Display))
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.message)?;
        self.place.as_ref().map_or(Ok(()), |place| write!(f, " at {place}"))
    }
}
