//! Build 1 of a plugin on a hundred points.
hookrail_benches::build!(Hundred, 1, "hundred");
