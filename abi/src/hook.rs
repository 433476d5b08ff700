//! Static declarations: which callbacks a plugin registers at which points.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::time::Duration;

use crate::boundary::RawCallback;
use crate::{Answer, Callback, Effects, FaultPolicy, Kind, PayloadOps, Point, Priority, RawKind, Shape};

/// The callbacks of a plugin `P`, made by [`hooks!`](crate::hooks).
pub type Hooks<P> = &'static [Hook<P>];

/// One callback of a plugin `P` at one point.
#[derive(Debug)]
#[non_exhaustive]
pub struct Hook<P> {
    /// The name of the point.
    pub point: &'static str,
    /// The point's revision.
    pub revision: u32,
    /// The name of the callback, unique in the plugin and point.
    pub callback: &'static str,
    /// The callback's place in the chain.
    pub priority: Priority,
    /// What it touches.
    pub effects: Effects,
    /// What its fault means; `None` for what the point states.
    pub fault: Option<FaultPolicy>,
    /// The time that a call may take, in nanoseconds; 0 for no limit.
    pub(crate) budget: u64,
    pub(crate) run: RawCallback,
    pub(crate) ops: fn() -> &'static PayloadOps,
    pub(crate) shape: fn() -> Shape,
    pub(crate) layout: &'static abi_stable::type_layout::TypeLayout,
    plugin: PhantomData<fn(&P)>,
}

impl<P: Sync + 'static> Hook<P> {
    /// A callback `function` at point `T`; [`hooks!`](crate::hooks) is the short way to write it.
    pub const fn new<T, F, R, M>(
        _point: PhantomData<T>,
        callback: &'static str,
        priority: Priority,
        _function: F,
    ) -> Self
    where
        T: Point,
        F: Callback<P, T::Kind, T::Payload, R, M> + Copy + 'static,
        R: Answer<T::Kind>,
    {
        const {
            assert!(size_of::<F>() == 0, "a callback is a function or a closure that captures nothing");
            assert!(
                !R::MAY_DENY || T::DENIABLE || matches!(T::Kind::RAW, RawKind::Gate),
                "this point cannot be denied: return nothing or `Flow`"
            );
        }
        assert!(crate::name::is_plain(callback), "a callback's name is made of letters, digits, `-`, `_` and `.`");
        Hook {
            point: T::NAME,
            revision: T::REVISION,
            callback,
            priority,
            effects: Effects::External,
            fault: None,
            budget: 0,
            run: run::<P, T, F, R>,
            ops: T::ops,
            shape: T::shape,
            layout: <T::Payload as abi_stable::StableAbi>::LAYOUT,
            plugin: PhantomData,
        }
    }

    /// Sets what the callback touches; the default is [`Effects::External`], anything.
    #[must_use]
    pub const fn effects(mut self, effects: Effects) -> Self {
        self.effects = effects;
        self
    }

    /// Sets what a fault of the callback means, unless the operator overrides it; the default is what the point states.
    #[must_use]
    pub const fn fault(mut self, fault: FaultPolicy) -> Self {
        self.fault = Some(fault);
        self
    }

    /// Sets the time that a call may take. While its point is counted, the host counts and reports the calls that took
    /// longer; it does not interrupt them. The operator may override the budget.
    ///
    /// # Panics
    /// If `budget` is zero; in a constant, as in `hooks!`, that is a compile error.
    #[must_use]
    pub const fn budget(mut self, budget: Duration) -> Self {
        assert!(!budget.is_zero(), "a budget of no time: every call would be over it");
        let nanoseconds = budget.as_nanos();
        self.budget = if nanoseconds > u64::MAX as u128 { u64::MAX } else { nanoseconds as u64 };
        self
    }
}

/// The one shim between the boundary and a callback written in Rust.
///
/// # Safety
/// `ctx` is the `P` that the hook was registered with, and lives until the call returns. `payload` is a payload of
/// point `T`, shared for the call if the point is a notify point, exclusive otherwise. `F` was given to `Hook::new`.
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

/// Declares the callbacks of a plugin. Each is a point, the callback's name, its function, and named settings in any
/// order; hooks are separated by `;`.
///
/// | setting | value | without it |
/// |---|---|---|
/// | `priority` | a number, or a constant: below 1000 runs before the host's own callbacks, above after them | refused |
/// | `effects` | what it touches: `pure` (only the payload), `local` (this process), `external` (anything) | `external` |
/// | `budget` | the [time](Hook::budget) that a call may take, a `Duration` | none |
/// | `fault` | what its [fault](crate::FaultPolicy) means: `open`, `closed`, `rollback` | as the point states |
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
///         MessagePublish, "upper" => Self::upper,
///             priority = 900, effects = pure, fault = rollback, budget = Duration::from_micros(50);
///         MessageDelivered, "count" => Self::count, priority = 10, effects = local;
///     ];
///     fn start(_: &Startup, _: NoConfig) -> Result<Self> {
///         Ok(Upper)
///     }
/// }
/// ```
#[macro_export]
macro_rules! hooks {
    ($($point:ty, $name:literal => $function:expr $(, $key:ident = $value:expr)*);* $(;)?) => {
        &[$($crate::hooks!(@set
            $crate::Hook::new(
                ::core::marker::PhantomData::<$point>,
                $name,
                $crate::hooks!(@priority ($point, $name, $function) $($key = $value,)*),
                $function,
            );
            $($key = $value,)*
        )),*]
    };
    (@priority $hook:tt priority = $value:expr, $($rest:tt)*) => { const { $crate::Priority::new($value) } };
    (@priority $hook:tt $other:ident = $value:expr, $($rest:tt)*) => { $crate::hooks!(@priority $hook $($rest)*) };
    (@priority ($point:ty, $name:literal, $function:expr)) => {
        compile_error!(concat!(
            "the hook ", $name, " needs a priority: `", stringify!($point), ", ", stringify!($name), " => ",
            stringify!($function), ", priority = NUMBER`, below 1000 to run before the built-in callbacks, above to run after"
        ))
    };
    (@set $hook:expr;) => { $hook };
    (@set $hook:expr; priority = $value:expr, $($rest:tt)*) => { $crate::hooks!(@set $hook; $($rest)*) };
    (@set $hook:expr; budget = $value:expr, $($rest:tt)*) => { $crate::hooks!(@set $hook.budget($value); $($rest)*) };
    (@set $hook:expr; effects = $value:expr, $($rest:tt)*) => {
        $crate::hooks!(@set $hook.effects({
            #[allow(unused_imports)]
            use $crate::hook_words::effects::*;
            $value
        }); $($rest)*)
    };
    (@set $hook:expr; fault = $value:expr, $($rest:tt)*) => {
        $crate::hooks!(@set $hook.fault({
            #[allow(unused_imports)]
            use $crate::hook_words::fault::*;
            $value
        }); $($rest)*)
    };
    (@set $hook:expr; $other:ident = $value:expr, $($rest:tt)*) => {
        compile_error!(concat!("a hook has no setting `", stringify!($other), "`: it has priority, effects, budget and fault"))
    };
    ($($anything:tt)*) => {
        compile_error!("a hook is: Point, \"name\" => Self::function, priority = NUMBER [, effects = pure | local | external] [, fault = open | closed | rollback] [, budget = DURATION]; hooks are separated by `;`")
    };
}

/// The setting values that [`hooks!`](crate::hooks) accepts.
#[doc(hidden)]
#[allow(non_upper_case_globals)]
pub mod hook_words {
    pub mod effects {
        use crate::Effects;

        pub const external: Effects = Effects::External;
        pub const local: Effects = Effects::Local;
        pub const pure: Effects = Effects::Pure;
    }

    pub mod fault {
        use crate::FaultPolicy;

        pub const closed: FaultPolicy = FaultPolicy::Closed;
        pub const open: FaultPolicy = FaultPolicy::Open;
        pub const rollback: FaultPolicy = FaultPolicy::Rollback;
    }
}
