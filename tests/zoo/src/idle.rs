//! A plugin that takes every configuration and every state, and does nothing with its point.

use std::marker::PhantomData;

use hookrail_abi::Point;
use hookrail_abi::prelude::*;

/// What matters of it is the point that it hooks.
#[derive(Debug)]
pub struct Idle<P>(PhantomData<fn(P)>);

/// Anything.
#[derive(Clone, Copy, Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct Config {}

impl<P: Point> Plugin for Idle<P> {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![P, "count" => |_, _| {}, priority = 300];

    fn start(_: &Startup, _: Config) -> Result<Self> {
        Ok(Idle(PhantomData))
    }

    fn restore(_: &Startup, _: Config, _: State) -> Result<Self> {
        Ok(Idle(PhantomData))
    }
}
