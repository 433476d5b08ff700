//! x
pub mod boundary;
mod bytes;
pub mod catalogue;
mod effects;
mod entry;
mod hook;
pub mod host;
#[doc(hidden)]
pub mod keys;
mod list;
mod message;
pub mod note;
mod payload;
mod plugin;
mod point;
mod priority;
mod secret;
mod shape;
mod shim;
pub mod testing;
mod text;
pub mod verdict;

pub use bytes::Bytes;
pub use effects::Effects;
#[doc(hidden)]
pub use entry::entry;
pub use hook::{Hook, Hooks};
pub use list::List;
pub use message::{Dropped, Header, Message, MessageId};
pub use payload::{Format, PayloadOps};
pub use plugin::{Error, Instances, Isolation, NoConfig, Plugin, Registrar, Result};
pub use point::{FaultPolicy, Fold, Gate, Kind, Notify, Point, RawKind};
pub use priority::Priority;
pub use secret::Secret;
pub use shape::Shape;
pub use text::Text;
pub use verdict::{Answer, Verdict};

/// What an author needs: `use hookrail_abi::prelude::*;`
pub mod prelude {
    pub use crate::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
    pub use crate::host::{Dir, Instance, Level};
    pub use crate::{
        Bytes, Dropped, Error, Header, Hooks, Message, NoConfig, Plugin, Point, Registrar, Result, Secret, Text,
        Verdict, export, hooks,
    };
}
