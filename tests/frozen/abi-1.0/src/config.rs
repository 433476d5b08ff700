//! What a plugin's configuration can do.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::error::Result;

/// The type of a plugin's configuration: read from JSON, and described by a JSON Schema.
///
/// [`#[config]`](macro@crate::config) implements it for a struct or an enum. What its fields contain has the same
/// attribute, or is a type that both serde and schemars know, such as `String`, `Vec`, `BTreeMap`, [`Secret`] and
/// numbers.
///
/// Everything that implements serde's `Deserialize` and `JsonSchema` of schemars 1 implements it too: with
/// [`hookrail_abi::serde`](crate::serde) and [`hookrail_abi::schemars1`](crate::schemars1), or with the same crates as
/// dependencies of your own.
///
/// [`Secret`]: crate::Secret
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a configuration: write `#[config]` above it",
    note = "a plugin without a configuration has `type Config = NoConfig;`"
)]
pub trait Configuration: Sized {
    /// Reads it from JSON.
    ///
    /// # Errors
    /// If it is not JSON, or not of this type; the text says where and why.
    fn from_json(json: &str) -> Result<Self>;

    /// Its JSON Schema, as JSON.
    fn schema() -> String;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema> Configuration for T {
    fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|error| format!("the configuration does not fit: {error}").into())
    }

    fn schema() -> String {
        schemars::schema_for!(T).as_value().to_string()
    }
}

/// Makes a struct or an enum a plugin's configuration, or a part of one: [`Configuration`].
///
/// The comments on the fields become the descriptions of the JSON Schema. A struct refuses fields that it does not
/// have. `#[serde(...)]` and `#[schemars(...)]` mean what they mean in serde 1 and schemars 1; they stand below
/// `#[config]`.
///
/// ```
/// use hookrail_abi::{Configuration, config};
///
/// #[config]
/// struct Config {
///     /// What is sent away.
///     words: Vec<String>,
///     /// How many are sent at once.
///     #[serde(default)]
///     #[schemars(range(max = 100))]
///     at_once: u8,
///     /// Where they go.
///     receiver: Receiver,
/// }
///
/// #[config]
/// #[serde(rename_all = "lowercase")]
/// enum Receiver {
///     Everybody,
///     One(String),
/// }
///
/// let config = Config::from_json(r#"{ "words": ["hello"], "receiver": { "one": "you" } }"#).unwrap();
/// assert!(matches!(config.receiver, Receiver::One(name) if name == "you"));
/// assert_eq!(config.at_once, 0);
///
/// let error = Config::from_json(r#"{ "word": [] }"#).err().unwrap().to_string();
/// assert!(error.contains("unknown field `word`, expected one of `words`, `at_once`, `receiver`"), "{error}");
/// assert!(Config::schema().contains(r#""description":"What is sent away.""#));
/// ```
pub use hookrail_abi_derive::config;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    mod by_the_macro {
        use super::*;

        /// Where to send what.
        #[config]
        #[derive(Debug, PartialEq)]
        pub(super) struct Config {
            /// The password.
            pub(super) password: Secret,
            /// How often.
            #[serde(default = "three")]
            #[schemars(range(min = 1))]
            pub(super) times: u8,
        }

        fn three() -> u8 {
            3
        }
    }

    mod by_hand {
        use super::*;

        /// Where to send what.
        #[derive(crate::serde::Deserialize, crate::schemars1::JsonSchema)]
        #[serde(crate = "hookrail_abi::serde", deny_unknown_fields)]
        #[schemars(crate = "hookrail_abi::schemars1")]
        #[expect(dead_code)]
        pub(super) struct Config {
            /// The password.
            password: Secret,
            /// How often.
            #[serde(default = "three")]
            #[schemars(range(min = 1))]
            times: u8,
        }

        fn three() -> u8 {
            3
        }
    }

    #[test]
    fn the_macro_derives_what_an_author_may_derive_by_hand() {
        let schema = by_the_macro::Config::schema();
        assert_eq!(schema, by_hand::Config::schema());
        for part in [
            r#""description":"How often.""#,
            r#""default":3"#,
            r#""writeOnly":true"#,
            r#""additionalProperties":false"#,
        ] {
            assert!(schema.contains(part), "{part} in {schema}");
        }
        let read = by_the_macro::Config::from_json(r#"{ "password": "hunter2" }"#).unwrap();
        assert_eq!(read, by_the_macro::Config { password: "hunter2".into(), times: 3 });
        let unknown = r#"{ "password": "hunter2", "time": 4 }"#;
        let said = |error: crate::Error| error.to_string();
        let error = by_the_macro::Config::from_json(unknown).map_err(said).unwrap_err();
        assert_eq!(Err(&error), by_hand::Config::from_json(unknown).map_err(said).as_ref().map(drop));
        assert!(error.starts_with("the configuration does not fit: unknown field `time`"), "{error}");
    }
}
