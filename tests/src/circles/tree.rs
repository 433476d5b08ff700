//! The modules of a crate: the file of each, what it defines, and what it names by `use`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, ExprLit, Item, ItemUse, Lit, Meta, UseTree, Visibility};

/// The number of a module.
pub(super) type Id = usize;

/// All modules of a crate; the first is the root.
pub(super) struct Tree {
    pub(super) modules: Vec<Module>,
    /// Where macros are defined: those used without a path are found by their name.
    pub(super) macros: BTreeMap<String, PathBuf>,
    /// The macros that are exported to the root, wherever they are defined.
    pub(super) exported: BTreeSet<String>,
}

/// A module: a file, or a part of one in braces.
pub(super) struct Module {
    pub(super) file: PathBuf,
    pub(super) parent: Option<Id>,
    /// By name; several if conditional compilation selects one of them.
    pub(super) children: BTreeMap<String, Vec<Id>>,
    /// The names of the items that it defines, and whether a path may continue after them, as after a type.
    pub(super) items: Vec<(String, bool)>,
    /// What it names by `use`.
    pub(super) uses: Vec<Use>,
    /// The code itself, without that of its inline modules.
    pub(super) code: Vec<Item>,
}

/// One name that a `use` imports, or all names.
pub(super) struct Use {
    pub(super) path: Vec<String>,
    /// The local name; `None` for all names, `*`.
    pub(super) name: Option<String>,
    /// Whether it is re-exported.
    pub(super) is_public: bool,
}

impl Tree {
    pub(super) fn read(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Self {
        let mut tree = Tree { modules: Vec::new(), macros: BTreeMap::new(), exported: BTreeSet::new() };
        let text = read(root).unwrap_or_else(|| panic!("there is no {}", root.display()));
        let directory = root.parent().unwrap_or(Path::new("")).to_owned();
        tree.add_file(root.to_owned(), text, directory, None, read);
        tree
    }

    /// Adds a file as a module; the files of its submodules that have no `#[path]` are in `directory`.
    fn add_file(
        &mut self,
        file: PathBuf,
        text: String,
        directory: PathBuf,
        parent: Option<Id>,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Id {
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.add(file, parsed.items, directory, parent, read)
    }

    fn add(
        &mut self,
        file: PathBuf,
        items: Vec<Item>,
        directory: PathBuf,
        parent: Option<Id>,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Id {
        let id = self.modules.len();
        let (children, uses) = (BTreeMap::new(), Vec::new());
        let module = Module { file: file.clone(), parent, children, items: Vec::new(), uses, code: Vec::new() };
        self.modules.push(module);
        for item in items {
            // A test may use the whole crate to test a part.
            if attributes(&item).iter().any(is_for_tests) {
                continue;
            }
            match item {
                Item::Mod(module) => {
                    let name = plain(&module.ident);
                    let child = match module.content {
                        Some((_, items)) => self.add(file.clone(), items, directory.join(&name), Some(id), read),
                        None => {
                            let places = places(&module.attrs, &name, &file, &directory);
                            let found =
                                places.into_iter().find_map(|(file, directory)| Some((read(&file)?, file, directory)));
                            let Some((text, file, directory)) = found else {
                                let is_there_sometimes = module.attrs.iter().any(|one| one.path().is_ident("cfg"));
                                assert!(is_there_sometimes, "{} has no file for `{name}`", file.display());
                                continue;
                            };
                            self.add_file(file, text, directory, Some(id), read)
                        }
                    };
                    self.modules[id].children.entry(name).or_default().push(child);
                }
                Item::Use(item) => flatten(&item, &mut self.modules[id].uses),
                item => {
                    if let Item::Macro(item) = &item
                        && let Some(name) = &item.ident
                    {
                        self.macros.insert(plain(name), file.clone());
                        if item.attrs.iter().any(|one| one.path().is_ident("macro_export")) {
                            self.exported.insert(plain(name));
                        }
                    }
                    let goes_on = matches!(
                        item,
                        Item::Enum(_) | Item::Struct(_) | Item::Trait(_) | Item::Type(_) | Item::Union(_)
                    );
                    let names = names_of(&item).into_iter().map(|name| (name, goes_on));
                    self.modules[id].items.extend(names);
                    self.modules[id].code.push(item);
                }
            }
        }
        id
    }
}

/// The possible paths of a module's file, each with the directory of its submodules.
fn places(attributes: &[Attribute], name: &str, declared_in: &Path, directory: &Path) -> Vec<(PathBuf, PathBuf)> {
    let explicit = attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    });
    if let Some(path) = explicit {
        let file = declared_in.parent().unwrap_or(Path::new("")).join(path);
        let directory = file.parent().unwrap_or(Path::new("")).to_owned();
        return vec![(file, directory)];
    }
    let own = directory.join(name);
    vec![(directory.join(format!("{name}.rs")), own.clone()), (own.join("mod.rs"), own)]
}
fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[cfg(test)]`, or `#[cfg(all(test, ...))]`.
pub(super) fn is_for_tests(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    let text = list.tokens.to_string().replace(' ', "");
    list.path.is_ident("cfg") && (text == "test" || text.starts_with("all(test,"))
}

/// The names that a `use` imports.
pub(super) fn flatten(item: &ItemUse, uses: &mut Vec<Use>) {
    // `use ::x` names only other crates.
    if item.leading_colon.is_none() {
        let is_public = !matches!(item.vis, Visibility::Inherited);
        below(&item.tree, &mut Vec::new(), is_public, uses);
    }
}

fn below(tree: &UseTree, path: &mut Vec<String>, is_public: bool, uses: &mut Vec<Use>) {
    let mut push = |path: Vec<String>, name| uses.push(Use { path, name, is_public });
    let with = |path: &[String], name: &syn::Ident| {
        let mut path = path.to_vec();
        // `a::{self}` is `a`.
        if name != "self" || path.is_empty() {
            path.push(plain(name));
        }
        path
    };
    match tree {
        UseTree::Path(tree) => {
            path.push(plain(&tree.ident));
            below(&tree.tree, path, is_public, uses);
            path.pop();
        }
        UseTree::Name(tree) => {
            let path = with(path, &tree.ident);
            let name = path.last().cloned();
            push(path, name);
        }
        UseTree::Rename(tree) => push(with(path, &tree.ident), Some(plain(&tree.rename))),
        UseTree::Glob(_) => push(path.clone(), None),
        UseTree::Group(tree) => tree.items.iter().for_each(|tree| below(tree, path, is_public, uses)),
    }
}

/// The names that an item defines in its module.
fn names_of(item: &Item) -> Vec<String> {
    let one = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::ForeignMod(item) => {
            let names = item.items.iter().filter_map(|item| match item {
                syn::ForeignItem::Fn(item) => Some(&item.sig.ident),
                syn::ForeignItem::Static(item) => Some(&item.ident),
                syn::ForeignItem::Type(item) => Some(&item.ident),
                _ => None,
            });
            return names.map(plain).collect();
        }
        Item::Macro(item) => return item.ident.iter().map(plain).collect(),
        _ => return Vec::new(),
    };
    vec![plain(one)]
}

/// Without the `r#` that the name may have in one place and not in another.
pub(super) fn plain(name: &syn::Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}
