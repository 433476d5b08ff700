//! A receiver of what the sink sends, which answers just what it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::client::LONG;

/// What was received.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name}: {}", self.head))
    }

    /// Its lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        String::from_utf8(self.body.clone()).unwrap().lines().map(Into::into).collect()
    }

    fn read(from: &mut impl BufRead) -> Option<Self> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if from.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let mut request = Request { head: head.to_ascii_lowercase(), body: Vec::new() };
        request.body = vec![0; request.header("content-length").parse().unwrap()];
        from.read_exact(&mut request.body).ok()?;
        Some(request)
    }
}

/// An answer without content; with no status, the connection is closed.
pub(crate) fn answer(status: u16, head: &str) -> String {
    if status == 0 { String::new() } else { format!("HTTP/1.1 {status} X\r\n{head}content-length: 0\r\n\r\n") }
}

/// A connection, as it is used: plain, or encrypted.
pub(crate) trait Talk: Read + Write {}
impl<T: Read + Write> Talk for T {}

/// Receives while `act` runs. `answer` is asked with the number of the request, from 0; an empty answer closes the
/// connection. Returns what was received, too.
pub(crate) fn receiving<T>(
    answer: impl Fn(usize, &Request) -> String + Sync,
    act: impl FnOnce(SocketAddr) -> T,
) -> (Vec<Request>, T) {
    receiving_by(|stream| Some(Box::new(stream)), answer, act)
}

/// As [`receiving`], by connections that `open` makes of plain ones.
pub(crate) fn receiving_by<T>(
    open: impl Fn(TcpStream) -> Option<Box<dyn Talk>> + Sync,
    answer: impl Fn(usize, &Request) -> String + Sync,
    act: impl FnOnce(SocketAddr) -> T,
) -> (Vec<Request>, T) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let (is_over, received) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let acted = thread::scope(|scope| {
        let _over = Over { is_over: &is_over, at };
        scope.spawn(|| {
            while let Ok((stream, _)) = listener.accept() {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                let (open, answer, received) = (&open, &answer, &received);
                scope.spawn(move || {
                    stream.set_read_timeout(Some(LONG)).unwrap();
                    let Some(mut stream) = open(stream).map(BufReader::new) else { return };
                    while let Some(request) = Request::read(&mut stream) {
                        let number = {
                            let mut received = received.lock().unwrap();
                            received.push(request.clone());
                            received.len() - 1
                        };
                        let answer = answer(number, &request);
                        if answer.is_empty() || stream.get_mut().write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        act(at)
    });
    (received.into_inner().unwrap(), acted)
}

/// Ends the receiver, whatever becomes of the test.
struct Over<'a> {
    is_over: &'a AtomicBool,
    at: SocketAddr,
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // It waits for a connection.
        drop(TcpStream::connect(self.at));
    }
}
