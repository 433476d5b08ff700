//! Many patterns, asked at once.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::hash::HashTokens;
use super::pattern::{ONE, Pattern, REST};
use super::tokens::Tokens;

/// Who subscribed to which topics: patterns, each with any number of values.
///
/// It is a trie over tokens: from each node, one branch per token that patterns go on with, and one for `*`.
///
/// # Cost
/// [`matching`](Self::matching) follows the topic through the trie. What it does at a node is the same whether the node
/// has ten branches or a hundred thousand: it looks for the topic's next token in a table, and at the branch of `*`. So
/// each node that it comes to is the beginning of a pattern that matches so far; what does not match costs nothing.
///
/// At most two branches are followed at each node, and a node has one way to it: it is visited once or not at all.
/// However many `*` patterns have, the visits are at most as many as the trie has nodes, and patterns have tokens. A
/// topic of any length is read once, and a trie is [`Pattern::MAX_TOKENS`] deep at most, which bounds the recursion.
///
/// # Invariants
/// No node but the root is without values and branches. Values are ascending and distinct. Subscriptions of the same
/// generation are equal.
#[derive(Clone)]
pub struct Subscriptions<T> {
    root: Node<T>,
    len: usize,
    /// A number of these subscriptions as they are now, for caches: 0 while nothing was ever added.
    generation: u64,
}

#[derive(Clone)]
struct Node<T> {
    /// How patterns go on that have a name here. A place of a table is often empty, and therefore small.
    exact: HashMap<Box<str>, Box<Node<T>>, HashTokens>,
    /// How patterns go on that have `*` here.
    one: Option<Box<Node<T>>>,
    /// The values of patterns that end with `>` here.
    rest: Vec<T>,
    /// The values of patterns that end before.
    end: Vec<T>,
}

impl<T> Subscriptions<T> {
    /// Without any pattern.
    pub fn new() -> Self {
        Subscriptions { root: Node::new(), len: 0, generation: 0 }
    }

    /// How many pairs of a pattern and a value there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no topic matches, because there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A number that only subscriptions with the same content have.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }
}

impl<T: Copy + Ord> Subscriptions<T> {
    /// Adds a value under a pattern, beside what else is under it. A pair that is there already is not added again.
    pub fn add(&mut self, pattern: &Pattern, value: T) {
        if insert(self.root.values_of(pattern), value) {
            self.len += 1;
            self.generation = next_generation();
        }
    }

    /// Removes a value from under a pattern, and returns whether it was there. Memory that is no longer needed is freed.
    pub fn remove(&mut self, pattern: &Pattern, value: T) -> bool {
        let removed = self.root.remove(pattern.tokens(), value);
        if removed {
            self.len -= 1;
            self.generation = next_generation();
        }
        removed
    }

    /// Appends to `found` the values of all patterns that match the topic: each once, in ascending order, behind what
    /// `found` has already. The topic may be any text. Allocates nothing but what `found` needs.
    pub fn matching(&self, topic: &str, found: &mut Vec<T>) {
        if self.is_empty() {
            return;
        }
        let first = found.len();
        self.root.collect(&Tokens::of(topic), 0, found);
        if !found[first..].is_sorted_by(|a, b| a < b) {
            sort_and_dedup(found, first);
        }
    }
}

impl<T> Node<T> {
    fn new() -> Self {
        Node { exact: HashMap::default(), one: None, rest: Vec::new(), end: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.one.is_none() && self.rest.is_empty() && self.end.is_empty()
    }
}

impl<T: Copy + Ord> Node<T> {
    /// Collects from this node, to which the tokens before `number` led, and from those behind it.
    fn collect(&self, tokens: &Tokens<'_>, mut number: usize, found: &mut Vec<T>) {
        let mut node = self;
        while let Some(token) = tokens.at(number) {
            number += 1;
            found.extend_from_slice(&node.rest);
            if let Some(one) = &node.one {
                one.collect(tokens, number, found);
            }
            let Some(exact) = node.exact.get(token) else { return };
            node = exact;
        }
        found.extend_from_slice(&node.end);
    }

    /// The values of a pattern, behind nodes that are made where they are missing.
    fn values_of(&mut self, pattern: &Pattern) -> &mut Vec<T> {
        let mut node = self;
        for token in pattern.tokens() {
            node = match token {
                // It is the last one.
                REST => return &mut node.rest,
                ONE => node.one.get_or_insert_default(),
                name => node.exact.entry(name.into()).or_default(),
            };
        }
        &mut node.end
    }

    /// Removes the value of the pattern that goes on with `tokens` from here, and every node that is empty then.
    fn remove<'a>(&mut self, mut tokens: impl Iterator<Item = &'a str>, value: T) -> bool {
        match tokens.next() {
            None => take(&mut self.end, value),
            Some(REST) => take(&mut self.rest, value),
            Some(ONE) => {
                let removed = self.one.as_mut().is_some_and(|one| one.remove(tokens, value));
                // INVARIANT: a branch goes with its last value.
                self.one.take_if(|one| one.is_empty());
                removed
            }
            Some(token) => {
                let Some(exact) = self.exact.get_mut(token) else { return false };
                let removed = exact.remove(tokens, value);
                if exact.is_empty() {
                    // INVARIANT: a branch goes with its last value.
                    self.exact.remove(token);
                    if self.exact.len() <= self.exact.capacity() / 4 {
                        self.exact.shrink_to(self.exact.len() * 2);
                    }
                }
                removed
            }
        }
    }
}

/// A generation that there was never before in this process.
fn next_generation() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    // Relaxed: that no two are equal is all that is asked.
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Inserts a value in its place, and returns whether it was missing.
fn insert<T: Ord>(values: &mut Vec<T>, value: T) -> bool {
    let place = values.binary_search(&value);
    place.map_err(|place| values.insert(place, value)).is_err()
}

/// Takes a value out, and returns whether it was there.
fn take<T: Ord>(values: &mut Vec<T>, value: T) -> bool {
    let Ok(place) = values.binary_search(&value) else { return false };
    values.remove(place);
    if values.len() <= values.capacity() / 4 {
        values.shrink_to(values.len() * 2);
    }
    true
}

/// Sorts the values from `first` on, and keeps one of each.
fn sort_and_dedup<T: Copy + Ord>(found: &mut Vec<T>, first: usize) {
    found[first..].sort_unstable();
    let mut kept = first;
    for place in first..found.len() {
        if place == first || found[place] != found[kept - 1] {
            found[kept] = found[place];
            kept += 1;
        }
    }
    found.truncate(kept);
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Node::new()
    }
}

impl<T> Default for Subscriptions<T> {
    fn default() -> Self {
        Subscriptions::new()
    }
}

impl<T> fmt::Debug for Subscriptions<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriptions").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
