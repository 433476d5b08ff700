//! The points that plugins in this worker dispatch: their host does. What a callback dispatches, the host's thread does that
//! waits for the callback; for the rest there is a socket, and a thread of the host, for each dispatch that runs.

use std::ffi::c_void;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use hookrail_abi::{Decision, PayloadOps};
use hookrail_dispatch::Condvar;
use hookrail_engine::{Actor, DispatchContext, Dispatched, FoundPoint, NotDispatched, PointWish, Points};
use parking_lot::Mutex;

use super::questions::{Questions, Unanswered};
use super::{run, speaking};
use crate::lane::Unserved;
use crate::payload::{Decoded, encoded, ops_of};
use crate::wire::{
    ANSWERED, Bytes, DISPATCH, DISPATCHES, Fired, PluginId, PointAnswer, PointAsk, Receiver, Sender, ToHost,
};

/// The sockets that were asked for, of all plugins of this worker.
pub(super) type Dispatches = Questions<Result<OwnedFd, String>>;

/// The points of one plugin.
pub(super) struct OfPlugin(Arc<Sockets>);

/// The sockets of one plugin.
struct Sockets {
    plugin: PluginId,
    dispatches: Arc<Dispatches>,
    state: Mutex<State>,
    /// Signalled when a socket has become idle, or one more may be opened.
    freed: Condvar,
    /// Held while another one is asked for: the host is asked few questions at once.
    opening: Mutex<()>,
}

#[derive(Default)]
struct State {
    idle: Vec<Socket>,
    /// How many there are, those included that are about to be opened.
    count: usize,
}

/// A socket by which one dispatch runs at a time.
struct Socket {
    sender: Sender,
    receiver: Receiver,
}

/// A point that the host has.
struct Found {
    sockets: Arc<Sockets>,
    of: Fired,
    ops: PayloadOps,
}

impl OfPlugin {
    pub(super) fn new(plugin: PluginId, dispatches: &Arc<Dispatches>) -> Self {
        let (state, freed, opening) = Default::default();
        OfPlugin(Arc::new(Sockets { plugin, dispatches: dispatches.clone(), state, freed, opening }))
    }
}

impl Points for OfPlugin {
    fn find(&self, wish: &PointWish) -> Result<Arc<dyn FoundPoint>, String> {
        let PointWish { name, revision, fingerprint, ops, .. } = wish;
        let of = Fired { point: name.clone(), revision: *revision, fingerprint: *fingerprint };
        match self.0.ask(&PointAsk::Find(of.clone())) {
            Ok(PointAnswer::Found) => {}
            Ok(PointAnswer::Refused(why)) | Err(NotDispatched::NotCarried(why)) => return Err(why),
            Ok(_) | Err(NotDispatched::Closed) => return Err("the host does not answer".into()),
            Err(NotDispatched::TooDeep) => {
                return Err(format!("{DISPATCHES} dispatches of its plugin are running already"));
            }
        }
        let ops = ops_of(*fingerprint, *ops);
        let ops = ops.ok_or_else(|| format!("the payload of {name} has no operations by which it could cross"))?;
        Ok(Arc::new(Found { sockets: self.0.clone(), of, ops }))
    }
}

impl FoundPoint for Found {
    fn is_hooked(&self) -> bool {
        // It may be, and asking would cost as much as a dispatch.
        true
    }

    fn ops(&self) -> &PayloadOps {
        &self.ops
    }

    unsafe fn dispatch(
        &self,
        payload: *mut c_void,
        context: Option<&DispatchContext>,
    ) -> Result<Dispatched, NotDispatched> {
        // SAFETY: by the contract it is a payload of the point, and exclusive.
        let bytes = unsafe { encoded(&self.ops, payload) };
        let bytes = bytes.ok_or_else(|| NotDispatched::NotCarried("it cannot be encoded".into()))?;
        let context = context.map(|context| (context.deadline_ns, context.trace));
        let ask = PointAsk::Dispatch { of: self.of.clone(), payload: Bytes(bytes.to_vec()), context };
        match self.sockets.ask(&ask)? {
            PointAnswer::Dispatched { decision, decided_by, reason, payload: changed } => {
                if let Some(Bytes(changed)) = changed {
                    let changed = Decoded::new(&self.ops, &changed).map_err(NotDispatched::NotCarried)?;
                    // SAFETY: both are payloads of these operations, and `payload` is exclusive.
                    unsafe { (self.ops.assign)(changed.payload(), payload) };
                }
                Ok(Dispatched { decision: Decision::from_raw(decision), decided_by, reason })
            }
            PointAnswer::NotDispatched(why) => Err(why),
            PointAnswer::Refused(why) => Err(NotDispatched::NotCarried(why)),
            PointAnswer::Found => Err(NotDispatched::Closed),
        }
    }
}

impl Sockets {
    fn ask(&self, ask: &PointAsk) -> Result<PointAnswer, NotDispatched> {
        self.ask_caller(ask).unwrap_or_else(|| self.ask_another(ask))
    }

    /// Asks the thread of the host that waits for this one. `None` if none does, or the question is too long for that.
    fn ask_caller(&self, ask: &PointAsk) -> Option<Result<PointAnswer, NotDispatched>> {
        let bytes = rmp_serde::to_vec(&(self.plugin, ask)).ok()?;
        let mut answer = Vec::new();
        let not_carried = |why: String| Err(NotDispatched::NotCarried(why));
        Some(match run::upcall(DISPATCH, &bytes, &mut answer)? {
            Ok(ANSWERED) => rmp_serde::from_slice(&answer).or_else(|error| not_carried(error.to_string())),
            Err(Unserved::NoRoom) => return None,
            Ok(_) | Err(Unserved::Ended | Unserved::Outside) => Err(NotDispatched::Closed),
            Err(why) => not_carried(why.to_string()),
        })
    }

    fn ask_another(&self, ask: &PointAsk) -> Result<PointAnswer, NotDispatched> {
        let mut socket = self.take()?;
        match socket.ask(ask) {
            Ok(answer) => {
                self.state.lock().idle.push(socket);
                self.freed.notify_all();
                Ok(answer)
            }
            // Nothing was sent.
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                self.state.lock().idle.push(socket);
                self.freed.notify_all();
                Err(NotDispatched::NotCarried(error.to_string()))
            }
            Err(_) => {
                self.lost();
                Err(NotDispatched::Closed)
            }
        }
    }

    fn take(&self) -> Result<Socket, NotDispatched> {
        let mut state = self.state.lock();
        loop {
            if let Some(socket) = state.idle.pop() {
                return Ok(socket);
            }
            if state.count < DISPATCHES {
                state.count += 1;
                drop(state);
                return self.open().map_err(|why| {
                    self.lost();
                    NotDispatched::NotCarried(why)
                });
            }
            // The others may all wait for this one.
            if speaking::is_lane() {
                return Err(NotDispatched::TooDeep);
            }
            self.freed.wait_while(&mut state, |state| state.idle.is_empty() && state.count >= DISPATCHES, None);
        }
    }

    fn open(&self) -> Result<Socket, String> {
        let _turn = self.opening.lock();
        let plugin = self.plugin;
        let answer = self.dispatches.ask(|number| ToHost::Dispatch { number, plugin }, |_| {});
        let socket = answer.map_err(|(Unanswered::Late(why) | Unanswered::NotAsked(why))| why)??;
        let socket = UnixStream::from(socket);
        let sending = socket.try_clone().map_err(|error| format!("the worker has no descriptors: {error}"))?;
        Ok(Socket { sender: Sender::of_messages(sending), receiver: Receiver::of_messages(socket) })
    }

    /// There is one less.
    fn lost(&self) {
        self.state.lock().count -= 1;
        self.freed.notify_all();
    }
}

impl Socket {
    fn ask(&mut self, ask: &PointAsk) -> io::Result<PointAnswer> {
        self.sender.send(&(Actor::current().number(), ask), &[])?;
        let (answer, _) = self.receiver.receive()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(answer)
    }
}

impl fmt::Debug for OfPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfPlugin").field("plugin", &self.0.plugin).finish_non_exhaustive()
    }
}
