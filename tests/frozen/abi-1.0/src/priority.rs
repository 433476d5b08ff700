//! Where a callback stands in its chain.

use std::fmt;

/// A callback's place in its chain: lower numbers run first.
///
/// Built-in callbacks use [`Priority::BUILT_IN`]; below it runs before them, above it after.
/// There is no default: whoever registers a callback must say where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(i32);

impl Priority {
    /// The number of every built-in callback; nobody else may use it.
    pub const BUILT_IN: Priority = Priority(1000);

    /// The priority `number`, which may not be 1000 and not an end of the range: those are the
    /// host's own.
    ///
    /// # Panics
    /// On a reserved number; in a constant, as in `hooks!`, that is a compile error.
    pub const fn new(number: i32) -> Self {
        assert!(
            number != 1000,
            "priority 1000 is kept for built-in callbacks: use a lower number to run before them, a higher one to run after"
        );
        assert!(number != i32::MIN && number != i32::MAX, "the ends of the priority range are kept for the host");
        Priority(number)
    }

    /// The number as it came over the boundary or from an operator; `None` when it is reserved.
    pub const fn checked(number: i32) -> Option<Self> {
        match number {
            1000 | i32::MIN | i32::MAX => None,
            _ => Some(Priority(number)),
        }
    }

    /// The number.
    pub const fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
