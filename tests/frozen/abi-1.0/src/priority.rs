//! A callback's place in its chain.

use std::fmt;

/// A callback's place in its chain: lower numbers run first.
///
/// Built-in callbacks use [`Priority::BUILT_IN`]; lower numbers run before them, higher ones after. There is no
/// default: every registration must state its priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(i32);

impl Priority {
    /// The priority of every built-in callback; no other callback may use it.
    pub const BUILT_IN: Priority = Priority(1000);

    /// Before all others: for callbacks of the host that look at what comes.
    #[doc(hidden)]
    pub const FIRST: Priority = Priority(i32::MIN);

    /// After all others: for callbacks of the host that look at what is left.
    #[doc(hidden)]
    pub const LAST: Priority = Priority(i32::MAX);

    /// The priority `number`, which must not be 1000 nor either end of the range: those are reserved for the host.
    ///
    /// # Panics
    /// If `number` is reserved; in a constant, as in `hooks!`, that is a compile error.
    pub const fn new(number: i32) -> Self {
        assert!(
            number != 1000,
            "priority 1000 is kept for built-in callbacks: use a lower number to run before them, a higher one to run after"
        );
        assert!(number != i32::MIN && number != i32::MAX, "the ends of the priority range are kept for the host");
        Priority(number)
    }

    /// The priority of a number from the boundary or an operator; `None` if it is reserved.
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
