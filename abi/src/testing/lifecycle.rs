//! What a host asks of a started instance: the table `lifecycle/1`.

use std::time::Duration;

use super::{Running, SAID};
use crate::boundary::{self, HEALTH_DEGRADED, LifecycleTable, READY_NOT_YET, Str};
use crate::error::{Error, Result};
use crate::{Health, Plugin, Readiness, entry, monotonic};

impl<P: Plugin> Running<P> {
    /// Asks whether the instance is ready, as a host does after its start.
    ///
    /// # Errors
    /// If the plugin says that it will never be.
    pub fn ready(&self) -> Result<Readiness> {
        let partly = (READY_NOT_YET, Readiness::NotYet as fn(String) -> Readiness);
        self.lifecycle(|table| table.ready, partly).map(|partly| partly.unwrap_or(Readiness::Ready))
    }

    /// Asks for the instance's health.
    ///
    /// # Errors
    /// If the plugin says that it does not work.
    pub fn health(&self) -> Result<Health> {
        let partly = (HEALTH_DEGRADED, Health::Degraded as fn(String) -> Health);
        self.lifecycle(|table| table.health, partly).map(|partly| partly.unwrap_or(Health::Good))
    }

    /// Has the instance pause its own work.
    ///
    /// # Errors
    /// If the plugin refuses.
    pub fn halt(&self) -> Result<()> {
        self.lifecycle(|table| table.halt, (0, drop)).map(drop)
    }

    /// Has the instance continue its own work.
    ///
    /// # Errors
    /// If the plugin cannot.
    pub fn resume(&self) -> Result<()> {
        self.lifecycle(|table| table.resume, (0, drop)).map(drop)
    }

    /// Has the instance finish what it holds, within that time.
    ///
    /// # Errors
    /// If the plugin cannot.
    pub fn drain(&self, time: Duration) -> Result<()> {
        let deadline_ns = monotonic() + u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2);
        SAID.take();
        // SAFETY: the instance is started.
        match unsafe { (lifecycle_table::<P>().drain)(self.instance, deadline_ns) } {
            0 => Ok(()),
            _ => Err(Error::from(SAID.take().join("; "))),
        }
    }

    fn lifecycle<T>(
        &self,
        function: impl FnOnce(&LifecycleTable) -> unsafe extern "C" fn(*mut boundary::Instance) -> u32,
        (partly, made): (u32, fn(String) -> T),
    ) -> Result<Option<T>> {
        SAID.take();
        // SAFETY: the instance is started.
        match unsafe { function(lifecycle_table::<P>())(self.instance) } {
            0 => Ok(None),
            answer if answer == partly => Ok(Some(made(SAID.take().join("; ")))),
            _ => Err(Error::from(SAID.take().join("; "))),
        }
    }
}

/// The plugin's `lifecycle/1` table.
fn lifecycle_table<P: Plugin>() -> &'static LifecycleTable {
    // SAFETY: the SDK's `query` returns a static `LifecycleTable` to this id, and the id is readable for the call.
    unsafe { &*entry::query::<P>(Str::new("lifecycle/1")).cast::<LifecycleTable>() }
}
