//! The worker process: the same program, in another role.

mod bus;
mod callbacks;
mod configs;
mod counts;
mod dispatch;
mod ending;
mod endpoints;
mod lanes;
mod plugin;
mod questions;
mod recorder;
mod run;
mod speaking;
mod subscriber;
mod units;

use std::ffi::OsStr;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Jobs, channel};

use crate::lane::Region;
use crate::provider::Workers;
use crate::role::{ARGUMENT, LAST_WORDS, MEMORY, SOCKET, VARIABLE};
use crate::wire::{Ask, Receiver, Sender, ToHost, ToWorker, VERSION};

use self::bus::Bus;
use self::callbacks::Callbacks;
use self::configs::Configs;
use self::dispatch::Dispatches;
use self::ending::{end, fail};
use self::lanes::Lanes;
use self::plugin::{Asks, Plugins};
use self::units::Units;

/// Lets the hosts of this program run plugins in worker processes, which are this program again: call it first in
/// `main`. In a worker it never returns.
///
/// ```no_run
/// // First in `main`:
/// hookrail::worker::enter();
/// // What the program does.
/// ```
pub fn enter() {
    let is_worker =
        std::env::args_os().nth(1).as_deref() == Some(OsStr::new(ARGUMENT)) && std::env::var_os(VARIABLE).is_some();
    if is_worker {
        work();
    }
    hookrail_engine::provide(Workers::of_this_process());
}

/// The life of a worker, which ends with its process.
fn work() -> ! {
    // SAFETY: the host has put a socket and the memory there, which nothing else in this process knows.
    let (socket, memory) = unsafe { (OwnedFd::from_raw_fd(SOCKET), OwnedFd::from_raw_fd(MEMORY)) };
    // SAFETY: as above.
    let last_words = unsafe { OwnedFd::from_raw_fd(LAST_WORDS) };
    let socket = UnixStream::from(socket);
    let begun = speaking::begin(&last_words).and_then(|()| Ok((socket.try_clone()?, Region::open(memory)?)));
    drop(last_words);
    let (writing, region) = begun.unwrap_or_else(|error| fail(&format!("cannot begin: {error}")));
    let host = Arc::new(Sender::new(writing));
    subscriber::install(&host);
    hookrail_engine::offer();
    bus::offer();
    let callbacks = Arc::new(Callbacks::new(host.clone()));
    let lanes = Arc::new(Lanes::new(region, callbacks.clone()));
    tell(&host, &ToHost::Ready { version: VERSION.into() });

    let (jobs, work) = channel();
    let (configs, units) = (Arc::new(Configs::new(host.clone())), Units::new(host.clone()));
    let (buses, dispatches) = (Arc::new(Bus::new(host.clone())), Arc::new(Dispatches::new(host.clone())));
    let asks =
        Asks { bus: buses.clone(), configs: configs.clone(), dispatches: dispatches.clone(), units: units.clone() };
    let plugins = Plugins::new(host.clone(), callbacks, lanes.clone(), asks);
    // The plugins' functions run on the first thread, as they expect it of a program, and may take as long as they
    // like; what the host says meanwhile is heard by another.
    let hear = {
        let levels = plugins.levels();
        move || {
            let mut receiver = Receiver::new(socket);
            loop {
                match receiver.receive::<ToWorker>() {
                    Ok(Some((ToWorker::Ask(number, ask), descriptors))) => {
                        let _ = jobs.send((number, ask, descriptors.into_iter().next()));
                    }
                    Ok(Some((ToWorker::Bus(number, answer), descriptors))) => {
                        let socket = descriptors.into_iter().next().ok_or("the host has sent no socket");
                        buses.answered(number, answer.and_then(|()| Ok(socket?)));
                    }
                    Ok(Some((ToWorker::Config(number, answer), _))) => configs.answered(number, answer),
                    Ok(Some((ToWorker::Dispatch(number, answer), descriptors))) => {
                        let socket = descriptors.into_iter().next().ok_or("the host has sent no socket");
                        dispatches.answered(number, answer.and_then(|()| Ok(socket?)));
                    }
                    Ok(Some((ToWorker::Serve(lane), _))) => lanes.serve(lane),
                    Ok(Some((ToWorker::Unit(number, answer), _))) => units.answered(number, answer),
                    Ok(Some((ToWorker::UnitEvent(unit, event), descriptors))) => {
                        units.happened(unit, event, descriptors)
                    }
                    Ok(Some((ToWorker::SetLevel(plugin, level), _))) => levels.set(plugin, level),
                    Ok(Some((ToWorker::Hide(plugin, secrets), _))) => levels.hide(plugin, &secrets),
                    // The host has closed the socket, or is gone.
                    Ok(None) | Err(_) => end(0),
                }
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("hookrail-hear".into()).spawn(hear) {
        fail(&format!("cannot start a thread: {error}"));
    }
    obey(plugins, &work, &host)
}

/// Does what the host asks for, in order.
fn obey(mut plugins: Plugins, work: &Jobs<(u64, Ask, Option<OwnedFd>)>, host: &Sender) -> ! {
    loop {
        let Ok((number, ask, descriptor)) = work.recv() else { end(0) };
        let answer = plugins.obey(ask, descriptor);
        tell(host, &ToHost::Answer(number, answer.map_err(Into::into)));
    }
}

/// Tells the host something; without a host there is nothing left to do.
fn tell(host: &Sender, what: &ToHost) {
    if host.send(what, &[]).is_err() {
        end(0);
    }
}
