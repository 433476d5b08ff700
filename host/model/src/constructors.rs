//! Constructors of types that may grow.

/// Constructors of types that are `#[non_exhaustive]`, so that other crates can make them: each takes what there was
/// from the beginning, and what is added later has a default.
///
/// Of a struct:
///
/// ```ignore
/// constructors! {
///     /// A callback on a point.
///     Placed(point: impl Into<String>, callback: CallbackView) { since: None }
/// }
/// ```
///
/// Of the variants of an enum:
///
/// ```ignore
/// constructors! {
///     EventKind: loaded = Loaded(version: impl Into<String>), stopped = Stopped();
/// }
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! constructors {
    ($($(#[$doc:meta])* $type:ident($($field:ident: $kind:ty),+ $(,)?) $({ $($other:ident: $default:expr),+ $(,)? })?)+) => {$(
        impl $type {
            $(#[$doc])*
            pub fn new($($field: $kind),+) -> Self {
                $type { $($field: $field.into(),)+ $($($other: $default,)+)? }
            }
        }
    )+};
    ($type:ident: $($name:ident = $variant:ident($($field:ident: $kind:ty),+ $(,)?)),+ $(,)?) => {
        /// Variants that may get more fields, made from those that they have had from the beginning.
        impl $type {$(
            #[doc = concat!("[`", stringify!($variant), "`](Self::", stringify!($variant), ")")]
            pub fn $name($($field: $kind),+) -> Self {
                $type::$variant { $($field: $field.into()),+ }
            }
        )+}
    };
}

/// Setters of a configuration, each with the name of its field.
macro_rules! setters {
    ($($type:ident { $($field:ident: $kind:ty),+ $(,)? })+) => {$(
        impl $type {$(
            #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
            pub fn $field(mut self, $field: $kind) -> Self {
                self.$field = $field.into();
                self
            }
        )+}
    )+};
}
pub(crate) use setters;
