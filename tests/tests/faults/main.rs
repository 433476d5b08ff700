//! What the failure of a callback means and whose it is said to be; and what a plugin may hold of memory.

mod attribution;
mod memory;
mod panics;
mod policies;
mod quota_policies;
mod uncontained;
