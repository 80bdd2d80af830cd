//! What resources are found by as numbers of 63 bits: an id, a type, a value of a search parameter. Numbers are kept in
//! files, so their making never changes. Two things may have one number: whoever finds something by it looks at the body.

use causeway_core::fhir::{Kind, NodeId, Tree};

/// Ids have this bit, so that they lie together.
const ID: i64 = 1 << 62;

/// Multipliers with half of their bits set, spread evenly (as in wyhash, which is in the public domain).
const FIRST: u64 = 0xa076_1d64_78bd_642f;
const SECOND: u64 = 0xe703_7ed1_a0b4_28db;

/// A number of what was written into it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(u64);

impl Number {
    pub(super) fn new() -> Self {
        Self(SECOND)
    }

    /// Adds a text with its length, so that no two lists of texts are alike.
    pub(super) fn add(&mut self, text: &[u8]) {
        let (words, rest) = text.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        self.word(u64::from_le_bytes(last));
        self.word(text.len() as u64 ^ SECOND);
    }

    fn word(&mut self, word: u64) {
        let (low, high) = (self.0 ^ word).carrying_mul(FIRST, word);
        self.0 = low ^ high;
    }

    pub(super) fn finish(self) -> u64 {
        let mut last = self;
        last.word(SECOND);
        last.0
    }
}

fn of(texts: &[&str]) -> i64 {
    let mut number = Number::new();
    for text in texts {
        number.add(text.as_bytes());
    }
    (number.finish() >> 2).cast_signed()
}

/// A resource.
pub(super) fn id(kind: &str, id: &str) -> i64 {
    of(&[kind, id]) | ID
}

/// Whether a number is one of a resource.
pub(super) fn is_id(term: i64) -> bool {
    term & ID != 0
}

/// All resources of a type.
pub(super) fn kind(kind: &str) -> i64 {
    of(&[kind])
}

/// A code, whatever its system.
pub(super) fn token(kind: &str, name: &str, code: &str) -> i64 {
    of(&[kind, name, code])
}

/// Somebody or something that a resource is about.
pub(super) fn about(kind: &str, target: &str) -> i64 {
    of(&[kind, "about", target])
}

/// A day, counted from 1970.
pub(super) fn day(kind: &str, day: i64) -> i64 {
    of(&[kind, "day", &day.to_string()])
}

/// Dates that are not a few days near the time they were stated.
pub(super) fn far(kind: &str) -> i64 {
    of(&[kind, "far"])
}

/// A number of all that a resource says, to the digit and in its order.
pub(super) fn said(tree: &Tree, node: NodeId) -> u64 {
    let mut number = Number::new();
    add(tree, node, &mut number);
    number.finish()
}

fn add(tree: &Tree, node: NodeId, number: &mut Number) {
    let kind = tree.kind(node);
    number.add(tree.name(node).as_bytes());
    number.word(kind as u64);
    number.add(tree.text(node).unwrap_or_default().as_bytes());
    if matches!(kind, Kind::Object | Kind::Array) {
        for child in tree.children(node) {
            add(tree, child, number);
        }
        number.word(FIRST);
    }
}

#[cfg(test)]
mod tests {
    use causeway_core::fhir::{Limits, parse};

    use super::*;

    #[test]
    fn numbers_never_change_since_files_hold_them() {
        assert_eq!(
            [
                id("Patient", "1"),
                kind("Patient"),
                token("Patient", "identifier", "0084512")
            ],
            // By Python's integers.
            [
                5_398_497_013_323_224_710,
                2_052_672_620_800_040_532,
                1_225_727_129_931_731_065
            ]
        );
        assert!(is_id(id("Patient", "1")) && !is_id(kind("Patient")));
    }

    #[test]
    fn what_is_said_differently_has_another_number() {
        let said = |text: &str| said(&parse(text.as_bytes(), Limits::default()).unwrap(), NodeId::ROOT);
        let texts = [
            r#"{"a":1.0}"#,
            r#"{"a":1.00}"#,
            r#"{"a":"1.0"}"#,
            r#"{"a":["1.0"]}"#,
            r#"{"a":["1","0"]}"#,
            r#"{"a":["1",["0"]]}"#,
            r#"{"a":"1","b":"0"}"#,
            r#"{"b":"0","a":"1"}"#,
            r#"{"a":"1","b":null}"#,
        ];
        let mut all = texts.map(said).to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), texts.len());
        assert_eq!(said(r#"{"a": 1.0}"#), said(texts[0]));
    }
}
