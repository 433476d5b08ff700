//! What a plugin costs in a worker: the rows of docs/performance.md, `cargo run --release -p hookrail-benches --example
//! isolation`. Each row is beside its baseline, in interleaved rounds of the same run.

use std::ffi::c_void;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::ptr::{from_mut, from_ref};
use std::thread;
use std::time::{Duration, Instant};

use hookrail::{Config, HookPoint, Host, Isolation, Message, MessagePublish, PluginConfig, PluginView};
use hookrail_abi::{Bytes, Format, Point};
use hookrail_tests::parcels::{Parcel, ParcelPacked};
use hookrail_tests::{plugin, zoo};

#[path = "../shared/mod.rs"]
mod shared;

use shared::lanes::{Edit, bare, be_the_other_side, copied, message};
use shared::ping_pong::Wait;
use shared::processor;
use shared::rounds::{Compared, compare};

/// Says to this program that it is the other end of a socket.
const SOCKET: &str = "HOOKRAIL_BENCH_SOCKET";
const ROUNDS: usize = 51;

fn main() {
    hookrail::worker::enter();
    be_the_other_side();
    if std::env::var_os(SOCKET).is_some() {
        return answer();
    }
    println!("{}", processor());
    let turn = Duration::from_millis(4);

    let isolated = Publish::new(Isolation::WORKER);
    let small = || message(200);
    let least = bare(Wait::Spin, small(), Edit::Nothing);
    row(
        "an isolated call, spinning; a ping-pong",
        &compare(ROUNDS, turn, |n| least.run(n), |n| isolated.run(n, &small())),
    );
    let socket = Socket::new();
    row(
        "the same; MessagePack over a socket",
        &compare(ROUNDS, turn, |n| socket.run(n, &small()), |n| isolated.run(n, &small())),
    );
    let in_process = Publish::new(Isolation::InProcess);
    row(
        "the same; in the host's process",
        &compare(ROUNDS, turn, |n| in_process.run(n, &small()), |n| isolated.run(n, &small())),
    );

    let asleep = bare(Wait::Sleep, small(), Edit::Nothing);
    let parked = Compared::of((0..301).map(|_| {
        thread::sleep(Duration::from_millis(3));
        let least = asleep.run(1).as_nanos() as f64;
        thread::sleep(Duration::from_millis(3));
        (least, isolated.run(1, &small()).as_nanos() as f64)
    }));
    row("an isolated call, parked; a ping-pong", &parked);
    for (name, size) in [("64 KiB", 64 << 10), ("1 MiB", 1 << 20)] {
        let (large, copied) = (message(size), copied(size));
        row(
            &format!("a body of {name}; copied in and out"),
            &compare(ROUNDS, turn, |n| copied.run(n), |n| isolated.run(n, &large)),
        );
    }
    waiting();
    restarts(&isolated);
    memory();
}

fn row(name: &str, compared: &Compared) {
    let Compared { baseline, candidate, ratio: (least, ratio), .. } = compared;
    println!("{name:<50} {candidate:>12.0} ns {baseline:>12.0} ns {ratio:>8.2} x (least {least:.2})");
}

fn config(name: &str, isolation: Isolation) -> Config {
    Config::default().with_plugin(name, PluginConfig::default().with_isolation(isolation))
}

/// A host in which `mask` looks at each message, and changes none.
struct Publish {
    host: Host,
    point: HookPoint<MessagePublish>,
}

impl Publish {
    fn new(isolation: Isolation) -> Self {
        let host = Host::new(config("mask", isolation)).expect("a host");
        let point = host.point(MessagePublish).expect("built in");
        // SAFETY: our own library.
        unsafe { host.load(plugin("mask")) }.expect("it loads");
        Publish { host, point }
    }

    fn run(&self, times: u64, message: &Message) -> Duration {
        let mut message = message.clone();
        let began = Instant::now();
        for _ in 0..times {
            let _ = self.point.dispatch(&mut message);
        }
        began.elapsed()
    }

    fn view(&self) -> PluginView {
        self.host.plugin_views().pop().expect("it is loaded")
    }
}

/// Two threads call into one worker, whose callbacks wait: they must not wait for each other.
fn waiting() {
    let host = Host::new(config("handles-parcels", Isolation::WORKER)).expect("a host");
    let point = host.point(ParcelPacked).expect("its own");
    // SAFETY: our own library.
    unsafe { host.load(zoo("handles_parcels")) }.expect("it loads");
    let run = |threads: usize| {
        let began = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..500).for_each(|_| _ = point.dispatch(&mut Parcel::new("wait 200"))));
            }
        });
        began.elapsed().as_secs_f64()
    };
    let mut gains: Vec<_> = (0..7).map(|_| 2.0 * run(1) / run(2)).collect();
    gains.sort_by(f64::total_cmp);
    println!("two threads into one worker, 200 us each: {:.2} x of one", gains[gains.len() / 2]);
}

/// From the death of a worker to the first answer of the next one.
fn restarts(publish: &Publish) {
    let mut times: Vec<_> = (0..15)
        .map(|_| {
            publish.run(1, &message(200));
            let process = publish.view().worker.and_then(|worker| worker.pid).expect("it runs");
            kill(process);
            let began = Instant::now();
            while publish.view().worker.is_none_or(|worker| worker.pid.is_none_or(|other| other == process)) {
                thread::yield_now();
            }
            let ready = began.elapsed();
            publish.run(1, &message(200));
            (began.elapsed(), ready)
        })
        .collect();
    times.sort();
    let (answered, ready) = times[times.len() / 2];
    println!("restart of `mask` to its first answer: {answered:.1?}, of which {ready:.1?} until the worker serves");
}

fn kill(process: u32) {
    let process = rustix::process::Pid::from_raw(process.cast_signed()).expect("a process");
    rustix::process::kill_process(process, rustix::process::Signal::KILL).expect("it is ours");
}

/// What an idle worker has of memory that it shares with nobody.
fn memory() {
    let hosts: Vec<_> = (0..20).map(|_| Publish::new(Isolation::WORKER)).collect();
    let private = |process: u32| {
        let rollup = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
        let of = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        of("Private_Dirty:").unwrap_or(0) + of("Private_Clean:").unwrap_or(0)
    };
    let workers = hosts.iter().filter_map(|publish| publish.view().worker?.pid);
    let all: Vec<_> = workers.map(private).collect();
    let sum: u64 = all.iter().sum();
    println!("memory of an idle worker, one of {}: {} KiB of its own", all.len(), sum / all.len() as u64);
}

/// The other end of a socket, which decodes a message, and encodes it again.
struct Socket {
    stream: UnixStream,
    child: Child,
}

impl Socket {
    fn new() -> Self {
        let (ours, theirs) = UnixStream::pair().expect("a socket");
        let program = std::env::current_exe().expect("the system knows it");
        let child = Command::new(program).env(SOCKET, "1").stdin(Stdio::from(OwnedFd::from(theirs))).spawn();
        Socket { stream: ours, child: child.expect("it starts") }
    }

    fn run(&self, times: u64, message: &Message) -> Duration {
        let mut message = message.clone();
        let began = Instant::now();
        for _ in 0..times {
            send(&self.stream, &message);
            message = receive(&self.stream).expect("it answers");
        }
        began.elapsed()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answer() {
    use std::os::fd::AsFd;
    let stream = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().expect("a socket"));
    while let Some(message) = receive(&stream) {
        send(&stream, &message);
    }
}

fn send(mut stream: &UnixStream, message: &Message) {
    let mut bytes = Bytes::new();
    let encode = MessagePublish::ops().encode.expect("it can be encoded");
    // SAFETY: a message of these operations, and bytes that are ours.
    unsafe { encode(from_ref(message).cast::<c_void>(), Format::MessagePack as u32, &mut bytes) };
    let mut frame = (bytes.len() as u32).to_le_bytes().to_vec();
    frame.extend_from_slice(&bytes);
    stream.write_all(&frame).expect("the other end is there");
}

fn receive(mut stream: &UnixStream) -> Option<Message> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    stream.read_exact(&mut bytes).ok()?;
    let (mut message, mut error) = (std::mem::MaybeUninit::<Message>::uninit(), hookrail_abi::Text::new());
    let decode = MessagePublish::ops().decode.expect("it can be decoded");
    // SAFETY: the bytes are there, room for a message, and a text that is ours.
    let failed = unsafe {
        decode(bytes.as_ptr(), bytes.len(), Format::MessagePack as u32, from_mut(&mut message).cast(), &mut error)
    };
    assert_eq!(failed, 0, "{error}");
    // SAFETY: it was decoded.
    Some(unsafe { message.assume_init() })
}
