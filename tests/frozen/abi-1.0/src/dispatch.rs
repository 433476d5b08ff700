//! Dispatching points of the host, from a plugin: a server asks `client.authenticate` whom to let in, a bridge lets
//! `message.publish` decide what it passes on.
//!
//! Only the points that the plugin lists in [`FIRES`](crate::Plugin::FIRES), and that the host has: the host compares the
//! payload's layout once, when the plugin asks for the [`HookPoint`]. A dispatch then runs the callbacks of all plugins, and
//! those of the host, on the plugin's own thread. A message that was decided goes nowhere by that: to have it routed, it is
//! published on the [bus](crate::bus).
//!
//! ```
//! use hookrail_abi::dispatch::HookPoint;
//! use hookrail_abi::prelude::*;
//! use hookrail_abi::{Decision, testing};
//!
//! /// Would pass the first word of each message on, if nobody denies it.
//! struct Words {
//!     publish: HookPoint<MessagePublish>,
//! }
//!
//! impl Words {
//!     fn pass_on(&self, message: &Message) -> Result<()> {
//!         let body = message.body.to_display();
//!         let mut word = Message::new("words", body.split(' ').next().unwrap_or_default());
//!         let outcome = self.publish.dispatch(&mut word)?;
//!         match outcome.decided_by() {
//!             Some(callback) if outcome.is_denied() => Err(format!("{callback} denied it").into()),
//!             _ => Ok(()),
//!         }
//!     }
//! }
//!
//! impl Plugin for Words {
//!     type Config = NoConfig;
//!     const HOOKS: Hooks<Self> = hooks![MessageDelivered, "pass-on" => Self::pass_on, priority = 500];
//!     const FIRES: Fires = fires![MessagePublish];
//!
//!     fn start(host: &Startup, _: NoConfig) -> Result<Self> {
//!         Ok(Words { publish: host.instance().point(MessagePublish)? })
//!     }
//! }
//!
//! let words = testing::start::<Words>("{}")?;
//! words.decide(MessagePublish, |word| {
//!     assert_eq!(word.body.to_display(), "two");
//!     Decision::Passed
//! });
//! words.call(MessageDelivered, "pass-on", &mut Message::new("a", "two words"));
//! # Ok::<(), hookrail_abi::Error>(())
//! ```

use std::fmt;
use std::marker::PhantomData;
use std::ptr::{from_mut, from_ref, null};
use std::time::Instant;

use crate::boundary::{
    Context, DISPATCH_CLOSED, DISPATCH_OK, DISPATCH_TOO_DEEP, DispatchOutcome, DispatchPoint, DispatchService,
    DispatchSpec, Str,
};
use crate::context::monotonic_of;
use crate::error::{Error, Result};
use crate::host::{Instance, service};
use crate::{Decision, Point, Text};

/// The points that a plugin dispatches, made by [`fires!`](crate::fires).
pub type Fires = &'static [Fired];

/// One point that a plugin dispatches.
#[derive(Clone, Copy, Debug)]
pub struct Fired {
    pub(crate) point: &'static str,
    pub(crate) revision: u32,
}

impl Fired {
    /// The point `P`; [`fires!`](crate::fires) is the short way to write it.
    pub const fn of<P: Point>() -> Self {
        Fired { point: P::NAME, revision: P::REVISION }
    }
}

/// Declares the points that a plugin [dispatches](crate::dispatch): `fires![MessagePublish, ClientConnect]`.
#[macro_export]
macro_rules! fires {
    ($($point:ty),* $(,)?) => {
        &[$($crate::dispatch::Fired::of::<$point>()),*]
    };
}

/// A point of the host, for a plugin to dispatch. Dropping it gives it back.
///
/// # Invariants
/// `point` was found for the instance and for `P`, and not closed.
pub struct HookPoint<P> {
    service: DispatchService,
    instance: Instance,
    point: *const DispatchPoint,
    payload: PhantomData<fn(P)>,
}

// SAFETY: the functions of the service take a point on any thread; only the host looks into it.
unsafe impl<P> Send for HookPoint<P> {}
// SAFETY: as above, several threads at once.
unsafe impl<P> Sync for HookPoint<P> {}

/// What a dispatch came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a denied payload must not pass"]
pub struct Outcome {
    decision: Decision,
    decided_by: Text,
    reason: Text,
}

impl Outcome {
    /// The decision of the chain.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Whether it is denied; every other decision passes.
    pub fn is_denied(&self) -> bool {
        matches!(self.decision, Decision::Denied(_))
    }

    /// The callback that decided, `INSTANCE/CALLBACK`, if one did.
    pub fn decided_by(&self) -> Option<&str> {
        Some(self.decided_by.as_str()).filter(|name| !name.is_empty())
    }

    /// Why it was denied, if the callback said why. It comes from another plugin, so it may contain anything.
    pub fn reason(&self) -> Option<&str> {
        Some(self.reason.as_str()).filter(|reason| !reason.is_empty())
    }
}

/// Why nothing was dispatched: the payload is unchanged, and nothing was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotDispatched {
    /// The instance is being stopped.
    Closed,
    /// The payload could not cross from the process of the plugin to that of the host, or back.
    NotCarried(String),
    /// Too many dispatches of this instance are running within each other already: a callback dispatches the point that it
    /// was called for, say.
    TooDeep,
}

impl fmt::Display for NotDispatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotDispatched::Closed => {
                f.write_str("the host dispatches nothing more for this instance, which is being stopped")
            }
            NotDispatched::NotCarried(why) => write!(f, "the payload cannot be dispatched from a worker: {why}"),
            NotDispatched::TooDeep => f.write_str(
                "too many dispatches are running within each other: does a callback dispatch what it was called for?",
            ),
        }
    }
}

impl std::error::Error for NotDispatched {}

/// What the callbacks of a dispatch learn about it, beside the payload: they see it as the
/// [current context](crate::host::with_context). On whose behalf it runs is for the host to say.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct About {
    /// When the answer is needed.
    pub deadline: Option<Instant>,
    /// The trace that the dispatch belongs to (W3C trace id).
    pub trace: Option<[u8; 16]>,
}

impl Instance {
    /// The point of that declaration, to dispatch on. May be asked for at any time, but is better kept: the layouts of both
    /// sides are compared here.
    ///
    /// # Errors
    /// If the host does not offer `dispatch/1` or does not have the point, the plugin does not list it in
    /// [`FIRES`](crate::Plugin::FIRES), or their payloads differ.
    pub fn point<P: Point>(&self, _point: P) -> Result<HookPoint<P>> {
        let service = service::<DispatchService>("dispatch/1").ok_or("the host has no service dispatch/1")?;
        let spec = DispatchSpec {
            size: size_of::<DispatchSpec>() as u32,
            revision: P::REVISION,
            point: Str::new(P::NAME),
            fingerprint: P::shape().fingerprint,
            layout: from_ref(<P::Payload as abi_stable::StableAbi>::LAYOUT).cast(),
            ops: P::ops(),
        };
        let (mut point, mut why) = (null(), Text::new());
        // SAFETY: the service takes the handle that the host gave us, and the specification for the call; it writes to
        // variables of our own.
        match unsafe { (service.point)(self.handle(), &spec, &mut point, &mut why) } {
            // INVARIANT: it was just found.
            0 => Ok(HookPoint { service, instance: *self, point, payload: PhantomData }),
            _ => Err(Error::from(why.as_str())),
        }
    }
}

impl<P: Point> HookPoint<P> {
    /// Runs the chain on this thread: every callback in order, until one decides. Callbacks see the context of this thread,
    /// if there is one.
    ///
    /// In the process of the host this costs what it costs the host, and a call. From a
    /// [worker](crate::Isolation::Worker) the payload crosses to the host and back.
    ///
    /// # Errors
    /// If nothing was dispatched.
    pub fn dispatch(&self, payload: &mut P::Payload) -> Result<Outcome, NotDispatched> {
        self.run(null(), payload)
    }

    /// As [`dispatch`](Self::dispatch), with a context of its own.
    ///
    /// # Errors
    /// As for [`dispatch`](Self::dispatch).
    pub fn dispatch_about(&self, about: &About, payload: &mut P::Payload) -> Result<Outcome, NotDispatched> {
        let context = Context {
            size: size_of::<Context>() as u32,
            reserved: 0,
            deadline_ns: about.deadline.map_or(0, monotonic_of),
            trace: about.trace.unwrap_or_default(),
            principal: Str::new(""),
            node: Str::new(""),
        };
        self.run(&context, payload)
    }

    /// Whether any callback would run, as far as that is known without asking another process: worth checking before
    /// building an expensive payload.
    pub fn is_hooked(&self) -> bool {
        // SAFETY: by the type invariant.
        unsafe { (self.service.is_hooked)(self.point) != 0 }
    }

    fn run(&self, context: *const Context, payload: &mut P::Payload) -> Result<Outcome, NotDispatched> {
        let mut outcome = DispatchOutcome {
            size: size_of::<DispatchOutcome>() as u32,
            decision: 0,
            decided_by: Text::new(),
            reason: Text::new(),
        };
        // SAFETY: by the type invariant it is a point for this payload, which is exclusive; the rest is ours, for the call.
        match unsafe { (self.service.run)(self.point, from_mut(payload).cast(), context, &mut outcome) } {
            DISPATCH_OK => {
                let DispatchOutcome { decision, decided_by, reason, .. } = outcome;
                Ok(Outcome { decision: Decision::from_raw(decision), decided_by, reason })
            }
            DISPATCH_CLOSED => Err(NotDispatched::Closed),
            DISPATCH_TOO_DEEP => Err(NotDispatched::TooDeep),
            _ => Err(NotDispatched::NotCarried(outcome.reason.as_str().into())),
        }
    }
}

impl<P> Drop for HookPoint<P> {
    fn drop(&mut self) {
        // SAFETY: by the type invariant, and nobody uses it any more.
        unsafe { (self.service.close)(self.instance.handle(), self.point) };
    }
}

impl<P: Point> fmt::Debug for HookPoint<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookPoint").field("point", &P::NAME).finish_non_exhaustive()
    }
}
