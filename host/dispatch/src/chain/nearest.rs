//! What runs a long chain: a loop near the code that it calls.
//!
//! A processor takes longer to follow a call across the address space than one to a place nearby: 2.0 ns instead of
//! 1.2, measured with callbacks that do nothing. A program's own code is mapped far from its libraries. So the loop is
//! copied to a place among them, and a chain of plugins' callbacks is run by that copy: one long way for the chain, and
//! not one for each callback.
//!
//! Each chain has a copy of its own: two chains that took turns at the same call sites would take as long as by a loop
//! far away.

use once_cell::sync::OnceCell;

use super::copied::{Copied, NEAR, Place};
use super::long::{RunLong, here};
use super::pair::Pair;

/// The loop of one chain.
#[derive(Debug)]
pub(super) struct Nearest {
    /// One among libraries, and one beside the program's own code; `None` where there can be none.
    copies: [OnceCell<Option<Copied>>; 2],
}

impl Nearest {
    pub(super) const fn new() -> Self {
        Nearest { copies: [OnceCell::new(), OnceCell::new()] }
    }

    /// The one that is close to most of this code.
    pub(super) fn to(&self, pairs: &[Pair]) -> RunLong {
        let is_ours = |pair: &&Pair| (pair.parts().0 as usize).abs_diff(here as *const () as usize) < NEAR;
        let ours = pairs.iter().filter(is_ours).count();
        let place = if ours * 2 > pairs.len() { Place::Program } else { Place::Libraries };
        let copy = self.copies[place as usize].get_or_init(|| Copied::new(place));
        copy.as_ref().map_or(here, Copied::run)
    }
}
