//! Both sides: the plugin in a host, and bare axum.

use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use hookrail::stream::Streams;
use hookrail::{Config, Host, PipelineConfig, SinkConfig, SourceConfig};
use hookrail_abi::{Received, SinkIo};
use serde_json::json;

/// Reads each body and drops it.
pub(super) fn by_axum(act: impl FnOnce(SocketAddr) -> f64) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it is a socket");
    let at = listener.local_addr().expect("it has one");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("it is one");
                let read = |body: axum::body::Bytes| async move { (StatusCode::ACCEPTED, body.len().to_string()) };
                let serving = axum::serve(listener, Router::new().route("/", post(read)));
                tokio::select! {
                    served = async { serving.await } => served.expect("it serves"),
                    _ = stopped => {}
                }
            });
        });
        let rate = act(at);
        drop(stop);
        rate
    })
}

/// The source in a host, whose chain has no plugin, and a sink that takes all messages.
pub(super) fn by_plugin(act: impl FnOnce(SocketAddr) -> f64) -> f64 {
    let directory = tempfile::tempdir().expect("a directory");
    let host = Host::new(Config::default().with_home(directory.path())).expect("a host");
    let mut streams = Streams::of(&host).expect("it has the points");
    streams.offer_sink("take", |_| {
        Ok(|io: &mut SinkIo<'_>| {
            loop {
                let received = match io.recv(256, None) {
                    Received::Closed => return Ok(()),
                    Received::Nothing => continue,
                    Received::Messages(messages) => messages.len(),
                };
                io.ack(received);
            }
        })
    });
    let streams = streams.begin(&host).expect("it is the first");
    // SAFETY: built from this repository.
    unsafe { host.load(hookrail_tests::plugin("http")) }.expect("it is built");
    let at = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let source = SourceConfig::new("http").with_config(json!({ "address": at.to_string() }));
    let pipeline = PipelineConfig::default().with_source("in", source).with_sink("out", SinkConfig::new("take"));
    streams.add("p", &pipeline).expect("it is a pipeline");
    streams.start("p").expect("it starts");
    let began = Instant::now();
    while std::net::TcpStream::connect(at).is_err() {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not listen");
        thread::sleep(Duration::from_millis(1));
    }
    let rate = act(at);
    streams.stop("p", Instant::now() + Duration::from_secs(10)).expect("it is there");
    assert_eq!(streams.view("p").expect("it is there").miscount(), None);
    rate
}
