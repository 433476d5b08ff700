//! The tables that a plugin returns by versioned id.

use std::mem::offset_of;

use hookrail_abi::boundary::{
    KeysTable, LifecycleTable, MemoryTable, MetricsTable, ReloadTable, SchemaTable, StateTable, Str, StreamTable,
    TraceTable, UnloadTable,
};
use hookrail_model::error::Incompatible;

use super::Library;
use super::complete::{Functions, complete};

/// A table of a plugin.
///
/// # Safety
/// Whatever a plugin returns to `ID` is null, or a table of this type that stays while its library is loaded:
/// `docs/abi.md` says so. It may be incomplete.
pub unsafe trait Table: Functions {
    /// The id that the plugin is asked for.
    const ID: &'static str;
}

macro_rules! tables {
    ($($type:ident $id:literal: $($function:ident),*;)*) => {
        $(
            // SAFETY: these are its functions, all of which its first version had.
            unsafe impl Functions for $type {
                const FUNCTIONS: &'static [(&'static str, usize)] = &[$((stringify!($function), offset_of!($type, $function))),*];
            }

            // SAFETY: by `docs/abi.md` a plugin returns such a table, or null, to that id.
            unsafe impl Table for $type {
                const ID: &'static str = $id;
            }
        )*

        impl Library {
            /// Checks that the tables that the plugin has are complete.
            pub(super) fn check_tables(&self) -> Result<(), Incompatible> {
                $(self.read_table::<$type>()?;)*
                Ok(())
            }
        }
    };
}

tables! {
    KeysTable "keys/1": count;
    LifecycleTable "lifecycle/1": ready, health, halt, resume, drain;
    MemoryTable "memory/1":;
    MetricsTable "metrics/1":;
    ReloadTable "reload/1": reload;
    SchemaTable "schema/1": write;
    StateTable "state/1": save, save_changes, restore, apply_changes;
    StreamTable "stream/1": accept, run, free, schema;
    TraceTable "trace/1": bind, set_level;
    UnloadTable "unload/1": bind, probe;
}

impl Library {
    /// A table of the plugin, if it has that one, and it is complete.
    pub fn table<T: Table>(&self) -> Option<T> {
        self.read_table().ok().flatten()
    }

    fn read_table<T: Table>(&self) -> Result<Option<T>, Incompatible> {
        // SAFETY: the id is readable for the call.
        let table = self.call(|| unsafe { (self.entry().query)(Str::new(T::ID)) }).cast::<T>();
        if table.is_null() {
            return Ok(None);
        }
        // SAFETY: by the trait's contract it is of that type, and there while the library is loaded.
        unsafe { complete(table) }.map(Some).map_err(|incomplete| incomplete.error(format!("table `{}`", T::ID)))
    }
}
