//! Setters of configuration.

/// Gives a configuration its chainable setters, each of which sets one field: `with_pause(pause: Duration)`, or
/// `with_budget(budget: Duration) = Some` for a field that is an option.
///
/// Such a type is `#[non_exhaustive]`, so that a new field breaks no program; a program makes one of its default.
#[doc(hidden)]
#[macro_export]
macro_rules! setters {
    ($type:ident { $($setter:ident($field:ident: $argument:ty) $(= $wrap:path)?),* $(,)? }) => {
        impl $type {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub fn $setter(mut self, $field: $argument) -> Self {
                    $(let $field = $wrap($field);)?
                    self.$field = $field;
                    self
                }
            )*
        }
    };
}
