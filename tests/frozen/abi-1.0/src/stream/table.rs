//! The table `stream/1` of a plugin: from the C boundary to its [`Endpoints`](super::Endpoints).

use super::{Accepted, SinkIo, SourceIo};
use crate::boundary::{self, Str, StreamIo, StreamTable, TooSmall};
use crate::entry::{PANICKED, plugin, said};
use crate::error::Result;
use crate::shim::guarded;
use crate::{Endpoint, Plugin, Text};

/// The table of plugin `P`; `None` if it declares no endpoints.
pub(crate) const fn table<P: Plugin>() -> Option<&'static StreamTable> {
    const {
        if P::ENDPOINTS.is_empty() {
            None
        } else {
            Some(&StreamTable {
                size: size_of::<StreamTable>() as u32,
                accept: accept::<P>,
                run,
                free,
                schema: schema::<P>,
            })
        }
    }
}

fn find<P: Plugin>(kind: u32, name: &str) -> Result<&'static Endpoint<P>> {
    let is_it = |endpoint: &&Endpoint<P>| endpoint.kind.number() == kind && endpoint.name == name;
    P::ENDPOINTS.iter().find(is_it).ok_or_else(|| format!("it has no such endpoint `{name}`").into())
}

/// # Safety
/// `instance` came from `create`, is started, was not stopped, and is only shared during the call; the texts are readable
/// for the call, and `endpoint` is room for a pointer.
unsafe extern "C" fn accept<P: Plugin>(
    instance: *mut boundary::Instance,
    kind: u32,
    name: Str,
    config: Str,
    endpoint: *mut *mut boundary::Endpoint,
) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: the host passes an instance that is only shared, and texts that are readable for the call.
        let (plugin, name, config) = unsafe { (plugin::<P>(instance), name.to_text(), config.to_text()) };
        let config = if config.is_empty() { "{}" } else { &*config };
        said(plugin.and_then(|plugin| (find::<P>(kind, &name)?.accept)(plugin, config)).map(|accepted| {
            // SAFETY: the host passes room for a pointer.
            unsafe { endpoint.write(Box::into_raw(Box::new(accepted)).cast()) };
        }))
    })
}

/// # Safety
/// `endpoint` came from `accept`, was not freed, and is used by nobody else during the call; `io` is the host's, for the
/// call.
unsafe extern "C" fn run(endpoint: *mut boundary::Endpoint, io: *const StreamIo) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: `accept` made it, and the host uses it on one thread at a time.
        let accepted = unsafe { &mut *endpoint.cast::<Accepted>() };
        let incomplete = |why: TooSmall| format!("the host's table for endpoints is incomplete: {why}");
        said(match accepted {
            // SAFETY: `io` is the host's, and the sink has it only for this call.
            Accepted::Sink(sink) => match unsafe { SinkIo::new(io) } {
                Ok(mut io) => sink.run(&mut io),
                Err(why) => Err(incomplete(why).into()),
            },
            // SAFETY: as above, and the source.
            Accepted::Source(source) => match unsafe { SourceIo::new(io) } {
                Ok(mut io) => source.run(&mut io),
                Err(why) => Err(incomplete(why).into()),
            },
        })
    })
}

/// # Safety
/// `endpoint` came from `accept`, does not run, and is not used again.
unsafe extern "C" fn free(endpoint: *mut boundary::Endpoint) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: `accept` made it from a box, and the host does not use it again.
        drop(unsafe { Box::from_raw(endpoint.cast::<Accepted>()) });
        0
    })
}

/// # Safety
/// `name` is readable for the call, and `out` a text that nobody else uses during the call.
unsafe extern "C" fn schema<P: Plugin>(kind: u32, name: Str, out: *mut Text) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: the host passes a text that is readable for the call, and another one, exclusively.
        let (name, out) = unsafe { (name.to_text(), &mut *out) };
        said(find::<P>(kind, &name).map(|endpoint| out.push_str(&(endpoint.schema)())))
    })
}
