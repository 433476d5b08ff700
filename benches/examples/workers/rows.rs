//! The rows that are printed.

/// What is printed, and how many bounds were missed.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) missed: usize,
}

impl Rows {
    pub(super) fn print(&mut self, what: &str, value: &str, bound: Option<(&str, bool)>) {
        let (bound, is_reached) = bound.unwrap_or(("printed", true));
        self.missed += usize::from(!is_reached);
        println!("{} {what}: {value} ({bound})", if is_reached { "  " } else { "! " });
    }
}
