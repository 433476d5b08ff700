//! Import cycles: files of one crate that import each other, directly or through others.
//!
//! 1. The module tree is read from the crate's root, with what each module defines and names: `tree`.
//! 2. Each path in a file, in a `use` or in the code, is followed to the file that defines what it names, through all
//!    re-exports; that yields [`Ties`]: `resolve`, `imports`.
//! 3. Files that can be reached from each other in that graph form a cycle: [`circles()`].
//!
//! `mod x;` is not an import, and neither is a re-export, as long as the file itself does not use the name. Methods are
//! not considered, since types are not known here. Test code is ignored: a test may use the whole crate to test a part
//! of it.

mod imports;
mod resolve;
mod ties;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

pub use ties::Ties;
use tree::Tree;

/// Files that import each other in a cycle.
#[derive(Debug)]
pub struct Circle {
    /// Which file imports what from which, within the cycle.
    pub ties: Ties,
}

/// The cycles of the crate with this root; `read` returns the content of a file, if it exists.
pub fn circles(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Vec<Circle> {
    let ties = imports::ties(&Tree::read(root, read));
    let files: BTreeSet<_> = ties.keys().flat_map(|(from, to)| [from, to]).collect();
    let reached: BTreeMap<_, _> = files.iter().map(|file| (*file, reached(file, &ties))).collect();
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for file in files {
        let ring: BTreeSet<_> = reached[file].iter().copied().filter(|other| reached[other].contains(file)).collect();
        if ring.contains(file) && seen.insert(ring.clone()) {
            let within = ties.iter().filter(|((from, to), _)| ring.contains(from) && ring.contains(to));
            circles.push(Circle { ties: within.map(|(ends, names)| (ends.clone(), names.clone())).collect() });
        }
    }
    circles
}

/// All files that a file imports, directly or through others.
fn reached<'a>(file: &Path, ties: &'a Ties) -> BTreeSet<&'a PathBuf> {
    let imported =
        |file: &Path| ties.keys().filter(move |(from, _)| from == file).map(|(_, to)| to).collect::<Vec<_>>();
    let (mut reached, mut next) = (BTreeSet::new(), imported(file));
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(imported(file));
        }
    }
    reached
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: BTreeSet<_> = self.ties.keys().map(|(from, _)| from).collect();
        write!(f, "{} files import each other:", files.len())?;
        self.ties.iter().try_for_each(|((from, to), names)| {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            write!(f, "\n  {} takes from {}: {}", from.display(), to.display(), names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cycles of these files, of which the first is the root, each as its lines of ties.
    fn of(files: &[(&str, &str)]) -> Vec<String> {
        let read = |path: &Path| {
            let found = files.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| (*text).to_owned())
        };
        circles(Path::new(files[0].0), &read).iter().map(ToString::to_string).collect()
    }

    const ROOT: (&str, &str) = ("lib.rs", "mod a; mod b; pub use a::A;");

    #[test]
    fn two_files_that_import_each_other_are_a_circle_and_the_names_are_told() {
        let files = [
            ROOT,
            ("a.rs", "use crate::b::{B, self}; pub struct A(B); fn f() { b::g() }"),
            ("b.rs", "pub struct B; pub fn g() { let _: Option<super::A>; }"),
        ];
        let expected = "2 files import each other:\n  a.rs takes from b.rs: B, g\n  b.rs takes from a.rs: A";
        assert_eq!(of(&files), [expected]);
    }

    #[test]
    fn a_circle_may_be_long_and_files_beside_it_are_not_in_it() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "use crate::c::C; pub struct B(C);"),
            ("c.rs", "use crate::a::A; pub struct C(Box<A>);"),
            ("d.rs", "use crate::a::A; pub struct D(A);"),
        ];
        let circles = of(&files);
        assert_eq!(circles.len(), 1, "{circles:?}");
        assert!(circles[0].starts_with("3 files") && !circles[0].contains("d.rs"), "{circles:?}");
    }

    #[test]
    fn a_file_and_its_child_can_be_one() {
        let parent = ("a.rs", "mod inner; use inner::I; pub struct A; pub struct Deep(I);");
        let child = ("a/inner.rs", "use super::A; pub struct I(A);");
        assert_eq!(of(&[("lib.rs", "mod a;"), parent, child]).len(), 1);
        // What it re-exports is not its own.
        let parent = ("a.rs", "mod inner; mod other; pub(crate) use inner::I; use other::A;");
        let other = ("a/other.rs", "pub struct A;");
        assert!(of(&[("lib.rs", "mod a;"), parent, other, child]).is_empty());
        // Unless it uses it itself.
        let parent = ("a.rs", "mod inner; pub(crate) use inner::I; pub struct A; fn f() -> I { loop {} }");
        assert_eq!(of(&[("lib.rs", "mod a;"), parent, child]).len(), 1);
    }

    #[test]
    fn a_name_is_followed_to_the_file_that_defines_it() {
        let through = [
            ("lib.rs", "mod a; mod b; mod facade;"),
            ("facade.rs", "mod deep; pub use deep::*; pub use crate::b::B as Renamed;"),
            ("facade/deep.rs", "pub struct Deep;"),
            ("a.rs", "use crate::facade::{Deep, Renamed}; pub struct A(Deep, Renamed);"),
            ("b.rs", "pub struct B(Box<crate::a::A>);"),
        ];
        let expected = "2 files import each other:\n  a.rs takes from b.rs: B\n  b.rs takes from a.rs: A";
        assert_eq!(of(&through), [expected]);
    }

    #[test]
    fn paths_in_macros_and_attributes_count() {
        let files = [
            ROOT,
            ("a.rs", "pub struct A; fn f() { println!(\"{}\", vec![crate::b::g()].len()) }"),
            ("b.rs", "pub fn g() {} #[derive(Debug)] struct X { #[arg(add = new(super::a::f))] x: u8 }"),
        ];
        assert_eq!(of(&files).len(), 1);
        let files = [
            ("lib.rs", "#[macro_use] mod a; mod b;"),
            ("a.rs", "macro_rules! told { () => { $crate::b::g() } }"),
            ("b.rs", "pub fn g() { told!() }"),
        ];
        assert_eq!(of(&files).len(), 1);
    }

    #[test]
    fn foreign_paths_are_no_imports() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use std::b::B; use crate::b::g; // crate::b::g\nfn f() { g(\"crate::b::g\") }"),
            (
                "b.rs",
                "pub fn g() { /* super::a::f */ other::a::f(); x.a(); \"super::a::f\"; }
                 #[cfg(test)] mod tests { use crate::a::f; }",
            ),
        ];
        assert!(of(&files).is_empty());
    }

    #[test]
    fn a_module_and_a_function_may_have_one_name() {
        let parent = ("a.rs", "mod text; mod b; use b::run; fn text() { run(text::words()) }");
        let files = [("lib.rs", "mod a;"), parent, ("a/text.rs", "pub fn words() {}")];
        let child = ("a/b.rs", "use super::text::words; pub fn run() { words() }");
        assert!(of(&[&files[..], &[child]].concat()).is_empty());
        let child = ("a/b.rs", "pub fn run() { super::text() }");
        assert_eq!(of(&[&files[..], &[child]].concat()).len(), 1);
    }

    #[test]
    fn modules_within_a_file_belong_to_it_and_files_may_lie_elsewhere() {
        let files = [
            ("src/lib.rs", "mod a { pub(super) mod b; pub fn f() { super::c::g() } } #[path = \"../x/c.rs\"] mod c;"),
            ("src/a/b.rs", "pub fn h() { crate::c::g() }"),
            ("src/../x/c.rs", "pub fn g() { super::a::b::h(); super::a::f() }"),
        ];
        let circles = of(&files);
        assert_eq!(circles.len(), 1);
        assert!(circles[0].starts_with("3 files"), "{circles:?}");
    }
}
