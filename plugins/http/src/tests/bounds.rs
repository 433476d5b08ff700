//! Clients that want too much, or give too little.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use super::client::{Answer, LONG, connect, is_closed, post, post_lines, request};
use super::scene::listening;

/// What is answered until the connection ends; nothing if it was too late for an answer.
fn answered(mut stream: TcpStream) -> String {
    let mut said = String::new();
    // One that is closed may be reset.
    let _ = stream.read_to_string(&mut said);
    said
}

/// Sends that, again and again: this client may be too slow, too, and lose its connection.
fn sent_in_time(at: SocketAddr, request: &str, status: &str) {
    let began = Instant::now();
    loop {
        let mut stream = connect(at);
        let _ = stream.write_all(request.as_bytes());
        let said = answered(stream);
        if said.starts_with(&format!("HTTP/1.1 {status} ")) {
            return;
        }
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
        assert!(began.elapsed() < LONG, "it was never answered with {status}");
    }
}

const WHOLE: &str = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx";
const HALF: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf";

#[test]
fn slow_clients_lose_their_connection_and_hold_nobody_up() {
    let (sent, _) =
        listening("\"header_timeout\": \"200ms\", \"body_timeout\": \"200ms\", \"max_connections\": 3", |at| {
            let (silent, mut half_a_head, mut half_a_body) = (connect(at), connect(at), connect(at));
            let _ = half_a_head.write_all(b"POST / HT");
            let _ = half_a_body.write_all(HALF.as_bytes());
            // They have all connections, so this one waits until they have lost them.
            sent_in_time(at, WHOLE, "202");
            let said = answered(half_a_body);
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
            sent_in_time(at, HALF, "408");
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
        sent_in_time(at, WHOLE, "202");
        // Other tests of this process open files, too, but not hundreds.
        assert!(files() < before + 300, "{} files, and then {}", before, files());
    });
    assert_eq!(sent.messages.len(), 1);
}

#[test]
fn what_has_no_room_in_memory_is_refused_until_there_is() {
    let (sent, _) = listening("\"max_body\": 1000, \"max_in_flight\": 4048, \"patience\": \"5s\"", |at| {
        let mut first = connect(at);
        first.write_all(b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 900\r\n\r\n").unwrap();
        first.write_all(&[b'1'; 800]).unwrap();
        // Empty lines need no more than their text: more than the first one leaves.
        let head = "POST / HTTP/1.1\ncontent-type: application/x-ndjson\ncontent-length: 3400\n";
        // Until the first one has been read so far, there is room.
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < LONG, "there is room for both");
            let second = request(at, head, &[b'\n'; 3400]);
            if second.status == 429 {
                assert!(second.head.contains("retry-after: 5"), "{second:?}");
                break;
            }
            assert_eq!(second.status, 202, "{second:?}");
        }
        first.write_all(&[b'1'; 100]).unwrap();
        assert_eq!(Answer::read(&first).status, 202);
        assert_eq!(post(at, "", &[b'3'; 900]).status, 202);
    });
    assert_eq!(sent.messages.iter().map(|message| message.body[0]).collect::<Vec<_>>(), [b'1', b'3']);
}

#[test]
fn what_could_never_have_room_is_too_large_and_not_asked_for_again() {
    let (sent, _) = listening("\"max_in_flight\": 16779264", |at| {
        // Two bytes of JSON need a topic of 1 KiB, each.
        let body = "{}\n".repeat(10_000);
        let topics = "max".repeat(341);
        let head = format!("content-type: application/x-ndjson\ncontent-length: {}\n", body.len());
        let head = format!("POST /?topic={topics} HTTP/1.1\n{head}");
        assert_eq!(request(at, &head, body.as_bytes()).status, 202);
        // The message of this needs a hundred times as much.
        let headers = vec!["[\"\",\"\"]"; 800_000].join(",");
        let answer = post_lines(at, &format!("{{\"body\":\"\",\"headers\":[{headers}]}}"));
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body.contains("more than 1024 headers"), "{answer:?}");
    });
    assert_eq!(sent.messages.len(), 10_000);
}

#[test]
fn halves_of_bodies_shut_nobody_out() {
    let (sent, _) = listening("\"max_requests\": 2", |at| {
        let halves: Vec<_> = (0..4)
            .map(|_| {
                let mut stream = connect(at);
                stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n").unwrap();
                stream.write_all(b"connection: close\r\ncontent-length: 2\r\n\r\n").unwrap();
                let mut go_on = [0; 25];
                stream.read_exact(&mut go_on).unwrap();
                assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
                stream.write_all(b"1").unwrap();
                stream
            })
            .collect();
        assert_eq!(post(at, "", b"whole").status, 202);
        for mut half in halves {
            half.write_all(b"2").unwrap();
            assert_eq!(Answer::read(&half).status, 202);
        }
    });
    assert_eq!(sent.messages.len(), 5);
}

#[test]
fn who_waits_before_it_sends_need_not_send_what_is_refused() {
    listening("\"max_body\": 200000", |at| {
        let expecting = |target: &str, head: &str| {
            let mut stream = connect(at);
            let head = format!("POST {target} HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n{head}\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            stream
        };
        // Known by the head: the client is not told to go on.
        for (target, length, status) in [("/no", 10, 404), ("/", 200_001, 413)] {
            let stream = expecting(target, &format!("content-length: {length}\r\n"));
            assert_eq!(Answer::read(&stream).status, status);
        }
        // Known later: what it sends meanwhile is passed over, and the answer is not lost by a reset.
        let mut stream = expecting("/", "transfer-encoding: chunked\r\n");
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).unwrap();
        let chunk = format!("186a0\r\n{}\r\n", "x".repeat(100_000));
        for _ in 0..20 {
            stream.write_all(chunk.as_bytes()).unwrap();
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
        assert_eq!(Answer::read(&stream).status, 413);
    });
}

#[test]
fn who_reads_no_answers_loses_the_connection() {
    let (sent, _) = listening("\"body_timeout\": \"200ms\", \"max_connections\": 1", |at| {
        let mut deaf = connect(at);
        // Requests without end, until the system takes no more, and then until the source has ended it.
        let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\ncontent-length: 0\r\n\r\n";
        let many = head.repeat(100);
        while deaf.write_all(many.as_bytes()).is_ok() {}
        // It had the only connection.
        sent_in_time(at, WHOLE, "202");
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
    let taken = taken.load(Ordering::SeqCst);
    assert_eq!(sent.messages.len(), taken);
    // Whoever is first has room.
    assert!(taken > 0);
}
