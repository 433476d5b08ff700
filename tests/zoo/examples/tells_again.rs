//! As `tells`, under another name: two plugins that have the same source.

mod telling;

hookrail_abi::export!(telling::Tells, name = "tells-again");
