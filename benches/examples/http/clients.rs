//! Clients that post as fast as they are answered.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Instant;

/// How many there are.
const CLIENTS: usize = 8;

/// What they post together.
#[derive(Clone, Copy)]
pub(super) struct Load {
    /// How many lines of 200 bytes a request has.
    pub(super) lines: usize,
    pub(super) requests: usize,
}

impl Load {
    /// Lines a second.
    pub(super) fn run(self, at: SocketAddr) -> f64 {
        let line = format!("{{\"level\":\"info\",\"text\":\"{}\"}}\n", "x".repeat(173));
        assert_eq!(line.len(), 200);
        let body = line.repeat(self.lines);
        let head = "POST / HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-ndjson\r\n";
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes();
        let each = self.requests / CLIENTS;
        let began = Instant::now();
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| post(at, &request, each));
            }
        });
        (each * CLIENTS * self.lines) as f64 / began.elapsed().as_secs_f64()
    }
}

fn post(at: SocketAddr, request: &[u8], count: usize) {
    let mut stream = TcpStream::connect(at).expect("it listens");
    stream.set_nodelay(true).expect("it is a socket");
    let mut answer = [0; 4096];
    for _ in 0..count {
        stream.write_all(request).expect("it is read");
        // Answers are small, and come in one piece, or their end does.
        let mut read = 0;
        while !is_whole(&answer[..read]) {
            let more = stream.read(&mut answer[read..]).expect("it is answered");
            assert!(more > 0, "the connection was closed");
            read += more;
        }
        assert!(answer.starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(&answer[..read]));
    }
}

/// Whether that is an answer with all its content.
fn is_whole(answer: &[u8]) -> bool {
    let text = std::str::from_utf8(answer).unwrap_or_default();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("it is said");
    body.len() >= length.parse::<usize>().expect("a number")
}
