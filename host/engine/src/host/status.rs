//! Stopping a plugin and starting it again while its library stays loaded.

use hookrail_model::error::{ApiMisuse, Error};
use hookrail_model::event::EventKind;
use hookrail_model::view::Status;

use super::core::Core;
use super::handle::PluginHandle;
use super::table::Serving;
use crate::plugin::{StartContext, States};
use crate::ticket::Ticket;
use crate::unload::{Then, Unpublished};

impl Core {
    /// Removes its callbacks from their points, and leaves stopping its instances to the background; its library stays
    /// open.
    ///
    /// # Errors
    /// If it is not running, is busy, or the system starts no thread for it.
    pub fn begin_stop(&self, plugin: &PluginHandle) -> Result<Ticket<Status>, Error> {
        let reaper = self.reaper()?;
        let not_loaded = || ApiMisuse::NotLoaded(plugin.name.clone());
        let reservation = self.table.reserve(plugin, Status::Running, "stopped")?;
        let Serving { generation, owner, lifecycle, .. } = reservation.serving().ok_or_else(not_loaded)?;
        reservation.change(|current| current.status = Status::Stopping);
        // Once it is being stopped by a caller, it is no longer rolled back.
        drop(reservation.end_probations(None));
        let callbacks = self.registry.remove(owner);
        let unpublished = Unpublished { plugin: plugin.name.clone(), lifecycle: lifecycle.clone(), owner, callbacks };
        let events = self.events.clone();
        let ticket = Ticket::begin(plugin.name.clone(), Status::Stopping);
        let stopping = ticket.clone();
        let stop = move || {
            if let Some(loaded) = &mut *lifecycle.lock() {
                loaded.stop();
            }
            events.tell(reservation.name(), generation, EventKind::Stopped);
            reservation.change(|current| {
                current.status = Status::Stopped;
                current.instances.clear();
            });
            // Before the ticket ends, so that the plugin can be started by whoever waited for it.
            drop(reservation);
            stopping.end(Status::Stopped);
        };
        self.follow(&reaper, unpublished, Then::Run(Box::new(stop)));
        Ok(ticket)
    }

    /// As [`begin_stop`](Self::begin_stop), but waits. Returns the status at the end of the timeout: still `Stopping`
    /// if calls are still running.
    ///
    /// # Errors
    /// If it is not running, or is busy.
    pub fn stop(&self, plugin: &PluginHandle) -> Result<Status, Error> {
        Ok(self.begin_stop(plugin)?.wait_timeout(self.wait_timeout()))
    }

    /// Starts the instances of a stopped plugin again.
    ///
    /// # Errors
    /// If it is not stopped, is busy, or fails to start.
    pub fn start(&self, plugin: &PluginHandle) -> Result<(), Error> {
        let not_loaded = || ApiMisuse::NotLoaded(plugin.name.clone());
        let reservation = self.table.reserve(plugin, Status::Stopped, "started")?;
        let Serving { generation, lifecycle, .. } = reservation.serving().ok_or_else(not_loaded)?;
        let owner = self.next_owner();
        let mut lifecycle = lifecycle.lock();
        let loaded = lifecycle.as_mut().ok_or_else(not_loaded)?;
        let context = StartContext {
            config: &self.config,
            registry: &self.registry,
            owner,
            probation: None,
            runtime_overrides: &reservation.runtime_overrides(),
            states: &States::new(),
            schema: None,
        };
        let added = loaded.start(&context).and_then(|additions| Ok(self.registry.begin(&plugin.name, additions)?));
        if let Err(error) = added {
            loaded.stop();
            return Err(error);
        }
        let instances = loaded.instances();
        drop(lifecycle);
        reservation.change(|current| {
            (current.owner, current.status, current.instances) = (owner, Status::Running, instances);
            // Its callbacks are new and not quarantined, so an exceeded memory limit must be reported again.
            current.is_over = false;
        });
        self.events.tell(reservation.name(), generation, EventKind::Started);
        Ok(())
    }
}
