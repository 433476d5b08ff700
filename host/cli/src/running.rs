//! Running hosts in readable form.

use hookrail::control::Running;

/// A running host in readable form: its PID and its command line.
pub(crate) fn describe(host: &Running) -> String {
    let arguments = std::fs::read(format!("/proc/{}/cmdline", host.pid)).unwrap_or_default();
    let arguments: Vec<_> = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    // Whatever the command line is: none of it may control the terminal.
    format!("{}  {}", host.pid, arguments.join(" ").trim_end().escape_debug())
}
