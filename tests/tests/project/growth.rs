//! What leaves a host can get more fields and more values without breaking programs that are built against it.
//!
//! A public struct whose fields are all public, an enum and a variant with named fields are `#[non_exhaustive]`; and an
//! enum that is read from JSON has a value for what this version does not know.

use std::path::Path;

use hookrail_tests::root;

/// The crates whose public types a program meets as data.
const CRATES: [&str; 5] = ["control", "image", "model", "package", "store"];

/// Types that stay as they are, and why.
const CLOSED: [(&str, &str); 4] = [
    ("EndpointKind", "messages come or go: a third kind would be another format of notes"),
    ("LogLevel", "these are the levels of `log` and `tracing`"),
    ("Place", "it is the order of a chain, compared field by field, and stays in the process"),
    ("Reply", "an answer succeeds or fails: a third kind would be another protocol"),
];

/// Enums that refuse what they do not know, and why.
const STRICT: [(&str, &str); 7] = [
    ("EndpointKind", CLOSED[0].1),
    ("Incompatible", WORKER),
    ("LogLevel", CLOSED[1].1),
    ("Misbehaved", WORKER),
    ("PipelineAct", "a host that does not know what it is told to do must not do something else"),
    ("QueuePolicy", "it is an operator's word: one that is not known is a mistake"),
    ("Reply", CLOSED[3].1),
];
const WORKER: &str = "it crosses from a worker to its host only, and they are one program";

/// A public type in a source.
#[derive(Debug)]
struct Type<'a> {
    name: &'a str,
    is_enum: bool,
    /// The attributes and comments above it.
    above: &'a [&'a str],
    /// From its first line to the bracket that closes it.
    lines: &'a [&'a str],
}

/// The public types of a source, which is formatted by rustfmt.
fn types<'a>(lines: &'a [&'a str]) -> Vec<Type<'a>> {
    let mut types = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((kind, rest)) = line.strip_prefix("pub ").and_then(|rest| rest.split_once(' ')) else { continue };
        if !["struct", "enum"].contains(&kind) {
            continue;
        }
        let name = rest.split(|letter: char| !letter.is_alphanumeric()).next().unwrap();
        let ends = |line: &&str| matches!(*line, "}" | ");") || line.ends_with(';');
        let length = lines[at..].iter().position(ends).expect("it ends") + 1;
        types.push(Type { name, is_enum: kind == "enum", above: above(lines, at), lines: &lines[at..at + length] });
    }
    types
}

/// The lines above one that belong to it.
fn above<'a>(lines: &'a [&'a str], at: usize) -> &'a [&'a str] {
    let is_other = |line: &&str| line.is_empty() || line.ends_with([',', '{', '}', ';']) && !line.ends_with("\",");
    let start = lines[..at].iter().rposition(is_other).map_or(0, |before| before + 1);
    &lines[start..at]
}

impl Type<'_> {
    /// What of it is shown to other crates as a closed list.
    fn closed(&self) -> Vec<String> {
        let is_open = |above: &[&str]| above.iter().any(|line| line.trim() == "#[non_exhaustive]");
        let mut closed = Vec::new();
        if (self.is_enum || self.is_all_public()) && !is_open(self.above) {
            closed.push(self.name.to_owned());
        }
        for (at, line) in self.lines.iter().enumerate().filter(|_| self.is_enum) {
            let variant = line.strip_prefix("    ").and_then(|line| line.strip_suffix(" {"));
            let variant = variant.filter(|name| name.chars().all(char::is_alphanumeric));
            if let Some(variant) = variant.filter(|_| !is_open(above(self.lines, at))) {
                closed.push(format!("{}::{variant}", self.name));
            }
        }
        closed
    }

    /// Whether other crates could make it, or take it apart, by naming all its fields.
    fn is_all_public(&self) -> bool {
        let is_field = |line: &&&str| line.starts_with("    ") && line.trim_start().starts_with(char::is_alphabetic);
        let mut fields = self.lines.iter().filter(is_field).peekable();
        match fields.peek() {
            Some(_) => fields.all(|line| line.starts_with("    pub ")),
            None => self.lines[0].contains("(pub "),
        }
    }

    /// Whether it is an enum that is read from JSON and refuses what it does not know.
    fn is_strict(&self) -> bool {
        let reads =
            |line: &&str| line.starts_with("#[derive(") && line.contains("Deserialize") || line.contains("from =");
        self.is_enum && self.above.iter().any(reads) && !self.lines.contains(&"    Unknown,")
    }
}

/// Calls `each` for all public types of these crates.
fn each_type(mut each: impl FnMut(&Path, &Type<'_>)) {
    let mut directories: Vec<_> = CRATES.iter().map(|name| root().join("host").join(name).join("src")).collect();
    while let Some(directory) = directories.pop() {
        for entry in directory.read_dir().expect("a directory of sources") {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                let lines: Vec<_> = text.lines().collect();
                types(&lines).iter().for_each(|found| each(&path, found));
            }
        }
    }
}

#[test]
fn public_types_can_get_more_fields_and_variants() {
    let (mut count, mut excused) = (0, Vec::new());
    each_type(|path, found| {
        count += 1;
        for closed in found.closed() {
            match CLOSED.iter().find(|(name, _)| *name == closed) {
                Some((name, _)) => excused.push(*name),
                None => panic!("{closed} in {} is not #[non_exhaustive]", path.display()),
            }
        }
    });
    assert!(count > 100, "the types are found");
    excused.sort();
    assert_eq!(excused, CLOSED.map(|(name, _)| name), "each exception is needed, once");
}

#[test]
fn values_of_a_newer_host_are_read_as_unknown() {
    let mut strict = Vec::new();
    each_type(|path, found| {
        if found.is_strict() {
            let excuse = STRICT.iter().find(|(name, _)| *name == found.name);
            strict.push(excuse.unwrap_or_else(|| panic!("{} in {} has no Unknown", found.name, path.display())).0);
        }
    });
    strict.sort();
    assert_eq!(strict, STRICT.map(|(name, _)| name), "each exception is needed, once");
}

#[test]
fn closed_types_and_variants_are_noticed() {
    let check = |text: &str, closed: &[&str], is_strict: bool| {
        let lines: Vec<_> = text.lines().collect();
        let [found] = &types(&lines)[..] else { panic!("{text}") };
        assert_eq!((found.closed(), found.is_strict()), (closed.iter().map(ToString::to_string).collect(), is_strict));
    };
    check("/// A.\npub struct A {\n    pub a: u8,\n}", &["A"], false);
    check("/// A.\n#[non_exhaustive]\npub struct A {\n    pub a: u8,\n}", &[], false);
    check("pub struct A {\n    pub a: u8,\n    b: u8,\n}", &[], false);
    check("pub struct A(u8);", &[], false);
    check("pub struct A(pub u8);", &["A"], false);
    check("#[derive(Deserialize)]\npub enum A {\n    A,\n}", &["A"], true);
    check("#[derive(Deserialize)]\n#[non_exhaustive]\npub enum A {\n    A,\n    Unknown,\n}", &[], false);
    let variant = |open: &str| {
        format!("#[non_exhaustive]\npub enum A {{\n    A,\n    /// B.\n{open}    B {{\n        b: u8,\n    }},\n}}")
    };
    check(&variant(""), &["A::B"], false);
    check(&variant("    #[non_exhaustive]\n"), &[], false);
}
