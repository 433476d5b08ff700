//! Messages by HTTP: from one host to another, and from whoever posts.

mod clients;
mod passing;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use hookrail_tests::cli::home;
use hookrail_tests::cli::live::Live;
use hookrail_tests::probe::LONG;

use crate::scenes::Place;

/// An address of this test alone: no client that is given a port by the system is given one of it. Whoever listens at all
/// addresses of the machine may have a port of it.
fn address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = std::process::id() * 16 + NEXT.fetch_add(1, Ordering::SeqCst);
    let [_, a, b, c] = number.to_be_bytes();
    let address = Ipv4Addr::new(127, 1 + a % 250, b, 1 + c % 250);
    let at = (8080..9080).map(|port| SocketAddr::from((address, port))).find(|at| TcpListener::bind(at).is_ok());
    at.expect("a port is free")
}

/// A host that takes messages at that address, in a home of its own.
struct Receiver {
    place: Place,
    home: PathBuf,
    at: SocketAddr,
}

impl Receiver {
    /// `AT` stands for its address in the configuration.
    fn new(test: &str, config: &str) -> Self {
        let at = address();
        let place = Place::new(test, &config.replace("AT", &at.to_string()));
        // Each thread has a home.
        Receiver { place, home: thread::spawn(home).join().unwrap(), at }
    }

    /// Starts it; it listens when this returns.
    fn serve(&self, more: &[&str]) -> Live {
        let mut command = self.place.command(&[&["serve", "--drain", "2m"][..], more].concat());
        let serving = Live::start(command.env("HOOKRAIL_HOME", &self.home).env("HOOKRAIL_LOG", "info"));
        serving.said.wait_for(&format!("listening at http://{}/", self.at));
        serving
    }

    fn ask(&self, arguments: &[&str]) -> String {
        let output = self.place.command(arguments).env("HOOKRAIL_HOME", &self.home).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }
}

/// Takes messages into `all.txt`, by a queue on disk. Clients may be slow, and so may the disk.
const RECEIVE: &str = r#"
[pipelines.in.sources.http]
use = "http"
config = { address = "AT", header_timeout = "2m", body_timeout = "2m", patience = "2m" }
[pipelines.in.sinks.all]
use = "file-log"
queue = { policy = "spill" }
config = { path = "DIR/all.txt" }
"#;

/// Sends lines of JSON, and returns the whole answer.
fn post(to: SocketAddr, lines: &str) -> String {
    let head = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/x-ndjson\r\n";
    exchange(to, format!("{head}content-length: {}\r\n\r\n{lines}", lines.len()).as_bytes())
}

/// Sends just that, and returns all that is answered.
fn exchange(to: SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    // It may be answered before it has all been sent.
    let _ = stream.write_all(sent);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
