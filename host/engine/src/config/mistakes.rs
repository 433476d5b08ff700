//! All mistakes of a configuration file, and not only the first.

use std::mem::replace;
use std::ops::Range;
use std::path::Path;

use hookrail_model::error::{ConfigError, Error};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

use super::places::Places;
use super::read::not_valid;
use super::{Config, environment};

/// So many are found at most.
const MOST: usize = 100;

impl Config {
    /// What is wrong with a file, and with the variables that set keys; nothing if [`read`](Self::read) takes it, and a host
    /// does. Opens nothing else.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn mistakes(file: Option<&Path>) -> Result<Vec<ConfigError>, Error> {
        let Some(file) = file else {
            return Ok(of_variables(toml::Table::new(), Places::default()));
        };
        let text = std::fs::read_to_string(file)
            .map_err(|source| Error::system(format!("read {}", file.display()), source))?;
        Ok(of_text(file, &text))
    }
}

fn of_text(file: &Path, text: &str) -> Vec<ConfigError> {
    let (table, syntax) = DeTable::parse_recoverable(text);
    let wrong = |mut error: toml::de::Error| {
        error.set_input(Some(text));
        not_valid(file, text, &error)
    };
    if !syntax.is_empty() {
        return syntax.into_iter().take(MOST).map(wrong).collect();
    }
    let (found, whole) = (of_table::<Config>(table).1, toml::from_str(text));
    let mut mistakes: Vec<_> = found.into_iter().map(wrong).collect();
    if mistakes.is_empty()
        && let Ok(whole) = whole
    {
        mistakes = of_variables(whole, Places::of(file, text));
    }
    mistakes
}

/// A text of TOML of that form; or everything that is wrong with it, each with its line from 1.
#[doc(hidden)]
pub fn parse_whole<T: DeserializeOwned>(text: &str) -> Result<T, Vec<(usize, String)>> {
    let located = |error: toml::de::Error| {
        let at = error.span().map_or(0, |at| at.start.min(text.len()));
        (1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count(), error.message().to_owned())
    };
    let (table, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        return Err(syntax.into_iter().take(MOST).map(located).collect());
    }
    match of_table(table) {
        (Some(whole), found) if found.is_empty() => Ok(whole),
        (_, found) => Err(found.into_iter().map(located).collect()),
    }
}

/// What is wrong with the keys of a file: whatever is wrong is left out, until the rest is of the form, and returned.
fn of_table<T: DeserializeOwned>(mut table: Spanned<DeTable<'_>>) -> (Option<T>, Vec<toml::de::Error>) {
    let (mut found, mut rest) = (Vec::new(), None);
    while found.len() < MOST {
        let error = match T::deserialize(Deserializer::from(table.clone())) {
            Ok(whole) => {
                rest = Some(whole);
                break;
            }
            Err(error) => error,
        };
        let is_left_out = error.span().is_some_and(|at| leave_out(table.get_mut(), &at));
        found.push(error);
        if !is_left_out {
            break;
        }
    }
    found.sort_by_key(|error: &toml::de::Error| error.span().map(|at| at.start));
    (rest, found)
}

/// Leaves out the key that is at that place, or whose value is; returns whether there is one.
fn leave_out(table: &mut DeTable<'_>, at: &Range<usize>) -> bool {
    let mut gone = None;
    for (key, value) in table.iter_mut() {
        if let DeValue::Array(elements) = value.get_mut()
            && elements.iter().any(|element| element.span() == *at)
        {
            *elements = replace(elements, DeArray::new()).into_iter().filter(|element| element.span() != *at).collect();
            return true;
        }
        let tables = match value.get_mut() {
            DeValue::Array(elements) => elements.iter_mut().filter_map(|element| as_table(element.get_mut())).collect(),
            DeValue::Table(inner) => vec![inner],
            _ => Vec::new(),
        };
        // What is wrong within it is left out there.
        if tables.into_iter().any(|inner| leave_out(inner, at)) {
            return true;
        }
        if key.span() == *at || value.span() == *at {
            gone = Some(key.clone());
            break;
        }
    }
    gone.is_some_and(|key| table.remove(&**key.get_ref()).is_some())
}

fn as_table<'a, 'i>(value: &'a mut DeValue<'i>) -> Option<&'a mut DeTable<'i>> {
    match value {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

/// What is wrong with variables, and then with the whole.
fn of_variables(mut table: toml::Table, mut places: Places) -> Vec<ConfigError> {
    let mut mistakes = Vec::new();
    for variable in std::env::vars_os() {
        let set = environment::settings([variable]).and_then(|settings| {
            settings.into_iter().try_for_each(|setting| {
                places.set(setting.apply(&mut table)?, setting.variable);
                Ok(())
            })
        });
        mistakes.extend(set.err());
    }
    if let Ok(mut config) = Config::deserialize(table.into_deserializer()) {
        config.places = Some(places);
        mistakes.extend(config.contradictions());
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        of_text(Path::new("a.toml"), text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_mistakes_are_found_each_with_its_line() {
        let found = mistakes(
            "log_levl = 'info'
[unload]
deadline = 5
[nothing]
a = 1
[plugins.mask]
colour = 'red'
required = 'yes'
[plugins.mask.config]
whatever = 1
[[overrides]]
point = 'message.publish'
callback = 'mask/mask'
prio = 5
",
        );
        for (line, said) in [
            (1, "log_levl"),
            (3, "time with its unit"),
            (4, "nothing"),
            (7, "colour"),
            (8, "expected a boolean"),
            (14, "prio"),
        ] {
            let is_it = |mistake: &&String| mistake.contains(&format!("line {line},")) && mistake.contains(said);
            assert_eq!(found.iter().filter(is_it).count(), 1, "line {line}, {said}: {found:#?}");
        }
        assert_eq!(found.len(), 6, "{found:#?}");
    }

    #[test]
    fn contradictions_are_found_when_all_keys_are_good() {
        let found = mistakes("[plugins.a]\nmax_memory = 0\n[plugins.b]\nconfig = { a = 1 }\ninstances.x.config = {}\n");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("a.toml:2: ") && found[1].contains("a.toml:3: "), "{found:?}");
    }

    #[test]
    fn what_is_no_toml_has_all_its_mistakes_too() {
        assert!(mistakes("a = \nb = [\n").len() > 1);
        assert_eq!(mistakes("home = 'a'\n"), Vec::<String>::new());
    }
}
