//! Clients that want too much, or give too little.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::client::{Answer, connect, is_closed, post, post_lines};
use super::scene::listening;

#[test]
fn slow_clients_lose_their_connection_and_hold_nobody_up() {
    let (sent, _) =
        listening("\"header_timeout\": \"200ms\", \"body_timeout\": \"200ms\", \"max_connections\": 3", |at| {
            let (silent, mut half_a_head, mut half_a_body) = (connect(at), connect(at), connect(at));
            half_a_head.write_all(b"POST / HT").unwrap();
            half_a_body.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf").unwrap();
            // They have all connections, so this one waits until they have lost them.
            assert_eq!(post(at, "", b"x").status, 202);
            assert_eq!(Answer::read(&half_a_body).status, 408);
            assert!(is_closed(&silent) && is_closed(&half_a_head));
        });
    assert_eq!(sent.messages.len(), 1);
}

#[test]
fn a_flood_of_connections_that_are_dropped_leaves_the_source_as_it_was() {
    let files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let (sent, _) = listening("\"max_connections\": 64, \"header_timeout\": \"1s\"", |at| {
        let before = files();
        for number in 0..3000 {
            let mut stream = connect(at);
            if number % 2 == 0 {
                stream.write_all(b"POST / HTTP/1.1\r\ncontent-length: 100\r\n").unwrap();
            }
        }
        assert_eq!(post(at, "", b"x").status, 202);
        // Other tests of this process open files, too, but not hundreds.
        assert!(files() < before + 300, "{} files, and then {}", before, files());
    });
    assert_eq!(sent.messages.len(), 1);
}

#[test]
fn many_clients_at_once_lose_nothing() {
    let taken = AtomicUsize::new(0);
    let (sent, _) = listening("\"max_requests\": 4", |at| {
        thread::scope(|scope| {
            for client in 0..8 {
                let taken = &taken;
                scope.spawn(move || {
                    for number in 0..50 {
                        let answer = post_lines(at, &format!("{{\"n\":\"{client}.{number}\"}}\n{{}}"));
                        match answer.status {
                            202 => taken.fetch_add(2, Ordering::SeqCst),
                            429 => 0,
                            _ => panic!("{answer:?}"),
                        };
                    }
                });
            }
        });
    });
    assert_eq!(sent.messages.len(), taken.load(Ordering::SeqCst));
}
