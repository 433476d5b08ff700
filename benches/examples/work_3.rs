//! Library 3 of eight.
hookrail_benches::library!("work-3");
