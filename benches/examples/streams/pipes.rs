//! Messages from threads to a thread: by a pipeline, and by a channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use hookrail::stream::Streams;
use hookrail::{Config, Decision, Host, PipelineConfig, QueueConfig, SinkConfig, SourceConfig};
use hookrail_abi::catalogue::MessagePublish;
use hookrail_abi::{Message, Received, SinkIo, SourceIo};

/// How many messages are sent and received at once.
const BATCH: usize = 256;
/// How many wait.
const CAPACITY: usize = 1024;

fn message() -> Message {
    Message::new("log.app", "a body of some length, as lines of logs have it: request 17 path=/api/v1/items took=12us")
}

/// Messages a second from so many sources to one sink, which takes this many in all.
pub(super) fn by_pipeline(sources: usize, messages: usize) -> f64 {
    let directory = tempfile::tempdir().expect("a directory");
    let host = Host::new(Config::default().with_home(directory.path())).expect("a host");
    let mut streams = Streams::of(&host).expect("it has the points");
    let each = messages / sources;
    streams.offer_source("messages", move |_| {
        Ok(move |io: &mut SourceIo<'_>| {
            for _ in 0..each / BATCH {
                let mut batch: Vec<_> = (0..BATCH).map(|_| message()).collect();
                io.send_batch(&mut batch, None)?;
            }
            Ok(())
        })
    });
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    streams.offer_sink("count", move |_| {
        let count = count.clone();
        Ok(move |io: &mut SinkIo<'_>| {
            loop {
                let received = match io.recv(BATCH, None) {
                    Received::Closed => return Ok(()),
                    Received::Nothing => continue,
                    Received::Messages(messages) => messages.len(),
                };
                io.ack(received);
                count.fetch_add(received, Ordering::Release);
            }
        })
    });
    let streams = streams.begin(&host).expect("it is the first");
    let sink = SinkConfig::new("count").with_queue(QueueConfig::default().with_capacity(CAPACITY));
    let mut pipeline = PipelineConfig::default().with_sink("out", sink);
    for number in 0..sources {
        pipeline = pipeline.with_source(format!("in-{number}"), SourceConfig::new("messages"));
    }
    streams.add("p", &pipeline).expect("it is a pipeline");
    let all = each / BATCH * BATCH * sources;
    let began = Instant::now();
    streams.start("p").expect("it starts");
    while taken.load(Ordering::Acquire) < all {
        thread::sleep(Duration::from_micros(100));
    }
    let rate = all as f64 / began.elapsed().as_secs_f64();
    streams.stop("p", Instant::now() + Duration::from_secs(10)).expect("it is there");
    assert_eq!(streams.view("p").expect("it is there").miscount(), None);
    rate
}

/// As [`by_pipeline`] with one source, by hand: the same chain, and a channel of shared messages.
pub(super) fn by_channel(messages: usize) -> f64 {
    let host = Host::new(Config::default()).expect("a host");
    let publish = host.point(MessagePublish).expect("it is built in");
    let (sender, receiver) = bounded(CAPACITY);
    let began = Instant::now();
    let sending = thread::spawn(move || {
        for _ in 0..messages {
            let mut message = message();
            if publish.dispatch(&mut message).decision() == Decision::Passed {
                sender.send(Arc::new(message)).expect("it is received");
            }
        }
    });
    let received = receiver.iter().count();
    sending.join().expect("it sends");
    assert_eq!(received, messages);
    messages as f64 / began.elapsed().as_secs_f64()
}
