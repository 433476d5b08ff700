//! What supervises it is told that it is ready, alive and ending.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use hookrail_tests::cli::live::Live;

use crate::scenes::following;

#[test]
fn a_supervisor_is_told_that_it_is_ready_alive_and_ending() {
    let place = following("serve-notify");
    // A socket's path is short.
    let socket = std::env::temp_dir().join(format!("hookrail-notify-{}", std::process::id()));
    let heard = UnixDatagram::bind(&socket).unwrap();
    heard.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let next = || {
        let mut text = [0; 64];
        let length = heard.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    let mut command = place.command(&["serve"]);
    let serving = Live::start(command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "100000"));
    assert_eq!(next(), "READY=1");
    assert_eq!([next(), next()], ["WATCHDOG=1", "WATCHDOG=1"]);
    serving.interrupt();
    while next() != "STOPPING=1" {}
    assert_eq!(serving.end().0, Some(0));
    std::fs::remove_file(socket).unwrap();
}
