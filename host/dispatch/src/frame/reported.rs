//! What plugin code reported, and how it panicked.

use std::fmt;

/// A reported text, and the dispatch it was reported in.
pub struct Reported {
    /// A [`Report`](hookrail_abi::host::Report).
    pub kind: u32,
    /// The text.
    pub text: String,
    /// The panic that caused the text, if one did.
    pub panic: Option<Panic>,
    /// The dispatch that it was reported from, and the entry in it, if any.
    pub(super) within: Option<(u64, *mut ())>,
}

/// A panic in a plugin.
pub struct Panic {
    /// The generation of the plugin, if known.
    pub generation: Option<u64>,
    /// The panic message.
    pub message: String,
    /// File, line and column.
    pub place: Option<String>,
    /// The backtrace, one function per line; names are resolved when it is displayed.
    pub backtrace: Option<Box<dyn fmt::Display + Send + Sync>>,
}

impl Panic {
    /// The backtrace, for the log.
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
