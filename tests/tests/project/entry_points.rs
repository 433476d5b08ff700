//! Every place in the host that calls through a pointer to a function is in the list of `docs/unload.md` that says why
//! nothing of a library runs after it has settled.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hookrail_tests::root;
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprField, ExprUnsafe, File, ItemFn, ItemMod, Member, PatIdent};

/// The crates that a library's code is called from.
const CRATES: [&str; 3] = ["dispatch", "engine", "loader"];

/// A file below `host`, and the pointer as it is called there.
type Call = (String, String);

#[test]
fn every_call_into_a_library_is_in_the_list() {
    let found: BTreeSet<Call> = CRATES.iter().flat_map(|name| sources(&root().join("host").join(name))).collect();
    let listed = listed(&fs::read_to_string(root().join("docs/unload.md")).unwrap());
    let missing: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(missing.is_empty(), "say in docs/unload.md why this is over before a library is closed: {missing:#?}");
    assert!(gone.is_empty(), "docs/unload.md lists calls that are not there: {gone:#?}");
}

#[test]
fn a_call_that_is_not_in_the_list_is_found() {
    let calls = |body: &str| {
        let mut calls = Calls::default();
        calls.visit_file(&syn::parse_str(&format!("fn known() {{}} fn f(set: F) {{ {body} }}")).unwrap());
        calls.found.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(calls("unsafe { (table.bind)(1) }"), ["table.bind"]);
    assert_eq!(calls("unsafe { (self.entry().query)(Str::new(ID)) }"), ["self.entry().query"]);
    assert_eq!(calls("frame::call(|| unsafe { set(1) });"), ["set"]);
    assert_eq!(calls("let stop = self.entry().stop;"), ["self.entry().stop"]);
    assert_eq!(calls("unsafe { known(); drop(1); libc::read(0); self.run(1); Box::from_raw(p) }"), [""; 0]);
}

/// The rows of the list: a file, and the calls in it.
fn listed(page: &str) -> BTreeSet<Call> {
    let (_, list) = page.split_once("## Who calls into a library").expect("the page has the list");
    let rows = list.lines().filter(|line| line.starts_with("| [")).map(|line| line.split(" | ").collect::<Vec<_>>());
    let of_row = |cells: Vec<&str>| {
        let file = cells[0].split(['(', ')']).nth(1).unwrap().trim_start_matches("../host/").to_owned();
        cells[1].split('`').skip(1).step_by(2).map(|call| (file.clone(), call.to_owned())).collect::<Vec<_>>()
    };
    rows.flat_map(of_row).collect()
}

fn sources(directory: &Path) -> Vec<Call> {
    let mut found = Vec::new();
    for file in files(&directory.join("src")) {
        let source: File = syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap();
        let mut calls = Calls::default();
        calls.visit_file(&source);
        let file = file.strip_prefix(root().join("host")).unwrap().display().to_string();
        found.extend(calls.found.into_iter().map(|call| (file.clone(), call)));
    }
    found
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.file_name().is_some_and(|name| name != "tests.rs") {
            files.push(path);
        }
    }
    files
}

/// Calls through pointers to functions, in a file.
#[derive(Default)]
struct Calls {
    found: BTreeSet<String>,
    /// What is called by the name of a variable.
    variables: BTreeSet<String>,
    depth: usize,
}

impl Visit<'_> for Calls {
    fn visit_file(&mut self, file: &File) {
        let mut names = Names::default();
        names.visit_file(file);
        self.variables = &names.variables - &names.functions;
        visit::visit_file(self, file);
    }

    fn visit_item_mod(&mut self, module: &ItemMod) {
        if module.ident != "tests" {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_expr_unsafe(&mut self, block: &ExprUnsafe) {
        self.depth += 1;
        visit::visit_expr_unsafe(self, block);
        self.depth -= 1;
    }

    fn visit_expr_call(&mut self, call: &ExprCall) {
        if self.depth > 0 {
            match &*call.func {
                Expr::Paren(paren) => _ = self.found.insert(text(&paren.expr)),
                Expr::Path(path)
                    if path.path.get_ident().is_some_and(|name| self.variables.contains(&name.to_string())) =>
                {
                    self.found.insert(text(&call.func));
                }
                _ => {}
            }
        }
        visit::visit_expr_call(self, call);
    }

    /// The functions of an entry are passed on to where they are called.
    fn visit_expr_field(&mut self, field: &ExprField) {
        let base = text(&field.base);
        if base.ends_with("entry()") && matches!(&field.member, Member::Named(_)) {
            self.found.insert(text(&Expr::Field(field.clone())));
        }
        visit::visit_expr_field(self, field);
    }
}

/// The variables of a file, and its functions.
#[derive(Default)]
struct Names {
    variables: BTreeSet<String>,
    functions: BTreeSet<String>,
}

impl Visit<'_> for Names {
    fn visit_pat_ident(&mut self, variable: &PatIdent) {
        self.variables.insert(variable.ident.to_string());
        visit::visit_pat_ident(self, variable);
    }

    fn visit_item_fn(&mut self, function: &ItemFn) {
        self.functions.insert(function.sig.ident.to_string());
        visit::visit_item_fn(self, function);
    }
}

/// As it is written, without arguments.
fn text(expression: &Expr) -> String {
    match expression {
        Expr::Field(field) => match &field.member {
            Member::Named(name) => format!("{}.{name}", text(&field.base)),
            Member::Unnamed(index) => format!("{}.{}", text(&field.base), index.index),
        },
        Expr::MethodCall(call) => format!("{}.{}()", text(&call.receiver), call.method),
        Expr::Paren(paren) => text(&paren.expr),
        Expr::Path(path) => {
            path.path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::")
        }
        _ => "..".into(),
    }
}
