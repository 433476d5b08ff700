//! The socket between a host and its worker: frames, and descriptors with them.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest frame, in bytes: a state or a configuration, and what belongs to it.
const LONGEST: usize = 256 << 20;
/// The longest frame of messages, in bytes.
const LONGEST_OF_MESSAGES: usize = 1 << 30;
/// How many descriptors may come with a frame.
const MOST: usize = 2;

/// Two ends of a socket.
pub(crate) fn pair() -> io::Result<(UnixStream, UnixStream)> {
    UnixStream::pair()
}

/// The end that sends. Frames of several threads do not mix.
#[derive(Debug)]
pub(crate) struct Sender {
    socket: Mutex<UnixStream>,
    longest: usize,
}

impl Sender {
    pub(crate) fn new(socket: UnixStream) -> Self {
        Sender { socket: Mutex::new(socket), longest: LONGEST }
    }

    /// One for messages, which may be longer.
    pub(crate) fn of_messages(socket: UnixStream) -> Self {
        Sender { longest: LONGEST_OF_MESSAGES, ..Self::new(socket) }
    }

    /// Sends a frame, with two descriptors at most. Of one that is too long nothing is sent, and the error is
    /// [`FileTooLarge`](io::ErrorKind::FileTooLarge).
    pub(crate) fn send(&self, frame: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut bytes = vec![0; 4];
        rmp_serde::encode::write(&mut bytes, frame).map_err(io::Error::other)?;
        let length = bytes.len() - 4;
        if length > self.longest {
            let why = format!("{length} bytes at once, and {} may be", self.longest);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        bytes[..4].copy_from_slice(&(length as u32).to_le_bytes());
        let mut socket = self.socket.lock();
        let sent = if descriptors.is_empty() { 0 } else { send_with(&socket, &bytes, descriptors)? };
        socket.write_all(&bytes[sent..])
    }

    /// The other end reads the end of the stream, and so does this one.
    pub(crate) fn close(&self) {
        // It may be closed already.
        let _ = self.socket.lock().shutdown(Shutdown::Both);
    }
}

/// Sends the beginning of a frame with descriptors; returns how many bytes were sent.
fn send_with(socket: &UnixStream, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = SendAncillaryBuffer::new(&mut room);
    if !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::other("no room for so many descriptors"));
    }
    // No signal when the other end is gone.
    Ok(sendmsg(socket.as_fd(), &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?)
}

/// The end that receives.
#[derive(Debug)]
pub(crate) struct Receiver {
    socket: UnixStream,
    longest: usize,
}

impl Receiver {
    pub(crate) fn new(socket: UnixStream) -> Self {
        Receiver { socket, longest: LONGEST }
    }

    /// One for messages, which may be longer.
    pub(crate) fn of_messages(socket: UnixStream) -> Self {
        Receiver { socket, longest: LONGEST_OF_MESSAGES }
    }

    /// Whether there is something to receive, the end of the stream included; waits for it that long.
    pub(crate) fn is_readable(&self, limit: Duration) -> io::Result<bool> {
        let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&limit)) {
            Err(Errno::INTR) => Ok(false),
            ready => Ok(ready? > 0),
        }
    }

    /// The next frame, with the descriptors that came with it; `None` at the end of the stream.
    pub(crate) fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        let mut length = [0; 4];
        let Some(descriptors) = self.begin(&mut length)? else { return Ok(None) };
        let length = u32::from_le_bytes(length) as usize;
        if length > self.longest {
            return Err(invalid(format!("a frame of {length} bytes")));
        }
        // It grows as the bytes arrive: a length alone reserves nothing.
        let mut bytes = Vec::new();
        (&mut self.socket).take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let frame = rmp_serde::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
        Ok(Some((frame, descriptors)))
    }

    /// Reads a length, and the descriptors that come with its first byte; `None` is the end of the stream.
    fn begin(&mut self, length: &mut [u8; 4]) -> io::Result<Option<Vec<OwnedFd>>> {
        let mut came = Vec::new();
        let mut read = 0;
        while read < length.len() {
            let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
            let mut control = RecvAncillaryBuffer::new(&mut room);
            let mut into = [IoSliceMut::new(&mut length[read..])];
            let received = match recvmsg(self.socket.as_fd(), &mut into, &mut control, RecvFlags::CMSG_CLOEXEC) {
                Err(Errno::INTR) => continue,
                received => received?,
            };
            for message in control.drain() {
                if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                    came.extend(descriptors);
                }
            }
            match received.bytes {
                0 if read == 0 => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                bytes => read += bytes,
            }
        }
        Ok(Some(came))
    }
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::thread;

    use super::*;

    #[test]
    fn frames_cross_with_their_descriptors() {
        let (here, there) = pair().unwrap();
        let (sender, mut receiver) = (Sender::new(here), Receiver::new(there));
        let (mut reading, writing) = io::pipe().unwrap();
        let sending = thread::spawn(move || {
            sender.send(&"first", &[writing.as_fd(), io::stderr().as_fd()]).unwrap();
            // More than the socket holds at once.
            sender.send(&"x".repeat(1 << 20), &[]).unwrap();
        });
        let (first, descriptors) = receiver.receive::<String>().unwrap().unwrap();
        assert!(first == "first" && descriptors.len() == 2);
        File::from(descriptors.into_iter().next().unwrap()).write_all(b"through").unwrap();
        let (long, none) = receiver.receive::<String>().unwrap().unwrap();
        assert!(long.len() == 1 << 20 && none.is_empty());
        sending.join().unwrap();
        assert!(receiver.receive::<String>().unwrap().is_none(), "the other end is closed");
        let mut through = String::new();
        reading.read_to_string(&mut through).unwrap();
        assert_eq!(through, "through");
    }

    #[test]
    fn nothing_is_reserved_for_a_length_and_nothing_else_is_believed() {
        for wrong in [&[0xff; 4][..], &[0, 0, 0, 0x0f, 1, 2], &[1, 0], &[1, 0, 0, 0, 0xc1]] {
            let (mut here, there) = pair().unwrap();
            here.write_all(wrong).unwrap();
            drop(here);
            Receiver::new(there).receive::<String>().unwrap_err();
        }
    }
}
