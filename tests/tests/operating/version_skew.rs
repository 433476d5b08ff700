//! Clients and hosts, and the files that they read, of different releases.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;
use std::time::Duration;

use hookrail::control::command::List;
use hookrail::control::wire::StreamItem;
use hookrail::control::{Client, Manage};
use hookrail::{Config, EventKind, Health, LogLevel, Status};
use hookrail_tests::root;
use hookrail_tests::wired::{Directory, Wired};

/// A host of another release: it greets with the first line, and answers each request with the next one.
fn scripted(directory: &Directory, lines: &'static [&'static str]) -> JoinHandle<()> {
    let listener = UnixListener::bind(directory.0.join("c.sock")).unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut peer = BufReader::new(stream);
        for (number, line) in lines.iter().enumerate() {
            if number > 0 && !line.starts_with("{\"event\"") {
                peer.read_line(&mut String::new()).unwrap();
            }
            peer.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
        }
    })
}

#[test]
fn requests_of_the_first_release_are_understood() {
    let requests = std::fs::read_to_string(root().join("tests/frozen/requests-1.0.jsonl")).unwrap();
    let wired = Wired::new();
    let mut peer = wired.peer();
    for request in requests.lines() {
        let answer = peer.ask(request);
        assert_eq!(answer["id"], 7, "{request}: {answer}");
        assert_ne!(answer["error"]["code"], "HR0701", "{request}: {answer}");
    }
    assert!(requests.lines().count() > 25);
}

#[test]
fn a_host_of_a_later_release_is_understood() {
    let directory = Directory::new();
    let host = scripted(
        &directory,
        &[
            r#"{"protocol":1,"version":"1.9.0","since":"2031"}"#,
            r#"{"id":1,"took_ns":7,"ok":[{"name":"mask","version":"2.0.0","status":"dreaming","health":"elated","instances":[],"log_level":"info","former":[],"mood":"good"}]}"#,
            r#"{"id":2,"ok":null}"#,
            r#"{"event":{"plugin":"mask","generation":1,"time":"2031-01-01T00:00:00Z","event":"dreamt","of":2}}"#,
        ],
    );
    let mut client = Client::connect(directory.0.join("c.sock")).unwrap();
    let listed = client.ask(List::new()).unwrap();
    let mask = (&*listed[0].name, listed[0].status, listed[0].health, listed[0].log_level);
    assert_eq!(mask, ("mask", Status::Unknown, Health::Unknown, LogLevel::Info));
    let mut events = client.events().unwrap();
    let Some(Ok(StreamItem::Event(event))) = events.next() else { panic!("an event is there") };
    assert_eq!((&*event.plugin, event.what), ("mask", EventKind::Unknown));
    host.join().unwrap();
    assert!(events.next().is_none());
}

#[test]
fn a_host_of_another_protocol_is_named() {
    let directory = Directory::new();
    let host = scripted(&directory, &[r#"{"protocol":2,"version":"2.0.0"}"#]);
    let error = Client::connect(directory.0.join("c.sock")).unwrap_err();
    assert_eq!(error.code(), "HR0710");
    assert!(
        error.to_string().contains("it is of version 2.0.0 and speaks protocol 2, this program speaks 1"),
        "{error}"
    );
    host.join().unwrap();
}

#[test]
fn a_configuration_of_the_first_release_is_read() {
    let config = Config::read(root().join("tests/frozen/hookrail-1.0.toml")).unwrap();
    let (mask, throttle) = (&config.plugins["mask"], &config.plugins["throttle"]);
    assert!(mask.required && mask.max_memory == Some(64 << 20) && mask.log_level == Some(LogLevel::Debug));
    assert_eq!(throttle.instances.keys().collect::<Vec<_>>(), ["sources", "topics"]);
    assert_eq!((config.overrides.len(), config.overrides[0].priority), (2, Some(150)));
    assert_eq!(config.unload.deadline, Duration::from_secs(5));
}
