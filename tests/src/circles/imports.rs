//! What each file imports from others: all paths in it, wherever they occur.

use std::iter::Peekable;
use std::path::PathBuf;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, ItemUse, Lit, Macro, Path, VisRestricted};

use super::resolve::Meaning;
use super::ties::Ties;
use super::tree::{Id, Tree, Use, flatten, is_for_tests, plain};

/// Which file imports what from which.
pub(super) fn ties(tree: &Tree) -> Ties {
    let mut ties = Ties::new();
    for (id, module) in tree.modules.iter().enumerate() {
        let mut imports = Imports { tree, id, ties: &mut ties };
        module.uses.iter().for_each(|one| imports.take_use(one));
        module.code.iter().for_each(|item| imports.visit_item(item));
    }
    ties
}

/// The imports of one module.
struct Imports<'a> {
    tree: &'a Tree,
    id: Id,
    ties: &'a mut Ties,
}

impl Imports<'_> {
    /// A name that is only re-exported is imported by the files that use it.
    fn take_use(&mut self, one: &Use) {
        if !one.is_public && one.name.is_some() {
            self.take(&one.path);
        }
    }

    fn take(&mut self, path: &[String]) {
        for meant in self.tree.resolve(self.id, path) {
            if let Meaning::Item(name, file, _) = meant {
                self.tie(name, file);
            }
        }
    }

    fn tie(&mut self, name: String, file: PathBuf) {
        let from = &self.tree.modules[self.id].file;
        if file != *from {
            self.ties.entry((from.clone(), file)).or_default().insert(name);
        }
    }

    /// What the parser does not parse: the content of macros and attributes.
    fn take_tokens(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        // After one dot comes a field or a method; after two, the end of a range.
        let mut dots = 0;
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.take_tokens(group.stream()),
                TokenTree::Ident(first) if dots != 1 => {
                    let path = path_from(&first, &mut tokens);
                    let is_macro = matches!(tokens.peek(), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
                    if is_macro { self.take_macro(&path) } else { self.take(&path) }
                }
                TokenTree::Punct(mark) if mark.as_char() == '.' => {
                    dots += 1;
                    continue;
                }
                _ => {}
            }
            dots = 0;
        }
    }

    /// A macro that is used without a path is found by its name, which must be defined before its use.
    fn take_macro(&mut self, path: &[String]) {
        if let ([name], true) = (path, self.tree.resolve(self.id, path).is_empty())
            && let Some(file) = self.tree.macros.get(name)
        {
            self.tie(name.clone(), file.clone());
        }
        self.take(path);
    }
}

/// The path that begins with this identifier, as far as it goes.
fn path_from(first: &Ident, tokens: &mut Peekable<IntoIter>) -> Vec<String> {
    let mut path = vec![plain(first)];
    loop {
        let mut ahead = tokens.clone();
        if !(is_colon(ahead.next().as_ref()) && is_colon(ahead.next().as_ref())) {
            return path;
        }
        let Some(TokenTree::Ident(next)) = ahead.next() else { return path };
        path.push(plain(&next));
        *tokens = ahead;
    }
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == ':')
}

fn words(path: &Path) -> Vec<String> {
    path.segments.iter().map(|segment| plain(&segment.ident)).collect()
}

impl<'ast> Visit<'ast> for Imports<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            self.take(&words(path));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.take_macro(&words(&call.path));
        self.take_tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            syn::Meta::List(list) => self.take_tokens(list.tokens.clone()),
            syn::Meta::NameValue(pair) if !attribute.path().is_ident("doc") => self.visit_expr(&pair.value),
            _ => {}
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !function.attrs.iter().any(is_for_tests) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    /// A `use` within code is valid for that part of it, and never re-exported.
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut uses = Vec::new();
        flatten(item, &mut uses);
        uses.iter().for_each(|one| self.take(&one.path));
    }

    /// A visibility is not an import.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}

    fn visit_lit(&mut self, _: &'ast Lit) {}
}
