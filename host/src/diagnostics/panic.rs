//! Panics of plugins: kept until the call that they end has answered, or logged at once.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Weak};

use hookrail_abi::boundary::TracePanic;

use super::Speaker;
use crate::library::Symbols;
use crate::{reclaim, said};

/// A panic in a plugin.
pub(crate) struct Panic {
    pub(crate) generation: Option<u64>,
    message: String,
    /// File, line and column.
    place: Option<String>,
    /// Return addresses, the innermost first.
    frames: Vec<usize>,
    symbols: Weak<Symbols>,
}

thread_local! {
    /// This thread's last panic, until it is known what became of it.
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

impl Speaker {
    /// This thread panics in code of this library.
    ///
    /// # Safety
    /// The panic is readable for the call, with all that it points to.
    pub(super) unsafe fn panicked(&self, panic: &TracePanic) {
        // SAFETY: the caller's contract.
        let (message, file) = unsafe { (panic.message.to_text().into_owned(), panic.file.to_text()) };
        let frames = match panic.frame_count {
            0 => &[],
            // SAFETY: as above.
            count => unsafe { std::slice::from_raw_parts(panic.frames, count) },
        };
        let panic = Panic {
            generation: self.generation(),
            message,
            place: (!file.is_empty()).then(|| format!("{file}:{}:{}", panic.line, panic.column)),
            frames: frames.iter().map(|address| address.addr()).collect(),
            symbols: self.symbols.get().map(Arc::downgrade).unwrap_or_default(),
        };
        if reclaim::is_inside() || said::is_calling() {
            // The plugin may catch it itself, and then it is nobody's fault.
            let _ = LAST.try_with(|last| last.replace(Some(panic)));
        } else {
            // On a thread of its own nobody asks.
            log!(
                error,
                plugin = &*self.plugin,
                generation = panic.generation,
                backtrace = panic.backtrace(),
                "a thread of the plugin {panic}"
            );
        }
    }

    /// A panic with that message has ended the call that this thread made into this library.
    pub(super) fn caught(&self, message: &str) {
        let last = LAST.try_with(RefCell::take).ok().flatten();
        // One that was caught before, and thrown again as another, was told of with other words.
        let panic = last.filter(|last| last.message == message).unwrap_or_else(|| Panic {
            generation: self.generation(),
            message: message.into(),
            place: None,
            frames: Vec::new(),
            symbols: Weak::new(),
        });
        said::panicked(panic);
    }
}

impl Panic {
    /// The names of the plugin's functions that it came from, a line each; looked up when it is
    /// shown.
    pub(crate) fn backtrace(&self) -> Option<tracing::field::DisplayValue<Backtrace<'_>>> {
        (!self.frames.is_empty()).then(|| tracing::field::display(Backtrace(self)))
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.message)?;
        self.place.as_ref().map_or(Ok(()), |place| write!(f, " at {place}"))
    }
}

/// Where a panic came from, to be shown.
pub(crate) struct Backtrace<'a>(&'a Panic);

impl fmt::Display for Backtrace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(symbols) = self.0.symbols.upgrade() else { return f.write_str("(its library is gone)") };
        let names = symbols.names(&self.0.frames);
        for (index, name) in own(&names).iter().enumerate() {
            write!(f, "\n{index:4}: {}", name.as_deref().unwrap_or("(no name)"))?;
        }
        Ok(())
    }
}

/// The part between the machinery that panics and that which catches.
fn own(names: &[Option<String>]) -> &[Option<String>] {
    let position = |mark: &str| names.iter().position(|name| name.as_ref().is_some_and(|name| name.contains(mark)));
    let begins = ["__rustc::rust_begin_unwind", "rust_begin_unwind", "core::panicking::"];
    let is_raised =
        |name: &&Option<String>| name.as_ref().is_some_and(|name| begins.iter().any(|at| name.starts_with(at)));
    let begin = position("__rust_end_short_backtrace").map_or(0, |index| index + 1);
    let begin = begin + names[begin..].iter().take_while(is_raised).count();
    let catches = ["hookrail_abi::hook::run", "hookrail_abi::shim::", "__rust_begin_short_backtrace"];
    let end = catches.into_iter().filter_map(position).filter(|end| *end > begin).min();
    &names[begin..end.unwrap_or(names.len())]
}
