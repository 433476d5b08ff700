//! Names of callbacks, interned: an outcome carries a number, and nothing that belongs to a plugin.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};

use parking_lot::RwLock;

use crate::chain::CallbackId;

/// The names of all callbacks that this process ever had, each with its id. Hosts share them, so that an outcome names
/// its callback whichever host is asked.
static TABLE: LazyLock<RwLock<Table>> = LazyLock::new(RwLock::default);

#[derive(Debug, Default)]
struct Table {
    ids: HashMap<Arc<str>, CallbackId>,
    names: Vec<Arc<str>>,
}

/// The id of `instance/callback`, the same for the lifetime of the process.
pub fn intern(instance: &str, callback: &str) -> CallbackId {
    let name: Arc<str> = format!("{instance}/{callback}").into();
    let mut table = TABLE.write();
    if let Some(id) = table.ids.get(&name) {
        return *id;
    }
    table.names.push(name.clone());
    let number = u32::try_from(table.names.len()).ok().and_then(NonZeroU32::new);
    let id = CallbackId(number.expect("names are never empty, and memory ends before four billion of them"));
    table.ids.insert(name, id);
    id
}

/// The name `instance/callback` of an id.
pub fn name(id: CallbackId) -> Arc<str> {
    TABLE.read().names[id.0.get() as usize - 1].clone()
}
