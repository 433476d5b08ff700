//! Library 6 of eight.
hookrail_benches::library!("work-6");
