//! The tables that a plugin returns by versioned id.

use hookrail_abi::boundary::{
    Growing, KeysTable, LifecycleTable, MemoryTable, ReloadTable, SchemaTable, StateTable, Str, StreamTable, TooSmall,
    TraceTable, UnloadTable,
};
use hookrail_model::error::Incompatible;

use super::Library;

/// A table of a plugin.
///
/// # Safety
/// Whatever a plugin returns to `ID` is null, or a table of this type that stays while its library is loaded:
/// `docs/abi.md` says so.
pub unsafe trait Table: Growing {
    /// The id that the plugin is asked for.
    const ID: &'static str;
}

// SAFETY: by `docs/abi.md` a plugin returns such a table, or null, to `keys/1`.
unsafe impl Table for KeysTable {
    const ID: &'static str = "keys/1";
}

// SAFETY: by `docs/abi.md` a plugin returns such a table, or null, to `lifecycle/1`.
unsafe impl Table for LifecycleTable {
    const ID: &'static str = "lifecycle/1";
}

// SAFETY: by `docs/abi.md` a plugin returns such a table, or null, to `memory/1`.
unsafe impl Table for MemoryTable {
    const ID: &'static str = "memory/1";
}

// SAFETY: by `docs/abi.md` a plugin returns such a table, or null, to `reload/1`.
unsafe impl Table for ReloadTable {
    const ID: &'static str = "reload/1";
}

// SAFETY: by `docs/abi.md` a plugin returns such a table, or null, to `schema/1`.
unsafe impl Table for SchemaTable {
    const ID: &'static str = "schema/1";
}

// SAFETY: by `docs/abi.md` a plugin returns such a table, or null, to `state/1`.
unsafe impl Table for StateTable {
    const ID: &'static str = "state/1";
}

// SAFETY: by `docs/abi.md` a plugin returns such a table, or null, to `stream/1`.
unsafe impl Table for StreamTable {
    const ID: &'static str = "stream/1";
}

// SAFETY: by `docs/abi.md` a plugin returns such a table, or null, to `trace/1`.
unsafe impl Table for TraceTable {
    const ID: &'static str = "trace/1";
}

// SAFETY: by `docs/abi.md` a plugin returns such a table, or null, to `unload/1`.
unsafe impl Table for UnloadTable {
    const ID: &'static str = "unload/1";
}

impl Library {
    /// A table of the plugin, if it has that one.
    pub fn table<T: Table>(&self) -> Option<T> {
        // SAFETY: the id is readable for the call; by the trait's contract what is returned is null, or of that type
        // and there while the library is loaded.
        unsafe { T::find(self.call(|| (self.entry().query)(Str::new(T::ID))).cast()) }
    }

    /// Checks that the tables that the plugin has are complete.
    pub(super) fn check_tables(&self) -> Result<(), Incompatible> {
        self.check_table::<KeysTable>()?;
        self.check_table::<MemoryTable>()?;
        self.check_table::<ReloadTable>()?;
        self.check_table::<SchemaTable>()?;
        self.check_table::<StateTable>()?;
        self.check_table::<StreamTable>()?;
        self.check_table::<TraceTable>()?;
        self.check_table::<UnloadTable>()
    }

    fn check_table<T: Table>(&self) -> Result<(), Incompatible> {
        // SAFETY: the id is readable for the call.
        let table = self.call(|| unsafe { (self.entry().query)(Str::new(T::ID)) }).cast::<T>();
        if table.is_null() {
            return Ok(());
        }
        // SAFETY: by the trait's contract it is of that type, and there while the library is loaded.
        match unsafe { T::read(table) } {
            Ok(_) => Ok(()),
            Err(TooSmall { size, needed }) => Err(Incompatible::too_small(format!("table `{}`", T::ID), size, needed)),
        }
    }
}
