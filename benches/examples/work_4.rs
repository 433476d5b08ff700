//! Library 4 of eight.
hookrail_benches::library!("work-4");
