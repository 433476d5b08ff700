//! Library 7 of eight.
hookrail_benches::library!("work-7");
