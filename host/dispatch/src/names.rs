//! Names of callbacks, interned: an outcome carries a number, and nothing that belongs to a plugin.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::chain::CallbackId;

/// The names of all callbacks that a host ever had, each with its id.
#[derive(Debug, Default)]
pub struct Names {
    table: RwLock<Table>,
}

#[derive(Debug, Default)]
struct Table {
    ids: HashMap<Arc<str>, CallbackId>,
    names: Vec<Arc<str>>,
}

impl Names {
    /// The id of `instance/callback`, the same for the lifetime of the host.
    pub fn intern(&self, instance: &str, callback: &str) -> CallbackId {
        let name: Arc<str> = format!("{instance}/{callback}").into();
        let mut table = self.table.write();
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
    ///
    /// # Panics
    /// If the id is from another host.
    pub fn name(&self, id: CallbackId) -> Arc<str> {
        self.table.read().names[id.0.get() as usize - 1].clone()
    }
}
