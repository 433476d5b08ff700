//! Library 2 of eight.
hookrail_benches::library!("work-2");
