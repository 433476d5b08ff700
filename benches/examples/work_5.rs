//! Library 5 of eight.
hookrail_benches::library!("work-5");
