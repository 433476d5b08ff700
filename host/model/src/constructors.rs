//! Constructors of types that may grow.

/// Constructors of types that are `#[non_exhaustive]`, so that other crates can make them: each takes what there was
/// from the beginning, and what is added later has a default.
///
/// ```
/// use hookrail_model::constructors;
///
/// #[non_exhaustive]
/// pub struct Place {
///     pub point: String,
///     pub since: Option<u64>,
/// }
///
/// #[non_exhaustive]
/// pub enum Happened {
///     #[non_exhaustive]
///     Loaded { version: String },
///     Stopped,
/// }
///
/// constructors! {
///     /// A place on a point.
///     Place(point: impl Into<String>) { since: None }
/// }
/// constructors! {
///     Happened: loaded = Loaded(version: impl Into<String>)
/// }
///
/// assert_eq!(Place::new("message.publish").point, "message.publish");
/// assert!(matches!(Happened::loaded("1.0.0"), Happened::Loaded { version } if version == "1.0.0"));
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
