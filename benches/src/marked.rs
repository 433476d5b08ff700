//! Plugins in several builds, each of which leaves its own mark in the payload: the mark shows that new code has run.

use hookrail_abi::prelude::*;

use crate::{Numbered, Work, WorkDone};

/// The smallest plugin: one callback at one point.
#[derive(Debug)]
pub struct Marked<const MARK: u64>;

impl<const MARK: u64> Marked<MARK> {
    fn mark(&self, work: &mut Work) {
        work.count += MARK;
    }
}

impl<const MARK: u64> Plugin for Marked<MARK> {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![WorkDone, "mark" => Self::mark, priority = 10, effects = pure];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Marked)
    }
}

/// One callback at each of a hundred points.
#[derive(Debug)]
pub struct Hundred<const MARK: u64>;

impl<const MARK: u64> Hundred<MARK> {
    fn mark(&self, work: &mut Work) {
        work.count += MARK;
    }
}

macro_rules! hooks_on {
    ($($tens:literal: $($units:literal)*;)*) => {
        hooks![$($(Numbered<0, $tens, $units>, "mark" => Self::mark, priority = 10, effects = pure;)*)*]
    };
}

impl<const MARK: u64> Plugin for Hundred<MARK> {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks_on! {
        0: 0 1 2 3 4 5 6 7 8 9;
        1: 0 1 2 3 4 5 6 7 8 9;
        2: 0 1 2 3 4 5 6 7 8 9;
        3: 0 1 2 3 4 5 6 7 8 9;
        4: 0 1 2 3 4 5 6 7 8 9;
        5: 0 1 2 3 4 5 6 7 8 9;
        6: 0 1 2 3 4 5 6 7 8 9;
        7: 0 1 2 3 4 5 6 7 8 9;
        8: 0 1 2 3 4 5 6 7 8 9;
        9: 0 1 2 3 4 5 6 7 8 9;
    };

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Hundred)
    }
}

/// Exports one build of a plugin, and its mark as a plain function, which is all that the peers call: so all of them
/// open the very same file.
#[macro_export]
macro_rules! build {
    ($plugin:ident, $mark:literal, $name:literal) => {
        hookrail_abi::export!($crate::$plugin<$mark>, name = $name);

        /// The mark of this build.
        #[unsafe(no_mangle)]
        pub extern "C" fn mark() -> u64 {
            $mark
        }
    };
}
