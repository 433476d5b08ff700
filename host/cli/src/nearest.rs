//! What somebody may have meant.

use strsim::levenshtein;

/// The known name that is closest in edit distance, if it is close.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let (distance, nearest) = known.iter().map(|known| (levenshtein(name, known), *known)).min()?;
    (distance <= 1 + name.len() / 3).then_some(nearest)
}
