//! The order of a chain.

/// What the callbacks of a point are ordered by, ascending, the first difference deciding; never by load order, address
/// or chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<T> {
    /// Lower ones are called first.
    pub priority: i32,
    /// The name of the instance.
    pub instance: T,
    /// The callback's own name.
    pub callback: T,
}
