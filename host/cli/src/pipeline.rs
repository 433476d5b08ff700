//! `hookrail pipeline`: the pipelines of a running host, and the queues that one has left on disk.

mod queues;
mod text;

use hookrail::control::Manage;
use hookrail::control::command::{PipelineAct, Pipelines, SetPipeline, ShowPipeline};

use crate::args::{Ending, One, Pipeline};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::{print, remote};

pub(crate) use text::all;

pub(crate) fn run(command: &Pipeline) -> Result<ExitCode, Error> {
    match command {
        Pipeline::List(common) => {
            let pipelines = remote::connect(&common.selection)?.ask(Pipelines::new())?;
            if common.json { print::json(&pipelines)? } else { print::lines(text::all(&pipelines))? }
        }
        Pipeline::Show(One { pipeline, common }) => {
            let shown = remote::connect(&common.selection)?.ask(ShowPipeline::new(pipeline))?;
            if common.json { print::json(&shown)? } else { print::lines(text::one(&shown))? }
        }
        Pipeline::Queues(options) => return queues::run(options),
        Pipeline::Start(one) => set(one, SetPipeline::new(&one.pipeline, PipelineAct::Start))?,
        Pipeline::Resume(one) => set(one, SetPipeline::new(&one.pipeline, PipelineAct::Resume))?,
        Pipeline::Stop(ending) => end(ending, PipelineAct::Stop)?,
        Pipeline::Halt(ending) => end(ending, PipelineAct::Halt)?,
        Pipeline::Restart(ending) => end(ending, PipelineAct::Restart)?,
    }
    Ok(ExitCode::Ok)
}

fn end(ending: &Ending, act: PipelineAct) -> Result<(), Error> {
    set(&ending.one, SetPipeline::new(&ending.one.pipeline, act).wait(ending.wait))
}

fn set(one: &One, command: SetPipeline) -> Result<(), Error> {
    let shown = remote::connect(&one.common.selection)?.ask(command)?;
    if one.common.json { print::json(&shown) } else { print::lines(text::one(&shown)) }
}
