//! Library 1 of eight.
hookrail_benches::library!("work-1");
