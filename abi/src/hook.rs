//! Static declarations: which callbacks a plugin hangs on which points.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::boundary::RawCallback;
use crate::{Answer, Effects, Kind, PayloadOps, Point, Priority, Shape};

/// The callbacks of a plugin `P`, made by [`hooks!`](crate::hooks).
pub type Hooks<P> = &'static [Hook<P>];

/// One callback of a plugin `P` on one point.
#[derive(Debug)]
pub struct Hook<P> {
    /// The name of the point.
    pub point: &'static str,
    /// The point's revision.
    pub revision: u32,
    /// The name of the callback, unique for the plugin and point.
    pub callback: &'static str,
    /// Where it stands in the chain.
    pub priority: Priority,
    /// What it touches.
    pub effects: Effects,
    pub(crate) run: RawCallback,
    pub(crate) ops: fn() -> &'static PayloadOps,
    pub(crate) shape: fn() -> Shape,
    pub(crate) layout: &'static abi_stable::type_layout::TypeLayout,
    plugin: PhantomData<fn(&P)>,
}

impl<P: Sync + 'static> Hook<P> {
    /// A callback `function` of point `T`; [`hooks!`](crate::hooks) is the short way to write it.
    pub const fn new<T, F, R>(callback: &'static str, priority: Priority, effects: Effects, _function: F) -> Self
    where
        T: Point,
        F: for<'a> Fn(&'a P, <T::Kind as Kind>::Access<'a, T::Payload>) -> R + Copy + 'static,
        R: Answer,
    {
        const { assert!(size_of::<F>() == 0, "a callback is a function or a closure that captures nothing") };
        Hook {
            point: T::NAME,
            revision: T::REVISION,
            callback,
            priority,
            effects,
            run: run::<P, T, F, R>,
            ops: T::ops,
            shape: T::shape,
            layout: <T::Payload as abi_stable::StableAbi>::LAYOUT,
            plugin: PhantomData,
        }
    }
}

/// The one shim between the boundary and a callback written in Rust.
unsafe extern "C" fn run<P, T, F, R>(ctx: *mut c_void, payload: *mut c_void) -> u32
where
    T: Point,
    F: for<'a> Fn(&'a P, <T::Kind as Kind>::Access<'a, T::Payload>) -> R + Copy + 'static,
    R: Answer,
{
    crate::shim::guarded(crate::verdict::raw::FAULT, || {
        // SAFETY: `ctx` is the plugin this hook was registered with, alive until the host has
        // waited out every call; `payload` is the point's, exclusive unless the kind is notify.
        let (plugin, payload) = unsafe { (&*ctx.cast::<P>(), T::Kind::access::<T::Payload>(payload)) };
        // SAFETY: `Hook::new` asserts that `F` has no size and was given one, which is `Copy`:
        // reading it needs no memory.
        let function = unsafe { NonNull::<F>::dangling().as_ref() };
        function(plugin, payload).into_raw()
    })
}

/// Declares the callbacks of a plugin: the point, the priority, a name, the function, and what it
/// touches when that is less than `external`.
///
/// ```
/// use hookrail_abi::prelude::*;
///
/// struct Upper;
///
/// impl Upper {
///     fn upper(&self, message: &mut Message) {
///         message.body.make_ascii_uppercase();
///     }
///     fn count(&self, _: &Message) {}
/// }
///
/// impl Plugin for Upper {
///     type Config = NoConfig;
///     const HOOKS: Hooks<Self> = hooks![
///         MessagePublish, 900, "upper", Self::upper, pure;
///         MessageDelivered, 10, "count", Self::count, local;
///     ];
///     fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
///         Ok(Upper)
///     }
/// }
/// ```
#[macro_export]
macro_rules! hooks {
    ($($point:ty, $priority:literal, $name:literal, $function:expr $(, $effects:ident)?);* $(;)?) => {
        &[$($crate::Hook::new::<$point, _, _>(
            $name,
            const { $crate::Priority::new($priority) },
            $crate::hooks!(@effects $($effects)?),
            $function,
        )),*]
    };
    (@effects) => { $crate::Effects::External };
    (@effects external) => { $crate::Effects::External };
    (@effects local) => { $crate::Effects::Local };
    (@effects pure) => { $crate::Effects::Pure };
    (@effects $other:ident) => {
        compile_error!(concat!("unknown effects `", stringify!($other), "`: use pure, local or external"))
    };
    ($point:ty, $name:literal, $function:expr $(, $($rest:tt)*)?) => {
        compile_error!(concat!(
            "the hook ", $name, " needs a priority: hooks![", stringify!($point), ", PRIORITY, ", stringify!($name), ", ",
            stringify!($function), "], below 1000 to run before the built-in callbacks, above to run after"
        ))
    };
    ($($anything:tt)*) => {
        compile_error!("a hook is: Point, PRIORITY, \"name\", Self::function [, pure | local | external]; hooks are separated by `;`")
    };
}
