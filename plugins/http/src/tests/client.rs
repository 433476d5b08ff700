//! A client that says just what it is told.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The longest that a test waits for what must come.
pub(super) const LONG: Duration = Duration::from_secs(120);

pub(super) fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.set_write_timeout(Some(LONG)).unwrap();
    stream
}

/// What was answered.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    /// Reads until the connection ends.
    pub(super) fn read(mut stream: &TcpStream) -> Self {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.trim_end().into() }
    }
}

/// Sends a head, with lines that end in a newline, and a body, and reads the answer.
pub(super) fn request(to: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let mut stream = connect(to);
    let head = format!("{head}host: test\nconnection: close\n\n").replace('\n', "\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    // It may be answered before it has all been sent.
    let _ = stream.write_all(body);
    Answer::read(&stream)
}

/// Posts a body with these lines in its head.
pub(super) fn post(to: SocketAddr, head: &str, body: &[u8]) -> Answer {
    request(to, &format!("POST / HTTP/1.1\ncontent-length: {}\n{head}", body.len()), body)
}

/// Posts JSON lines.
pub(super) fn post_lines(to: SocketAddr, lines: &str) -> Answer {
    post(to, "content-type: application/x-ndjson\n", lines.as_bytes())
}

/// Whether the other side closes it, and says nothing before, within the time that a test waits.
pub(super) fn is_closed(mut stream: &TcpStream) -> bool {
    // To end its own side would be a reason to close it.
    match stream.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}
