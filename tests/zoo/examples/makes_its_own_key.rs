//! Makes a pthread key with a destructor, which tells the test of each value it takes; or deletes the
//! key itself as soon as it was used, and says its number, which is free for others then.

use std::ffi::c_void;
use std::ptr::{null_mut, without_provenance_mut};

use hookrail_abi::prelude::*;
use hookrail_tests::pipe::{End, Teller};

static TELLER: Teller = Teller::new();

unsafe extern "C" fn take(value: *mut c_void) {
    assert!(!value.is_null(), "a destructor is called for values only");
    TELLER.tell();
}

struct Makes {
    key: libc::pthread_key_t,
    deleted: bool,
}

impl Makes {
    fn set(&self, message: &mut Message) -> Result<()> {
        if !self.deleted {
            // SAFETY: the key is ours, and nobody follows the value.
            match unsafe { libc::pthread_setspecific(self.key, without_provenance_mut(1)) } {
                0 => {}
                error => return Err(std::io::Error::from_raw_os_error(error).into()),
            }
        }
        message.add_header("ran", &self.key.to_string());
        Ok(())
    }
}

impl Plugin for Makes {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "set" => Self::set, priority = 10];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        TELLER.set(config.tell);
        let mut key = 0;
        // SAFETY: there is room for the key, and the destructor fits.
        match unsafe { libc::pthread_key_create(&mut key, Some(take)) } {
            0 => {}
            error => return Err(std::io::Error::from_raw_os_error(error).into()),
        }
        if config.delete {
            // SAFETY: the key is ours; without a value on this thread it is left as it was.
            let results = unsafe { [libc::pthread_setspecific(key, null_mut()), libc::pthread_key_delete(key)] };
            assert_eq!(results, [0, 0], "a key that was made can be set and deleted");
        }
        Ok(Makes { key, deleted: config.delete })
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {
    #[serde(default)]
    delete: bool,
    tell: Option<End>,
}

export!(Makes, name = "makes-its-own-key");
