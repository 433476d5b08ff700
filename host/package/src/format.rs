//! The files of a home state their format, so that a newer one is told from a damaged one.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What a file of any format has.
#[derive(Deserialize)]
struct AnyFormat {
    format: u32,
}

/// Parses a file whose `format` must be this one. Nothing else of a file of another format is read.
///
/// # Errors
/// If the file has another format, or is not what the type says.
pub fn parse<T: DeserializeOwned>(json: &[u8], format: u32) -> Result<T, String> {
    let AnyFormat { format: found } = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if found != format {
        return Err(format!("`format` is {found}, this host reads {format}"));
    }
    serde_json::from_slice(json).map_err(|error| error.to_string())
}
