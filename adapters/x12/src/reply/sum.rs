//! What the reply needs of the answers: which transaction sets have a claim that was refused, and where those claims
//! stand. Answers may come in any number, so only what is refused is kept, and of that a bounded part.

use std::collections::BTreeMap;

use causeway_core::{ActorKind, Answer, Severity};

/// Refused claims whose places are given in a set's acknowledgement.
const MAX_CLAIMS: usize = 100;

/// What the answers of a file come to.
#[derive(Debug, Clone, Default)]
pub struct Sum {
    /// Refused parts as ranges of numbers, in order.
    refused: Vec<Refused>,
    /// What came of it, by set.
    told: BTreeMap<usize, Told>,
}

/// A run of refused parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refused {
    first: u32,
    last: u32,
    /// Whether it was not only their syntax.
    by_content: bool,
}

/// What the answers say of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Whether one of its parts was refused.
    pub(super) refused: bool,
    /// Whether that was for more than their syntax.
    pub(super) by_content: bool,
    /// Positions of claims that were refused for their content.
    pub(super) claims: Vec<u32>,
}

impl Sum {
    /// Takes an answer.
    pub fn add(&mut self, part: u32, answer: &Answer) {
        if answer.verdict.is_positive() {
            return;
        }
        let errors = || {
            answer
                .findings
                .iter()
                .filter(|finding| finding.severity == Severity::Error)
        };
        let by_content = errors().any(|finding| finding.by.kind != ActorKind::Parser) || errors().next().is_none();
        match self.refused.last_mut() {
            Some(last) if last.last.checked_add(1) == Some(part) && last.by_content == by_content => last.last = part,
            _ => self.refused.push(Refused {
                first: part,
                last: part,
                by_content,
            }),
        }
    }

    /// Sorts the refused parts by set. `set_of` says of a part which set it is of, and `position_of` where its claim stands
    /// there; the latter is asked only for the claims that are given.
    pub fn place(&mut self, set_of: impl Fn(u32) -> Option<usize>, position_of: impl Fn(u32) -> Option<u32>) {
        for refused in std::mem::take(&mut self.refused) {
            for part in refused.first..=refused.last {
                let Some(set) = set_of(part) else { continue };
                let told = self.told.entry(set).or_default();
                told.refused = true;
                told.by_content |= refused.by_content;
                if refused.by_content && told.claims.len() < MAX_CLAIMS {
                    told.claims.extend(position_of(part));
                }
            }
        }
    }

    /// What the answers say of a set, by its index.
    pub(super) fn of_set(&self, set: usize) -> Option<&Told> {
        self.told.get(&set)
    }
}
