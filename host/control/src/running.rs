//! The running hosts, found by the sockets in the directory `run` in their home.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hookrail_model::log;

use crate::peer::Peer;
use crate::socket::{Occupant, clear, occupant};

/// A running host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Running {
    /// Its PID, as it is seen from here.
    pub pid: u32,
    /// Its control socket.
    pub socket: PathBuf,
}

/// The path at which this process opens its socket so that operators find it: `HOME/run/PID.sock`, where the home is
/// [`Config::home_dir`](hookrail_engine::Config::home_dir).
pub fn socket_in(home: impl AsRef<Path>) -> PathBuf {
    home.as_ref().join("run").join(format!("{}.sock", std::process::id()))
}

/// The running hosts with this home, by PID. Those of a PID namespace that cannot be seen from here are left out.
/// Removes the sockets that dead processes have left.
///
/// # Errors
/// If the directory cannot be read.
pub fn running(home: impl AsRef<Path>) -> io::Result<Vec<Running>> {
    let entries = match fs::read_dir(home.as_ref().join("run")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut running = Vec::new();
    for entry in entries {
        let socket = entry?.path();
        let Some(pid) = pid_of(&socket) else { continue };
        match occupant(&socket) {
            // The name has the PID that it has of itself: in another PID namespace that is another process here, or none.
            Occupant::Live(Some(Peer { pid: here, .. })) => {
                running.extend(here.map(|pid| Running { pid, socket }));
            }
            Occupant::Live(None) => running.push(Running { pid, socket }),
            Occupant::Dead => {
                if let Err(error) = clear(&socket) {
                    log!(debug, "cannot remove {}: {error}", socket.display());
                }
            }
            Occupant::Nothing | Occupant::Unknown => {}
        }
    }
    running.sort_by_key(|running| running.pid);
    Ok(running)
}

/// The `4711` of `4711.sock`.
fn pid_of(socket: &Path) -> Option<u32> {
    let name = socket.file_name()?.to_str()?;
    name.strip_suffix(".sock")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_name_sockets() {
        for (name, pid) in [("4711.sock", Some(4711)), ("a.sock", None), ("4711", None), ("-1.sock", None)] {
            assert_eq!(pid_of(&Path::new("/run").join(name)), pid, "{name}");
        }
    }
}
