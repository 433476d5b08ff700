//! Explains how two layouts of a payload differ, by means of abi_stable's checker.
//!
//! The checker keeps process-wide pointers into the libraries it has seen and uses them in later checks, when those
//! libraries may have been unmapped. So each check here gets its own tables, and the global ones are replaced by ours
//! before anything can use them.

use std::cmp::Reverse;
use std::ffi::c_void;
use std::fmt::Display;

use abi_stable::abi_stability::abi_checking::{
    AbiInstability, CheckingGlobals, check_layout_compatibility_with_globals,
};
use abi_stable::globals::{Globals, initialize_globals_with, initialized_globals};
use abi_stable::std_types::{RBoxError, RErr, ROk, RResult};
use abi_stable::type_layout::{TLField, TLFieldOrFunction, TypeLayout};

/// Where and how the layouts differ, on one line, with both sides. The text is owned, so it survives the library.
///
/// # Safety
/// `plugin` is null, or a layout in a library that is loaded until this returns.
pub(crate) unsafe fn difference(host: &'static TypeLayout, plugin: *const c_void) -> String {
    // SAFETY: null, or a layout in a library that is loaded until this returns; the reference ends with this call.
    match unsafe { plugin.cast::<TypeLayout>().as_ref() } {
        None => format!(
            "{}: its fingerprint differs, and it has no description of its layout that would show the difference",
            host.name()
        ),
        Some(plugin) => check(host, plugin).err().unwrap_or_else(|| {
            format!("{}: its fingerprint differs in what abi_stable allows to grow, behind a pointer", host.name())
        }),
    }
}

fn check(host: &'static TypeLayout, plugin: &'static TypeLayout) -> Result<(), String> {
    let Err(errors) = check_layout_compatibility_with_globals(host, plugin, &CheckingGlobals::new()) else {
        return Ok(());
    };
    // The innermost error says the most; the ones around it follow from it.
    let Some(error) = errors.errors.iter().max_by_key(|error| (error.stack_trace.len(), Reverse(error.index))) else {
        return Err("in a way abi_stable does not name".into());
    };
    let steps = error.stack_trace.iter().map(|step| match &step.expected {
        TLFieldOrFunction::Field(field) => field.name(),
        TLFieldOrFunction::Function(function) => function.name.as_str(),
    });
    // abi_stable's derive uses this name for the step from a type to its parameter.
    let steps = steps.filter(|name| !name.starts_with("_phantom_ty_param"));
    let place = std::iter::once(host.name()).chain(steps).collect::<Vec<_>>().join(".");
    // A difference in sizes or counts follows from another difference, if there is one.
    let vagueness = |what: &&AbiInstability| match what {
        AbiInstability::Size(_) | AbiInstability::Alignment(_) => 2,
        AbiInstability::FieldCountMismatch(_) => 1,
        _ => 0,
    };
    let what = error.errs.iter().min_by_key(vagueness).map(sides).unwrap_or_default();
    Err(format!("{place}: {what}"))
}

/// What the host has, and what the plugin has.
fn sides(what: &AbiInstability) -> String {
    use AbiInstability as Is;
    let both = |here: &dyn Display, there: &dyn Display| format!("{here} here, {there} in the plugin");
    match what {
        Is::Alignment(it) => both(&format_args!("aligned to {} bytes", it.expected), &it.found),
        Is::FieldCountMismatch(it) => both(&format_args!("{} fields", it.expected), &it.found),
        Is::MismatchedPrimitive(it) => both(&format_args!("{:?}", it.expected), &format_args!("{:?}", it.found)),
        Is::Name(it) => both(&format_args!("`{}`", it.expected.name()), &format_args!("`{}`", it.found.name())),
        Is::Package(it) => both(&format_args!("of the package `{}`", it.expected), &format_args!("`{}`", it.found)),
        Is::PackageVersion(it) => both(&format_args!("of version {}", it.expected), &it.found),
        Is::Size(it) => both(&format_args!("{} bytes", it.expected), &it.found),
        Is::TooManyVariants(it) => both(&format_args!("{} variants", it.expected), &it.found),
        Is::UnexpectedField(it) => {
            let field = |field: &TLField| format!("`{}: {}`", field.name(), field.layout().name());
            both(&field(&it.expected), &field(&it.found))
        }
        Is::UnexpectedVariant(it) => {
            both(&format_args!("the variant `{}`", it.expected), &format_args!("`{}`", it.found))
        }
        // abi_stable's text runs over pages, and people read one line.
        other => {
            let text = format!("{other:?}");
            text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect()
        }
    }
}

/// Replaces abi_stable's global tables. Returns `false` if something has used them already: then a later check by other
/// code of this program could read freed memory.
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
