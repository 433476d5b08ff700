//! Sources and sinks, driven in a plain unit test.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::os::fd::IntoRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::{from_ref, null_mut};
use std::time::{Duration, Instant};

use super::answered::Answered;
use super::{Running, SAID};
use crate::boundary::{
    self, STREAM_CLOSED, STREAM_DEAD, STREAM_DELIVERED, STREAM_NOTHING, STREAM_OK, Str, Stream, StreamIo, StreamMark,
    StreamTable,
};
use crate::{Closed, EndpointKind, Error, Header, List, Message, Plugin, Result, entry};

/// One use of a source or of a sink, which was accepted and is to be run. Dropped, it is freed.
#[derive(Debug)]
struct TestEndpoint<'a> {
    at: *mut boundary::Endpoint,
    table: &'static StreamTable,
    plugin: std::marker::PhantomData<&'a ()>,
}

/// A source that was accepted: [`Running::source`].
#[derive(Debug)]
pub struct TestSource<'a>(TestEndpoint<'a>);

/// A sink that was accepted: [`Running::sink`].
#[derive(Debug)]
pub struct TestSink<'a>(TestEndpoint<'a>);

/// What a source has sent.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Sent {
    /// The messages, in order.
    pub messages: Vec<Message>,
    /// The marks, in order, also those of a key that came again.
    pub marks: Vec<(String, String)>,
}

/// What stands for the host.
struct Stage<'a> {
    sent: RefCell<Sent>,
    kept: Vec<(String, String)>,
    /// Whether to close, asked after each send and while the endpoint waits.
    until: RefCell<&'a mut dyn FnMut(&Sent) -> bool>,
    closed: Cell<bool>,
    /// What `until` has panicked with: it must not unwind through the endpoint.
    panicked: Cell<Option<Box<dyn Any + Send>>>,
    given: Vec<&'a Message>,
    /// How many of those were received and answered for.
    received: Cell<usize>,
    answered: Cell<usize>,
    answers: RefCell<Answered>,
}

impl<P: Plugin> Running<P> {
    /// Makes one source of that name, with a configuration as JSON.
    ///
    /// # Errors
    /// If there is none, or it refuses the configuration.
    pub fn source(&self, name: &str, config: &str) -> Result<TestSource<'_>> {
        self.accept(EndpointKind::Source, name, config).map(TestSource)
    }

    /// Makes one sink of that name, with a configuration as JSON.
    ///
    /// # Errors
    /// If there is none, or it refuses the configuration.
    pub fn sink(&self, name: &str, config: &str) -> Result<TestSink<'_>> {
        self.accept(EndpointKind::Sink, name, config).map(TestSink)
    }

    fn accept(&self, kind: EndpointKind, name: &str, config: &str) -> Result<TestEndpoint<'_>> {
        // SAFETY: the SDK's `query` returns null or a static `StreamTable` to this id, and the id is readable for the call.
        let table = unsafe { entry::query::<P>(Str::new("stream/1")).cast::<StreamTable>().as_ref() };
        let table = table.ok_or("the plugin declares no endpoints")?;
        let mut at = null_mut();
        SAID.take();
        // SAFETY: the instance is started; texts for the call, room for a pointer.
        match unsafe { (table.accept)(self.instance, kind.number(), Str::new(name), Str::new(config), &mut at) } {
            0 => Ok(TestEndpoint { at, table, plugin: std::marker::PhantomData }),
            _ => Err(said()),
        }
    }
}

impl TestSource<'_> {
    /// Runs it on this thread, with the marks that a host had kept, until it returns. It is closed when `until` returns
    /// true, which is asked after each send and again and again while the source waits.
    ///
    /// # Errors
    /// What the source returns; a panic is an error, too.
    pub fn run(self, marks: &[(&str, &str)], mut until: impl FnMut(&Sent) -> bool) -> Result<Sent> {
        let kept = marks.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let stage = Stage::new(kept, Vec::new(), &mut until);
        let ran = self.0.run(&stage);
        // What the test itself has panicked with.
        if let Some(panic) = stage.panicked.take() {
            resume_unwind(panic);
        }
        match ran {
            Err(why) if why.to_string() != Closed.to_string() => Err(why),
            _ => Ok(stage.sent.into_inner()),
        }
    }
}

impl TestSink<'_> {
    /// Runs it on this thread, gives it these messages, and then closes it.
    ///
    /// # Errors
    /// What the sink returns; a panic is an error, too.
    pub fn run(self, messages: &[Message]) -> Result<Answered> {
        let mut never = |_: &Sent| false;
        let stage = Stage::new(Vec::new(), messages.iter().collect(), &mut never);
        self.0.run(&stage)?;
        let unanswered = stage.received.get() - stage.answered.get();
        Ok(Answered { unanswered, ..stage.answers.into_inner() })
    }
}

impl TestEndpoint<'_> {
    fn run(&self, stage: &Stage<'_>) -> Result<()> {
        SAID.take();
        let io = StreamIo {
            size: size_of::<StreamIo>() as u32,
            reserved: 0,
            stream: from_ref(stage).cast_mut().cast(),
            send,
            marks,
            receive,
            answer,
            wait,
            watch,
        };
        // SAFETY: the endpoint was accepted and is run once; the stage holds for the call, on this thread.
        match unsafe { (self.table.run)(self.at, &io) } {
            0 => Ok(()),
            _ => Err(said()),
        }
    }
}

impl Drop for TestEndpoint<'_> {
    fn drop(&mut self) {
        // SAFETY: the endpoint was accepted, does not run, and is freed once.
        unsafe { (self.table.free)(self.at) };
    }
}

fn said() -> Error {
    Error::from(SAID.take().join("; "))
}

impl<'a> Stage<'a> {
    fn new(kept: Vec<(String, String)>, given: Vec<&'a Message>, until: &'a mut dyn FnMut(&Sent) -> bool) -> Self {
        Stage {
            sent: RefCell::default(),
            kept,
            until: RefCell::new(until),
            closed: Cell::new(false),
            panicked: Cell::new(None),
            given,
            received: Cell::new(0),
            answered: Cell::new(0),
            answers: RefCell::default(),
        }
    }

    fn look(&self) -> bool {
        if !self.closed.get() {
            let asked = catch_unwind(AssertUnwindSafe(|| (self.until.borrow_mut())(&self.sent.borrow())));
            self.closed.set(asked.unwrap_or_else(|panic| {
                self.panicked.set(Some(panic));
                true
            }));
        }
        self.closed.get()
    }

    fn ended(&self) -> bool {
        !self.given.is_empty() && self.received.get() == self.given.len()
    }
}

/// # Safety
/// `stream` is a stage, which is used by one thread at a time.
unsafe fn stage<'a>(stream: *mut Stream) -> &'a Stage<'a> {
    // SAFETY: the caller promises it.
    unsafe { &*stream.cast::<Stage<'_>>() }
}

/// # Safety
/// As the boundary says.
unsafe extern "C" fn send(
    stream: *mut Stream,
    messages: *mut Message,
    count: usize,
    mark: *const StreamMark,
    _timeout_ns: u64,
) -> u32 {
    // SAFETY: `stream` is a stage; `count` messages are the source's, for the call, and so is the mark.
    let (stage, messages, mark) = unsafe {
        let messages = if count == 0 { &mut [] } else { std::slice::from_raw_parts_mut(messages, count) };
        (stage(stream), messages, mark.as_ref())
    };
    if stage.closed.get() {
        return STREAM_CLOSED;
    }
    let mut sent = stage.sent.borrow_mut();
    sent.messages.extend(messages.iter_mut().map(std::mem::take));
    if let Some(mark) = mark {
        // SAFETY: the texts are readable for the call.
        let (key, value) = unsafe { (mark.key.to_text().into_owned(), mark.value.to_text().into_owned()) };
        sent.marks.push((key, value));
    }
    drop(sent);
    stage.look();
    STREAM_OK
}

/// # Safety
/// As the boundary says.
unsafe extern "C" fn marks(stream: *mut Stream, marks: *mut List<Header>) -> u32 {
    // SAFETY: `stream` is a stage; the list is the source's.
    let (stage, marks) = unsafe { (stage(stream), &mut *marks) };
    for (key, value) in &stage.kept {
        marks.push(Header { key: key.as_str().into(), value: value.as_str().into() });
    }
    STREAM_OK
}

/// # Safety
/// As the boundary says.
unsafe extern "C" fn receive(
    stream: *mut Stream,
    most: usize,
    _timeout_ns: u64,
    messages: *mut *const *const Message,
    count: *mut usize,
) -> u32 {
    // SAFETY: `stream` is a stage.
    let stage = unsafe { stage(stream) };
    let from = stage.received.get();
    let next = &stage.given[from..stage.given.len().min(from.saturating_add(most))];
    if next.is_empty() {
        return STREAM_CLOSED;
    }
    // SAFETY: both are the sink's.
    unsafe {
        messages.write(next.as_ptr().cast());
        count.write(next.len());
    }
    stage.received.set(from + next.len());
    STREAM_OK
}

/// # Safety
/// As the boundary says.
unsafe extern "C" fn answer(stream: *mut Stream, count: usize, answer: u32, why: Str) -> usize {
    // SAFETY: `stream` is a stage; the text is readable for the call.
    let (stage, why) = unsafe { (stage(stream), why.to_text().into_owned()) };
    let open = stage.received.get() - stage.answered.get();
    let count = count.min(open);
    let mut answers = stage.answers.borrow_mut();
    match answer {
        STREAM_DELIVERED => answers.delivered += count,
        STREAM_DEAD => answers.rejected.extend(std::iter::repeat_n(why, count)),
        _ => {
            answers.retried.push(why);
            stage.received.set(stage.answered.get());
            return open;
        }
    }
    stage.answered.set(stage.answered.get() + count);
    count
}

/// # Safety
/// As the boundary says.
unsafe extern "C" fn wait(stream: *mut Stream, timeout_ns: u64) -> u32 {
    const NAP: Duration = Duration::from_millis(1);
    // SAFETY: `stream` is a stage.
    let stage = unsafe { stage(stream) };
    let (began, limit) = (Instant::now(), Duration::from_nanos(timeout_ns));
    loop {
        if stage.ended() || stage.look() {
            return STREAM_CLOSED;
        }
        match limit.checked_sub(began.elapsed()) {
            None | Some(Duration::ZERO) => return STREAM_NOTHING,
            Some(left) => std::thread::sleep(left.min(NAP)),
        }
    }
}

/// # Safety
/// As the boundary says.
unsafe extern "C" fn watch(_: *mut Stream) -> i32 {
    // Always readable: in a test everything is there at once.
    std::fs::File::open("/dev/zero").map_or(-1, IntoRawFd::into_raw_fd)
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;
    use crate::testing;

    struct Numbers;

    impl Numbers {
        fn up(&self, _: NoConfig) -> Result<impl Source + use<>> {
            Ok(|io: &mut SourceIo<'_>| {
                for number in 0_u32.. {
                    let mark = number.to_string();
                    io.send_batch(&mut [Message::new("a", mark.as_bytes())], Some(Mark { key: "n", value: &mark }))?;
                }
                Ok(())
            })
        }

        fn down(&self, _: NoConfig) -> Result<impl Sink + use<>> {
            Ok(|io: &mut SinkIo<'_>| {
                while let Received::Messages(messages) = io.recv(2, None) {
                    let first = messages[0].body.to_display().to_string();
                    match &*first {
                        "bad" => io.reject(1, "it is bad"),
                        "panic" => panic!("it panics"),
                        _ => io.ack(1),
                    }
                }
                Ok(())
            })
        }
    }

    impl Plugin for Numbers {
        type Config = NoConfig;
        const HOOKS: Hooks<Self> = &[];
        const ENDPOINTS: Endpoints<Self> = endpoints![source "up" => Self::up; sink "down" => Self::down];

        fn start(_: &Startup, _: NoConfig) -> Result<Self> {
            Ok(Numbers)
        }
    }

    #[test]
    fn a_source_sends_until_it_is_closed() {
        let numbers = testing::start::<Numbers>("{}").unwrap();
        let sent = numbers.source("up", "{}").unwrap().run(&[], |sent| sent.messages.len() == 3).unwrap();
        assert_eq!((sent.messages.len(), &sent.marks[2]), (3, &("n".into(), "2".into())));
        assert!(numbers.source("down", "{}").unwrap_err().to_string().contains("no such endpoint `down`"));
    }

    #[test]
    fn a_sink_answers_and_what_it_leaves_is_seen() {
        let numbers = testing::start::<Numbers>("{}").unwrap();
        let run = |bodies: &[&str]| {
            let messages: Vec<_> = bodies.iter().map(|body| Message::new("a", body.as_bytes())).collect();
            numbers.sink("down", "{}").unwrap().run(&messages)
        };
        let answered = run(&["good", "one more", "bad", "one more"]).unwrap();
        assert_eq!((answered.delivered, &*answered.rejected, answered.unanswered), (1, &["it is bad".into()][..], 2));
        assert!(run(&["panic"]).unwrap_err().to_string().contains("it panics"));
    }

    #[test]
    #[should_panic(expected = "the test is wrong")]
    fn a_test_that_panics_while_it_is_asked_panics() {
        let numbers = testing::start::<Numbers>("{}").unwrap();
        let _ = numbers.source("up", "{}").unwrap().run(&[], |_| panic!("the test is wrong"));
    }
}
