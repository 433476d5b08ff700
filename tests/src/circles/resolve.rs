//! From a path to the files that define what it names.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::tree::{Id, Tree};

/// The meanings of a path; there are several if a module and an item have the same name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    /// An item: its name, the file that defines it, and whether a path may continue after it.
    Item(String, PathBuf, bool),
    Module(Id),
}

impl Tree {
    /// What a path in a module means.
    pub(super) fn resolve(&self, module: Id, path: &[String]) -> BTreeSet<Meaning> {
        self.follow(module, path, &mut BTreeSet::new())
    }

    fn follow(&self, module: Id, path: &[String], asked: &mut BTreeSet<(Id, String)>) -> BTreeSet<Meaning> {
        let Some((first, mut rest)) = path.split_first() else { return BTreeSet::new() };
        let mut meant = match &**first {
            "crate" => BTreeSet::from([Meaning::Module(0)]),
            "self" => BTreeSet::from([Meaning::Module(module)]),
            "super" => self.modules[module].parent.map(Meaning::Module).into_iter().collect(),
            name => self.named(module, name, asked),
        };
        while let Some((name, after)) = rest.split_first() {
            let mut next = BTreeSet::new();
            for one in meant {
                match one {
                    Meaning::Module(id) if name == "super" => {
                        next.extend(self.modules[id].parent.map(Meaning::Module));
                    }
                    Meaning::Module(id) => next.extend(self.named(id, name, asked)),
                    // What follows belongs to the item: a variant or a method.
                    Meaning::Item(_, _, goes_on) if goes_on => _ = next.insert(one),
                    Meaning::Item(..) => {}
                }
            }
            (meant, rest) = (next, after);
        }
        meant
    }

    /// What a single name in a module means.
    fn named(&self, id: Id, name: &str, asked: &mut BTreeSet<(Id, String)>) -> BTreeSet<Meaning> {
        let mut meant = BTreeSet::new();
        // A `use` may lead back to itself, or to the crate of the same name.
        if !asked.insert((id, name.to_owned())) {
            return meant;
        }
        let module = &self.modules[id];
        for (_, goes_on) in module.items.iter().filter(|(item, _)| item == name) {
            meant.insert(Meaning::Item(name.into(), module.file.clone(), *goes_on));
        }
        if id == 0 && self.exported.contains(name) {
            meant.insert(Meaning::Item(name.into(), self.macros[name].clone(), false));
        }
        meant.extend(module.children.get(name).into_iter().flatten().copied().map(Meaning::Module));
        for named in module.uses.iter().filter(|one| one.name.as_deref() == Some(name)) {
            meant.extend(self.follow(id, &named.path, asked));
        }
        if meant.is_empty() {
            for all in module.uses.iter().filter(|one| one.name.is_none()) {
                for behind in self.follow(id, &all.path, asked) {
                    if let Meaning::Module(other) = behind {
                        meant.extend(self.named(other, name, asked));
                    }
                }
            }
        }
        asked.remove(&(id, name.to_owned()));
        meant
    }
}
