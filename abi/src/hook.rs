//! Static declarations: which callbacks a plugin hangs on which points.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::time::Duration;

use crate::boundary::RawCallback;
use crate::{Answer, Effects, Kind, PayloadOps, Point, Priority, RawKind, Shape};

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
    /// The time a call may take, in nanoseconds; 0 for no limit.
    pub(crate) budget: u64,
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
        F: for<'a> Fn(&'a P, <T::Kind as Kind>::Payload<'a, T::Payload>) -> R + Copy + 'static,
        R: Answer<T::Kind>,
    {
        const {
            assert!(size_of::<F>() == 0, "a callback is a function or a closure that captures nothing");
            assert!(
                !R::MAY_DENY || T::DENIABLE || matches!(T::Kind::RAW, RawKind::Gate),
                "this point cannot be denied: return nothing or `Flow`"
            );
        }
        Hook {
            point: T::NAME,
            revision: T::REVISION,
            callback,
            priority,
            effects,
            budget: 0,
            run: run::<P, T, F, R>,
            ops: T::ops,
            shape: T::shape,
            layout: <T::Payload as abi_stable::StableAbi>::LAYOUT,
            plugin: PhantomData,
        }
    }

    /// The same with a time that a call of it may take: while its point is counted, the host counts and
    /// tells the calls that took longer. They are not cut short. The operator may say otherwise.
    ///
    /// # Panics
    /// On no time at all; in a constant, as in `hooks!`, that is a compile error.
    pub const fn budget(mut self, budget: Duration) -> Self {
        assert!(!budget.is_zero(), "a budget of no time: every call would be over it");
        let nanoseconds = budget.as_nanos();
        self.budget = if nanoseconds > u64::MAX as u128 { u64::MAX } else { nanoseconds as u64 };
        self
    }
}

/// The one shim between the boundary and a callback written in Rust.
unsafe extern "C" fn run<P, T, F, R>(ctx: *mut c_void, payload: *mut c_void) -> u32
where
    T: Point,
    F: for<'a> Fn(&'a P, <T::Kind as Kind>::Payload<'a, T::Payload>) -> R + Copy + 'static,
    R: Answer<T::Kind>,
{
    crate::shim::guarded(crate::verdict::raw::FAULT, || {
        // SAFETY: `ctx` is the plugin this hook was registered with, alive until the host has
        // waited out every call; `payload` is the point's, exclusive unless the kind is notify.
        let (plugin, payload) = unsafe { (&*ctx.cast::<P>(), T::Kind::borrow::<T::Payload>(payload)) };
        // SAFETY: `Hook::new` asserts that `F` has no size and was given one, which is `Copy`:
        // reading it needs no memory.
        let function = unsafe { NonNull::<F>::dangling().as_ref() };
        function(plugin, payload).into_raw()
    })
}

/// Declares the callbacks of a plugin: the point, the priority, a name, the function, what it touches when
/// that is less than `external`, and its time [budget](Hook::budget), if it has one.
///
/// ```
/// use std::time::Duration;
///
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
///         MessagePublish, 900, "upper", Self::upper, pure, budget = Duration::from_micros(50);
///         MessageDelivered, 10, "count", Self::count, local;
///     ];
///     fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
///         Ok(Upper)
///     }
/// }
/// ```
#[macro_export]
macro_rules! hooks {
    ($($point:ty, $priority:literal, $name:literal, $function:expr $(, $option:ident $(= $value:expr)?)*);* $(;)?) => {
        &[$($crate::hooks!(@budget
            $crate::Hook::new::<$point, _, _>(
                $name,
                const { $crate::Priority::new($priority) },
                $crate::hooks!(@effects $($option $(= $value)?),*),
                $function,
            )
            $(, $option $(= $value)?)*
        )),*]
    };
    (@effects) => { $crate::Effects::External };
    (@effects budget $($rest:tt)*) => { $crate::Effects::External };
    (@effects external $($rest:tt)*) => { $crate::Effects::External };
    (@effects local $($rest:tt)*) => { $crate::Effects::Local };
    (@effects pure $($rest:tt)*) => { $crate::Effects::Pure };
    (@effects $other:ident $($rest:tt)*) => {
        compile_error!(concat!("unknown effects `", stringify!($other), "`: use pure, local or external"))
    };
    (@budget $hook:expr, budget = $budget:expr) => { $crate::Hook::budget($hook, $budget) };
    (@budget $hook:expr, $effects:ident, budget = $budget:expr) => { $crate::Hook::budget($hook, $budget) };
    (@budget $hook:expr $(, $effects:ident)?) => { $hook };
    ($point:ty, $name:literal, $function:expr $(, $($rest:tt)*)?) => {
        compile_error!(concat!(
            "the hook ", $name, " needs a priority: hooks![", stringify!($point), ", PRIORITY, ", stringify!($name), ", ",
            stringify!($function), "], below 1000 to run before the built-in callbacks, above to run after"
        ))
    };
    ($($anything:tt)*) => {
        compile_error!("a hook is: Point, PRIORITY, \"name\", Self::function [, pure | local | external] [, budget = DURATION]; hooks are separated by `;`")
    };
}
