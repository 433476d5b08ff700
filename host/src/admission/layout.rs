//! Explains how two layouts of a payload differ, by abi_stable's checker.
//!
//! The checker keeps process-wide pointers into the libraries it saw, and uses them in later checks,
//! when those libraries may be gone. So each check here gets tables of its own, and the global ones
//! are replaced by ours before anything could use them.

use std::ffi::c_void;

use abi_stable::abi_stability::abi_checking::{CheckingGlobals, check_layout_compatibility_with_globals};
use abi_stable::globals::{Globals, initialize_globals_with, initialized_globals};
use abi_stable::std_types::{RBoxError, RErr, ROk, RResult};
use abi_stable::type_layout::{TLFieldOrFunction, TypeLayout};

/// One line: where, what, both sides. Owned text, so that it survives the library.
///
/// # Safety
/// `plugin` is null, or a layout in a library that is loaded.
pub(super) unsafe fn difference(host: &'static TypeLayout, plugin: *const c_void) -> String {
    // SAFETY: the caller's contract; the reference ends with this call.
    match unsafe { plugin.cast::<TypeLayout>().as_ref() } {
        None => "its fingerprint differs, and it brings no layout that could tell where".into(),
        Some(plugin) => check(host, plugin).err().unwrap_or_else(|| {
            "its fingerprint differs in something that abi_stable allows, such as a type's name".into()
        }),
    }
}

fn check(host: &'static TypeLayout, plugin: &'static TypeLayout) -> Result<(), String> {
    let Err(errors) = check_layout_compatibility_with_globals(host, plugin, &CheckingGlobals::new()) else {
        return Ok(());
    };
    let Some(error) = errors.errors.first() else { return Err("in a way abi_stable does not name".into()) };
    let steps = error.stack_trace.iter().map(|step| match &step.expected {
        TLFieldOrFunction::Field(field) => field.name(),
        TLFieldOrFunction::Function(function) => function.name.as_str(),
    });
    let place = std::iter::once(host.name()).chain(steps).collect::<Vec<_>>().join(".");
    let what = error.errs.first().map(|what| format!("{what:?}")).unwrap_or_default();
    // abi_stable's text runs over pages: one line is what people read.
    let what: String = what.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
    Err(format!("{place}: {what}"))
}

/// Replaces abi_stable's global tables. `false` when something used them before: then a later check
/// by other code of this program could read freed memory.
pub(crate) fn install_globals() -> bool {
    extern "C" fn check_afresh(host: &'static TypeLayout, plugin: &'static TypeLayout) -> RResult<(), RBoxError> {
        match check(host, plugin) {
            Ok(()) => ROk(()),
            Err(what) => RErr(RBoxError::from_box(what.into())),
        }
    }
    static OURS: Globals = Globals { layout_checking: check_afresh };
    initialize_globals_with(&OURS);
    std::ptr::eq(initialized_globals(), &OURS)
}
