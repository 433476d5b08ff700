//! Test binaries as workers: the harness has their `main`, so they enter before it.

/// Called by the system's loader, before `main`.
extern "C" fn enter() {
    hookrail::worker::enter();
}

#[used]
#[unsafe(link_section = ".init_array")]
static ENTER: extern "C" fn() = enter;

/// Has this binary run workers: whoever calls it links what is above.
pub fn is_linked() -> bool {
    std::hint::black_box(&raw const ENTER).is_aligned()
}
