//! Build 2 of a small plugin.
hookrail_benches::build!(Marked, 2, "marked");
