//! The hook points of the program that checks: an embedder's own, which no other program can dispatch.

use std::ffi::c_void;
use std::fmt;
use std::ptr::from_mut;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use hookrail::Host;
use hookrail_abi::verdict::raw;
use hookrail_abi::{Kind, Point, RawKind};

/// An embedder's hook points, each with payloads for it, so that plugins which hook them are checked as those are which
/// hook points of the catalogue.
#[derive(Debug, Default)]
pub struct Points(Vec<Own>);

/// Dispatches a point once, with its next payload.
pub(super) type Dispatch = Arc<dyn Fn() + Send + Sync>;
/// Declares a point in a host.
type Declare = Box<dyn Fn(&Host) -> Result<Dispatch, hookrail::Error> + Send + Sync>;
/// Passes the next payload of a point to a call of a callback.
type Pass = Box<dyn Fn(&mut dyn FnMut(*mut c_void) -> Result<(), String>) -> Result<(), String> + Send + Sync>;

/// One of these points.
pub(super) struct Own {
    pub(super) name: &'static str,
    revision: u32,
    fingerprint: [u64; 2],
    allows: fn(u32) -> bool,
    declare: Declare,
    pass: Pass,
}

static DECLARED: OnceLock<Points> = OnceLock::new();

impl Points {
    /// No points.
    pub fn new() -> Self {
        Points::default()
    }

    /// Adds a point. `payload` makes payloads as the program dispatches them, from numbers that count up: let them
    /// differ in all that senders decide.
    #[must_use]
    pub fn with<P: Point>(mut self, point: P, payload: impl Fn(u64) -> P::Payload + Send + Sync + 'static) -> Self {
        let number = AtomicU64::new(0);
        let next = Arc::new(move || payload(number.fetch_add(1, Ordering::Relaxed)));
        let passed = next.clone();
        self.0.push(Own {
            name: P::NAME,
            revision: P::REVISION,
            fingerprint: P::shape().fingerprint,
            allows: allows::<P>,
            declare: Box::new(move |host| {
                let (point, next) = (host.point(point)?, next.clone());
                Ok(Arc::new(move || _ = point.dispatch(&mut next())))
            }),
            pass: Box::new(move |call| {
                let mut payload = passed();
                let judged = call(from_mut(&mut payload).cast());
                if judged.is_err() {
                    // Dropping it might follow invalid pointers in it.
                    std::mem::forget(payload);
                }
                judged
            }),
        });
        self
    }

    /// Makes these the points of this process, before it calls [`run_one`](crate::run_one) or
    /// [`run_here`](crate::run_here). A second call changes nothing.
    pub fn declare(self) {
        let _ = DECLARED.set(self);
    }
}

impl Own {
    /// The points of this process.
    pub(super) fn all() -> &'static [Own] {
        DECLARED.get().map_or(&[], |points| &points.0)
    }

    /// Whether a callback with that revision and layout of the payload is one of this point.
    pub(super) fn fits(&self, revision: u32, fingerprint: [u64; 2]) -> bool {
        (revision, fingerprint) == (self.revision, self.fingerprint)
    }

    /// See [`allows`].
    pub(super) fn allows(&self, answer: u32) -> bool {
        (self.allows)(answer)
    }

    /// Declares the point in a host.
    pub(super) fn declare(&self, host: &Host) -> Result<Dispatch, hookrail::Error> {
        (self.declare)(host)
    }

    /// Passes a payload of the point, exclusive for the call, to `call`, which judges what became of it.
    pub(super) fn pass(&self, mut call: impl FnMut(*mut c_void) -> Result<(), String>) -> Result<(), String> {
        (self.pass)(&mut call)
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Own {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Own {}

/// Whether a callback of the point may return this number, according to `docs/abi.md`; a fault is not allowed.
pub(super) fn allows<P: Point>(answer: u32) -> bool {
    let is_deniable = P::DENIABLE || P::Kind::RAW == RawKind::Gate;
    P::Kind::verdict(answer).is_some() && (is_deniable || answer & 0xff != raw::DENY)
}

#[cfg(test)]
mod tests {
    use hookrail_abi::catalogue::MessageDelivered;

    use super::*;

    hookrail_abi::points! {
        // SAFETY: a number owns itself.
        unsafe local Asked: "own.asked", 3, Gate<u64>;
    }

    #[test]
    fn payloads_are_made_from_numbers_that_count_up() {
        let points = Points::new().with(Asked, |number| number * 10);
        let [asked] = &points.0[..] else { panic!("one was added") };
        let mut seen = Vec::new();
        for _ in 0..3 {
            let see = |payload: *mut c_void| {
                // SAFETY: it is a payload of the point.
                seen.push(unsafe { payload.cast::<u64>().read() });
                Ok(())
            };
            asked.pass(see).unwrap();
        }
        assert_eq!(seen, [0, 10, 20]);
        assert_eq!(asked.pass(|_| Err("no".into())), Err("no".into()));
    }

    #[test]
    fn a_callback_fits_with_the_revision_and_the_payload_of_the_point() {
        let points = Points::new().with(Asked, |number| number);
        let fingerprint = Asked::shape().fingerprint;
        assert!(points.0[0].fits(3, fingerprint));
        assert!(!points.0[0].fits(2, fingerprint));
        assert!(!points.0[0].fits(3, [0, 0]));
    }

    #[test]
    fn a_denial_is_a_verdict_where_the_point_can_be_denied() {
        assert!(allows::<Asked>(raw::DENY | 7 << 8));
        assert!(allows::<Asked>(raw::ALLOW));
        assert!(!allows::<Asked>(raw::SKIP));
        assert!(!allows::<MessageDelivered>(raw::DENY));
        assert!(!allows::<MessageDelivered>(raw::FAULT));
    }
}
