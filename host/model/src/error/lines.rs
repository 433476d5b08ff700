//! Several mistakes in one text.

/// Several mistakes, each on its own line below the text they belong to.
pub fn lines(mistakes: &[String]) -> String {
    mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect()
}
