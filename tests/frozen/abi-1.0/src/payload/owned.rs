//! What payloads are made of.

use abi_stable::StableAbi;

use crate::{Bytes, List, MessageId, Secret, Text};

/// What may cross to other libraries, and stay there: a type whose layout is fixed, and that owns all it holds, on the
/// process's `malloc`.
///
/// `derive(Payload)` implements it for a struct or an enum with a fixed layout (`#[repr(C)]`, for an enum also
/// `#[repr(u8)]` and its like) of whose fields each is a `Payload`: [`Text`], [`Bytes`], [`List`], [`Secret`],
/// integers, floats, `bool`, arrays, and types with that derive.
///
/// ```
/// use hookrail_abi::{List, Payload, Text};
///
/// /// Something to do.
/// #[repr(C)]
/// #[derive(Payload, Clone)]
/// pub struct Job {
///     pub name: Text,
///     pub urgency: Urgency,
///     pub steps: List<Text>,
/// }
///
/// #[repr(u8)]
/// #[derive(Payload, Clone, Copy)]
/// pub enum Urgency {
///     Low,
///     High,
/// }
/// ```
///
/// # Safety
/// A value owns everything it holds, on the process's `malloc`. It holds no pointer into a library, since it may
/// outlive the one that created it, and nothing of an allocator that another library does not have. Its `StableAbi`
/// describes its layout.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be in a payload: other libraries could not read, grow or free it",
    label = "not a payload",
    note = "use `Text` for text, `Bytes` for bytes, `List` for a list; for a type of your own, `#[repr(C)]` and `#[derive(Payload)]`"
)]
pub unsafe trait Payload: StableAbi + 'static {}

/// Implements [`Payload`](trait@Payload) for a struct or an enum whose fields are payloads.
pub use hookrail_abi_derive::Payload;

macro_rules! payloads {
    ($($type:ty),*) => {$(
        // SAFETY: a number holds nothing.
        unsafe impl Payload for $type {}
    )*};
}

payloads!(bool, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64);

// SAFETY: it owns its text, on the process's `malloc`.
unsafe impl Payload for Text {}
// SAFETY: it owns its bytes, on the process's `malloc`.
unsafe impl Payload for Bytes {}
// SAFETY: it owns its elements, on the process's `malloc`, and they own what they hold.
unsafe impl<T: Payload> Payload for List<T> {}
// SAFETY: it is a `Text`.
unsafe impl Payload for Secret {}
// SAFETY: it holds bytes only.
unsafe impl Payload for MessageId {}
// SAFETY: it is its elements, which own what they hold.
unsafe impl<T: Payload, const N: usize> Payload for [T; N] {}
