//! A thousand points, the most that a benchmark asks for.

use hookrail_abi::{Fold, PayloadOps, Point};

use crate::{Work, WorkDone};

/// One of them, with three digits: `bench.p000` to `bench.p999`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbered<const H: usize, const T: usize, const U: usize>;

impl<const H: usize, const T: usize, const U: usize> Numbered<H, T, U> {
    const BYTES: [u8; 9] = [b'b', b'e', b'n', b'c', b'.', b'p', b'0' + H as u8, b'0' + T as u8, b'0' + U as u8];
}

// SAFETY: a number owns all it holds; the operations are those of the same payload.
unsafe impl<const H: usize, const T: usize, const U: usize> Point for Numbered<H, T, U> {
    const NAME: &'static str = match str::from_utf8(&Self::BYTES) {
        Ok(name) => name,
        Err(_) => panic!("digits are text"),
    };
    const REVISION: u32 = 1;
    type Kind = Fold;
    type Payload = Work;

    fn ops() -> &'static PayloadOps {
        WorkDone::ops()
    }
}

/// An array with the value for each digit.
#[macro_export]
macro_rules! each {
    ($digit:ident => $value:expr) => { $crate::each!($digit in 0 1 2 3 4 5 6 7 8 9 => $value) };
    ($digit:ident in $($number:literal)* => $value:expr) => { [$({ const $digit: usize = $number; $value }),*] };
}
