//! Logging through the subscriber of the embedding program.
//!
//! That subscriber may panic. Its panic must not end anything of the host: not a dispatch, which has to leave, not a
//! thread that others rely on, nor the code after the log line.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Logs as `tracing`'s macro of that name does: `log!(warn, plugin, "it is late")`.
///
/// The target is the module's path below `hookrail::`, whichever of the host's crates it is in: programs know the
/// facade, and filter by its name.
#[macro_export]
macro_rules! log {
    ($level:ident, $($what:tt)+) => {{
        const MODULE: &str = module_path!();
        const TARGET: &str = $crate::log_target(&$crate::log_path::<{ MODULE.len() + 1 }>(MODULE));
        $crate::guarded((), || $crate::tracing::$level!(target: TARGET, $($what)+))
    }};
}

/// The path of a module with the facade in place of its crate: `hookrail::engine::host` for `hookrail_engine::host`.
#[doc(hidden)]
pub const fn log_path<const LENGTH: usize>(module: &str) -> [u8; LENGTH] {
    const CRATES: &[u8] = b"hookrail_";
    const FACADE: &[u8] = b"hookrail::";
    let (module, mut path, mut at) = (module.as_bytes(), [0; LENGTH], 0);
    while at < LENGTH {
        assert!(at >= CRATES.len() || module[at] == CRATES[at], "only crates below the facade log by this");
        path[at] = if at < FACADE.len() { FACADE[at] } else { module[at - 1] };
        at += 1;
    }
    path
}

/// The same path as text.
#[doc(hidden)]
pub const fn log_target(path: &'static [u8]) -> &'static str {
    match std::str::from_utf8(path) {
        Ok(target) => target,
        Err(_) => panic!("the path of a module is text"),
    }
}

/// Runs code of the embedding program, such as its subscriber, which may panic. The panic must not reach a plugin,
/// whose frames it cannot cross, nor a drop, nor the code that called [`log!`](crate::log).
pub fn guarded<R>(failed: R, run: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        // Dropping it may panic again.
        std::mem::forget(payload);
        failed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_the_hosts_crates_are_found_below_the_facades_name() {
        assert_eq!(log_target(const { &log_path::<22>("hookrail_engine::host") }), "hookrail::engine::host");
    }
}
