//! What supervises this program, if that wants to know how it is: systemd, by `sd_notify(3)`.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

pub(super) struct Supervisor {
    socket: Option<UnixDatagram>,
    /// How long it waits for a sign of life.
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names.
    pub(super) fn of_environment() -> Self {
        let connect = || {
            let name = std::env::var("NOTIFY_SOCKET").ok()?;
            let address = match name.strip_prefix('@') {
                Some(name) => SocketAddr::from_abstract_name(name),
                None => SocketAddr::from_pathname(&name),
            };
            let socket = UnixDatagram::unbound().ok()?;
            // One that does not read must not stop us.
            socket.set_nonblocking(true).ok()?;
            socket.connect_addr(&address.ok()?).ok()?;
            Some(socket)
        };
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|time| is_ours && *time > 0).map(Duration::from_micros);
        Supervisor { socket: connect(), watchdog }
    }

    /// How often it wants a sign of life: twice in its time.
    pub(super) fn pause(&self) -> Option<Duration> {
        self.watchdog.map(|time| time / 2)
    }

    pub(super) fn ready(&self) {
        self.tell("READY=1");
    }

    pub(super) fn alive(&self) {
        if self.watchdog.is_some() {
            self.tell("WATCHDOG=1");
        }
    }

    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    fn tell(&self, what: &str) {
        if let Some(socket) = &self.socket {
            // It cannot be told that it cannot be told.
            let _ = socket.send(what.as_bytes());
        }
    }
}
