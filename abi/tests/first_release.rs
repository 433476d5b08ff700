//! The SDK takes what plugins wrote for its first release.

#[expect(unreachable_pub, reason = "it is as an author writes it, in a crate of its own")]
mod sdk {
    include!("../../tests/frozen/sdk-1.0.rs");
}
