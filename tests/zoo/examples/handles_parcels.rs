//! Hooks points of a program whose payload can leave its process, and uses whatever a host offers.

use std::sync::atomic::{AtomicU64, Ordering};

use hookrail_abi::prelude::*;
use hookrail_tests::parcels::*;

#[config]
#[derive(Default)]
struct Config {
    /// What is written into each parcel.
    #[serde(default)]
    mark: String,
}

struct Specimen {
    mark: std::sync::Mutex<String>,
    seen: AtomicU64,
    directory: String,
}

impl Specimen {
    fn pack(&self, parcel: &mut Parcel) -> Result<Verdict> {
        let wish = parcel.wish.as_str().to_owned();
        let (wish, argument) = wish.split_once(' ').unwrap_or((&wish, ""));
        let line = match wish {
            "context" => hookrail_abi::host::with_context(|context| {
                let trace = context.trace().map(|trace| trace[0]);
                format!("{} {} {trace:?} {}", context.principal(), context.node(), context.deadline().is_some())
            })
            .unwrap_or_default(),
            "deny" => return Ok(Verdict::deny(403, argument)),
            "directory" => self.directory.clone(),
            "fail" => return Err(argument.to_owned().into()),
            "grow" => "x".repeat(argument.parse().unwrap_or(0)),
            "key" => format!("{:?}", parcel.key == Secret::from("key")),
            "log" => {
                hookrail_abi::tracing::info!(answer = 42, "it says {argument}");
                String::new()
            }
            "mark" => self.mark.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone(),
            "panic" => panic!("it was asked to {argument}"),
            "process" => std::process::id().to_string(),
            "seen" => self.seen.load(Ordering::SeqCst).to_string(),
            "unwritable" => "unwritable".into(),
            "wait" => {
                std::thread::sleep(std::time::Duration::from_micros(argument.parse().unwrap_or(0)));
                String::new()
            }
            _ => return Ok(Verdict::Continue),
        };
        parcel.lines.push(line.as_str().into());
        Ok(Verdict::Continue)
    }

    fn see(&self, _: &Parcel) {
        self.seen.fetch_add(1, Ordering::SeqCst);
    }
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![
        ParcelPacked, "pack" => Self::pack, priority = 10, effects = pure;
        ParcelSent, "see" => Self::see, priority = 10;
    ];

    fn start(host: &Startup, config: Config) -> Result<Self> {
        let directory = host.dir(Dir::State)?.display().to_string();
        Ok(Specimen { mark: config.mark.into(), seen: AtomicU64::new(0), directory })
    }

    fn reload(&self, config: Config) -> Result<()> {
        *self.mark.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = config.mark;
        Ok(())
    }
}

export!(Specimen, name = "handles-parcels", allocator = std::alloc::System);
