//! Running hosts, for people.

use hookrail::control::Running;

/// A running host, for people: its process and what it was started with.
pub(crate) fn describe(host: &Running) -> String {
    let arguments = std::fs::read(format!("/proc/{}/cmdline", host.pid)).unwrap_or_default();
    let arguments: Vec<_> = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    // Whatever it was started with: nothing of it may steer the terminal.
    format!("{}  {}", host.pid, arguments.join(" ").trim_end().escape_debug())
}
