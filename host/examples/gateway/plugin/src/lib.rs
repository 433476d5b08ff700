//! House rules for the example gateway: paths nobody may ask for, and who may sign in.

use std::collections::BTreeMap;

use gateway_points::{Request, RequestReceived, SignIn, SignInAsked};
use hookrail_abi::prelude::*;

/// What an operator writes.
#[config]
struct Config {
    /// Beginnings of paths that nobody may ask for.
    closed: Vec<String>,
    /// Passwords by user.
    users: BTreeMap<String, Secret>,
}

struct HouseRules {
    config: Config,
}

impl HouseRules {
    fn keep_out(&self, request: &mut Request) -> Verdict {
        match self.config.closed.iter().find(|closed| request.path.starts_with(closed.as_str())) {
            Some(closed) => Verdict::deny(403, format_args!("{closed} is closed")),
            None => Verdict::Continue,
        }
    }

    fn sign_in(&self, asked: &mut SignIn) -> Access {
        match self.config.users.get(asked.user.as_str()) {
            Some(password) if *password == asked.password => {
                asked.roles.push("member".into());
                Access::Allow
            }
            Some(_) => Access::deny(401, "the password is wrong"),
            // Another plugin may know this user.
            None => Access::Continue,
        }
    }
}

impl Plugin for HouseRules {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![
        RequestReceived, "keep-out" => Self::keep_out, priority = 500, effects = pure;
        SignInAsked, "sign-in" => Self::sign_in, priority = 500, effects = pure;
    ];

    fn start(_host: &Startup, config: Config) -> Result<Self> {
        Ok(HouseRules { config })
    }
}

export!(HouseRules, name = "house-rules");
