//! Clients of all kinds, and a host that goes on.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use hookrail_tests::probe::eventually;

use super::{RECEIVE, Receiver, exchange, post};

/// The most memory that a process has ever had, in KiB.
fn memory(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn files(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().count()
}

#[test]
fn what_is_malformed_is_refused_with_the_reason_and_the_host_goes_on() {
    let receiver = Receiver::new("http-malformed", RECEIVE);
    let taking = receiver.serve(&[]);
    let head = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n";
    for (sent, status, said) in [
        (format!("{head}content-length: 9\r\ncontent-type: application/x-ndjson\r\n\r\n{{\"a\":1}}\n7"), 400, "line 2"),
        (format!("{head}content-length: 99999999999\r\n\r\nx"), 413, "more than 8388608 bytes"),
        (format!("{head}content-length: -1\r\n\r\nx"), 400, ""),
        (format!("{head}content-length: 1\r\ncontent-length: 2\r\n\r\nx"), 400, ""),
        (format!("{head}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx"), 400, ""),
        (format!("{head}transfer-encoding: chunked\r\n\r\n-1\r\nx"), 400, ""),
        (format!("{head}content-encoding: gzip, gzip\r\ncontent-length: 1\r\n\r\nx"), 415, "gzip"),
        (format!("{head}content-encoding: zstd\r\ncontent-length: 4\r\n\r\n\u{28}zzz"), 400, "decompressed"),
        (format!("{head}{}\r\n", "a: b\r\n".repeat(100)), 431, ""),
        (format!("{head}a: {}\r\n\r\n", "x".repeat(100_000)), 431, ""),
        (format!("POST /?{} HTTP/1.1\r\n\r\n", "x".repeat(100_000)), 431, ""),
        ("\0\r\n\r\n".to_owned(), 400, ""),
        ("POST / HTTP/9.9\r\n\r\n".into(), 400, ""),
        ("CONNECT a:1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".into(), 404, ""),
    ] {
        let answer = exchange(receiver.at, sent.as_bytes());
        let shown: String = sent.chars().take(120).collect();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{shown:?}: {answer:?}");
        assert!(answer.contains(said), "{shown:?}: {answer:?}");
    }
    assert!(post(receiver.at, "{\"body\":\"good\"}").contains("{\"accepted\":1}"));
    receiver.place.wait_for_lines("all.txt", 1);
    taking.interrupt();
    let (code, _, said) = taking.end();
    assert_eq!(code, Some(0), "{said:?}");
    assert_eq!(receiver.place.lines("all.txt"), ["good"]);
}

#[test]
fn bombs_and_floods_leave_memory_bounded() {
    flood(3_000);
}

/// In `.ci/long`.
#[test]
#[ignore = "takes minutes"]
fn a_hundred_thousand_connections_leave_memory_bounded() {
    flood(100_000);
}

fn flood(count: usize) {
    let receiver = Receiver::new(&format!("http-flood-{count}"), RECEIVE);
    let taking = receiver.serve(&[]);
    assert!(post(receiver.at, "{\"body\":\"first\"}").contains("accepted"));
    let (before, open) = (memory(taking.id()), files(taking.id()));
    // 200 MB of zeros in gzip, as members of 1 MB that are 1 KB each.
    let member = gzip_of_zeros();
    let bomb = member.repeat(200);
    let head = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n";
    let head = format!("{head}content-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let answer = exchange(receiver.at, &[head.as_bytes(), &bomb].concat());
                assert!(answer.starts_with("HTTP/1.1 413") || answer.starts_with("HTTP/1.1 429"), "{answer}");
            });
        }
    });
    // Hundreds of them are there at once.
    let mut held = VecDeque::new();
    for number in 0..count {
        let mut stream = TcpStream::connect(receiver.at).unwrap();
        match number % 3 {
            0 => {}
            1 => stream.write_all(b"POST / HTTP/1.1\r\nhost").unwrap(),
            _ => stream.write_all(b"POST / HTTP/1.1\r\ncontent-length: 1000\r\n\r\nhalf").unwrap(),
        }
        held.push_back(stream);
        if held.len() > 500 {
            held.pop_front();
        }
    }
    assert!(post(receiver.at, "{\"body\":\"last\"}").contains("accepted"));
    let after = memory(taking.id());
    // Four times 8 MB and what they came from, and 1024 connections, are the most that may ever be there.
    assert!(after < before + 100_000, "{before} KiB, and then {after}");
    drop(held);
    eventually("its connections are closed", || files(taking.id()) <= open + 2);
    println!("{count} connections: {before} KiB before, {after} KiB after");
    taking.interrupt();
    assert_eq!(taking.end().0, Some(0));
    assert_eq!(receiver.place.lines("all.txt"), ["first", "last"]);
}

/// A member of gzip that is 1 MiB of zeros: one block, in which a zero is repeated.
fn gzip_of_zeros() -> Vec<u8> {
    use std::process::{Command, Stdio};
    let mut gzip = Command::new("gzip").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = gzip.stdin.take().unwrap();
    let writing = thread::spawn(move || stdin.write_all(&vec![0; 1 << 20]).unwrap());
    let mut packed = Vec::new();
    gzip.stdout.take().unwrap().read_to_end(&mut packed).unwrap();
    writing.join().unwrap();
    assert!(gzip.wait().unwrap().success());
    packed
}

#[test]
fn a_host_that_ends_answers_what_is_under_way() {
    let receiver = Receiver::new("http-ending", RECEIVE);
    let taking = receiver.serve(&[]);
    let begun = |at: SocketAddr| {
        let mut stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(hookrail_tests::probe::LONG)).unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nha").unwrap();
        stream
    };
    let (mut whole, idle) = (begun(receiver.at), TcpStream::connect(receiver.at).unwrap());
    // It has been accepted before this one.
    assert!(post(receiver.at, "{\"body\":\"one\"}").contains("accepted"));
    let began = Instant::now();
    taking.interrupt();
    taking.said.wait_for("ending");
    // Both fail if the host has broken it off.
    let _ = whole.write_all(b"lf");
    let mut answer = String::new();
    let _ = whole.read_to_string(&mut answer);
    // That long it waits for what is under way: to whoever is later it has promised nothing.
    let is_late = began.elapsed() >= Duration::from_secs(2);
    let (code, _, said) = taking.end();
    assert_eq!(code, Some(0), "{said:?}");
    drop(idle);
    let lines = receiver.place.lines("all.txt");
    match answer.get(..12) {
        Some("HTTP/1.1 202") => assert_eq!(lines, ["one", "half"]),
        Some("HTTP/1.1 503") => assert_eq!(lines, ["one"]),
        _ => assert!(is_late && answer.is_empty() && lines[0] == "one", "{answer} {lines:?}"),
    }
}
