//! `abi/include/hookrail.h` is generated from the sources of the boundary, and any strict compiler
//! takes it.

mod header;

use std::process::Command;
use std::sync::LazyLock;

use hookrail_abi::catalogue::BUILT_IN;
use hookrail_tests::cc;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../abi/include/hookrail.h");

/// As it was when ABI 1.0 was frozen.
const FROZEN: &str = include_str!("../../frozen/abi-1.0/hookrail.h");

/// A plugin that uses all of it.
const USER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boundary/c_header/user.c");

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
        "abi/include/hookrail.h is not what abi/src says, from line {} on; to write it again:\n\
         HOOKRAIL_BLESS=1 cargo test -p hookrail-tests --test boundary c_header",
        1 + difference.unwrap_or(generated.lines().count().min(present.lines().count())),
    );
}

#[test]
fn every_name_in_the_header_has_our_prefix() {
    for line in GENERATED.lines() {
        let macro_is_ours = line.strip_prefix("#define ").is_none_or(|rest| rest.starts_with("HOOKRAIL_"));
        let is_ours = |rest: &str| rest.starts_with("hookrail_") || rest == "// namespace";
        // A structure without a definition stands in one line.
        let opaque = line.strip_prefix("typedef struct ").filter(|rest| rest.ends_with(';'));
        let type_is_ours = opaque.or(line.strip_prefix("} ")).is_none_or(is_ours);
        assert!(macro_is_ours && type_is_ours, "{line}");
    }
}

/// Sizes may grow, and so may the version: all else that a line can say alone is there to stay.
#[test]
fn nothing_of_the_frozen_header_is_gone_or_means_something_else() {
    let grows = ["#define HOOKRAIL_ABI", "#define HOOKRAIL_STATIC_ASSERT", "#define HOOKRAIL_HAS_"];
    let starts = ["#define ", "} hookrail_", "HOOKRAIL_HAS_FIELD(", "static inline ", "typedef ", "  HOOKRAIL_"];
    let is_frozen = |line: &&str| starts.iter().any(|start| line.starts_with(start)) && !line.ends_with(['{', '\\']);
    let frozen: Vec<_> = FROZEN.lines().filter(is_frozen).collect();
    assert!(frozen.len() > 250, "the lines are found: {}", frozen.len());
    for line in frozen.into_iter().filter(|line| !grows.iter().any(|start| line.starts_with(start))) {
        assert!(GENERATED.lines().any(|present| present == line), "a 1.x release keeps this: {line}");
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
fn strict_c_and_cpp_of_every_version_take_the_header() {
    LazyLock::force(&GENERATED);
    let languages: &[(&str, &str, &[&str])] = &[
        ("cc", "c", &["c11", "c17"]),
        ("c++", "c++", &["c++11", "c++20"]),
        ("clang", "c", &["c11"]),
        ("clang", "c++", &["c++11"]),
    ];
    for (compiler, language, versions) in languages {
        if !is_installed(compiler) {
            continue;
        }
        for version in *versions {
            let version = format!("-std={version}");
            let strict = [compiler, &*version, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-x", language];
            cc::compile(&strict, USER, &["-c", "-fPIC"], "user.o");
        }
    }
}

/// Everybody has a C compiler, those who build the project have a C++ compiler, and few have clang.
fn is_installed(compiler: &str) -> bool {
    match compiler {
        "cc" => true,
        "c++" => hookrail_tests::has_peer("c++", "g++"),
        other => Command::new(other).arg("--version").output().is_ok(),
    }
}
