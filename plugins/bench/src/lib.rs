//! Callbacks that do nothing, so that `hookrail bench` measures only the calls.
use std::hint::black_box;

use hookrail_abi::prelude::*;

struct Bench;

/// The options of the plugin.
#[config]
struct Config {
    /// How many callbacks to register, 1 to 8.
    #[serde(default = "all")]
    #[schemars(range(min = 1, max = 8))]
    callbacks: usize,
}

fn all() -> usize {
    NAMES.len()
}

impl Bench {
    /// Callback number `N`. Those of a real chain are different functions, and a processor that has learnt one has not
    /// learnt the next; without the number, the compiler would make one function of all.
    fn nothing<const N: u8>(&self, _message: &Message) {
        black_box(N);
    }
}

/// The callbacks, each by its name and its number.
macro_rules! callbacks {
    ($($name:literal $number:literal)*) => {
        const NAMES: [&str; 8] = [$($name),*];

        impl Plugin for Bench {
            type Config = Config;
            const HOOKS: Hooks<Self> = hooks![
                $(MessageDelivered, $name => Self::nothing::<$number>, priority = 2000, effects = pure);*
            ];

            fn start(host: &Startup, config: Config) -> Result<Self> {
                if !(1..=NAMES.len()).contains(&config.callbacks) {
                    return Err(format!("`callbacks` is {}, and must be 1 to {}", config.callbacks, NAMES.len()).into());
                }
                NAMES.iter().skip(config.callbacks).for_each(|name| host.leave_out(name));
                Ok(Bench)
            }
        }
    };
}

callbacks!("nothing-0" 0 "nothing-1" 1 "nothing-2" 2 "nothing-3" 3 "nothing-4" 4 "nothing-5" 5 "nothing-6" 6 "nothing-7" 7);

export!(Bench);
