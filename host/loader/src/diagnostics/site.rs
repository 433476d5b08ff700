//! Callsites as the host's subscriber sees them: copies of those of plugins.
//!
//! `tracing` keeps callsites forever, so a copy is never freed. Each distinct place is copied once, no matter how many
//! libraries and generations contain it. Places that are described again with each record are unbounded in number, so
//! only a limited number of them is kept apart.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{LazyLock, OnceLock};

use hookrail_abi::boundary::{SITE_SPAN, TraceSite};
use parking_lot::Mutex;
use tracing::callsite::{self, Callsite, Identifier};
use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Level, Metadata};

/// The fields that the host adds, after the plugin's own.
pub(super) const ADDED: [&str; 3] = ["instance", "plugin", "generation"];
/// The names that a plugin's own fields with those names get.
const RENAMED: [&str; 3] = ["own.instance", "own.plugin", "own.generation"];

/// How many places of `log` lines are kept apart.
const LINES: usize = 4096;

const NEVER: u8 = 0;
const SOMETIMES: u8 = 1;
const ALWAYS: u8 = 2;

static SITES: LazyLock<Mutex<Sites>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Sites {
    known: HashMap<Place<'static>, &'static Site>,
    /// How many of them are `log` lines.
    lines: usize,
}

/// A callsite of a plugin.
///
/// # Invariants
/// `metadata` is set before any code but [`Place::make`] sees the site.
#[derive(Debug)]
pub(super) struct Site {
    /// The subscriber's interest; it is asked each time until it has answered.
    interest: AtomicU8,
    metadata: OnceLock<Metadata<'static>>,
}

/// The key that distinguishes callsites.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Place<'a> {
    is_span: bool,
    level: u32,
    line: u32,
    name: &'a str,
    target: &'a str,
    module: &'a str,
    file: &'a str,
    fields: Vec<&'a str>,
}

impl Site {
    /// The host's copy of a place in a library.
    ///
    /// # Safety
    /// The site is readable for the duration of the call, with everything it points to.
    pub(super) unsafe fn of(site: &TraceSite) -> &'static Self {
        // SAFETY: the texts of the site are readable for the call.
        let [name, target, module, file] =
            [site.name, site.target, site.module, site.file].map(|text| unsafe { text.to_text() });
        let fields = match site.field_count {
            0 => &[],
            // SAFETY: the site has so many fields, readable for the call.
            count => unsafe { std::slice::from_raw_parts(site.fields, count) },
        };
        // SAFETY: the name of each field is readable for the call.
        let fields: Vec<_> = fields.iter().map(|field| unsafe { field.to_text() }).collect();
        let place = Place {
            is_span: site.kind == SITE_SPAN,
            level: site.level,
            line: site.line,
            name: &name,
            target: &target,
            module: &module,
            file: &file,
            fields: fields.iter().map(|field| &**field).collect(),
        };
        if site.id.is_null() { place.line() } else { place.found() }.known()
    }

    /// The site of lines that instances write by `log/1`, which has no source location.
    pub(super) fn of_lines(level: u32) -> &'static Self {
        let level = level.max(1);
        let (name, target) = ("log", "hookrail::plugin");
        let place = Place { is_span: false, level, line: 0, name, target, module: "", file: "", fields: Vec::new() };
        place.found().known()
    }

    pub(super) fn metadata(&'static self) -> &'static Metadata<'static> {
        self.metadata.get().expect("by the type invariant")
    }

    /// Whether the subscriber wants it.
    pub(super) fn is_enabled(&'static self, dispatch: &Dispatch) -> bool {
        // Relaxed: `tracing` relies on no order either.
        match self.interest.load(Ordering::Relaxed) {
            NEVER => false,
            ALWAYS => true,
            _ => dispatch.enabled(self.metadata()),
        }
    }
}

impl Callsite for Site {
    fn set_interest(&self, interest: Interest) {
        let interest = match interest {
            never if never.is_never() => NEVER,
            always if always.is_always() => ALWAYS,
            _ => SOMETIMES,
        };
        self.interest.store(interest, Ordering::Relaxed);
    }

    fn metadata(&self) -> &Metadata<'_> {
        self.metadata.get().expect("by the type invariant")
    }
}

/// A site, and whether `tracing` still has to register it.
struct Found {
    site: &'static Site,
    is_new: bool,
}

impl Found {
    /// Registers it with `tracing`. No lock is held, since the subscriber is asked, which may do anything.
    fn known(self) -> &'static Site {
        if self.is_new {
            callsite::register(self.site);
        }
        self.site
    }
}

impl Place<'_> {
    /// As `site`, for places that may be unbounded in number.
    fn line(self) -> Found {
        let mut sites = SITES.lock();
        let is_known = sites.known.contains_key(&self);
        let place = if is_known || sites.lines < LINES {
            self
        } else {
            Place { line: 0, target: "log", module: "", file: "", ..self }
        };
        let found = place.site(&mut sites);
        sites.lines += usize::from(found.is_new);
        found
    }

    /// As `site`, for a permanent place.
    fn found(self) -> Found {
        self.site(&mut SITES.lock())
    }

    /// The single copy of this place.
    fn site(self, sites: &mut Sites) -> Found {
        if let Some(site) = sites.known.get(&self) {
            return Found { site, is_new: false };
        }
        let place = self.leak();
        let site = place.make();
        sites.known.insert(place, site);
        Found { site, is_new: true }
    }

    fn leak(self) -> Place<'static> {
        let leak = |text: &str| -> &'static str { Box::leak(text.into()) };
        let Place { is_span, level, line, .. } = self;
        let [name, target, module, file] = [self.name, self.target, self.module, self.file].map(leak);
        Place { is_span, level, line, name, target, module, file, fields: self.fields.into_iter().map(leak).collect() }
    }
}

impl Place<'static> {
    fn make(&self) -> &'static Site {
        let site: &'static Site =
            Box::leak(Box::new(Site { interest: AtomicU8::new(SOMETIMES), metadata: OnceLock::new() }));
        // A `log` line has only its message.
        let own = if self.fields.is_empty() && self.name == "log" { &["message"][..] } else { &self.fields };
        let own = own.iter().map(|name| match ADDED.iter().position(|added| added == name) {
            Some(index) => RENAMED[index],
            None => name,
        });
        let names: &'static [&'static str] = own.chain(ADDED).collect::<Vec<_>>().leak();
        let level = match self.level {
            0 | 1 => Level::ERROR,
            2 => Level::WARN,
            3 => Level::INFO,
            4 => Level::DEBUG,
            _ => Level::TRACE,
        };
        let some = |text: &'static str| Some(text).filter(|text| !text.is_empty());
        let kind = if self.is_span { Kind::SPAN } else { Kind::EVENT };
        // INVARIANT: no other code has seen the site yet.
        let metadata = Metadata::new(
            self.name,
            self.target,
            level,
            some(self.file),
            Some(self.line).filter(|line| *line > 0),
            some(self.module),
            FieldSet::new(names, Identifier(site)),
            kind,
        );
        let _ = site.metadata.set(metadata);
        site
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(target: &str) -> Place<'_> {
        let (name, file) = ("log", "a.rs");
        Place { is_span: false, level: 3, line: 1, name, target, module: "a", file, fields: Vec::new() }
    }

    /// A target may be created again for each line, and `tracing` never forgets what it has registered.
    #[test]
    fn only_so_many_places_of_lines_are_told_apart() {
        let targets: Vec<_> = (0..LINES + 100).map(|number| format!("target {number}")).collect();
        let found: Vec<_> = targets.iter().map(|target| place(target).line().known()).collect();
        assert_eq!((found[0].metadata().target(), found[0].metadata().line()), ("target 0", Some(1)));
        let last = found[LINES + 99].metadata();
        assert_eq!((last.target(), last.line(), last.file()), ("log", None, None));
        assert!(SITES.lock().lines <= LINES + 5, "one more per level");
        // What is registered stays registered.
        assert!(std::ptr::eq(place("target 0").line().known(), found[0]));
    }

    #[test]
    fn a_place_is_copied_once_and_a_field_of_the_hosts_name_is_the_plugins_own() {
        let with = |fields| Place { name: "event", fields, ..place("fields") };
        let sites = [(); 2].map(|()| with(vec!["message", "instance"]).found().known());
        assert!(std::ptr::eq(sites[0], sites[1]));
        let names: Vec<_> = sites[0].metadata().fields().iter().map(|field| field.name()).collect();
        assert_eq!(names, ["message", "own.instance", "instance", "plugin", "generation"]);
        assert!(!std::ptr::eq(sites[0], with(vec!["message"]).found().known()));
    }
}
