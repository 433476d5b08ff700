//! Sizes as people write them.

use std::str::FromStr;

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) usize);

impl FromStr for Size {
    type Err = String;

    /// `4096`, `64k`, `64 KiB`, `16M`, `1GiB`: the units are powers of 1024.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let shift = match unit.trim_start().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            _ => return Err("write a number of bytes, with k, M or G after it if you like".into()),
        };
        let number: usize = number.parse().map_err(|_| format!("`{number}` is no number of bytes"))?;
        let size = number.checked_mul(1 << shift).filter(|size| *size <= isize::MAX as usize / 4);
        match size {
            Some(0) => Err("it must not be 0".into()),
            Some(size) => Ok(Size(size)),
            None => Err("it is more than this machine can address".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_of_1024() {
        for (text, bytes) in
            [("1", 1), ("4096", 4096), ("64k", 65_536), ("64 KiB", 65_536), ("16MiB", 16 << 20), ("1G", 1 << 30)]
        {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for (text, said) in [
            ("", "no number"),
            ("k", "no number"),
            ("-1", "write a number"),
            ("1 day", "write a number"),
            ("0", "not be 0"),
            ("99999999999G", "more than"),
        ] {
            let error = text.parse::<Size>().unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
