//! Callbacks of the embedding program itself.

use std::ffi::c_void;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hookrail_abi::host::Report;
use hookrail_abi::name::is_plain;
use hookrail_abi::verdict::raw;
use hookrail_abi::{Answer, Effects, Kind, Point, Priority, RawKind};
use hookrail_model::error::ApiMisuse;
use parking_lot::Mutex;

use crate::chain::{Callback, CallbackState, Ctx, Owner, Run, Terms};
use crate::fault::Breaker;
use crate::frame;
use crate::names;
use crate::registry::{Addition, Registry};

/// Callbacks of the embedding program that are registered together: `Host::register`.
///
/// ```
/// use hookrail::{Callbacks, Config, Decision, Host, Message, MessagePublish, Priority, Verdict};
///
/// let host = Host::new(Config::default())?;
/// let rules = Callbacks::new("rules").on(MessagePublish, "no-spam", Priority::BUILT_IN, |message| {
///     if message.body.starts_with(b"spam") { Verdict::deny(7, "it is spam") } else { Verdict::Continue }
/// });
/// host.register(rules)?;
/// let outcome = host.point(MessagePublish)?.dispatch(&mut Message::new("a", "spam"));
/// assert_eq!(outcome.decision(), Decision::Denied(7));
/// let denial = host.denial(&outcome).unwrap();
/// assert_eq!(denial.to_string(), "denied by rules/no-spam with code 7: it is spam");
/// # Ok::<(), hookrail::Error>(())
/// ```
pub struct Callbacks {
    instance: Arc<str>,
    callbacks: Vec<Box<Make>>,
}

/// Makes a callback for its point, whose type is known only where it was added.
type Make = dyn FnOnce(&Registry, Arc<str>, Owner) -> Result<Addition, ApiMisuse> + Send;

/// Registered callbacks; `Host::unregister` removes them.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Registered(Owner);

impl Callbacks {
    /// An empty set; `instance` is the name of the callbacks' instance, beside those of plugins.
    pub fn new(instance: &str) -> Self {
        Callbacks { instance: instance.into(), callbacks: Vec::new() }
    }

    /// Adds a callback at a point. It may run on any thread, and on several at once.
    #[must_use]
    pub fn on<P, F, R>(mut self, _point: P, callback: &str, priority: Priority, function: F) -> Self
    where
        P: Point,
        F: for<'a> Fn(<P::Kind as Kind>::Payload<'a, P::Payload>) -> R + Send + Sync + 'static,
        R: Answer<P::Kind> + 'static,
    {
        const {
            assert!(
                !R::MAY_DENY || P::DENIABLE || matches!(P::Kind::RAW, RawKind::Gate),
                "this point cannot be denied: return nothing or `Flow`"
            );
        }
        let name: Arc<str> = callback.into();
        self.callbacks.push(Box::new(move |registry, instance, owner| {
            if !is_plain(&name) {
                return Err(ApiMisuse::InvalidName(name.to_string()));
            }
            let point = registry.declare::<P>()?;
            let ctx = Box::into_raw(Box::new(function)).cast();
            let terms = Terms { priority: priority.number(), fault: point.fault, enabled: true, budget: None };
            let callback = Callback {
                id: names::intern(&instance, &name),
                owner,
                generation: None,
                instance,
                name,
                terms,
                declared: terms,
                overridden_by: None,
                effects: Effects::External,
                run: run::<P, F, R> as Run,
                ctx: Arc::new(Ctx::new(ctx, Some(free::<F>))),
                required: false,
                record: Arc::default(),
                state: Mutex::new(CallbackState::Armed),
                breaker: Arc::new(Breaker::new(registry.signals.clone())),
                probation: None,
            };
            Ok(Addition { point, callback })
        }));
        self
    }

    pub(crate) fn into_additions(self, registry: &Registry, owner: Owner) -> Result<Vec<Addition>, ApiMisuse> {
        let instance = self.instance;
        if !instance.split(':').all(is_plain) {
            return Err(ApiMisuse::InvalidName(instance.to_string()));
        }
        self.callbacks.into_iter().map(|make| make(registry, instance.clone(), owner)).collect()
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks")
            .field("instance", &self.instance)
            .field("callbacks", &self.callbacks.len())
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// Registers callbacks of the embedding program: all of them, or none.
    ///
    /// # Errors
    /// If a name cannot be part of `instance/callback`, a point does not fit, or a callback of the same name is already
    /// registered there.
    pub fn register(&self, callbacks: Callbacks, owner: Owner) -> Result<Registered, ApiMisuse> {
        self.add(callbacks.into_additions(self, owner)?)?;
        Ok(Registered(owner))
    }

    /// Removes the callbacks from their chains. Cannot fail, and does not wait for readers.
    pub fn unregister(&self, registered: Registered) {
        self.remove(registered.0);
    }
}

/// The code of a callback of the program.
///
/// # Safety
/// `ctx` is the `F` that `on` has boxed, which being inside keeps; `payload` is a payload of point `P`, exclusive for
/// the call unless its kind is notify.
unsafe extern "C" fn run<P, F, R>(ctx: *mut c_void, payload: *mut c_void) -> u32
where
    P: Point,
    F: for<'a> Fn(<P::Kind as Kind>::Payload<'a, P::Payload>) -> R,
    R: Answer<P::Kind>,
{
    // SAFETY: `ctx` is the function this was registered with, which being inside keeps; the payload is the point's.
    let (function, payload) = unsafe { (&*ctx.cast::<F>(), P::Kind::borrow::<P::Payload>(payload)) };
    catch_unwind(AssertUnwindSafe(|| function(payload).into_raw())).unwrap_or_else(|panic| {
        // The program's own panic hook has printed it; the payload may panic when dropped.
        std::mem::forget(panic);
        frame::report(Report::Fault as u32, "panicked");
        raw::FAULT
    })
}

/// # Safety
/// `ctx` is the `F` that `on` has boxed, and nobody uses it again.
unsafe extern "C" fn free<F>(ctx: *mut c_void) {
    // SAFETY: `on` made it from a box, and it is freed once.
    drop(unsafe { Box::from_raw(ctx.cast::<F>()) });
}
