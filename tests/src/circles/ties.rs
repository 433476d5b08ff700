//! Which file imports what from which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The names that the first file imports from the second.
pub type Ties = BTreeMap<(PathBuf, PathBuf), BTreeSet<String>>;
