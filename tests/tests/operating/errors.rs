//! What an error says, to programs that print it and to those that print its sources as well.

use std::error::Error as StdError;
use std::io;

use hookrail::control::wire::Problem;
use hookrail::control::{self, CallError, Client, ControlError};
use hookrail::package::{self, PackageError};
use hookrail::store::{self, StoreError};
use hookrail::{ApiMisuse, ConfigError, Error, Incompatible, Misbehaved};

/// The facts of the errors, each of which must be printed once.
const WHAT: &str = "read the file";
const WHOSE: &str = "the-plugin";
const WHY: &str = "the reason";
/// A socket that is not there.
const NOWHERE: &str = "/no/such.sock";

fn cause() -> io::Error {
    io::Error::other(WHY)
}

fn system() -> Error {
    Error::system(WHAT, cause())
}

fn rejected() -> PackageError {
    PackageError::Unsigned(WHY.into())
}

fn refused() -> StoreError {
    StoreError::Damaged(WHY.into())
}

fn cases() -> Vec<(Box<dyn StdError>, Vec<&'static str>)> {
    let (plugin, said) = (|| WHOSE.to_owned(), || WHY.to_owned());
    let problem = Problem::new("HR0103", said(), "do something");
    vec![
        (Box::new(system()), vec![WHAT, WHY]),
        (Box::new(Error::from(ApiMisuse::NotLoaded(plugin()))), vec![WHOSE]),
        (Box::new(Error::from(ConfigError::file(WHOSE, said()))), vec![WHOSE, WHY]),
        (Box::new(Error::from(ConfigError::schema(plugin(), vec![said()]))), vec![WHOSE, WHY]),
        (Box::new(Error::incompatible(plugin(), Incompatible::Damaged(said()))), vec![WHOSE, WHY]),
        (Box::new(Error::misbehaved(plugin(), Misbehaved::failed("start", said()))), vec![WHOSE, "start", WHY]),
        (Box::new(package::Error::from(system())), vec![WHAT, WHY]),
        (Box::new(package::Error::rejected(plugin(), rejected())), vec![WHOSE, WHY]),
        (Box::new(store::Error::from(system())), vec![WHAT, WHY]),
        (Box::new(store::Error::from(package::Error::rejected(plugin(), rejected()))), vec![WHOSE, WHY]),
        (Box::new(store::Error::refused(plugin(), refused())), vec![WHOSE, WHY]),
        (Box::new(control::Error::from(system())), vec![WHAT, WHY]),
        (Box::new(control::Error::from(ControlError::BadRequest(said()))), vec![WHY]),
        (Box::new(control::Error::from(package::Error::rejected(plugin(), rejected()))), vec![WHOSE, WHY]),
        (Box::new(control::Error::from(store::Error::refused(plugin(), refused()))), vec![WHOSE, WHY]),
        (Box::new(CallError::Refused(problem)), vec![WHY]),
        (Box::new(Client::connect(NOWHERE).unwrap_err()), vec![NOWHERE, "No such file or directory"]),
        (Box::new(hookrail_check::Error::from(system())), vec![WHAT, WHY]),
    ]
}

#[test]
fn an_error_and_its_sources_print_each_fact_once() {
    for (error, facts) in cases() {
        let whole = error.to_string();
        let (mut printed, mut source) = (whole.clone(), error.source());
        while let Some(cause) = source {
            printed = format!("{printed}: {cause}");
            source = cause.source();
        }
        for fact in facts {
            assert_eq!(whole.matches(fact).count(), 1, "the text alone: {whole}");
            assert_eq!(printed.matches(fact).count(), 1, "the text with its sources: {printed}");
        }
    }
}
