//! Build 2 of a plugin on a hundred points.
hookrail_benches::build!(Hundred, 2, "hundred");
