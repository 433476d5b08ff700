//! The order of a chain.

/// The sort key of the callbacks of a point: ascending, field by field. Never load order, address or chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<T> {
    /// Lower priorities are called first.
    pub priority: i32,
    /// The name of the instance.
    pub instance: T,
    /// The callback's own name.
    pub name: T,
}
