//! The same by the usual means: a process that gets the message as MessagePack over a Unix socket, and sends it back.

use std::ffi::c_void;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::ptr::{from_mut, from_ref};
use std::time::{Duration, Instant};

use hookrail::{Message, MessagePublish};
use hookrail_abi::{Bytes, Format, Point, Text};

use super::passing::BODY;
use super::shared::lanes::message;
use super::shared::other_side::{asked, start};

const KIND: &str = "socket";

/// If this process is to be the other side, it is that and ends.
pub(super) fn be_the_other_side() {
    let Some(arguments) = std::env::args().nth(1).filter(|kind| kind == KIND).and_then(|_| asked()) else { return };
    let mut socket = UnixStream::from(arguments.0);
    let mut message = Message::empty();
    while receive(&mut socket, &mut message) {
        send(&mut socket, &message);
    }
    std::process::exit(0);
}

/// The side that asks.
pub(super) struct Echo {
    socket: std::cell::RefCell<UnixStream>,
    other: Child,
}

impl Echo {
    pub(super) fn new() -> Self {
        let (ours, theirs) = UnixStream::pair().expect("a socket");
        Echo { socket: ours.into(), other: start(&theirs, &[KIND]) }
    }

    pub(super) fn run(&self, rounds: u64) -> Duration {
        let (mut socket, mut message) = (self.socket.borrow_mut(), message(BODY));
        let start = Instant::now();
        for _ in 0..rounds {
            send(&mut socket, &message);
            assert!(receive(&mut socket, &mut message));
        }
        start.elapsed()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.socket.get_mut().shutdown(std::net::Shutdown::Both);
        self.other.wait().expect("it ends with its input");
    }
}

fn send(socket: &mut UnixStream, message: &Message) {
    let mut bytes = Bytes::from(&[0; 4][..]);
    let encode = MessagePublish::ops().encode.expect("a message can be encoded");
    let payload: *const c_void = from_ref(message).cast();
    // SAFETY: it is a message, and the bytes are ours.
    assert_eq!(unsafe { encode(payload, Format::MessagePack as u32, &mut bytes) }, 0);
    let len = (bytes.len() - 4) as u32;
    bytes.as_mut_slice()[..4].copy_from_slice(&len.to_le_bytes());
    socket.write_all(bytes.as_slice()).expect("it listens");
}

/// Returns whether a message came.
fn receive(socket: &mut UnixStream, message: &mut Message) -> bool {
    let mut len = [0; 4];
    if socket.read_exact(&mut len).is_err() {
        return false;
    }
    let mut bytes = vec![0; u32::from_le_bytes(len) as usize];
    socket.read_exact(&mut bytes).expect("the rest of it");
    let decode = MessagePublish::ops().decode.expect("a message can be decoded");
    let mut read = std::mem::MaybeUninit::<Message>::uninit();
    let (mut error, to) = (Text::new(), from_mut(&mut read).cast::<c_void>());
    // SAFETY: the bytes are there for the call, and there is room for a message.
    let answer = unsafe { decode(bytes.as_ptr(), bytes.len(), Format::MessagePack as u32, to, &mut error) };
    assert_eq!(answer, 0, "{error}");
    // SAFETY: it was decoded.
    *message = unsafe { read.assume_init() };
    true
}
