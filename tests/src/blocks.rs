//! What a test plugin is to do with memory, as the cause of a [`Task`](crate::tasks::Task) whose trail is the plugin's
//! name; the task's `hold` is a number of bytes, unless stated otherwise.

/// Allocates a block, and keeps it.
pub const KEEP: u32 = 20;
/// The same, zeroed.
pub const KEEP_ZEROED: u32 = 21;
/// The same, at an address that is a multiple of 4096.
pub const KEEP_ALIGNED: u32 = 22;
/// The same, on a new thread, which then ends.
pub const KEEP_ON_A_THREAD: u32 = 23;
/// Resizes the block that it kept last.
pub const RESIZE: u32 = 24;
/// Frees everything that it keeps.
pub const FREE: u32 = 25;
/// Starts a thread that frees everything that it keeps when it is released; `hold` is the address of a
/// [`Hold`](crate::tasks::Hold).
pub const FREE_WHEN_LET_GO: u32 = 29;
/// Allocates that many blocks of different sizes, and frees each before the next.
pub const CHURN: u32 = 26;
/// Leaks that many boxes of [`LEAKED`] bytes into a static.
pub const LEAK: u32 = 27;
/// Writes that many letters into the payload.
pub const WRITE: u32 = 28;

/// The size of a leaked box, in bytes.
pub const LEAKED: usize = 24;
