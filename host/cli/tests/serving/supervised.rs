//! What supervises it is told that it is ready, alive and ending.

use hookrail_tests::cli::live::Live;

use crate::scenes::{Supervisor, following};

#[test]
fn a_supervisor_is_told_that_it_is_ready_alive_and_ending() {
    let place = following("serve-notify");
    let supervisor = Supervisor::new("notify");
    let mut command = place.command(&["serve"]);
    let serving = Live::start(command.env("NOTIFY_SOCKET", &supervisor.socket).env("WATCHDOG_USEC", "100000"));
    assert_eq!(supervisor.told(), "READY=1");
    assert_eq!([supervisor.told(), supervisor.told()], ["WATCHDOG=1", "WATCHDOG=1"]);
    supervisor.hears_it_end(&serving, libc::SIGINT);
    assert_eq!(serving.end().0, Some(0));
}
