//! Static declarations: which sources and sinks a plugin has.

use std::ptr::NonNull;

use super::{Sink, Source};
use crate::boundary::{STREAM_SINK, STREAM_SOURCE};
use crate::{Configuration, Result};

/// The sources and sinks of a plugin `P`, made by [`endpoints!`](crate::endpoints).
pub type Endpoints<P> = &'static [Endpoint<P>];

/// One source or sink of a plugin `P`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Endpoint<P> {
    /// Which of both.
    pub kind: EndpointKind,
    /// Its name, unique among those of its kind in the plugin.
    pub name: &'static str,
    /// What it promises.
    pub guarantee: Guarantee,
    pub(crate) accept: fn(&P, &str) -> Result<Accepted>,
    pub(crate) schema: fn() -> String,
}

/// What an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointKind {
    /// It takes messages.
    Sink,
    /// Messages come from it.
    Source,
}

/// How often a message arrives if a process is killed on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Guarantee {
    /// Once or more often. A source sends [marks](super::Mark) and begins where the host's end; a sink acknowledges what it
    /// has handed on for good.
    AtLeastOnce,
    /// Once, or not at all.
    AtMostOnce,
}

/// One use of an endpoint in a pipeline.
pub(crate) enum Accepted {
    Sink(Box<dyn Sink>),
    Source(Box<dyn Source>),
}

/// A function that makes sources. What it returns may name the lifetime of the plugin, as `impl Source` does, but borrows
/// nothing of it.
pub trait AcceptsSource<'a, P: 'a, C>: Fn(&'a P, C) -> Result<Self::Source> {
    /// What it makes.
    type Source: Source;
}

/// A function that makes sinks, as [`AcceptsSource`] does sources.
pub trait AcceptsSink<'a, P: 'a, C>: Fn(&'a P, C) -> Result<Self::Sink> {
    /// What it makes.
    type Sink: Sink;
}

impl<'a, P: 'a, C, F: Fn(&'a P, C) -> Result<S>, S: Source> AcceptsSource<'a, P, C> for F {
    type Source = S;
}

impl<'a, P: 'a, C, F: Fn(&'a P, C) -> Result<S>, S: Sink> AcceptsSink<'a, P, C> for F {
    type Sink = S;
}

impl EndpointKind {
    /// Its number at the boundary.
    pub const fn number(self) -> u32 {
        match self {
            EndpointKind::Sink => STREAM_SINK,
            EndpointKind::Source => STREAM_SOURCE,
        }
    }

    /// Its name in a note.
    pub const fn name(self) -> &'static str {
        match self {
            EndpointKind::Sink => "sink",
            EndpointKind::Source => "source",
        }
    }
}

impl Guarantee {
    /// Its name in a note.
    pub const fn name(self) -> &'static str {
        match self {
            Guarantee::AtLeastOnce => "at-least-once",
            Guarantee::AtMostOnce => "at-most-once",
        }
    }
}

impl<P: 'static> Endpoint<P> {
    /// A source, which `accept` makes of the plugin and of a configuration; [`endpoints!`](crate::endpoints) is the short
    /// way to write it.
    pub const fn source<F, C>(name: &'static str, _accept: F) -> Self
    where
        F: for<'a> AcceptsSource<'a, P, C> + Copy + 'static,
        C: Configuration,
    {
        const { assert!(size_of::<F>() == 0, "an endpoint is a function or a closure that captures nothing") };
        Endpoint::new(EndpointKind::Source, name, accept_source::<P, F, C>, C::schema)
    }

    /// A sink, which `accept` makes of the plugin and of a configuration; [`endpoints!`](crate::endpoints) is the short way
    /// to write it.
    pub const fn sink<F, C>(name: &'static str, _accept: F) -> Self
    where
        F: for<'a> AcceptsSink<'a, P, C> + Copy + 'static,
        C: Configuration,
    {
        const { assert!(size_of::<F>() == 0, "an endpoint is a function or a closure that captures nothing") };
        Endpoint::new(EndpointKind::Sink, name, accept_sink::<P, F, C>, C::schema)
    }

    const fn new(
        kind: EndpointKind,
        name: &'static str,
        accept: fn(&P, &str) -> Result<Accepted>,
        schema: fn() -> String,
    ) -> Self {
        assert!(crate::name::is_plain(name), "an endpoint's name is made of letters, digits, `-`, `_` and `.`");
        Endpoint { kind, name, guarantee: Guarantee::AtMostOnce, accept, schema }
    }

    /// Sets what it promises; the default is [`Guarantee::AtMostOnce`].
    #[must_use]
    pub const fn guarantee(mut self, guarantee: Guarantee) -> Self {
        self.guarantee = guarantee;
        self
    }
}

fn accept_source<P, F, C>(plugin: &P, config: &str) -> Result<Accepted>
where
    F: for<'a> AcceptsSource<'a, P, C> + Copy + 'static,
    C: Configuration,
{
    Ok(Accepted::Source(Box::new(the::<F>()(plugin, C::from_json(config)?)?)))
}

fn accept_sink<P, F, C>(plugin: &P, config: &str) -> Result<Accepted>
where
    F: for<'a> AcceptsSink<'a, P, C> + Copy + 'static,
    C: Configuration,
{
    Ok(Accepted::Sink(Box::new(the::<F>()(plugin, C::from_json(config)?)?)))
}

/// The function of a type that [`Endpoint::source`] or [`Endpoint::sink`] was given.
fn the<F: Copy + 'static>() -> &'static F {
    const { assert!(size_of::<F>() == 0) };
    // SAFETY: the type has no size, as is asserted, and one was given, which is `Copy`: reading it needs no memory.
    unsafe { NonNull::<F>::dangling().as_ref() }
}

/// Declares the sources and sinks of a plugin. Each is its kind, its name, the function that makes one of a configuration,
/// and what it promises; they are separated by `;`.
///
/// The function is called once per use in a pipeline. It gets the plugin and the configuration of that use, refuses it by
/// an error, and starts nothing: what it returns, a [`Source`] or a [`Sink`], runs later, or never.
///
/// | setting | value | without it |
/// |---|---|---|
/// | `guarantee` | [`at_least_once` or `at_most_once`](Guarantee) | `at_most_once` |
///
/// ```
/// use hookrail_abi::prelude::*;
///
/// #[config]
/// struct Count {
///     /// How many.
///     count: u32,
/// }
///
/// struct Numbers;
///
/// impl Numbers {
///     fn up(&self, config: Count) -> Result<impl Source> {
///         Ok(move |io: &mut SourceIo<'_>| {
///             for number in 0..config.count {
///                 io.send(&mut Message::new("number", number.to_string()))?;
///             }
///             Ok(())
///         })
///     }
/// }
///
/// impl Plugin for Numbers {
///     type Config = NoConfig;
///     const HOOKS: Hooks<Self> = &[];
///     const ENDPOINTS: Endpoints<Self> = endpoints![source "up" => Self::up, guarantee = at_most_once];
///
///     fn start(_: &Startup, _: NoConfig) -> Result<Self> {
///         Ok(Numbers)
///     }
/// }
///
/// let numbers = hookrail_abi::testing::start::<Numbers>("{}").unwrap();
/// let sent = numbers.source("up", r#"{ "count": 3 }"#).unwrap().run(&[], |_| false).unwrap();
/// assert_eq!(sent.messages[2].body.to_display(), "2");
/// assert!(numbers.source("up", "{}").is_err());
/// ```
#[macro_export]
macro_rules! endpoints {
    ($($kind:ident $name:literal => $function:expr $(, $key:ident = $value:expr)*);* $(;)?) => {
        &[$($crate::endpoints!(@set $crate::endpoints!(@new $kind $name, $function); $($key = $value,)*)),*]
    };
    (@new source $name:literal, $function:expr) => { $crate::Endpoint::source($name, $function) };
    (@new sink $name:literal, $function:expr) => { $crate::Endpoint::sink($name, $function) };
    (@new $other:ident $name:literal, $function:expr) => {
        compile_error!(concat!("an endpoint is a `source` or a `sink`, not a `", stringify!($other), "`"))
    };
    (@set $endpoint:expr;) => { $endpoint };
    (@set $endpoint:expr; guarantee = $value:expr, $($rest:tt)*) => {
        $crate::endpoints!(@set $endpoint.guarantee({
            #[allow(unused_imports)]
            use $crate::endpoint_words::*;
            $value
        }); $($rest)*)
    };
    (@set $endpoint:expr; $other:ident = $value:expr, $($rest:tt)*) => {
        compile_error!(concat!("an endpoint has no setting `", stringify!($other), "`: it has guarantee"))
    };
    ($($anything:tt)*) => {
        compile_error!("an endpoint is: source \"name\" => Self::function [, guarantee = at_least_once | at_most_once], or the same with `sink`; endpoints are separated by `;`")
    };
}

/// The setting values that [`endpoints!`](crate::endpoints) accepts.
#[doc(hidden)]
#[allow(non_upper_case_globals)]
pub mod endpoint_words {
    use super::Guarantee;

    pub const at_least_once: Guarantee = Guarantee::AtLeastOnce;
    pub const at_most_once: Guarantee = Guarantee::AtMostOnce;
}
