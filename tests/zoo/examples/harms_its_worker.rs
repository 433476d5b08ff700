//! Harms the process that it runs in, in the way its configuration or a message says: for what a worker contains.

use std::time::Duration;

use hookrail_abi::prelude::*;

#[config]
#[derive(Default)]
struct Config {
    /// What to do when it is started: `abort` or `hang`.
    #[serde(default)]
    start: String,
    /// What to do when it is stopped: `hang`.
    #[serde(default)]
    stop: String,
}

struct Specimen {
    stop: String,
}

impl Specimen {
    fn harm(message: &mut Message) {
        let body = message.body.to_display();
        let (way, argument) = body.split_once(' ').unwrap_or((&body, ""));
        match way {
            "abort" => std::process::abort(),
            // SAFETY: there is none: that is what it is made for.
            "close" => (0..4096).for_each(|number| _ = unsafe { libc::close(number) }),
            "escape" => escape(argument),
            // SAFETY: a number goes in, and one comes out.
            "files" => while unsafe { libc::dup(2) } >= 0 {},
            "hang" => hang(),
            "hoard" => hoard(),
            // SAFETY: it is what it is made for.
            "kill" => _ = unsafe { libc::raise(libc::SIGKILL) },
            "scribble" => scribble(argument.parse().unwrap_or(1)),
            "spin" => while std::hint::black_box(true) {},
            // SAFETY: it is what it is made for.
            "stop" => _ = unsafe { libc::raise(libc::SIGSTOP) },
            _ => message.set_header("process", &std::process::id().to_string()),
        }
    }
}

fn hang() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Takes memory, and uses it, until there is none.
fn hoard() {
    const STEP: usize = 16 << 20;
    loop {
        // SAFETY: what is allocated has that size.
        unsafe {
            let memory = libc::malloc(STEP);
            assert!(!memory.is_null(), "there is no more memory");
            libc::memset(memory, 1, STEP);
        }
    }
}

/// Leaves a process behind that has a session of its own, and writes its number to a file.
fn escape(file: &str) {
    // SAFETY: the child calls nothing that another thread could hold a lock of, but for the writing of the file; it is
    // made to misbehave.
    unsafe {
        if libc::fork() == 0 {
            libc::setsid();
            if libc::fork() == 0 {
                let _ = std::fs::write(file, std::process::id().to_string());
                libc::sleep(600);
            }
            libc::_exit(0);
        }
    }
}

/// Writes over all memory that it shares with its host, by numbers that a seed gives.
fn scribble(seed: u64) {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut random = seed | 1;
    for line in maps.lines().filter(|line| line.contains("hookrail-lanes")) {
        let Some((from, to)) = line.split(' ').next().and_then(|range| range.split_once('-')) else { continue };
        let (from, to) = (usize::from_str_radix(from, 16).unwrap_or(0), usize::from_str_radix(to, 16).unwrap_or(0));
        for _ in 0..10_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // The first lanes are the ones that are used.
            let at = from + random as usize % (to - from).min(1 << 20);
            // SAFETY: there is none: that is what it is made for.
            unsafe { (at as *mut u8).write_volatile((random >> 32) as u8) };
        }
    }
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "harm" => |_, message| Specimen::harm(message), priority = 10];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        match config.start.as_str() {
            "abort" => std::process::abort(),
            "hang" => hang(),
            _ => Ok(Specimen { stop: config.stop }),
        }
    }

    fn reload(&self, _: Config) -> Result<()> {
        Ok(())
    }

    fn stop(&self) {
        if self.stop == "hang" {
            hang();
        }
    }
}

export!(Specimen, name = "harms-its-worker");
