//! What is posted, and what it is answered.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use hookrail_abi::testing;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::client::{Answer, connect, post, post_lines, request};
use super::scene::{listening, listening_by};
use crate::Http;

const LINES: &str = "content-type: application/x-ndjson\n";

#[test]
fn lines_are_messages_in_their_order() {
    let (sent, answer) = listening("", |at| post_lines(at, "{\"topic\":\"a\",\"body\":\"1\"}\n{\"n\":2}\n{\"n\":3}"));
    assert_eq!((answer.status, &*answer.body), (202, r#"{"accepted":3}"#));
    let told: Vec<_> =
        sent.messages.iter().map(|message| (message.topic.as_str(), message.body.to_display())).collect();
    assert_eq!(told, [("a", "1".into()), ("http", "{\"n\":2}".into()), ("http", "{\"n\":3}".into())]);
    assert!(sent.messages.iter().all(|message| message.source == *"127.0.0.1"));
}

#[test]
fn a_body_of_any_other_type_is_one_message_with_the_topic_of_the_request() {
    let (sent, _) = listening("\"path\": \"/in\", \"topic\": \"fallback\"", |at| {
        let body = b"\xff\x00\n";
        for (target, status) in [("/in?topic=a.b", 202), ("/in", 202), ("/in?topic=a..b", 400), ("/", 404)] {
            let head = format!("POST {target} HTTP/1.1\ncontent-length: {}\n", body.len());
            assert_eq!(request(at, &head, body).status, status, "{target}");
        }
    });
    let told: Vec<_> = sent.messages.iter().map(|message| (message.topic.as_str(), &**message.body)).collect();
    assert_eq!(told, [("a.b", &b"\xff\x00\n"[..]), ("fallback", b"\xff\x00\n")]);
}

#[test]
fn compressed_and_chunked_bodies_are_taken() {
    let (sent, _) = listening("", |at| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(b"{\"n\":1}\n").unwrap();
        let zstd = compress_to_vec(&b"{\"n\":2}\n"[..], CompressionLevel::Fastest);
        for (encoding, body) in [("gzip", gzip.finish().unwrap()), ("zstd", zstd)] {
            let answer = post(at, &format!("{LINES}content-encoding: {encoding}\n"), &body);
            assert_eq!(answer.status, 202, "{answer:?}");
        }
        let head = format!("POST / HTTP/1.1\n{LINES}transfer-encoding: chunked\n");
        assert_eq!(request(at, &head, b"4\r\n{\"n\"\r\n4\r\n:3}\n\r\n0\r\n\r\n").status, 202);
    });
    let bodies: Vec<_> = sent.messages.iter().map(|message| message.body.to_display()).collect();
    assert_eq!(bodies, ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);
}

#[test]
fn what_is_wrong_is_refused_whole_and_says_why() {
    let post = |head: &str| format!("POST / HTTP/1.1\n{head}");
    let lines = |body: &str| post(&format!("{LINES}content-length: {}\n", body.len()));
    let two = "{\"n\":1}\n{\"n\":";
    let (sent, _) = listening("\"max_messages\": 3, \"max_body\": 1000", |at| {
        for (head, body, status, said) in [
            (lines(two), two, 400, "\"line\":2"),
            (lines("[1]"), "[1]", 400, "line 1: invalid type: sequence"),
            (lines("{}\n{}\n{}\n{}"), "{}\n{}\n{}\n{}", 413, "more than 3 messages"),
            (post("content-length: 1001\n"), "", 413, "more than 1000 bytes"),
            (post("transfer-encoding: chunked\n"), &format!("fff\r\n{}", "x".repeat(4095)), 413, "more than 1000"),
            (post("transfer-encoding: chunked\n"), "zz\r\n", 400, "broken off"),
            (post("content-length: 1\ncontent-encoding: br\n"), "x", 415, "gzip"),
            (post("content-length: 1\ncontent-encoding: gzip\n"), "x", 400, "cannot be decompressed"),
            (post("content-length: 2\ncontent-type: application/json; charset=utf-16\n"), "{}", 415, "UTF-8"),
            ("POST /other HTTP/1.1\ncontent-length: 1\n".into(), "x", 404, "posted to /"),
            ("GET / HTTP/1.1\n".into(), "", 405, "posted"),
            ("POST /?a=b HTTP/1.1\ncontent-length: 1\n".into(), "x", 400, "the only parameter is `topic`"),
        ] {
            let answer = request(at, &head, body.as_bytes());
            assert_eq!(answer.status, status, "{head}: {answer:?}");
            let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            assert!(json["error"].is_string() && answer.body.contains(said), "{head}: {answer:?}");
        }
        // What is no HTTP at all.
        let mut stream = connect(at);
        stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n").unwrap();
        assert_eq!(Answer::read(&stream).status, 400);
    });
    assert!(sent.messages.is_empty(), "{:?}", sent.messages);
}

#[test]
fn what_a_page_in_a_browser_posts_needs_a_token() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "hush").unwrap();
    let pages = ["origin: https://evil.example\n", "origin: null\n", "sec-fetch-site: cross-site\n"];
    let (sent, _) = listening("", |at| {
        for page in pages {
            let answer = post(at, page, b"x");
            assert_eq!(answer.status, 403, "{page}: {answer:?}");
            assert!(answer.body.contains("`token_file`"), "{answer:?}");
        }
    });
    assert!(sent.messages.is_empty());
    let (sent, _) = listening(&format!("\"token_file\": {file:?}"), |at| {
        for page in pages {
            assert_eq!(post(at, page, b"x").status, 401);
            assert_eq!(post(at, &format!("{page}authorization: Bearer hush\n"), b"x").status, 202);
        }
    });
    assert_eq!(sent.messages.len(), pages.len());
}

#[test]
fn a_token_that_cannot_be_read_is_the_fault_of_the_source_and_said_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "hush").unwrap();
    let plugin = testing::start::<Http>("{}").unwrap();
    let (_, said) = listening_by(&plugin, &format!("\"token_file\": {file:?}"), |at| {
        let until = |status: u16| {
            let began = std::time::Instant::now();
            while post(at, "authorization: Bearer hush\n", b"x").status != status {
                assert!(began.elapsed() < super::client::LONG, "never {status}");
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        };
        std::fs::remove_file(&file).unwrap();
        until(503);
        (0..20).for_each(|_| until(503));
        std::fs::write(&file, "hush").unwrap();
        until(202);
        plugin.log().into_iter().filter(|line| line.contains("the token can")).collect::<Vec<_>>()
    });
    assert!(said.len() == 2 && said[0].contains("No such file") && said[1].ends_with("read again"), "{said:?}");
}

#[test]
fn without_the_token_nothing_is_taken_and_a_new_one_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let (sent, _) = listening(&format!("\"token_file\": {file:?}"), |at| {
        let status = |head: &str| post(at, head, b"x").status;
        assert_eq!(status(""), 401);
        assert_eq!(status("authorization: Basic first\n"), 401);
        assert_eq!(status("authorization: Bearer other\n"), 401);
        assert_eq!(status("authorization: bearer first\n"), 202);
        std::fs::write(&file, "second\n").unwrap();
        let began = std::time::Instant::now();
        while status("authorization: Bearer second\n") != 202 {
            assert!(began.elapsed() < super::client::LONG, "the new token is not read");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        assert_eq!(status("authorization: Bearer first\n"), 401);
    });
    assert_eq!(sent.messages.len(), 2);
}
