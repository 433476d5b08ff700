//! `hookrail run` and `hookrail dev`: what goes through them, and what is done to them from outside.

mod control;
mod dev;
mod ephemeral;
mod formats;
mod lost_work;
mod observation;
mod reload;
mod run;
mod secrets;
mod threads;
mod untrusted_text;
mod watch;
