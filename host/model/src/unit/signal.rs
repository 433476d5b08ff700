//! The names of signals.

/// The name of a signal and what it says of the process that it ended, if it is known: `SIGSEGV`, `segmentation fault`.
///
/// The numbers are those of Linux on x86_64 and aarch64.
pub fn signal_name(number: i32) -> Option<(&'static str, &'static str)> {
    Some(match number {
        1 => ("SIGHUP", "hangup"),
        2 => ("SIGINT", "interrupt"),
        3 => ("SIGQUIT", "quit"),
        4 => ("SIGILL", "illegal instruction"),
        5 => ("SIGTRAP", "trap"),
        6 => ("SIGABRT", "abort"),
        7 => ("SIGBUS", "bus error"),
        8 => ("SIGFPE", "arithmetic error"),
        9 => ("SIGKILL", "killed"),
        10 => ("SIGUSR1", "user signal 1"),
        11 => ("SIGSEGV", "segmentation fault"),
        12 => ("SIGUSR2", "user signal 2"),
        13 => ("SIGPIPE", "broken pipe"),
        14 => ("SIGALRM", "alarm"),
        15 => ("SIGTERM", "terminated"),
        16 => ("SIGSTKFLT", "stack fault"),
        24 => ("SIGXCPU", "limit of CPU time"),
        25 => ("SIGXFSZ", "limit of file size"),
        26 => ("SIGVTALRM", "virtual alarm"),
        27 => ("SIGPROF", "profiling timer"),
        29 => ("SIGIO", "input or output possible"),
        30 => ("SIGPWR", "power failure"),
        31 => ("SIGSYS", "forbidden system call"),
        _ => return None,
    })
}
