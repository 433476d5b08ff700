//! The bodies of the fuzz targets, on bytes that are made here: any at all, and good ones with a few
//! changed.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::ptr::from_ref;

use hookrail::control::wire::RawRequest;
use hookrail::{Config, Message, MessagePublish};
use hookrail_abi::{Bytes, Format, Point};
use hookrail_tests::specimens;
use hookrail_tests::{fuzz, raw};
use proptest::collection::vec;
use proptest::prelude::*;

/// Good bytes with some changed, then cut off or not.
fn damaged(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let all = 0..good.len();
    damaged_within(good, all)
}

/// As [`damaged`], with changes in one part.
fn damaged_within(good: Vec<u8>, part: Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let len = good.len();
    (vec((part, any::<u8>()), 0..8), prop::option::of(0..len)).prop_map(move |(changes, end)| {
        let mut bytes = good.clone();
        changes.into_iter().for_each(|(at, byte)| bytes[at] = byte);
        bytes.truncate(end.unwrap_or(len));
        bytes
    })
}

/// Any bytes, and good ones with some changed.
fn bytes(good: &[&[u8]]) -> impl Strategy<Value = Vec<u8>> {
    let good: Vec<_> = good.iter().map(|good| damaged(good.to_vec()).boxed()).collect();
    prop_oneof![1 => vec(any::<u8>(), 0..512), 4 => prop::strategy::Union::new(good)]
}

const CONFIG: &[u8] = br#"home = "/nowhere"
[unload]
deadline = "1ms"
[quarantine]
faults = 3
[points."message.publish"]
level = "count"
fault_policy = "closed"
[plugins.a.instances.b.config]
c = 1
[[overrides]]
point = "message.publish"
callback = "a/b"
priority = 5
budget = "7us"
"#;

const MESSAGES: [&[u8]; 2] = [
    br#"{"id":"01a1fdb2-418b-7311-9861-1edcec0e04c6","timestamp":"2026-11-21T10:41:20.267863833Z","source":"s","topic":"a.b","headers":[["k","v"]],"body":"x"}"#,
    br#"{"body_base64":"/+8="}"#,
];

const LINES: [&[u8]; 4] = [
    br#"{"id":7,"command":"replace","params":{"plugin":"mask","file":"/a.so","fresh":true}}"#,
    br#"{"id":7,"command":"trace","params":{"point":"a.b","count":3,"filter":"x=y"}}"#,
    br#"{"id":1,"ok":[{"a":1}]}"#,
    br#"{"id":null,"error":{"code":"HR0103","message":"a","fix":"b"}}"#,
];

/// Of the file `hello`, by the key that the fuzzed code knows.
const SIGNATURE: &[u8] = b"untrusted comment: signature from minisign secret key
RUSA2qyCOQ/Exm5gs8XBhzPLxFewj9puBqBT15EzSjJbt1WbJZXKcXPDqMAiAuSLRRgzyYss6XOIy10HAryi6M4COEEIZ5OPJgM=
trusted comment: hello-1.0.0
P25rJ1lJa4BSPePOxJ2ZfkZGQXDpdEviAfjT0W9Y57XxjYRz3QrQkaPY46ctV+sOe5A7iyqZv8ejyTFRbf6aAQ==
";

const RANGES: [&[u8]; 3] = [b"~> 1.2, < 1.9.0-rc.1", b">=1,<= 2.0.0+b, == 1.4.0", b"> 4294967295.4294967295"];

const EMQX: [&[u8]; 2] = [
    b"## one\r\nauth.http.timeout = 5s\nauth\\.http.max_body = 10MB\n mask.on=off\nlist.1 = a\nlist.2 = \"b # \\\"\"\n",
    b"format = 1\nmask.name = x\nauthors = a, b\ntar.size = 1.5KB\nfiles.1.path = a/b\ncompatibility.host = ~> 1.0\n",
];

proptest! {
    #[test]
    fn any_file_of_emqx_is_read_or_refused(bytes in bytes(&EMQX)) {
        fuzz::emqx(&bytes);
    }

    #[test]
    fn any_configuration_is_read_or_refused(bytes in bytes(&[CONFIG])) {
        fuzz::config(&bytes);
    }

    #[test]
    fn any_message_is_read_or_refused(bytes in bytes(&[MESSAGES[0], MESSAGES[1], &packed()])) {
        fuzz::message(&bytes);
    }

    #[test]
    fn any_signature_is_read_or_refused(bytes in bytes(&[SIGNATURE, fuzz::PUBLIC_KEY.as_bytes()])) {
        fuzz::signature(&bytes);
    }

    #[test]
    fn any_range_is_read_or_refused(bytes in bytes(&RANGES)) {
        fuzz::range(&bytes);
    }

    #[test]
    fn any_line_is_read_or_refused(bytes in bytes(&LINES)) {
        fuzz::wire(&bytes);
    }
}

/// The note and the tables of a real library, damaged anywhere.
#[test]
fn any_library_is_read_or_refused() {
    let good = library();
    let begin = good.windows(6).position(|part| part == b"\"name\"").unwrap();
    let note = begin..begin + good[begin..].iter().position(|byte| *byte == 0).unwrap();
    let damaged = prop_oneof![
        1 => vec(any::<u8>(), 0..512),
        4 => damaged(good.clone()),
        4 => damaged_within(good, note),
    ];
    proptest!(|(bytes in damaged)| fuzz::image(&bytes));
}

fn library() -> Vec<u8> {
    fs::read(specimens::c("well_behaved")).unwrap()
}

/// The first message, as it crosses to another process.
fn packed() -> Vec<u8> {
    let (mut message, mut written) = (Message::new("a.b", "x"), Bytes::new());
    message.set_header("k", "v");
    let encode = MessagePublish::ops().encode.unwrap();
    // SAFETY: a message of this point, and bytes of ours.
    assert_eq!(unsafe { encode(from_ref(&message).cast(), Format::MessagePack as u32, &mut written) }, 0);
    written.to_vec()
}

/// What is damaged here, and what a fuzzer is to begin with: with `HOOKRAIL_CORPUS=DIR` it is written there.
#[test]
fn the_inputs_to_be_damaged_are_good() {
    let tar = raw::tar(&raw::entries());
    let metadata = raw::metadata(&raw::FILES, &tar);
    let (package, json) = (raw::package(&metadata, &tar), metadata.to_string());
    let (library, packed) = (library(), packed());
    assert!(hookrail::inspect(specimens::c("well_behaved")).is_ok());
    assert!(RawRequest::read(LINES[0]).is_ok() && RawRequest::read(LINES[1]).is_ok());
    assert!(toml::from_str::<Config>(std::str::from_utf8(CONFIG).unwrap()).is_ok());
    let seeds: [(&str, &[&[u8]]); 10] = [
        ("config", &[CONFIG]),
        ("emqx", &EMQX),
        ("image", &[&library]),
        ("message", &[MESSAGES[0], MESSAGES[1], &packed]),
        ("metadata", &[json.as_bytes()]),
        ("package", &[&package]),
        ("range", &RANGES),
        ("signature", &[SIGNATURE, fuzz::PUBLIC_KEY.as_bytes()]),
        ("tar", &[&tar]),
        ("wire", &LINES),
    ];
    let Some(corpus) = std::env::var_os("HOOKRAIL_CORPUS") else { return };
    for (target, seeds) in seeds {
        let directory = Path::new(&corpus).join(target);
        fs::create_dir_all(&directory).unwrap();
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(directory.join(format!("seed-{number}")), seed).unwrap();
        }
    }
}

/// From the outside to the inside: what is wrong further out hides what is wrong further in.
#[test]
fn any_package_is_read_or_refused() {
    let tar = raw::tar(&raw::entries());
    let metadata = raw::metadata(&raw::FILES, &tar);
    let (package, json) = (raw::package(&metadata, &tar), metadata.to_string());
    fuzz::tar(&tar);
    proptest!(|(bytes in bytes(&[&package]))| fuzz::package(&bytes));
    proptest!(|(bytes in bytes(&[json.as_bytes()]))| fuzz::metadata(&bytes));
    proptest!(|(bytes in bytes(&[&tar]))| fuzz::tar(&bytes));
}
