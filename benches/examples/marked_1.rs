//! Build 1 of a small plugin.
hookrail_benches::build!(Marked, 1, "marked");
