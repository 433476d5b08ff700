//! Who takes what from whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The names that the first file takes from the second.
pub type Ties = BTreeMap<(PathBuf, PathBuf), BTreeSet<String>>;
