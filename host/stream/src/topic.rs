//! Topics, the patterns that name many of them, and who subscribed to which.
//!
//! A **topic** is a text of tokens with dots between them: `log.app.error`. A [`Pattern`] is the same, where a token
//! `*` stands for exactly one token, whichever it is, and `>` as the last token for one or more:
//!
//! | pattern | matches | does not match |
//! |---|---|---|
//! | `log.app` | `log.app` | `log`, `log.app.error` |
//! | `log.*` | `log.app` | `log`, `log.app.error` |
//! | `log.>` | `log.app`, `log.app.error` | `log` |
//! | `>` | every topic | |
//!
//! Patterns are checked when they are parsed. Topics are not: whoever publishes may choose any text, so every text is a
//! topic, and its tokens are what stands between its dots, even if that is nothing. `log.` has two tokens, of which `*`
//! matches the empty one as well.
//!
//! [`Pattern::matches`] is the rule, word for word. [`Subscriptions`] holds many patterns and answers for all of them at
//! once, at a cost that does not depend on how many do not match. A [`Cache`] remembers its answers for one caller, who
//! publishes on few topics as a rule.
//!
//! ```
//! # use hookrail_stream::topic::{Pattern, Subscriptions};
//! let mut subscriptions = Subscriptions::new();
//! subscriptions.add(&"log.>".parse::<Pattern>()?, 1);
//! subscriptions.add(&"*.app.error".parse::<Pattern>()?, 2);
//! subscriptions.add(&"metrics.*".parse::<Pattern>()?, 3);
//!
//! let mut found = Vec::new();
//! subscriptions.matching("log.app.error", &mut found);
//! assert_eq!(found, [1, 2]);
//! # Ok::<(), hookrail_stream::topic::InvalidPattern>(())
//! ```

mod cache;
mod hash;
mod pattern;
mod subscriptions;
mod tokens;

pub use cache::Cache;
pub use pattern::{InvalidPattern, Pattern};
pub use subscriptions::Subscriptions;
