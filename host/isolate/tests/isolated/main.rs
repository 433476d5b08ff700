//! Lanes between two mappings of the same memory, and the flat forms.

mod calls;
mod flat;
mod hostile;
mod notes;
mod pair;
mod process;
mod random;
