//! Times and sizes as people write them, in files and flags alike: `500ms`, `5s`, `1h 30m`; `4096`, `64KiB`, `16MiB`.

use std::time::Duration;

use crate::parse::ParseError;

/// Reads a time: numbers with units (`ns`, `us`, `ms`, `s`, `m`, `h`, `d`).
///
/// # Errors
/// What is wrong, with an example, for a number without a unit and anything else.
pub fn duration(text: &str) -> Result<Duration, ParseError> {
    humantime::parse_duration(text).map_err(|error| {
        let text = text.escape_debug();
        ParseError::new(format!("`{text}` is not a duration ({error}): write for example 500ms, 5s or 2m"))
    })
}

/// A time as [`duration`] reads it, exactly.
pub fn duration_text(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

/// Reads a number of bytes, with a unit of 1024 if there is one (`k`, `M`, `G`, with `B` or `iB` behind it).
///
/// # Errors
/// What is wrong, for anything else, and for more than this machine can address.
pub fn size(text: &str) -> Result<u64, ParseError> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => {
            let text = text.escape_debug();
            return Err(ParseError::new(format!("`{text}` is not a size: write for example 4096, 64KiB or 16MiB")));
        }
    };
    let wrong = |_| ParseError::new(format!("`{}` is not a number of bytes", number.escape_debug()));
    let number: u64 = number.parse().map_err(wrong)?;
    let size = number.checked_mul(1 << shift).filter(|size| *size <= isize::MAX as u64 / 4);
    size.ok_or_else(|| ParseError::new("it is more than this machine can address"))
}

/// For fields of a configuration.
pub mod fields {
    use std::fmt;
    use std::marker::PhantomData;
    use std::time::Duration;

    use serde::de::{Deserialize, Deserializer, Error, Visitor};
    use serde::{Serialize, Serializer};

    /// A time, as text: a bare number would not say of what.
    pub fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        struct Time;
        impl Visitor<'_> for Time {
            type Value = Duration;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time with its unit, for example \"5s\"")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
                super::duration(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Time)
    }

    /// As [`duration`] reads it.
    pub fn time_text<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        super::duration_text(*time).serialize(serializer)
    }

    /// A time that may be left out.
    pub fn optional_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        struct Wrapped(Duration);
        impl<'de> Deserialize<'de> for Wrapped {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                duration(deserializer).map(Wrapped)
            }
        }
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|Wrapped(time)| time))
    }

    /// As [`optional_duration`] reads it.
    pub fn duration_text<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(super::duration_text).serialize(serializer)
    }

    /// A number of bytes, as a number or as text.
    pub fn size<'de, D: Deserializer<'de>, N: TryFrom<u64>>(deserializer: D) -> Result<N, D::Error> {
        struct Bytes<N>(PhantomData<N>);
        impl<N: TryFrom<u64>> Visitor<'_> for Bytes<N> {
            type Value = N;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, for example 4096 or \"64KiB\"")
            }
            fn visit_u64<E: Error>(self, bytes: u64) -> Result<N, E> {
                N::try_from(bytes).map_err(|_| E::custom("it is more than this machine can address"))
            }
            fn visit_i64<E: Error>(self, bytes: i64) -> Result<N, E> {
                u64::try_from(bytes).map_err(|_| E::custom("it is less than 0")).and_then(|bytes| self.visit_u64(bytes))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<N, E> {
                super::size(text).map_err(E::custom).and_then(|bytes| self.visit_u64(bytes))
            }
        }
        deserializer.deserialize_any(Bytes(PhantomData))
    }

    /// A number of bytes that may be left out.
    pub fn optional_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        struct Wrapped(u64);
        impl<'de> Deserialize<'de> for Wrapped {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                size(deserializer).map(Wrapped)
            }
        }
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|Wrapped(bytes)| bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("24h"), duration("1d"));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        for wrong in ["", "10", "s", "-1s", "1w1", "99999999999999999999s"] {
            let error = duration(wrong).unwrap_err();
            assert!(error.to_string().contains("write for example"), "{wrong}: {error}");
        }
        assert_eq!(duration(&duration_text(Duration::from_micros(1_500_200))), Ok(Duration::from_micros(1_500_200)));
    }

    #[test]
    fn a_size_has_units_of_1024() {
        for (text, bytes) in [
            ("0", 0),
            ("1", 1),
            ("4096", 4096),
            ("64k", 65_536),
            ("64 KiB", 65_536),
            ("16MiB", 16 << 20),
            ("1G", 1 << 30),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for (text, said) in [
            ("", "not a number"),
            ("k", "not a number"),
            ("-1", "not a size"),
            ("1 day", "not a size"),
            ("99999999999G", "more than"),
        ] {
            let error = size(text).unwrap_err();
            assert!(error.to_string().contains(said), "{text}: {error}");
        }
    }
}
