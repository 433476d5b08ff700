//! Metadata is written by somebody else: what makes no sense is refused, and so is what the libraries
//! in the package do not say.

use std::fs;
use std::path::Path;

use hookrail::package::{Content, Error, Metadata, Package, Target, write};
use hookrail::{EndpointKind, Guarantee, inspect};
use hookrail_tests::raw::{FILES, FULL_NAME, LIBRARY, Member, entries, metadata, tar, zip};
use hookrail_tests::refused::check;
use hookrail_tests::specimens::c;
use serde_json::{Value, json};

/// A package with this in place of its metadata.
fn said(json: &str) -> Vec<u8> {
    let json = Member::stored(format!("{FULL_NAME}.json"), json.as_bytes());
    zip(&[json, Member::deflated(format!("{FULL_NAME}.tar"), &tar(&entries()))])
}

/// The good metadata, with another value at a place, which need not exist.
fn with(pointer: &str, value: Value) -> Vec<u8> {
    let mut metadata = metadata(&FILES, &tar(&entries()));
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match metadata.pointer_mut(parent).unwrap() {
        Value::Array(values) => values.push(value),
        parent => parent[key] = value,
    }
    said(&metadata.to_string())
}

/// The good metadata, with its text changed.
fn edited(from: &str, to: &str) -> Vec<u8> {
    let text = metadata(&FILES, &tar(&entries())).to_string();
    assert!(text.contains(from), "{text}");
    said(&text.replacen(from, to, 1))
}

#[test]
fn malformed_metadata_is_refused() {
    let text = metadata(&FILES, &tar(&entries())).to_string();
    let deep = format!("{{\"format\":{}", "[".repeat(100_000));
    let deep_key = text.replacen('{', &format!("{{\"x\":{}{},", "[".repeat(100_000), "]".repeat(100_000)), 1);
    check([
        ("nothing", said(""), "HR0806", "its metadata is invalid: EOF"),
        ("half of it", said(&text[..text.len() / 2]), "HR0806", "its metadata is invalid: EOF"),
        ("no text", said("\u{0}"), "HR0806", "expected value"),
        ("two of them", said(&(text.clone() + &text)), "HR0806", "trailing characters"),
        ("with a mark before it", said(&format!("\u{feff}{text}")), "HR0806", "expected value"),
        ("an array", said(&format!("[{text}]")), "HR0806", "invalid type: sequence, expected an object"),
        ("a text", said("\"x\""), "HR0806", "expected an object"),
        ("nested deeply", said(&deep), "HR0806", "invalid type: sequence, expected u32"),
        ("nested deeply where nothing is known", said(&deep_key), "HR0806", "unknown field `x`"),
        ("a key twice", edited("{", "{\"name\":\"other\","), "HR0806", "duplicate field `name`"),
        ("a key of the tar twice", edited("\"tar\":{", "\"tar\":{\"size\":1,"), "HR0806", "duplicate field `size`"),
        (
            "a key of a file twice",
            edited("{\"path\":", "{\"path\":\"x\",\"path\":"),
            "HR0806",
            "duplicate field `path`",
        ),
        ("a key twice, once escaped", edited("{", "{\"\\u006eame\":\"other\","), "HR0806", "duplicate field `name`"),
        ("comment", edited("{", "{/**/"), "HR0806", "key must be a string"),
        ("not a number", edited("\"format\":1", "\"format\":NaN"), "HR0806", "expected value"),
        ("unknown key", with("/evil", json!(1)), "HR0806", "unknown field `evil`"),
        ("unknown key of the tar", with("/tar/evil", json!(1)), "HR0806", "unknown field `tar.evil`"),
        ("unknown key of a file", with("/files/0/evil", json!(1)), "HR0806", "unknown field `files.0.evil`"),
        ("unknown key of a target", with("/targets/0/evil", json!(1)), "HR0806", "unknown field `targets.0.evil`"),
        ("unknown key of the builder", with("/builder/evil", json!(1)), "HR0806", "unknown field `builder.evil`"),
        (
            "unknown key of compatibility",
            with("/compatibility/evil", json!(1)),
            "HR0806",
            "unknown field `compatibility.evil`",
        ),
        ("unknown key for a terminal", with("/\u{1b}[2J", json!(1)), "HR0806", "unknown field `\\u{1b}[2J`"),
        ("unknown key of great length", with(&format!("/{}", "x".repeat(9000)), json!(1)), "HR0806", "xxx..."),
        ("a key that is missing", edited("\"isolation\"", "\"isolatiom\""), "HR0806", "`isolatiom`"),
    ]);
    let hook = |more: Value| {
        let mut hook = json!({"point": "a.b", "revision": 1, "name": "c", "priority": 1, "effects": "pure"});
        hook.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        with("/hooks/-", hook)
    };
    check([
        ("unknown key of a hook", hook(json!({"evil": 1})), "HR0806", "unknown field `hooks.0.evil`"),
        ("a hook for a terminal", hook(json!({"point": "\u{1b}c"})), "HR0806", "`hooks` has a character that"),
        (
            "a priority that is none",
            hook(json!({"priority": 1u64 << 31})),
            "HR0806",
            "invalid value: integer `2147483648`",
        ),
    ]);
    let endpoint = |more: Value| {
        let mut endpoint = json!({"kind": "sink", "name": "a", "guarantee": "at-most-once"});
        endpoint.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        with("/endpoints", json!([endpoint]))
    };
    check([
        ("unknown key of a sink", endpoint(json!({"evil": 1})), "HR0806", "unknown field `endpoints.0.evil`"),
        ("a sink for a terminal", endpoint(json!({"name": "\u{1b}c"})), "HR0806", "`endpoints` has a character that"),
        (
            "a point for a terminal",
            with("/fires", json!([{"point": "\u{1b}c", "revision": 1}])),
            "HR0806",
            "`fires` has a",
        ),
        ("a point in an array", with("/fires", json!([["a.b", 1]])), "HR0806", "sequence, expected an object"),
        ("a kind that is none", endpoint(json!({"kind": "tap"})), "HR0806", "unknown variant `tap`"),
        (
            "a guarantee that is none",
            endpoint(json!({"guarantee": "once"})),
            "HR0806",
            "`endpoints.0.guarantee` is none of at-least",
        ),
        (
            "a sink that promises nothing",
            with("/endpoints", json!([{"kind": "sink", "name": "a"}])),
            "HR0806",
            "missing field `guarantee`",
        ),
        (
            "a sink in an array",
            with("/endpoints", json!([["sink", "a", "at-most-once"]])),
            "HR0806",
            "sequence, expected an object",
        ),
    ]);
}

#[test]
fn metadata_of_other_types_is_refused() {
    let file = json!(["README.md", "0".repeat(64), 8]);
    check([
        ("a text for a number", with("/format", json!("1")), "HR0806", "invalid type: string \"1\""),
        ("another form", with("/format", json!(2)), "HR0806", "`format` is 2, this host reads 1"),
        ("negative length", with("/tar/size", json!(-1)), "HR0806", "invalid value: integer `-1`"),
        ("broken length", with("/tar/size", json!(1.5)), "HR0806", "invalid type: floating point `1.5`"),
        ("length beyond all", edited("\"size\":3072", "\"size\":18446744073709551616"), "HR0806", "floating point"),
        ("length of a file", with("/files/0/size", json!("8")), "HR0806", "invalid type: string \"8\""),
        ("null", with("/name", Value::Null), "HR0806", "invalid type: null"),
        ("a tar in an array", with("/tar", json!(["0".repeat(64), 1])), "HR0806", "sequence, expected an object"),
        ("a file in an array", with("/files/-", file), "HR0806", "sequence, expected an object"),
        ("a builder in an array", with("/builder", json!(["a", "b"])), "HR0806", "sequence, expected an object"),
        ("a target in an array", with("/targets/-", json!([])), "HR0806", "sequence, expected an object"),
        ("a hook in an array", with("/hooks/-", json!([])), "HR0806", "sequence, expected an object"),
        ("files that are none", with("/files", json!({})), "HR0806", "invalid type: map, expected a sequence"),
        ("a digest in capitals", with("/tar/sha256", json!("A".repeat(64))), "HR0806", "is not a SHA-256"),
        ("half a digest", with("/tar/sha256", json!("a".repeat(32))), "HR0806", "is not a SHA-256"),
        ("a range", with("/compatibility/host", json!("^1.0")), "HR0806", "`^1.0` is not a version"),
        ("no range", with("/compatibility/abi", json!("")), "HR0806", "is not a version"),
        ("glibc", with("/targets/0/libc", json!("musl")), "HR0806", "`musl` is not a version of glibc"),
        ("glibc with a sign", with("/targets/0/libc", json!("+2.31")), "HR0806", "is not a version of glibc"),
        ("machine", with("/targets/0/target", json!("\u{1b}c")), "HR0806", "`targets.0.target` is none of aarch64"),
        ("what it does", with("/functionality/-", json!("\u{1b}c")), "HR0806", "the functionality `\\u{1b}c`"),
        ("version", with("/version", json!("1.0")), "HR0806", "unexpected end of input while parsing minor"),
        ("time", with("/built_at", json!("yesterday")), "HR0806", "`built_at` is \"yesterday\""),
    ]);
}

#[test]
fn metadata_that_makes_no_sense_is_refused() {
    let file = |path: &str| with("/files/-", json!({"path": path, "sha256": "0".repeat(64), "size": 0}));
    let target = |target: Target, library: &str| {
        with("/targets/-", json!({"target": target, "libc": "2.31", "library": library}))
    };
    let other = Target::ALL.into_iter().find(|target| *target != Target::HERE).unwrap();
    let long = "x".repeat(5000);
    check([
        ("name that climbs", with("/name", json!("../hello")), "HR0806", "`name` is \"../hello\""),
        ("hidden name", with("/name", json!(".hello")), "HR0806", "`name` is \".hello\""),
        ("no name", with("/name", json!("")), "HR0806", "`name` is \"\""),
        ("name with a NUL", with("/name", json!("hello\0")), "HR0806", "`name` is \"hello\\0\""),
        ("long name", with("/name", json!(long)), "HR0806", "`name` is \"xxx"),
        ("another name", with("/name", json!("other")), "HR0802", "says other-1.0.0.json"),
        (
            "another version",
            with("/version", json!("1.0.1")),
            "HR0802",
            "hello-1.0.0.json, its metadata says hello-1.0.1",
        ),
        ("no version", with("/version", json!("0.0.0")), "HR0806", "`version` is 0.0.0"),
        ("version of a build", with("/version", json!("1.0.0+x")), "HR0806", "`version` is 1.0.0+x"),
        (
            "long version",
            with("/version", json!(format!("1.0.0-{long}"))),
            "HR0806",
            "`version` is longer than 64 bytes",
        ),
        ("no description", with("/description", json!(" ")), "HR0806", "`description` is empty"),
        ("long description", with("/description", json!(long)), "HR0806", "`description` is longer than 4096 bytes"),
        (
            "description for a terminal",
            with("/description", json!("a\u{1b}]0;b")),
            "HR0806",
            "`description` has a char",
        ),
        ("source turned around", with("/source", json!("a\u{202e}b")), "HR0806", "`source` has a character"),
        ("isolation in two lines", with("/isolation", json!("a\nb")), "HR0806", "`isolation` has a character"),
        ("isolation of no kind", with("/isolation", json!("cage")), "HR0806", "`isolation` is `cage`: `worker` or"),
        ("capability of no kind", with("/capabilities/-", json!("network")), "HR0806", "`network` is not a capability"),
        ("capability without a port", with("/capabilities/-", json!("net.connect:a")), "HR0806", "`net.connect:HOST:"),
        ("author for a terminal", with("/authors/-", json!("\u{9b}2J")), "HR0806", "`authors` has a character"),
        ("capability for a terminal", with("/capabilities/-", json!("\u{7}")), "HR0806", "`capabilities` has a char"),
        ("website for a terminal", with("/builder/website", json!("\r")), "HR0806", "`builder.website` is empty"),
        ("signature for a terminal", with("/builder/signature", json!("a\n\u{1b}c")), "HR0806", "`builder.signature`"),
        ("nobody", with("/authors", json!([])), "HR0806", "`authors` is empty"),
        ("no use", with("/functionality", json!([])), "HR0806", "`functionality` is empty"),
        ("no files", with("/files", json!([])), "HR0806", "`files` is empty"),
        ("no targets", with("/targets", json!([])), "HR0806", "`targets` is empty"),
        ("file that climbs", file("../x"), "HR0806", "the path \"../x\" climbs"),
        ("absolute file", file("/x"), "HR0806", "the path \"/x\" is absolute"),
        ("file of Windows", file("a\\b"), "HR0806", "has another character"),
        ("file with a NUL", file("a\0"), "HR0806", "has another character"),
        ("no path", file(""), "HR0806", "has an empty name in it"),
        ("the directory itself", file("."), "HR0806", "has an empty name in it"),
        ("long path", file(&long), "HR0806", "is longer than 200 bytes"),
        ("file twice", file("README.md"), "HR0806", "`files` has `readme.md` twice"),
        ("file in two cases", file("ReadMe.md"), "HR0806", "`files` has `readme.md` twice, but for its case"),
        (
            "file and directory",
            file("README.md/x"),
            "HR0806",
            "`README.md` as a file, and as the directory of `README.md/x`",
        ),
        ("file and directory above", file("README.md/x/y"), "HR0806", "`README.md` as a file, and as the directory of"),
        (
            "file and directory in two cases",
            file("readme.MD/x"),
            "HR0806",
            "`readme.MD` as a file, and as the directory",
        ),
        ("directory and file", file("lib"), "HR0806", "`lib` as a file, and as the directory of `lib/a.so`"),
        ("target twice", target(Target::HERE, "README.md"), "HR0806", "`targets` has"),
        ("library of two machines", target(other, LIBRARY), "HR0806", "`targets` has `lib/a.so` twice"),
        ("library that is nowhere", target(other, "lib/b.so"), "HR0806", "`files` has no `lib/b.so`, the library for"),
        ("library of great length", edited("\"size\":11", "\"size\":536870913"), "HR0806", "`lib/a.so` is larger than"),
    ]);
}

/// What becomes of a package with a real library in it.
fn verified(change: impl FnOnce(&mut Metadata, &mut Vec<Content>)) -> Result<(), Error> {
    verified_of(&c("well_behaved"), change)
}

fn verified_of(library: &Path, change: impl FnOnce(&mut Metadata, &mut Vec<Content>)) -> Result<(), Error> {
    let inspection = inspect(library).unwrap();
    let mut draft: Metadata = serde_json::from_value(metadata(&FILES, b"")).unwrap();
    draft.name = inspection.note.name;
    draft.version = inspection.note.version.parse().unwrap();
    draft.isolation = inspection.note.isolation;
    draft.capabilities = inspection.note.capabilities;
    draft.hooks = inspection.note.hooks;
    draft.fires = inspection.note.fires;
    draft.endpoints = inspection.note.endpoints;
    let mut contents = vec![Content::new(LIBRARY.parse().unwrap(), library)];
    change(&mut draft, &mut contents);
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = write(draft, contents, directory.path(), None).unwrap();
    let result = Package::open(&path).unwrap().verify();
    if let Err(error) = &result {
        assert!(error.to_string().contains(&path.display().to_string()), "it names the package: {error}");
    }
    result
}

#[test]
fn endpoints_that_libraries_contradict_are_refused() {
    let library = c("sends_and_takes");
    verified_of(&library, |_, _| ()).unwrap();
    for change in [
        |draft: &mut Metadata| draft.endpoints.clear(),
        |draft: &mut Metadata| draft.endpoints.swap(0, 1),
        |draft: &mut Metadata| draft.endpoints[0].name.push('s'),
        |draft: &mut Metadata| draft.endpoints[0].kind = EndpointKind::Sink,
        |draft: &mut Metadata| draft.endpoints[0].guarantee = Guarantee::AtMostOnce,
    ] {
        let error = verified_of(&library, |draft, _| change(draft)).unwrap_err();
        assert_eq!(error.code(), "HR0802", "{error}");
        assert!(error.to_string().contains("the endpoints of lib/a.so is source numbers (at-least-once), "), "{error}");
    }
}

#[test]
fn dispatched_points_that_libraries_contradict_are_refused() {
    let library = c("dispatches");
    verified_of(&library, |_, _| ()).unwrap();
    for change in [
        |draft: &mut Metadata| draft.fires.clear(),
        |draft: &mut Metadata| draft.fires[0].point.push('s'),
        |draft: &mut Metadata| draft.fires[0].revision = 2,
    ] {
        let error = verified_of(&library, |draft, _| change(draft)).unwrap_err();
        assert_eq!(error.code(), "HR0802", "{error}");
        let said = "the dispatched points of lib/a.so is message.publish r1, ";
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn metadata_that_libraries_contradict_is_refused() {
    verified(|_, _| ()).unwrap();
    let check = |change: fn(&mut Metadata, &mut Vec<Content>), code: &str, said: &str| {
        let error = verified(change).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(said), "`{said}` in: {error}");
    };
    check(
        |draft, _| draft.name = "other".into(),
        "HR0802",
        "the name of lib/a.so is well-behaved, its metadata says other",
    );
    check(|draft, _| draft.version = "7.0.0".parse().unwrap(), "HR0802", "the version of lib/a.so is");
    check(|draft, _| draft.isolation = Some("worker".into()), "HR0802", "the isolation of lib/a.so is not stated");
    check(|draft, _| draft.capabilities = vec!["env:HOME".into()], "HR0802", "the capabilities of lib/a.so is ");
    check(|draft, _| drop(draft.hooks.pop()), "HR0802", "the hooks of lib/a.so is ");
    check(|draft, _| draft.hooks[0].priority += 1, "HR0802", "the hooks of lib/a.so is ");
    check(|draft, _| draft.targets[0].libc = "2.1".parse().unwrap(), "HR0802", "the oldest glibc of lib/a.so is 2.");
    check(
        |draft, _| draft.targets[0].target = Target::ALL.into_iter().find(|target| *target != Target::HERE).unwrap(),
        "HR0307",
        "lib/a.so",
    );
    check(
        |_, contents| {
            let text = tempfile::Builder::new().suffix(".so").tempfile().unwrap().keep().unwrap().1;
            fs::write(&text, "not a library").unwrap();
            contents[0].from = text;
        },
        "HR0303",
        "lib/a.so: it is some other file",
    );
}

/// What is too large to be opened is not made.
#[test]
fn a_package_that_could_not_be_opened_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let zeros = directory.path().join("zeros");
    fs::File::create(&zeros).unwrap().set_len(65 << 20).unwrap();
    let draft: Metadata = serde_json::from_value(metadata(&FILES, b"")).unwrap();
    let contents = vec![Content::new(LIBRARY.parse().unwrap(), zeros)];
    let error = write(draft, contents, directory.path(), None).unwrap_err();
    assert_eq!(error.code(), "HR0808", "{error}");
    assert!(error.to_string().contains("hello-1.0.0.tar is larger than 67108864 bytes"), "{error}");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "nothing is left of it");
}
