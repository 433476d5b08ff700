//! Lines that a peer sends: bounded, and waited for until a deadline without losing the part that has come.

use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How much is read at once, in bytes.
const CHUNK: usize = 1 << 16;

/// The lines of a connection.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) stream: UnixStream,
    /// What has come and was not returned yet.
    pending: Vec<u8>,
    /// How many of those bytes are known to contain no end of a line.
    seen: usize,
    /// The longest line, in bytes.
    limit: usize,
}

impl Lines {
    pub(crate) fn new(stream: UnixStream, limit: usize) -> Self {
        Lines { stream, pending: Vec::new(), seen: 0, limit }
    }

    /// The next line, without its end; waits until `deadline`, or without a limit.
    ///
    /// # Errors
    /// `TimedOut` if the line was not complete in time; the next call continues with it. `UnexpectedEof` if the peer
    /// has closed the connection, `InvalidData` if the line exceeds the limit, or the system's error.
    pub(crate) fn next(&mut self, deadline: Option<Instant>) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.pending[self.seen..].iter().position(|byte| *byte == b'\n') {
                let rest = self.pending.split_off(self.seen + end + 1);
                let mut line = std::mem::replace(&mut self.pending, rest);
                self.seen = 0;
                line.pop();
                return Ok(line);
            }
            self.seen = self.pending.len();
            if self.seen > self.limit {
                let why = format!("a line is longer than {} bytes", self.limit);
                return Err(io::Error::new(ErrorKind::InvalidData, why));
            }
            self.wait(deadline)?;
            self.pending.resize(self.seen + CHUNK, 0);
            let read = self.stream.read(&mut self.pending[self.seen..]);
            self.pending.truncate(self.seen + read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "it has hung up")),
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Waits until there is something to read.
    fn wait(&self, deadline: Option<Instant>) -> io::Result<()> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            // A wait that exceeds the system's clock is one without a limit.
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            let mut polled = [PollFd::new(&self.stream, PollFlags::IN)];
            match poll(&mut polled, left.as_ref()) {
                Ok(0) => return Err(io::Error::new(ErrorKind::TimedOut, "it did not answer in time")),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;

    fn soon() -> Option<Instant> {
        Some(Instant::now())
    }

    fn later() -> Option<Instant> {
        Some(Instant::now() + Duration::from_secs(60))
    }

    #[test]
    fn a_timeout_loses_no_part_of_a_line() {
        let (mut peer, stream) = UnixStream::pair().unwrap();
        let mut lines = Lines::new(stream, 10);
        assert_eq!(lines.next(soon()).unwrap_err().kind(), ErrorKind::TimedOut);
        peer.write_all(b"fir").unwrap();
        assert_eq!(lines.next(soon()).unwrap_err().kind(), ErrorKind::TimedOut);
        peer.write_all(b"st\n\nthird\nfou").unwrap();
        for line in ["first", "", "third"] {
            assert_eq!(lines.next(later()).unwrap(), line.as_bytes());
        }
        assert_eq!(lines.next(soon()).unwrap_err().kind(), ErrorKind::TimedOut);
        drop(peer);
        assert_eq!(lines.next(later()).unwrap_err().kind(), ErrorKind::UnexpectedEof, "no end, no line");
    }

    #[test]
    fn a_line_that_does_not_end_is_not_collected_for_ever() {
        let (mut peer, stream) = UnixStream::pair().unwrap();
        let writing = std::thread::spawn(move || while peer.write_all(&[b'x'; 1 << 12]).is_ok() {});
        let mut lines = Lines::new(stream, 100_000);
        assert_eq!(lines.next(later()).unwrap_err().kind(), ErrorKind::InvalidData);
        assert!(lines.pending.len() <= 100_000 + CHUNK);
        drop(lines);
        writing.join().unwrap();
    }
}
