//! Hook points: named, typed places where a chain of callbacks runs.

use crate::kind::{FaultPolicy, Kind};
use crate::verdict::Decision;
use crate::{Payload, PayloadOps, Shape};

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
    type Payload: Payload;

    /// The operations on a payload whose type is not known.
    fn ops() -> &'static PayloadOps;
    /// The layout of a payload in memory. Computed again with each call: a cache in a static would be leaked with each
    /// generation of a plugin.
    fn shape() -> Shape {
        Shape::of::<Self::Payload>()
    }
}

/// Declares hook points: a name, a revision, a kind and a payload each.
///
/// The kind is `Notify`, `Fold` or `Gate`. The payload of a `local` point needs no serde; such a point is refused for
/// isolation, recording and simulation. The word `unsafe` stands for the promise of [`Point`](trait@crate::Point): the
/// payload owns everything it holds. A declaration ends with `;`, or with braces that override constants of the trait.
///
/// ```
/// use hookrail_abi::{Payload, Text, points};
///
/// #[repr(C)]
/// #[derive(Payload, Clone)]
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
///     // SAFETY: a request owns its path.
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

        // SAFETY: by `unsafe` the declaration promises a payload that owns all it holds; the rest follows its type.
        unsafe impl $crate::Point for $point {
            const NAME: &'static str = $name;
            const REVISION: u32 = $revision;
            $($item)*
            type Kind = $crate::$kind;
            type Payload = $payload;

            fn ops() -> &'static $crate::PayloadOps {
                const { &$crate::PayloadOps::$ops::<$payload>() }
            }
        }
    };
    ($($anything:tt)*) => {
        compile_error!("a point is: [pub] unsafe [local] Name: \"dotted.name\", REVISION, Notify<Payload> | Fold<Payload> | Gate<Payload>, and `;` or `{ const DENIABLE: bool = true; }`");
    };
}
