//! What a host that serves is asked about its pipelines.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail::control::Manager;
use hookrail::control::command::{PipelineAct, Pipelines, SetPipeline, ShowPipeline};
use hookrail::metrics;
use hookrail::stream::Streams;
use serde_json::{Value, json};

/// How long a pipeline may take to end, if nobody says how long.
const DRAIN: Duration = Duration::from_secs(10);

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

/// What `hookrail status` shows of it.
pub(super) fn report(streams: &Streams) -> Value {
    let views = streams.views();
    let received: u64 = views.iter().map(|view| view.received).sum();
    let delivered: u64 = views.iter().flat_map(|view| &view.sinks).map(|sink| sink.delivered).sum();
    json!({ "pipelines": views.len(), "received": received, "delivered": delivered })
}
