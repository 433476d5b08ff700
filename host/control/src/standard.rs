//! The commands that every host has.

mod crashes;
mod file;
mod metrics;
mod plugin;
mod points;

use std::time::Duration;

use hookrail_engine::Core;
use hookrail_model::command::{
    Allow, Apply, Config, ConfigHistory, ConfigSchema, Configure, Crashes, Disable, Enable, Halt, ImportIncoming,
    Install, List, Load, Metrics, Points, Program, Restart, Resume, Rollback, SetCallback, SetLevel, SetLogLevel, Show,
    ShowCrash, Stage, Start, Status, Stop, Uninstall, Unload, Unquarantine, Validate,
};
use hookrail_store::{self as store, Depth};
use serde_json::Value;

use crate::commands::Commands;
use crate::ending;
use crate::verbs::{Reconfigure, Swap};
use file::is_absolute;
pub(crate) use metrics::Meters;

/// Registers all of them.
pub(crate) fn register(commands: &Commands, meters: Meters) {
    commands.register(|call, Allow { plugin, version, sha256, lasts_ms, .. }| {
        call.verbs()?.allow(&plugin, version, sha256, Duration::from_millis(lasts_ms))
    });
    commands.register(|call, Apply { plugins, dry_run, .. }| call.verbs()?.apply(&plugins, dry_run));
    commands.register(|call, Config { plugin, .. }| call.verbs()?.config(&plugin));
    commands.register(|call, ConfigHistory { plugin, .. }| call.verbs()?.config_history(&plugin));
    commands.register(|call, ConfigSchema { plugin, .. }| call.verbs()?.config_schema(&plugin));
    commands.register(|call, Configure { plugin, config, restart, if_revision, wait_ms, .. }| {
        let how = Reconfigure { restart, if_revision, swap: Swap { fresh: false, wait_ms } };
        call.verbs()?.configure(&plugin, config, how)
    });
    commands.register(|call, Crashes { .. }| crashes::list(call.core()));
    commands.register(|call, ShowCrash { id, .. }| crashes::show(call.core(), &id));
    commands.register(|call, Disable { plugin, wait_ms, .. }| call.verbs()?.disable(&plugin, wait_ms));
    commands.register(|call, Enable { plugin, .. }| call.verbs()?.enable(&plugin));
    commands.register(|call, Points { point, .. }| points::points(call.core(), point.as_deref()));
    commands.register(|call, Install { file, plugin, dry_run, downgrade, fresh, wait_ms, .. }| {
        is_absolute(&file)?;
        let (verbs, swap) = (call.verbs()?, Swap { fresh, wait_ms });
        let mut how = store::Install::new();
        (how.dry_run, how.downgrade) = (dry_run, downgrade);
        match plugin {
            Some(plugin) => verbs.upgrade(&file, &plugin, how, swap),
            None => verbs.install(&file, None, how, swap),
        }
    });
    commands.register(|call, command: SetCallback| {
        call.verbs()?.set_callback(&command)?;
        Ok(points::points(call.core(), Some(&command.point))?.remove(0))
    });
    commands.register(|call, SetLevel { point, level, .. }| points::set_level(call.core(), &point, level));
    commands.register(|call, List { verify, .. }| call.plugins(if verify { Depth::Files } else { Depth::Metadata }));
    commands.register(|call, Load { file, .. }| plugin::load(call, &file));
    commands.register(move |call, Metrics { .. }| Ok(meters.read(call)));
    commands.register(|call, SetLogLevel { plugin, level, .. }| plugin::log(call, &plugin, level));
    commands
        .register(|call, Unquarantine { point, callback, .. }| points::unquarantine(call.core(), &point, &callback));
    commands.register(|call, Restart { plugin, .. }| plugin::restart(call, &plugin));
    commands.register(|call, Rollback { plugin, fresh, wait_ms, .. }| {
        call.verbs()?.rollback(&plugin, Swap { fresh, wait_ms })
    });
    commands.register(|call, Show { plugin, .. }| plugin::show(call, &plugin));
    commands.register(|call, Stage { file, .. }| {
        is_absolute(&file)?;
        call.verbs()?.stage(&file)
    });
    commands.register(|call, Start { plugin, .. }| plugin::start(call, &plugin));
    commands.register(|call, Status { .. }| Ok(status(call.core(), call.report())));
    commands.register(|call, Halt { plugin, .. }| plugin::halt(call, &plugin));
    commands.register(|call, Resume { plugin, .. }| plugin::resume(call, &plugin));
    commands.register(|call, Stop { plugin, .. }| plugin::stop(call, &plugin));
    commands.register(|call, ImportIncoming { .. }| call.verbs()?.import_incoming());
    commands.register(points::trace);
    commands
        .register(|call, Uninstall { plugin, purge, wait_ms, .. }| call.verbs()?.uninstall(&plugin, purge, wait_ms));
    commands
        .register(|call, Unload { plugin, wait_ms, .. }| ending::unload(call.core(), &call.find(&plugin)?, wait_ms));
    commands.register(plugin::embed);
    commands.register(plugin::isolate);
    commands.register(plugin::replace);
    commands.register(|call, Validate { file, .. }| {
        is_absolute(&file)?;
        call.verbs()?.validate(&file)
    });
}

fn status(core: &Core, report: Value) -> Program {
    let mut program = Program::new(std::process::id(), env!("CARGO_PKG_VERSION"));
    program.uptime_ms = core.began.elapsed().as_millis() as u64;
    program.plugins = core.table.views().len();
    program.report = report;
    program
}
