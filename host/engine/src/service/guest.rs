//! An instance whose code runs in another process, towards the services of this one.

use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;

use hookrail_abi::boundary;
use hookrail_loader::PluginDiagnostics;
use parking_lot::Mutex;

use super::registrations::Registrations;
use super::units::UnitsOf;
use super::{Ephemeral, Handle, Services};
use crate::body::Configured;

/// Stands for one life of an instance in another process: what calls services there in its name passes this one's handle, so
/// that it has what it would have here, and loses it when it is stopped.
pub struct Guest(Arc<Handle>);

impl Guest {
    /// It may register from now on.
    pub fn new(instance: &Configured<'_>, diagnostics: &Arc<PluginDiagnostics>) -> Self {
        Self::open(Handle {
            instance: instance.name.into(),
            config: Arc::new(Mutex::new(instance.config.into())),
            writable: Mutex::new(instance.writable.clone()),
            units: UnitsOf::new(instance.units),
            points: Mutex::new(instance.points.clone()),
            home: instance.home.to_owned(),
            ephemeral: Ephemeral::default(),
            diagnostics: diagnostics.clone(),
            registrations: Registrations::default(),
            kept: Mutex::default(),
            attending: instance.attending.clone(),
        })
    }

    /// The same instance in its next process. Both are there until the first is [ended](Self::end).
    #[must_use]
    pub fn again(&self) -> Self {
        let Handle { instance, config, writable, units, points, home, diagnostics, attending, .. } = &*self.0;
        Self::open(Handle {
            instance: instance.clone(),
            config: config.clone(),
            writable: Mutex::new(writable.lock().clone()),
            units: UnitsOf::new(&units.behind()),
            points: Mutex::new(points.lock().clone()),
            home: home.clone(),
            ephemeral: Ephemeral::default(),
            diagnostics: diagnostics.clone(),
            registrations: Registrations::default(),
            kept: Mutex::default(),
            attending: attending.clone(),
        })
    }

    fn open(handle: Handle) -> Self {
        handle.registrations.open();
        Guest(Arc::new(handle))
    }

    /// What functions of services take. It holds as long as this does.
    pub fn handle(&self) -> *const boundary::Handle {
        Arc::as_ptr(&self.0).cast()
    }

    /// The table of a service that this process offers, or null.
    pub fn query(&self, id: &str) -> *const c_void {
        Services::find(id)
    }

    /// Revokes what it has registered. It can register nothing any more.
    pub fn end(&self) {
        self.0.registrations.close();
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guest").field(&self.0.instance).finish()
    }
}
