//! Units, which are what a host starts and keeps alive, as people see them and set them.

mod exit;
mod restarts;
mod signal;

pub use self::exit::{Exit, ExitStatus};
pub use self::restarts::Restarts;
pub use self::signal::signal_name;
