//! Library 0 of eight.
hookrail_benches::library!("work-0");
