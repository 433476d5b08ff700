//! Stopping a plugin and starting it again while its library stays loaded; halting and resuming it while its instances
//! stay.

use hookrail_dispatch::{TakenOut, deadline_after};
use hookrail_model::error::{ApiMisuse, Error};
use hookrail_model::event::EventKind;
use hookrail_model::log;
use hookrail_model::view::Status;

use super::core::Core;
use super::handle::PluginHandle;
use super::table::{Said, Serving};
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
        let reservation = self.table.reserve(plugin, &[Status::Running, Status::Halted], "stopped")?;
        let Serving { generation, owner, lifecycle, endpoints, .. } = reservation.serving().ok_or_else(not_loaded)?;
        let mut halted = Vec::new();
        reservation.change(|current| {
            current.status = Status::Stopping;
            halted = std::mem::take(&mut current.halted);
        });
        // Once it is being stopped by a caller, it is no longer rolled back.
        drop(reservation.end_probations(None));
        let mut callbacks = self.registry.remove(owner);
        callbacks.extend(halted.into_iter().map(TakenOut::into_callback));
        endpoints.iter().for_each(|endpoints| self.attending.leaving(endpoints));
        let deadline = deadline_after(self.config.unload.deadline);
        let (name, lifecycle_of) = (plugin.name.clone(), lifecycle.clone());
        let unpublished = Unpublished { plugin: name, lifecycle: lifecycle_of, owner, callbacks, endpoints };
        let events = self.events.clone();
        let ticket = Ticket::begin(plugin.name.clone(), Status::Stopping);
        let stopping = ticket.clone();
        let stop = move || {
            if let Some(loaded) = &mut *lifecycle.lock() {
                loaded.drain(deadline);
                loaded.stop();
            }
            events.tell(reservation.name(), generation, EventKind::Stopped);
            reservation.change(|current| {
                current.status = Status::Stopped;
                current.instances.clear();
                current.endpoints = None;
                current.said = Said::default();
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

    /// Has the instances of a running plugin pause their own work, and takes their callbacks out of their chains. Does not
    /// wait for readers.
    ///
    /// # Errors
    /// If it is not running, is busy, or refuses; then nothing has changed.
    pub fn halt(&self, plugin: &PluginHandle) -> Result<(), Error> {
        let not_loaded = || ApiMisuse::NotLoaded(plugin.name.clone());
        let reservation = self.table.reserve(plugin, &[Status::Running], "halted")?;
        let Serving { generation, owner, lifecycle, endpoints, .. } = reservation.serving().ok_or_else(not_loaded)?;
        lifecycle.lock().as_ref().ok_or_else(not_loaded)?.halt()?;
        endpoints.iter().for_each(|endpoints| self.attending.pausing(endpoints));
        // As when it is stopped by a caller.
        drop(reservation.end_probations(None));
        let halted = self.registry.take_out(owner);
        reservation.change(|current| (current.status, current.halted) = (Status::Halted, halted));
        self.events.tell(reservation.name(), generation, EventKind::Halted);
        Ok(())
    }

    /// Has the instances of a halted plugin continue, and puts their callbacks back into their chains.
    ///
    /// # Errors
    /// If it is not halted, is busy, or cannot continue; then it stays halted.
    pub fn resume(&self, plugin: &PluginHandle) -> Result<(), Error> {
        let not_loaded = || ApiMisuse::NotLoaded(plugin.name.clone());
        let reservation = self.table.reserve(plugin, &[Status::Halted], "resumed")?;
        let Serving { generation, lifecycle, endpoints, .. } = reservation.serving().ok_or_else(not_loaded)?;
        let lifecycle = lifecycle.lock();
        let loaded = lifecycle.as_ref().ok_or_else(not_loaded)?;
        loaded.resume()?;
        let mut halted = Vec::new();
        reservation.change(|current| halted = std::mem::take(&mut current.halted));
        if let Err(error) = self.registry.put_back(&plugin.name, &halted) {
            reservation.change(|current| current.halted = halted);
            if let Err(error) = loaded.halt() {
                log!(error, plugin = plugin.name, "it goes on with its own work while it is halted: {error}");
            }
            return Err(error.into());
        }
        drop(lifecycle);
        reservation.change(|current| {
            current.status = Status::Running;
            // As after a start: its callbacks are called again, whatever quarantined them.
            current.is_over = false;
        });
        self.events.tell(reservation.name(), generation, EventKind::Resumed);
        endpoints.iter().for_each(|endpoints| self.attending.serving(endpoints));
        Ok(())
    }

    /// Starts the instances of a stopped plugin again.
    ///
    /// # Errors
    /// If it is not stopped, is busy, or fails to start.
    pub fn start(&self, plugin: &PluginHandle) -> Result<(), Error> {
        let not_loaded = || ApiMisuse::NotLoaded(plugin.name.clone());
        let reservation = self.table.reserve(plugin, &[Status::Stopped], "started")?;
        let Serving { generation, lifecycle, .. } = reservation.serving().ok_or_else(not_loaded)?;
        let owner = self.next_owner();
        let keeping = self.keeping(&plugin.name, owner, generation);
        let mut lifecycle = lifecycle.lock();
        let loaded = lifecycle.as_mut().ok_or_else(not_loaded)?;
        let context = StartContext {
            config: &self.config,
            registry: &self.registry,
            owner,
            probation: None,
            runtime_overrides: &reservation.runtime_overrides(),
            of_file: &reservation.of_file(),
            states: &States::new(),
            schema: None,
            keeping: keeping.clone(),
            attending: &self.attending,
        };
        let added = loaded.start(&context).and_then(|additions| Ok(self.registry.begin(&plugin.name, additions)?));
        if let Err(error) = added {
            loaded.stop();
            return Err(error);
        }
        let (instances, endpoints) = (loaded.instances(), loaded.endpoints());
        drop(lifecycle);
        reservation.change(|current| {
            (current.owner, current.status, current.instances) = (owner, Status::Running, instances);
            current.endpoints.clone_from(&endpoints);
            current.keeping = Some(keeping.clone());
            // Its callbacks are new and not quarantined, so an exceeded memory limit must be reported again.
            current.is_over = false;
        });
        self.events.tell(reservation.name(), generation, EventKind::Started);
        endpoints.iter().for_each(|endpoints| self.attending.serving(endpoints));
        keeping.serve();
        Ok(())
    }
}
