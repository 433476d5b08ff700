//! A mistake in a macro of the SDK is told in the author's words, at compile time.
//!
//! `TRYBUILD=overwrite cargo test -p hookrail-tests --test macros` writes the expected texts anew.

#[test]
fn mistakes_are_told_in_the_authors_words() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
