//! What a worker writes to its stderr: passed on to that of the host, and remembered for when it ends.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use parking_lot::Mutex;

/// How much is remembered: what an abort says, and the long backtrace behind it.
const LENGTH: usize = 64 << 10;
/// How long what it wrote is waited for when it has ended. Only a process that somebody else has forked can have the
/// pipe open still.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a worker has written last.
pub(super) struct Words {
    last: Arc<Mutex<Vec<u8>>>,
    /// Closed when nothing more can come.
    over: Mutex<Receiver<()>>,
}

impl Words {
    /// Of the worker that has the other end of a pipe.
    pub(super) fn of(pipe: OwnedFd) -> io::Result<Self> {
        let (still, over) = sync_channel(0);
        let last = Arc::new(Mutex::new(Vec::new()));
        let heard = last.clone();
        let pass_on = move || {
            let _still = still;
            let (mut pipe, mut bytes) = (File::from(pipe), [0; 4096]);
            loop {
                let length = match pipe.read(&mut bytes) {
                    Ok(0) => return,
                    Ok(length) => length,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(_) => return,
                };
                // Without a stderr of the host it is lost, as it would be in the host.
                let _ = io::stderr().write_all(&bytes[..length]);
                let mut heard = heard.lock();
                heard.extend_from_slice(&bytes[..length]);
                let surplus = heard.len().saturating_sub(LENGTH);
                heard.drain(..surplus);
            }
        };
        std::thread::Builder::new().name("hookrail-words".into()).spawn(pass_on)?;
        Ok(Words { last, over: Mutex::new(over) })
    }

    /// What it wrote last, once it has ended.
    pub(super) fn last(&self) -> String {
        let _ = self.over.lock().recv_timeout(PATIENCE);
        String::from_utf8_lossy(&self.last.lock()).into_owned()
    }
}
