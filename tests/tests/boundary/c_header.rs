//! `abi/include/hookrail.h` is generated from the sources of the boundary, and any strict compiler
//! takes it.

mod header;

use std::sync::LazyLock;

use hookrail_abi::catalogue::BUILT_IN;
use hookrail_tests::cc;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../abi/include/hookrail.h");

/// Blessed at most once, and before any test reads the file.
static GENERATED: LazyLock<String> = LazyLock::new(|| {
    let generated = header::generate();
    if std::env::var_os("HOOKRAIL_BLESS").is_some() {
        std::fs::write(PATH, &generated).unwrap();
    }
    generated
});

#[test]
fn the_header_is_that_of_the_sources() {
    let generated = GENERATED.as_str();
    let present = std::fs::read_to_string(PATH).unwrap_or_default();
    let difference = generated.lines().zip(present.lines()).position(|(new, old)| new != old);
    assert!(
        generated == present,
        "abi/include/hookrail.h is not what abi/src says, from line {} on; to write it anew:\n\
         HOOKRAIL_BLESS=1 cargo test -p hookrail-tests --test boundary c_header",
        1 + difference.unwrap_or(generated.lines().count().min(present.lines().count())),
    );
}

#[test]
fn every_name_in_the_header_has_our_prefix() {
    for line in GENERATED.lines() {
        let macro_is_ours = line.strip_prefix("#define ").is_none_or(|rest| rest.starts_with("HOOKRAIL_"));
        let type_is_ours = line.strip_prefix("} ").is_none_or(|rest| rest.starts_with("hookrail_"));
        assert!(macro_is_ours && type_is_ours, "{line}");
    }
}

#[test]
fn every_dispatched_point_is_in_the_header() {
    for point in BUILT_IN.iter().filter(|point| point.revision > 0) {
        let define = format!("#define HOOKRAIL_{} \"{}\"", point.name.replace('.', "_").to_uppercase(), point.name);
        assert!(GENERATED.contains(&define), "{define}");
    }
}

#[test]
fn strict_c_and_cpp_take_the_header() {
    LazyLock::force(&GENERATED);
    let user = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boundary/c_header/user.c");
    cc::compile(cc::STRICT_C, user, &["-c"], "user_c.o");
    if hookrail_tests::has_peer("c++", "g++") {
        let cpp = ["c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic", "-x", "c++"];
        cc::compile(&cpp, user, &["-c"], "user_cpp.o");
    }
}
