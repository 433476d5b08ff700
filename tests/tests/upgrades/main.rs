//! One generation of a plugin takes the place of another, is refused, goes back, is stopped and started.

mod full_load;
mod refusals;
mod replacement;
mod rollback;
mod stop_and_start;
