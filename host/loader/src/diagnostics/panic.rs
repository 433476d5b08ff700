//! Panics of plugins: kept until the call that they end has returned, or logged at once.

use std::fmt;
use std::sync::{Arc, Weak};

use hookrail_abi::boundary::TracePanic;
use hookrail_dispatch::frame::{self, Panic};
use hookrail_dispatch::reclaim;
use hookrail_model::log;

use super::of_plugin::PluginDiagnostics;
use crate::symbols::Symbols;

impl PluginDiagnostics {
    /// This thread panics in code of this library.
    ///
    /// # Safety
    /// The panic is readable for the duration of the call, with everything it points to.
    pub(super) unsafe fn panicked(&self, panic: &TracePanic) {
        // SAFETY: the panic is readable for the call, with its texts.
        let (message, file) = unsafe { (panic.message.to_text().into_owned(), panic.file.to_text()) };
        let frames = match panic.frame_count {
            0 => &[],
            // SAFETY: the panic is readable for the call, with its `count` addresses.
            count => unsafe { std::slice::from_raw_parts(panic.frames, count) },
        };
        let panic = Panic {
            generation: self.generation(),
            message: self.hidden(message),
            place: (!file.is_empty()).then(|| format!("{file}:{}:{}", panic.line, panic.column)),
            backtrace: (!frames.is_empty()).then(|| Box::new(self.backtrace(frames)) as _),
        };
        if reclaim::is_inside() || frame::is_calling() {
            frame::keep_panic(panic);
        } else {
            // On a thread of the plugin's own, no caller asks for the panic.
            log!(
                error,
                plugin = &*self.plugin,
                generation = panic.generation,
                backtrace = panic.backtrace(),
                "a thread of the plugin {panic}"
            );
        }
    }

    /// A panic with that message has ended this thread's call into this library.
    pub(super) fn caught(&self, message: &str) {
        let message = self.hidden(message.into());
        // A panic that was caught and rethrown as another one was reported with a different message.
        let panic = frame::take_panic().filter(|last| last.message == message);
        let generation = self.generation();
        frame::panicked(panic.unwrap_or(Panic { generation, message, place: None, backtrace: None }));
    }

    fn backtrace(&self, frames: &[*const std::ffi::c_void]) -> Backtrace {
        let frames = frames.iter().map(|address| address.addr()).collect();
        Backtrace { frames, symbols: self.symbols.get().map(Arc::downgrade).unwrap_or_default() }
    }
}

/// Where a panic came from; names are resolved when it is displayed.
struct Backtrace {
    /// Return addresses, innermost first.
    frames: Vec<usize>,
    symbols: Weak<Symbols>,
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(symbols) = self.symbols.upgrade() else { return f.write_str("(its library is gone)") };
        let names = symbols.names(&self.frames);
        for (index, name) in own(&names).iter().enumerate() {
            write!(f, "\n{index:4}: {}", name.as_deref().unwrap_or("(no name)"))?;
        }
        Ok(())
    }
}

/// The part between the frames that raise the panic and those that catch it.
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
