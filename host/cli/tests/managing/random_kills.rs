//! A verb is killed at random moments: behind it the store is what it was before or what it was to become,
//! whole, and the next change works.
//!
//! `HOOKRAIL_FAULTS=all` kills a thousand times in place of a hundred; `HOOKRAIL_SEED=N` has the moments of a
//! run that printed N, as far as a machine can.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hookrail_tests::cli::whole::{CONFIGURE, ENABLE, INSTALL_OVER, PURGE, ROLLBACK, UNINSTALL, UPGRADE, Verb, Whole};
use hookrail_tests::probe::LONG;
use hookrail_tests::random::Random;

const VERBS: [Verb; 7] = [INSTALL_OVER, UPGRADE, UNINSTALL, ENABLE, ROLLBACK, CONFIGURE, PURGE];

#[test]
fn a_verb_killed_at_any_moment_is_whole_or_none() {
    let kills = if std::env::var_os("HOOKRAIL_FAULTS").is_some() { 1000 } else { 100 };
    let mut random = Random::of_run();
    let mut ran = 0;
    for (verb, rest) in VERBS.iter().zip((0..VERBS.len()).rev()) {
        // As many for each, and what does not divide for the last.
        let count = if rest > 0 { kills / VERBS.len() } else { kills - kills / VERBS.len() * (VERBS.len() - 1) };
        ran += killed(*verb, count, &mut random);
    }
    // Where this thread is woken late, most come when it is over: then there are more of them.
    let began = Instant::now();
    while ran * 3 < kills {
        assert!(began.elapsed() < LONG * 5, "{ran} of {kills} kills hit the program while it ran: too few");
        ran += VERBS.map(|verb| killed(verb, kills / VERBS.len(), &mut random)).iter().sum::<usize>();
    }
}

/// Kills a verb so many times; returns how many times it was running then.
fn killed(verb: Verb, kills: usize, random: &mut Random) -> usize {
    let name = verb.name;
    let whole = Whole::of(verb, &format!("killed_{}", name.replace(' ', "_")));
    let usual = usual(&whole, verb);
    let (mut ran, mut new, mut left_over) = (0, 0, 0);
    for kill in 0..kills {
        whole.reset();
        let moment = usual.mul_f64(random.part());
        let status = killed_at(&whole, verb, moment);
        let is_killed = status.signal() == Some(9);
        let at = format!("{name}, kill {kill}, after {moment:?} of {usual:?}: {status}");
        assert!(is_killed || status.success(), "{at}");
        let left = whole.settle(&at);
        assert!(is_killed || left.is_new, "{at}");
        if !left.is_new {
            whole.home.ok(verb.arguments);
            assert!(whole.home.all() == whole.new.0, "{at}, and then once more");
        }
        ran += usize::from(is_killed);
        new += usize::from(left.is_new);
        left_over += usize::from(left.left_over);
    }
    println!(
        "{name}, {usual:.1?} long: {ran} of {kills} kills while it ran, {new} left the new state, \
         {left_over} something to collect"
    );
    ran
}

/// How long the verb takes where nothing else is in its way: the least of a few times.
fn usual(whole: &Whole, verb: Verb) -> Duration {
    let times = [(); 5].map(|()| {
        whole.reset();
        let began = Instant::now();
        whole.home.ok(verb.arguments);
        began.elapsed()
    });
    times.into_iter().min().unwrap()
}

fn killed_at(whole: &Whole, verb: Verb, moment: Duration) -> ExitStatus {
    let mut command = whole.home.command(verb.arguments);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap()
}
