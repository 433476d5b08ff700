//! Lanes between two mappings of the same memory, and the flat forms.

mod calls;
mod flat;
mod pair;
