//! A mistake in a macro of the SDK is told in the author's words, at compile time.
//!
//! `TRYBUILD=overwrite cargo test -p hookrail-abi --test macros` writes the expected texts again.
//!
//! Here and not beside the other integration tests: trybuild builds all dependencies of its package
//! once more, and this one has few.

use std::path::Path;
use std::process::Command;

/// Around our words stand those of the compiler, which change with its version.
#[test]
fn mistakes_are_told_in_the_authors_words() {
    let ours = env!("CARGO_PKG_RUST_VERSION");
    let version = rustc(&["--version"]);
    if !version.starts_with(&format!("rustc {ours}.")) {
        assert!(std::env::var_os("HOOKRAIL_REQUIRE_PEERS").is_none(), "needs rustc {ours}, this is {version}");
        println!("skipped: needs rustc {ours} (rustup toolchain install {ours})");
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    // Of a panic in a constant the compiler shows the standard library's own lines, if it has them.
    if Path::new(rustc(&["--print=sysroot"]).trim()).join("lib/rustlib/src").exists() {
        println!("skipped: tests/ui/constants needs a toolchain without rust-src");
    } else {
        cases.compile_fail("tests/ui/constants/*.rs");
    }
}

fn rustc(arguments: &[&str]) -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(arguments).output().expect("rustc runs");
    String::from_utf8(output.stdout).expect("rustc speaks UTF-8")
}
