//! Tells what a message asks for.

mod telling;

hookrail_abi::export!(telling::Tells, name = "tells");
