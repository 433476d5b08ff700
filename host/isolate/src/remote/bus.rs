//! The ends of the bus of a plugin in a worker: each is one of the bus of this process, opened in the name of the instance, and
//! has a socket and a thread, as an endpoint has.
//!
//! When the process has ended, an end stays until the instance has been started again, and `patience` at most: what it has not
//! answered for is its heir's.

use std::collections::BTreeMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hookrail_abi::Text;
use hookrail_abi::boundary::{BusHeader, BusService, BusSpec, Growing, Str, StreamIo};
use hookrail_dispatch::reclaim;
use hookrail_engine::{BusWish, Guest};
use parking_lot::Mutex;

use super::answering::{Host, SLICE};
use super::live::Live;
use crate::wire::{BusAsk, FromEndpoint, Receiver, Sender, ToWorker, pair};

/// How many ends the instances of a plugin may have at once; of one instance the bus allows fewer.
const MOST: usize = 1024;
/// How often it is looked whether an instance has been started again.
const OFTEN: Duration = Duration::from_millis(20);

/// Who the instances of one plugin are, and how many ends they have.
#[derive(Default)]
pub(super) struct Buses {
    guests: Mutex<BTreeMap<String, Arc<Place>>>,
    open: Arc<AtomicUsize>,
}

/// One life of an instance.
struct Place {
    guest: Guest,
    /// Set once it is ended.
    is_over: AtomicBool,
}

impl Place {
    fn new(guest: Guest) -> Arc<Self> {
        Arc::new(Place { guest, is_over: false.into() })
    }

    fn end(&self) {
        self.guest.end();
        // Relaxed: whoever does not see it yet sees it the next time.
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// An end that is open in this process.
struct Open {
    place: Arc<Place>,
    service: BusService,
    io: StreamIo,
    id: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: the handle holds as long as its place, and nobody else uses the end.
        unsafe { (self.service.close)(self.place.guest.handle(), self.id) };
    }
}

impl Buses {
    /// The instance is about to be created.
    pub(super) fn coming(&self, instance: &str, guest: Guest) {
        self.guests.lock().insert(instance.into(), Place::new(guest));
    }

    /// The instance is about to be created in its next process. Returns what ends what it had in the one before, when it
    /// has been started.
    pub(super) fn again(&self, instance: &str) -> impl FnOnce() + use<> {
        let mut guests = self.guests.lock();
        let old = guests.get_mut(instance).map(|place| {
            let next = Place::new(place.guest.again());
            std::mem::replace(place, next)
        });
        move || old.into_iter().for_each(|old| old.end())
    }

    /// All instances are about to be stopped.
    pub(super) fn stop(&self) {
        let guests = std::mem::take(&mut *self.guests.lock());
        guests.values().for_each(|place| place.end());
    }

    /// Opens an end, on another thread, which then runs it: this one hears what the worker says.
    pub(super) fn answer(&self, live: &Arc<Live>, number: u64, instance: &str, ask: BusAsk, patience: Duration) {
        let Some(place) = self.guests.lock().get(instance).cloned() else {
            return refuse(live, number, "it has no such instance".into());
        };
        // Relaxed: a count, and nothing follows from it but the refusal.
        if self.open.fetch_add(1, Ordering::Relaxed) >= MOST {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return refuse(live, number, format!("its plugin has {MOST} publishers and subscriptions already"));
        }
        let (of, open) = (live.clone(), self.open.clone());
        let run = move || {
            match begin(&of, number, place, &ask, patience) {
                Ok((end, socket)) => serve(&of, &end, socket, patience),
                Err(refused) => refuse(&of, number, refused),
            }
            open.fetch_sub(1, Ordering::Relaxed);
        };
        if let Err(error) = reclaim::spawn("hookrail-bus", run) {
            self.open.fetch_sub(1, Ordering::Relaxed);
            refuse(live, number, format!("the host can start no thread: {error}"));
        }
    }
}

/// Opens it, and gives the worker its socket.
fn begin(
    live: &Live,
    number: u64,
    place: Arc<Place>,
    ask: &BusAsk,
    patience: Duration,
) -> Result<(Open, UnixStream), String> {
    let open = Open::new(place, ask)?;
    let failed = |error: io::Error| format!("the host can have no more sockets: {error}");
    let (ours, theirs) = pair().map_err(failed)?;
    // Who begins a frame ends it.
    ours.set_read_timeout(Some(patience)).map_err(failed)?;
    ours.set_write_timeout(Some(patience)).map_err(failed)?;
    // A worker that does not listen is ended.
    live.send(&ToWorker::Bus(number, Ok(())), &[theirs.as_fd()])?;
    Ok((open, ours))
}

/// Answers what is asked for, until it is closed there.
fn serve(live: &Live, end: &Open, socket: UnixStream, patience: Duration) {
    // SAFETY: the functions hold until `end` is dropped, and only this call uses them.
    let mut host = unsafe { Host::new(&end.io, live) };
    let Ok(sending) = socket.try_clone() else { return };
    let (sender, mut receiver) = (Sender::of_messages(sending), Receiver::of_messages(socket));
    loop {
        match receiver.is_readable(SLICE) {
            Ok(false) if live.is_dead() => break,
            Ok(false) => continue,
            Ok(true) => {}
            Err(_) => break,
        }
        let asked = match receiver.receive::<FromEndpoint>() {
            // It is closed there.
            Ok(Some((FromEndpoint::Ran(_), _))) => return,
            Ok(Some((asked, _))) => asked,
            Ok(None) | Err(_) => break,
        };
        let Some((answer, descriptor)) = host.answer(asked) else { break };
        if sender.send(&answer, descriptor.as_ref().map(AsFd::as_fd).as_slice()).is_err() {
            break;
        }
    }
    // Its process has ended.
    let until = Instant::now() + patience;
    // Relaxed: as where it is set.
    while !end.place.is_over.load(Ordering::Relaxed) && Instant::now() < until {
        std::thread::sleep(OFTEN);
    }
}

impl Open {
    fn new(place: Arc<Place>, ask: &BusAsk) -> Result<Self, String> {
        // SAFETY: this process offers no other table by that id, and it stays.
        let service = unsafe { BusService::find(place.guest.query("bus/1").cast()) };
        let service = service.ok_or("this host has no streams, and so no bus")?;
        let (mut io, mut id, mut why) = (MaybeUninit::<StreamIo>::zeroed(), 0, Text::new());
        let at = io.as_mut_ptr();
        // SAFETY: it is ours, and begins with its size.
        unsafe { at.cast::<u32>().write(size_of::<StreamIo>() as u32) };
        let handle = place.guest.handle();
        let opened = match ask {
            // SAFETY: the handle holds as long as its place, and the variables are ours.
            BusAsk::Publish => unsafe { (service.publish)(handle, at, &mut id, &mut why) },
            BusAsk::Subscribe(BusWish { policy, name, key, topics, headers, capacity }) => {
                let topics: Vec<_> = topics.iter().map(|topic| Str::new(topic)).collect();
                let header = |(key, value): &(String, String)| BusHeader { key: Str::new(key), value: Str::new(value) };
                let headers: Vec<_> = headers.iter().map(header).collect();
                let spec = BusSpec {
                    size: size_of::<BusSpec>() as u32,
                    policy: *policy,
                    name: Str::new(name),
                    key: Str::new(key),
                    topics: topics.as_ptr(),
                    topic_count: topics.len(),
                    headers: headers.as_ptr(),
                    header_count: headers.len(),
                    capacity: *capacity,
                };
                // SAFETY: as above, and the specification holds for the call.
                unsafe { (service.subscribe)(handle, &spec, at, &mut id, &mut why) }
            }
        };
        match opened {
            // SAFETY: the bus of this process has written all of it.
            0 => Ok(Open { place, service, io: unsafe { io.assume_init() }, id }),
            _ => Err(why.as_str().to_owned()),
        }
    }
}

// SAFETY: an end may be used by any thread, by one at a time.
unsafe impl Send for Open {}

fn refuse(live: &Live, number: u64, why: String) {
    // A worker that does not listen is ended.
    let _ = live.send(&ToWorker::Bus(number, Err(why)), &[]);
}
