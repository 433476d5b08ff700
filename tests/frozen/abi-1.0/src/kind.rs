//! The kinds of hook points: what callbacks may do there, and what their faults mean.

use std::ffi::c_void;
use std::fmt::Debug;

use crate::verdict::{Access, Decision, Verdict, raw};

/// What callbacks of a point may do: [`Notify`], [`Fold`] or [`Gate`].
pub trait Kind: sealed::Sealed + Sized + Send + Sync + 'static {
    /// As the boundary carries it.
    const RAW: RawKind;
    /// What a fault means when the point does not say: notify and fold fail open, gates closed.
    const FAULT: FaultPolicy;
    /// What a chain comes to when no callback decided and the point does not say.
    const DEFAULT: Decision;
    /// How a callback sees the payload.
    type Payload<'a, T: 'a>;
    /// What callbacks may return at most.
    type Verdict: Copy + Debug + PartialEq;

    /// Borrows the payload for one call.
    ///
    /// # Safety
    /// `payload` points to a valid `T`, shared for `Notify`, exclusive otherwise, for `'a`.
    unsafe fn borrow<'a, T>(payload: *mut c_void) -> Self::Payload<'a, T>;

    /// The number that a callback returned as a verdict; `None` for a fault.
    fn verdict(answer: u32) -> Option<Self::Verdict>;
}

/// Callbacks look at the payload.
#[derive(Debug)]
pub enum Notify {}

/// Callbacks edit the payload, and deny where the point is deniable.
#[derive(Debug)]
pub enum Fold {}

/// Callbacks answer, and write the payload's answer part.
#[derive(Debug)]
pub enum Gate {}

impl Kind for Notify {
    const RAW: RawKind = RawKind::Notify;
    const FAULT: FaultPolicy = FaultPolicy::Open;
    const DEFAULT: Decision = Decision::Passed;
    type Payload<'a, T: 'a> = &'a T;
    type Verdict = ();

    unsafe fn borrow<'a, T>(payload: *mut c_void) -> &'a T {
        // SAFETY: the caller passes a valid `T`, shared for `'a`.
        unsafe { &*payload.cast() }
    }

    fn verdict(answer: u32) -> Option<()> {
        (answer == raw::CONTINUE).then_some(())
    }
}

impl Kind for Fold {
    const RAW: RawKind = RawKind::Fold;
    const FAULT: FaultPolicy = FaultPolicy::Open;
    const DEFAULT: Decision = Decision::Passed;
    type Payload<'a, T: 'a> = &'a mut T;
    type Verdict = Verdict;

    unsafe fn borrow<'a, T>(payload: *mut c_void) -> &'a mut T {
        // SAFETY: the caller passes a valid `T`, exclusive for `'a`.
        unsafe { &mut *payload.cast() }
    }

    fn verdict(answer: u32) -> Option<Verdict> {
        match (answer & 0xff, answer >> 8) {
            (raw::CONTINUE, 0) => Some(Verdict::Continue),
            (raw::SKIP, 0) => Some(Verdict::Skip),
            (raw::DENY, code) => u16::try_from(code).ok().map(Verdict::Deny),
            _ => None,
        }
    }
}

impl Kind for Gate {
    const RAW: RawKind = RawKind::Gate;
    const FAULT: FaultPolicy = FaultPolicy::Closed;
    const DEFAULT: Decision = Decision::Denied(0);
    type Payload<'a, T: 'a> = &'a mut T;
    type Verdict = Access;

    unsafe fn borrow<'a, T>(payload: *mut c_void) -> &'a mut T {
        // SAFETY: the caller passes a valid `T`, exclusive for `'a`.
        unsafe { &mut *payload.cast() }
    }

    fn verdict(answer: u32) -> Option<Access> {
        match (answer & 0xff, answer >> 8) {
            (raw::CONTINUE, 0) => Some(Access::Continue),
            (raw::ALLOW, 0) => Some(Access::Allow),
            (raw::DENY, code) => u16::try_from(code).ok().map(Access::Deny),
            _ => None,
        }
    }
}

/// The kind of a point, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RawKind {
    /// See [`Notify`].
    Notify,
    /// See [`Fold`].
    Fold,
    /// See [`Gate`].
    Gate,
}

impl RawKind {
    /// The word people read.
    pub const fn name(self) -> &'static str {
        match self {
            RawKind::Notify => "notify",
            RawKind::Fold => "fold",
            RawKind::Gate => "gate",
        }
    }
}

/// What the fault of a callback means for the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultPolicy {
    /// The fault denies.
    Closed,
    /// The chain goes on as if the callback were not there; what it wrote into the payload stays.
    Open,
    /// As `Open`, and the payload is put back as the callback found it: it is copied before each call.
    Rollback,
}

impl FaultPolicy {
    /// The word people read.
    pub const fn name(self) -> &'static str {
        match self {
            FaultPolicy::Closed => "closed",
            FaultPolicy::Open => "open",
            FaultPolicy::Rollback => "rollback",
        }
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Notify {}
    impl Sealed for super::Fold {}
    impl Sealed for super::Gate {}
}
