//! What a call of the callback costs, by the function that a host calls.
use std::hint::black_box;
use std::time::Instant;

use hookrail_abi::prelude::*;
use hookrail_abi::testing;
use {{crate}}::{{Type}};

fn main() {
    const CALLS: u32 = 200_000;
    let plugin = testing::start::<{{Type}}>("{}").expect("it starts without a configuration");
    let mut payload = {{example}};
    // The best of several rounds: what disturbs makes them longer, never shorter.
    let mut round = || {
        let began = Instant::now();
        for _ in 0..CALLS {
            plugin.call({{Point}}, "{{callback}}", black_box(&mut payload));
        }
        began.elapsed() / CALLS
    };
    let best = (0..20).map(|_| round()).min().expect("there are rounds");
    let nanoseconds = best.as_nanos();
    println!("{{callback}}: {nanoseconds} ns a call, the test harness included");
}
