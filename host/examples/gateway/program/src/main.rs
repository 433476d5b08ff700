//! An embedder's program: a gateway with hook points of its own.
//!
//!     cargo build --release -p gateway-plugin && cargo run --release -p gateway

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use gateway_points::{Request, RequestReceived, SignIn, SignInAsked};
use hookrail::{Callbacks, Config, HookPoint, Host, PluginConfig, Priority};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    // `Config::read("hookrail.toml")` would read it from a file.
    let rules = json!({ "closed": ["/admin"], "users": { "ada": "lovelace" } });
    let rules = PluginConfig::default().with_config(rules);
    let host = Host::new(Config::default().with_plugin("house-rules", rules))?;

    // Our points exist from here on; plugins that hook them are loaded after this.
    let gateway = Gateway { request: host.point(RequestReceived)?, sign_in: host.point(SignInAsked)?, host: &host };

    // Our own work stands in the same chain, at 1000.
    let own = Callbacks::new("gateway").on(RequestReceived, "forward", Priority::BUILT_IN, |request| {
        let client = request.client.clone();
        request.headers.push(hookrail::Header { key: "x-forwarded-for".into(), value: client });
    });
    host.register(own)?;

    println!("without the plugin");
    gateway.request("/admin/users");
    gateway.sign_in("ada", "lovelace");

    // SAFETY: built from the source beside this.
    let rules = unsafe { host.load(library()?)? };
    println!("with it");
    gateway.request("/index.html");
    gateway.request("/admin/users");
    gateway.sign_in("ada", "lovelace");
    gateway.sign_in("ada", "byron");
    gateway.sign_in("grace", "hopper");

    // Under a pin both points are of one instant: a request sees all of a plugin, or nothing of it.
    let (outcome, ticket) = host.pin(|pin| {
        // Somebody unloads the plugin meanwhile. Waiting for it here would be waiting for ourselves.
        let ticket = host.begin_unload(&rules)?;
        let outcome = pin.dispatch(&gateway.request, &mut Gateway::new_request("/admin/users"));
        Ok::<_, hookrail::Error>((outcome, ticket))
    })?;
    println!("unloaded under a pin, which goes on as it began");
    println!("  {:?}", outcome.decision());
    println!("  {}: {}", ticket.plugin(), ticket.wait_timeout(Duration::from_secs(60)));

    println!("without it again");
    gateway.request("/admin/users");
    gateway.sign_in("ada", "lovelace");
    Ok(())
}

struct Gateway<'a> {
    host: &'a Host,
    request: HookPoint<RequestReceived>,
    sign_in: HookPoint<SignInAsked>,
}

impl Gateway<'_> {
    fn request(&self, path: &str) {
        let mut request = Self::new_request(path);
        let outcome = self.request.dispatch(&mut request);
        match self.host.denial(&outcome) {
            Some(denial) => println!("  GET {path}: {denial}"),
            None => println!("  GET {path}: 200, {} header(s) added", request.headers.len()),
        }
    }

    fn sign_in(&self, user: &str, password: &str) {
        let mut asked = SignIn { user: user.into(), password: password.into(), roles: Default::default() };
        let outcome = self.sign_in.dispatch(&mut asked);
        match self.host.denial(&outcome) {
            Some(denial) => println!("  {user} does not sign in: {denial}"),
            None => println!("  {user} signs in as {:?}", &*asked.roles),
        }
    }

    fn new_request(path: &str) -> Request {
        Request { client: "192.0.2.7".into(), path: path.into(), headers: Default::default() }
    }
}

/// The plugin's library, which cargo puts beside the program.
fn library() -> Result<PathBuf, Box<dyn Error>> {
    let file = std::env::current_exe()?.with_file_name("libgateway_plugin.so");
    if file.exists() {
        Ok(file)
    } else {
        Err(format!("there is no {}: `cargo build -p gateway-plugin` builds it", file.display()).into())
    }
}
