//! The hook points that a crate declares, as its source says.

use std::fs;
use std::io;
use std::path::Path;

use hookrail_abi::RawKind;

/// A hook point, as `points!` declares it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Declared {
    /// Its name, for example `gateway.request`.
    pub(super) name: String,
    /// Its type below the crate, for example `RequestReceived` or `requests::RequestReceived`.
    pub(super) path: String,
    pub(super) kind: RawKind,
}

/// The points of the crate whose root module is in that file.
pub(super) fn declared(root: &Path) -> io::Result<Vec<Declared>> {
    let root_text = code(&fs::read_to_string(root)?);
    let mut found = points(&root_text);
    let mut modules = Vec::new();
    below(root.parent().unwrap_or(Path::new("")), "", &mut modules)?;
    for (module, text) in modules {
        let exported = |path: &str| root_text.contains(&format!("pub use {path};"));
        for mut point in points(&code(&text)) {
            // A crate may offer at its root what it declares in a module.
            if !exported(&format!("{module}::{}", point.path)) && !exported(&format!("{module}::*")) {
                point.path = format!("{module}::{}", point.path);
            }
            found.push(point);
        }
    }
    Ok(found)
}

/// The modules in the files below a directory, each with its path and its text.
fn below(directory: &Path, above: &str, found: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        let module = if above.is_empty() { stem.to_owned() } else { format!("{above}::{stem}") };
        if path.is_dir() {
            below(&path, &module, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            match stem {
                "lib" | "main" if above.is_empty() => {}
                "mod" => found.push((above.to_owned(), fs::read_to_string(&path)?)),
                _ => found.push((module, fs::read_to_string(&path)?)),
            }
        }
    }
    Ok(())
}

/// A source without the lines that are comments, which may show declarations too.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// What is declared in a text: `unsafe [local] Type: "name", REVISION, Kind<Payload>`.
fn points(code: &str) -> Vec<Declared> {
    let quotes = code.match_indices('"').map(|(at, _)| code.split_at(at));
    quotes.filter_map(|(before, from)| point(before, from)).collect()
}

/// The point whose name begins with the quote that `from` begins with.
fn point(before: &str, from: &str) -> Option<Declared> {
    let before = before.trim_end().strip_suffix(':')?.trim_end();
    let start = before.rfind(|letter: char| !letter.is_alphanumeric() && letter != '_')? + 1;
    let (before, path) = before.split_at(start);
    let before = before.trim_end();
    before.strip_suffix("local").map_or(before, str::trim_end).strip_suffix("unsafe")?;
    let (name, rest) = from.strip_prefix('"')?.split_once('"')?;
    let mut parts = rest.trim_start().strip_prefix(',')?.splitn(2, ',');
    parts.next()?.trim().parse::<u32>().ok()?;
    let kind = match parts.next()?.trim_start().split_once('<')?.0.trim_end() {
        "Fold" => RawKind::Fold,
        "Gate" => RawKind::Gate,
        "Notify" => RawKind::Notify,
        _ => return None,
    };
    Some(Declared { name: name.into(), path: path.into(), kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_found_however_it_is_written() {
        let declared = |text: &str| points(&code(text));
        let one = |name: &str, path: &str, kind| Declared { name: name.into(), path: path.into(), kind };
        assert_eq!(
            declared(
                "const A: &str = \"x\";\npoints! {\n    /// Like `unsafe B: \"c.d\", 1, Fold<C>;`.\n    pub unsafe local A: \"a.b\", 1, Fold<C> { const \
                 DENIABLE: bool = true; }\n  pub(crate) unsafe\nBee_2\n:\"a.c\" , 12 ,\n Gate <Vec<C>>;unsafe D: \"a.d\",3,Notify<C>;\n}"
            ),
            [one("a.b", "A", RawKind::Fold), one("a.c", "Bee_2", RawKind::Gate), one("a.d", "D", RawKind::Notify)]
        );
        assert_eq!(declared("let a: \"b.c\", 1, Fold<D>; unsafe E: \"e.f\", 1, Other<D>; unsafe F: \""), []);
    }
}
