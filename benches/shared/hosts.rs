//! Hosts with chains of a given length, and the raw loop they are compared with.

use std::ffi::c_void;
use std::ops::Deref;

use hookrail::{Config, HookPoint, Host, PluginConfig};
use hookrail_abi::boundary::RawCallback;
use hookrail_benches::WorkDone;

/// A host whose chain has that many callbacks, spread over the eight libraries.
pub(crate) fn with(callbacks: usize) -> (Host, HookPoint<WorkDone>) {
    let share = |index: usize| callbacks / 8 + usize::from(index < callbacks % 8);
    let config = (0..8).fold(Config::default(), |config, index| {
        let plugin =
            PluginConfig::default().with_config(serde_json::json!({ "number": index, "callbacks": share(index) }));
        config.with_plugin(format!("work-{index}"), plugin)
    });
    let host = Host::new(config).expect("a host");
    let point = host.point(WorkDone).expect("its own point");
    for index in (0..8).filter(|index| share(*index) > 0) {
        // SAFETY: our own library.
        unsafe { host.load(hookrail_tests::work(index)) }.expect("the library loads");
    }
    assert_eq!(point.raw_pairs().len(), callbacks);
    (host, point)
}

/// The raw loop: the same function pointers, contiguous, with the verdict checked.
///
/// # Safety
/// The pairs are registered, and stay so for the call, on the point whose payload this is; it is exclusive for the
/// call.
#[inline(always)]
pub(crate) unsafe fn run_raw(pairs: &[(RawCallback, *mut c_void)], payload: *mut c_void) -> u32 {
    for (run, ctx) in pairs {
        // SAFETY: the pair is registered on the point whose payload this is, and which is exclusive for the call.
        let answer = unsafe { run(*ctx, payload) };
        if answer != 0 {
            return answer;
        }
    }
    0
}

/// Pairs of 16 bytes that begin at a cache line.
pub(crate) struct Aligned {
    memory: Vec<Line>,
    len: usize,
}

// SAFETY: code and context of registered callbacks, which may run on any thread.
unsafe impl Send for Aligned {}
// SAFETY: the pairs do not change, and callbacks may run on several threads at once.
unsafe impl Sync for Aligned {}

#[repr(C, align(64))]
#[derive(Clone)]
struct Line([(RawCallback, *mut c_void); 4]);

/// Copies pairs to cache-line-aligned memory.
pub(crate) fn aligned(pairs: &[(RawCallback, *mut c_void)]) -> Aligned {
    let Some(filler) = pairs.first() else { return Aligned { memory: Vec::new(), len: 0 } };
    let line = |pairs: &[_]| Line(std::array::from_fn(|index| *pairs.get(index).unwrap_or(filler)));
    Aligned { memory: pairs.chunks(4).map(line).collect(), len: pairs.len() }
}

impl Deref for Aligned {
    type Target = [(RawCallback, *mut c_void)];
    fn deref(&self) -> &Self::Target {
        // SAFETY: the lines hold at least `len` pairs, one after the other.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast(), self.len) }
    }
}
