//! Listing a thousand installed plugins.

use crate::made::Maker;
use crate::row::Row;
use crate::taking::{compare, fastest, hookrail, timed};

const INSTALLED: usize = 1000;
const ROUNDS: usize = 31;

/// The limit, in milliseconds.
const MOST: f64 = 50.0;

pub(crate) fn measure(maker: &Maker) -> Vec<Row> {
    let directory = tempfile::tempdir_in(fastest()).expect("a directory");
    let [home, empty] = ["home", "empty"].map(|name| directory.path().join(name));
    maker.store(&empty);
    maker.install(&maker.store(&home), INSTALLED);
    let list = |home: &std::path::Path, more: &[&str]| timed(hookrail(home).args(["plugin", "list"]).args(more));
    let [nothing, all] = compare(ROUNDS, || list(&empty, &[]), || list(&home, &[]));
    let [_, as_json] = compare(ROUNDS, || list(&empty, &[]), || list(&home, &["--json"]));
    vec![Row {
        case: format!("`plugin list` of {INSTALLED} installed plugins, as a process"),
        must: "under 50 ms",
        measured: format!("{all:.1} ms, as JSON {as_json:.1} ms; of none {nothing:.1} ms"),
        is_met: all < MOST && as_json < MOST,
    }]
}
