//! What a host that serves is asked about its pipelines.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use hookrail::control::command::{PipelineAct, Pipelines, SetPipeline, ShowPipeline, Tap};
use hookrail::control::{ControlError, Feed, Manager};
use hookrail::stream::topic::Pattern;
use hookrail::stream::{self, Streams};
use hookrail::tap::{TapItem, TapMissed, TapPlace};
use hookrail::{ApiMisuse, Host, metrics};
use serde_json::{Value, json};

/// How long a pipeline may take to end, if nobody says how long.
const DRAIN: Duration = Duration::from_secs(10);

/// How many may look at the same time: each has messages copied.
const MAX_TAPS: usize = 8;

pub(super) fn register(manager: &Manager, streams: &Arc<Streams>) {
    let all = streams.clone();
    manager.register(move |_, _: Pipelines| Ok(all.views()));
    let measured = streams.clone();
    manager.measure(move || {
        let mut families = metrics::of_pipelines(&measured.views());
        families.extend(metrics::of_bus(&measured.bus()));
        families
    });
    let one = streams.clone();
    manager.register(move |_, asked: ShowPipeline| Ok(one.view(&asked.pipeline)?));
    let set = streams.clone();
    manager.register(move |_, SetPipeline { pipeline, act, wait_ms, .. }: SetPipeline| {
        let deadline = Instant::now() + wait_ms.map_or(DRAIN, Duration::from_millis);
        match act {
            PipelineAct::Halt => set.halt(&pipeline, deadline)?,
            PipelineAct::Resume => set.resume(&pipeline)?,
            PipelineAct::Start => set.start(&pipeline)?,
            PipelineAct::Stop => set.stop(&pipeline, deadline)?,
            _ => {
                set.stop(&pipeline, deadline)?;
                set.start(&pipeline)?;
            }
        }
        Ok(set.view(&pipeline)?)
    });
}

/// What looks at messages as they pass.
pub(super) fn register_taps(manager: &Manager, host: &Arc<Host>, streams: &Arc<Streams>) {
    let (host, streams) = (Arc::downgrade(host), Arc::downgrade(streams));
    let taps = Arc::new(());
    manager.tell(move |_, asked: Tap| {
        let host = host.upgrade().ok_or(ApiMisuse::Closing)?;
        if let (Some(pipeline), Some(streams)) = (&asked.pipeline, streams.upgrade()) {
            streams.view(pipeline)?;
        }
        if asked.at == TapPlace::Unknown {
            let why = format!("`at` is none of the places {}", TapPlace::ALL.map(TapPlace::name).join(", "));
            return Err(ControlError::BadRequest(why).into());
        }
        let topics = asked.topics.parse::<Pattern>().map_err(|error| ControlError::BadRequest(error.to_string()))?;
        if Arc::strong_count(&taps) > MAX_TAPS {
            let why = format!("{MAX_TAPS} taps are open, and more are not allowed: end one of them");
            return Err(ControlError::BadRequest(why).into());
        }
        let tap = stream::Tap::begin(&host, asked, topics)?;
        Ok(Box::new(TapFeed { tap, missed: TapMissed::default(), _open: taps.clone() }))
    });
}

/// What a tap tells.
struct TapFeed {
    tap: stream::Tap,
    /// What was missed when that was told.
    missed: TapMissed,
    /// Counts it among those that are open.
    _open: Arc<()>,
}

impl Feed for TapFeed {
    fn next(&mut self, timeout: Duration, news: &mut Vec<Value>) -> bool {
        let tapped = self.tap.recv_timeout(timeout);
        let is_over = matches!(tapped, Err(RecvTimeoutError::Disconnected));
        let missed = self.tap.missed();
        // Before the message: whoever has as many as it asked for reads no further.
        let lost = (missed != self.missed).then_some(TapItem::Missed(missed));
        self.missed = missed;
        let told = lost.into_iter().chain(tapped.ok().map(|tapped| TapItem::Message(Box::new(tapped))));
        news.extend(told.map(|item| serde_json::to_value(item).expect("a message is JSON")));
        is_over
    }
}

/// What `hookrail status` shows of it.
pub(super) fn report(streams: &Streams) -> Value {
    let views = streams.views();
    let received: u64 = views.iter().map(|view| view.received).sum();
    let delivered: u64 = views.iter().flat_map(|view| &view.sinks).map(|sink| sink.delivered).sum();
    json!({ "pipelines": views.len(), "received": received, "delivered": delivered })
}
