//! A host that its plugin ends, `ended LIBRARY WAY`: for `tests/tests/faults/uncontained.rs`.

use hookrail::{Config, Host, Message, MessagePublish};

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [library, way] = &arguments[..] else { panic!("usage: ended LIBRARY WAY") };
    let host = Host::new(Config::default()).expect("a host");
    // SAFETY: whoever runs this wants to see this process end.
    unsafe { host.load(library) }.expect("the library loads");
    let publish = host.point(MessagePublish).expect("a built-in point");
    let mut message = Message::new("a.b", way.as_bytes());
    // Joined: what a thread does when it ends is among the ways.
    let _ = std::thread::spawn(move || publish.dispatch(&mut message)).join().expect("the dispatch returns");
    println!("the host goes on");
}
