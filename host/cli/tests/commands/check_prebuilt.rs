//! The plugins that come with the program pass `hookrail check`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hookrail_tests::cli::directory;
use hookrail_tests::plugin;

use crate::check::{config, json, passes, status};

#[test]
fn every_prebuilt_plugin_passes_all_checks() {
    let config = config("prebuilt");
    for name in ["bench", "file-log", "hello", "mask", "stamp", "throttle"] {
        passes(&plugin(name), config.to_str().unwrap(), &[]);
    }
}

#[test]
fn every_prebuilt_plugin_passes_all_checks_in_a_worker() {
    let config = config("prebuilt_isolated");
    for name in ["bench", "file-log", "hello", "mask", "stamp", "throttle"] {
        passes(&plugin(name), config.to_str().unwrap(), &["--isolated"]);
    }
}

/// Without a configuration they register no callbacks: they are used for their sources and sinks.
#[test]
fn prebuilt_sources_and_sinks_fail_no_check_without_a_configuration() {
    for name in ["file-log", "http", "tail"] {
        for isolated in [&[][..], &["--isolated"]] {
            let (report, code) = json(&plugin(name), isolated);
            assert_eq!((code, status(&report, "loads")), (Some(0), "passed"), "{report:#}");
        }
    }
}

/// It has no callbacks to be called, but sources and sinks, and a thread for each program that it runs.
#[test]
fn a_plugin_that_runs_programs_passes_all_checks_where_it_may_run() {
    let config = config("programs");
    for isolated in [&[][..], &["--isolated"]] {
        let arguments =
            [&["--strictness", "10", "--skip", "load-time", "--config", config.to_str().unwrap()], isolated];
        let (report, code) = json(&plugin("exec"), &arguments.concat());
        assert_eq!(code, Some(0), "{report:#}");
        assert_eq!(report["summary"]["warned"], 0, "{report:#}");
        for name in ["endpoints", "hostile-endpoints", "accept-free", "pauses", "unmaps", "unload-endpoints", "replace"]
        {
            assert_eq!(status(&report, name), "passed", "{report:#}");
        }
    }
}

/// It has no callbacks either, but sources and sinks with a runtime and threads of their own.
#[test]
fn a_plugin_with_connections_passes_all_checks_where_it_may_run() {
    let receiver = Receiver::new();
    let file = directory("connections").join("hookrail.toml");
    let pipeline = format!(
        "[pipelines.p.sources.in]\nuse = \"http\"\nconfig = {{ address = \"127.0.0.1:0\" }}\n\
         [pipelines.p.sinks.out]\nuse = \"http\"\nconfig = {{ url = \"http://{}/\" }}\n",
        receiver.at
    );
    fs::write(&file, pipeline).unwrap();
    for isolated in [&[][..], &["--isolated"]] {
        let arguments = [&["--strictness", "10", "--skip", "load-time", "--config", file.to_str().unwrap()], isolated];
        let (report, code) = json(&plugin("http"), &arguments.concat());
        assert_eq!(code, Some(0), "{report:#}");
        assert_eq!(report["summary"]["warned"], 0, "{report:#}");
        for name in ["endpoints", "hostile-endpoints", "endpoints-end", "accept-free", "unmaps", "unload-endpoints"] {
            assert_eq!(status(&report, name), "passed", "{report:#}");
        }
    }
}

/// Takes whatever is posted, until it is dropped.
struct Receiver {
    at: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl Receiver {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (at, is_over) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let over = is_over.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                thread::spawn(move || take(&stream.unwrap()));
            }
        });
        Receiver { at, is_over }
    }
}

/// Answers each request of a connection.
fn take(mut stream: &TcpStream) {
    let mut from = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        while line != "\r\n" {
            line.clear();
            if from.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let value = line.strip_prefix("content-length: ");
            length = value.map_or(length, |value| value.trim().parse().unwrap());
        }
        let taken = from.read_exact(&mut vec![0; length]);
        if taken.and_then(|()| stream.write_all(b"HTTP/1.1 204 x\r\n\r\n")).is_err() {
            return;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // It waits for a connection.
        drop(TcpStream::connect(self.at));
    }
}
