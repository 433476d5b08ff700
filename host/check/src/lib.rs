//! Whether a plugin conforms: how its file is built, what it does in every order of calls, with every payload and
//! configuration, and what it leaves behind.
//!
//! Owns the checks, their catalogue, how they are run, and how their results are reported. It plays hosts itself, so it
//! knows the facade `hookrail` and the boundary. It must know nothing of arguments, terminals or the other commands of
//! a program: how to start a child, how text and tables look, and who is told of progress are passed in.
//!
//! 1. [`choose()`] selects checks from the [catalogue](ALL); a [`Plan`] says what to check and how.
//! 2. [`run()`] runs each check in its own process, which is killed if it takes too long; the child calls
//!    [`run_one()`]. [`run_here()`] runs one check in this process, for a debugger.
//!    An embedder's program adds its own hook points there: [`Points::declare`].
//!    An [isolated](Plan::isolated) plugin is in a process like a worker's, or in the worker of a host, as
//!    [each check](Isolated) says.
//! 3. A [`Report`] of the [outcomes](Outcome) is available as data and as text: for people, as JSON, and as JUnit XML.

mod answer;
mod catalogue;
mod check;
mod checks;
mod child;
mod copies;
mod counted;
mod error;
mod isolated;
mod known;
pub mod leftovers;
mod own;
mod payload;
mod plan;
mod random;
mod raw;
mod report;
mod run;
mod sandbox;
mod schedule;
mod shared;
mod silence;
mod subject;

pub use answer::{Answer, Status};
pub use catalogue::ALL;
pub use check::{Check, Isolated, Kind};
pub use child::run_one;
pub use error::Error;
pub use own::Points;
pub use plan::{One, Plan, choose};
pub use report::{Column, Look, Outcome, Report, json, junit, list, text};
pub use run::{run, run_here};
