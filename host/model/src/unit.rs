//! Units, which are what a host starts and keeps alive, as people see them and set them.

mod command;
mod deadlines;
mod exit;
mod restarts;
mod signal;
mod view;

pub use self::command::{Acknowledgement, UnitCommand};
pub use self::deadlines::Deadlines;
pub use self::exit::{Exit, ExitStatus};
pub use self::restarts::Restarts;
pub use self::signal::signal_name;
pub use self::view::{UnitState, UnitView};
