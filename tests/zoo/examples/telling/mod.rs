//! Tells what a message asks for, by `tracing` and `log`, as any library does.

use std::sync::Mutex;
use std::thread::JoinHandle;

use hookrail_abi::prelude::*;
use hookrail_tests::pipe::End;
use tracing::field::Empty;
use tracing::{Span, debug, error, error_span, event, info, info_span, span, trace, warn};

pub(crate) struct Tells {
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Tells {
    fn tell(&self, message: &mut Message) {
        message.add_header("ran", "yes");
        match message.body.to_display().as_ref() {
            "levels" => {
                error!("an error");
                warn!("a warning");
                info!("an information");
                debug!("a detail");
                trace!("a step");
            }
            "fields" => fields(),
            "log" => {
                log::warn!(target: "a::place", "a line of {}", "log");
                log::trace!("one that nobody wants");
            }
            "spans" => spans(),
            "current" => {
                let outer = info_span!("outer");
                let inner = outer.in_scope(|| info_span!("inner"));
                inner.in_scope(|| assert_eq!(Span::current().id(), inner.id()));
                outer.in_scope(|| assert_eq!(Span::current().metadata().unwrap().name(), "outer"));
                assert!(Span::current().is_none());
            }
            "forget" => {
                let held = info_span!("forgotten");
                std::mem::forget(held.enter());
                std::mem::forget(held);
            }
            text => info!("{text}"),
        }
    }
}

fn fields() {
    let text = String::from("a \"text\"");
    event!(
        target: "a::target",
        tracing::Level::INFO,
        yes = true,
        less = -3_i64,
        more = u64::MAX,
        part = 0.5_f64,
        text,
        shown = %"shown",
        seen = ?Some("seen"),
        large = u128::MAX,
        nothing = Empty,
        instance = "its own",
        "a message of {}", 2
    );
}

fn spans() {
    let outer = error_span!("outer", number = 1_u64, later = Empty);
    let inner = span!(parent: &outer, tracing::Level::INFO, "inner");
    let alone = info_span!(parent: None, "alone");
    alone.follows_from(&inner);
    outer.record("later", "it came");
    let other = outer.clone();
    outer.in_scope(|| {
        inner.in_scope(|| info!("inside"));
        info!(parent: None, "beside");
    });
    drop((outer, inner, alone));
    info!(parent: &other, "after");
}

impl Plugin for Tells {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "tell" => Self::tell, priority = 10];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        let _starting = info_span!("starting").entered();
        info!("starts");
        let thread = config.until.map(|until| {
            std::thread::spawn(move || {
                info!("a thread begins");
                until.wait();
                info!("a thread ends");
            })
        });
        Ok(Tells { thread: Mutex::new(thread) })
    }

    fn stop(&self) {
        info!("stops");
        if let Some(thread) = self.thread.lock().unwrap().take() {
            thread.join().unwrap();
        }
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Config {
    until: Option<End>,
}
