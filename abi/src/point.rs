//! Hook points: named, typed places where a chain of callbacks runs.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::verdict::raw;
use crate::{Access, Answer, Decision, PayloadOps, Shape, Verdict};

/// A hook point, declared once, in a crate that the host and its plugins share: see [`points!`](crate::points!).
///
/// # Safety
/// The payload owns everything it holds, on the process's `malloc` ([`Text`](crate::Text), [`Bytes`](crate::Bytes),
/// [`List`](crate::List)). It must not hold a pointer into the library that created it, since it may outlive that
/// library. `shape` and `ops` describe `Payload`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a hook point",
    note = "the catalogue is in `hookrail_abi::catalogue`; your own are declared with `hookrail_abi::points!`"
)]
pub unsafe trait Point: Copy + Default + Send + Sync + 'static {
    /// The name, dotted, for example `message.publish`.
    const NAME: &'static str;
    /// Incremented when the meaning or the payload changes; 0 means that no program dispatches the point yet.
    const REVISION: u32;
    /// Whether a fold may be denied. Gates always may, notify points never.
    const DENIABLE: bool = false;
    /// What a fault of a callback means, unless the callback or the operator overrides it.
    const FAULT: FaultPolicy = Self::Kind::FAULT;
    /// The decision of a chain in which no callback decided.
    const DEFAULT: Decision = Self::Kind::DEFAULT;
    /// The kind, which determines what callbacks of this point may do.
    type Kind: Kind;
    /// What is passed from callback to callback.
    type Payload: StableAbi + 'static;

    /// The operations on a payload whose type is not known.
    fn ops() -> &'static PayloadOps;
    /// The layout of a payload in memory. Computed anew with each call: a cache in a static would be leaked with each
    /// generation of a plugin.
    fn shape() -> Shape;
}

/// What callbacks of a point may do: [`Notify`], [`Fold`] or [`Gate`].
pub trait Kind: sealed::Sealed + Sized + Send + Sync + 'static {
    /// The kind as the boundary carries it.
    const RAW: RawKind;
    /// What a fault means where the point does not state it: notify and fold fail open, gates fail closed.
    const FAULT: FaultPolicy;
    /// The decision of a chain in which no callback decided, where the point does not state one.
    const DEFAULT: Decision;
    /// How a callback sees the payload.
    type Payload<'a, T: 'a>;
    /// The widest type that callbacks may return.
    type Verdict: Answer<Self> + Copy + std::fmt::Debug + PartialEq;

    /// Borrows the payload for one call.
    ///
    /// # Safety
    /// `payload` points to a valid `T`, shared for `Notify`, exclusive otherwise, for `'a`.
    unsafe fn borrow<'a, T>(payload: *mut c_void) -> Self::Payload<'a, T>;

    /// Converts the number that a callback returned to a verdict; `None` for a fault.
    fn verdict(answer: u32) -> Option<Self::Verdict>;
}

/// Callbacks only read the payload.
#[derive(Debug)]
pub enum Notify {}

/// Callbacks edit the payload, and may deny where the point is deniable.
#[derive(Debug)]
pub enum Fold {}

/// Callbacks decide, and write the answer part of the payload.
#[derive(Debug)]
pub enum Gate {}

impl Kind for Notify {
    const RAW: RawKind = RawKind::Notify;
    const FAULT: FaultPolicy = FaultPolicy::Open;
    const DEFAULT: Decision = Decision::Passed;
    type Payload<'a, T: 'a> = &'a T;
    type Verdict = ();

    unsafe fn borrow<'a, T>(payload: *mut c_void) -> &'a T {
        // SAFETY: the caller's contract.
        unsafe { &*payload.cast() }
    }

    fn verdict(answer: u32) -> Option<()> {
        (answer == raw::CONTINUE).then_some(())
    }
}

impl Kind for Fold {
    const RAW: RawKind = RawKind::Fold;
    const FAULT: FaultPolicy = FaultPolicy::Open;
    const DEFAULT: Decision = Decision::Passed;
    type Payload<'a, T: 'a> = &'a mut T;
    type Verdict = Verdict;

    unsafe fn borrow<'a, T>(payload: *mut c_void) -> &'a mut T {
        // SAFETY: the caller's contract.
        unsafe { &mut *payload.cast() }
    }

    fn verdict(answer: u32) -> Option<Verdict> {
        match (answer & 0xff, answer >> 8) {
            (raw::CONTINUE, 0) => Some(Verdict::Continue),
            (raw::SKIP, 0) => Some(Verdict::Skip),
            (raw::DENY, code) => u16::try_from(code).ok().map(Verdict::Deny),
            _ => None,
        }
    }
}

impl Kind for Gate {
    const RAW: RawKind = RawKind::Gate;
    const FAULT: FaultPolicy = FaultPolicy::Closed;
    const DEFAULT: Decision = Decision::Denied(0);
    type Payload<'a, T: 'a> = &'a mut T;
    type Verdict = Access;

    unsafe fn borrow<'a, T>(payload: *mut c_void) -> &'a mut T {
        // SAFETY: the caller's contract.
        unsafe { &mut *payload.cast() }
    }

    fn verdict(answer: u32) -> Option<Access> {
        match (answer & 0xff, answer >> 8) {
            (raw::CONTINUE, 0) => Some(Access::Continue),
            (raw::ALLOW, 0) => Some(Access::Allow),
            (raw::DENY, code) => u16::try_from(code).ok().map(Access::Deny),
            _ => None,
        }
    }
}

/// The kind of a point, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// See [`Notify`].
    Notify,
    /// See [`Fold`].
    Fold,
    /// See [`Gate`].
    Gate,
}

impl RawKind {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            RawKind::Notify => "notify",
            RawKind::Fold => "fold",
            RawKind::Gate => "gate",
        }
    }
}

/// What a fault of a callback means for the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultPolicy {
    /// The fault denies.
    Closed,
    /// The chain continues as if the callback were not there; what it wrote into the payload stays.
    Open,
    /// As `Open`, but the payload is restored to what the callback received: it is copied before each call.
    Rollback,
}

impl FaultPolicy {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            FaultPolicy::Closed => "closed",
            FaultPolicy::Open => "open",
            FaultPolicy::Rollback => "rollback",
        }
    }
}

/// Declares hook points: a name, a revision, a kind and a payload each.
///
/// The kind is `Notify`, `Fold` or `Gate`. The payload of a `local` point needs no serde; such a point is refused for
/// isolation, recording and simulation. The word `unsafe` stands for the promise of [`Point`](trait@crate::Point): the
/// payload owns everything it holds. A declaration ends with `;`, or with braces that override constants of the trait.
///
/// ```
/// use abi_stable::StableAbi;
/// use hookrail_abi::{Text, points};
///
/// #[repr(C)]
/// #[derive(StableAbi, Clone)]
/// pub struct Request {
///     pub path: Text,
/// }
///
/// points! {
///     /// A request came in.
///     // SAFETY: a request owns its path.
///     pub unsafe local RequestReceived: "app.request", 1, Fold<Request> { const DENIABLE: bool = true; }
///
///     /// A request was answered.
///     // SAFETY: as above.
///     pub unsafe local RequestAnswered: "app.answered", 1, Notify<Request>;
/// }
/// ```
#[macro_export]
macro_rules! points {
    () => {};
    ($(#[$meta:meta])* $vis:vis unsafe local $point:ident : $name:literal, $revision:literal, $kind:ident<$payload:ty> { $($item:item)* } $($more:tt)*) => {
        $crate::points!(@declare [$(#[$meta])* $vis] $point local ; $name, $revision, $kind, $payload, { $($item)* });
        $crate::points!($($more)*);
    };
    ($(#[$meta:meta])* $vis:vis unsafe local $point:ident : $name:literal, $revision:literal, $kind:ident<$payload:ty>; $($more:tt)*) => {
        $crate::points!(@declare [$(#[$meta])* $vis] $point local ; $name, $revision, $kind, $payload, {});
        $crate::points!($($more)*);
    };
    ($(#[$meta:meta])* $vis:vis unsafe $point:ident : $name:literal, $revision:literal, $kind:ident<$payload:ty> { $($item:item)* } $($more:tt)*) => {
        $crate::points!(@declare [$(#[$meta])* $vis] $point portable ; $name, $revision, $kind, $payload, { $($item)* });
        $crate::points!($($more)*);
    };
    ($(#[$meta:meta])* $vis:vis unsafe $point:ident : $name:literal, $revision:literal, $kind:ident<$payload:ty>; $($more:tt)*) => {
        $crate::points!(@declare [$(#[$meta])* $vis] $point portable ; $name, $revision, $kind, $payload, {});
        $crate::points!($($more)*);
    };
    (@declare [$(#[$meta:meta])* $vis:vis] $point:ident $ops:ident ; $name:literal, $revision:literal, $kind:ident, $payload:ty, { $($item:item)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default)]
        $vis struct $point;

        // SAFETY: whoever wrote `unsafe` before the point's name promised it.
        unsafe impl $crate::Point for $point {
            const NAME: &'static str = $name;
            const REVISION: u32 = $revision;
            $($item)*
            type Kind = $crate::$kind;
            type Payload = $payload;

            fn ops() -> &'static $crate::PayloadOps {
                const { &$crate::PayloadOps::$ops::<$payload>() }
            }

            fn shape() -> $crate::Shape {
                $crate::Shape::of::<$payload>()
            }
        }
    };
    ($($anything:tt)*) => {
        compile_error!("a point is: [pub] unsafe [local] Name: \"dotted.name\", REVISION, Notify<Payload> | Fold<Payload> | Gate<Payload>, and `;` or `{ const DENIABLE: bool = true; }`");
    };
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Notify {}
    impl Sealed for super::Fold {}
    impl Sealed for super::Gate {}
}
