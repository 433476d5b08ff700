//! See `hookrail_tests::fuzz::emqx`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hookrail_tests::fuzz::emqx(bytes));
