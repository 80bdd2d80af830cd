//! Tests: whether a row fires for a value.

use std::cmp::Ordering;

use super::track::Track;
use super::{Hand, Run};
use crate::doc::{Doc, Presence};
use crate::plan::{Check, Read, Test};

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// Whether all tests hold.
    pub(crate) fn hold(&mut self, tests: &'a [Test<D>], hand: Option<Hand>) -> bool {
        tests.iter().all(|test| self.holds(test, hand) != test.not)
    }

    fn holds(&mut self, test: &'a Test<D>, hand: Option<Hand>) -> bool {
        match &test.check {
            Check::Fixed(holds) => return *holds,
            Check::Trigger(triggers) => return triggers.iter().any(|trigger| trigger.as_ref() == self.doc.trigger()),
            Check::Version(compare, version) => return compare.holds(version_order(self.doc.version(), version)),
            Check::Has(symbol) => return (0..self.doc.items()).any(|item| self.doc.symbol(item) == *symbol),
            _ => {}
        }
        let Some(read) = &test.on else {
            return self.in_hand(&test.check, hand);
        };
        if Self::is_one(read) {
            let found = self.read_one(read, hand);
            return self.asked(&test.check, read, found, hand);
        }
        let start = self.read(read, hand);
        let holds = self.several(&test.check, read, start, hand);
        self.vals.truncate(start);
        holds
    }

    fn in_hand(&mut self, check: &'a Check<D>, hand: Option<Hand>) -> bool {
        let said = hand.map_or(Presence::Empty, |hand| self.doc.presence(hand.value));
        self.decides(check, said, hand, hand)
    }

    fn asked(&mut self, check: &'a Check<D>, read: &'a Read<D>, found: Option<Hand>, hand: Option<Hand>) -> bool {
        let said = found.map_or(Presence::Empty, |found| self.presence(read, found.value));
        self.decides(check, said, found, hand)
    }

    fn several(&mut self, check: &'a Check<D>, read: &'a Read<D>, start: usize, hand: Option<Hand>) -> bool {
        let end = self.vals.len();
        if let Check::Count(compare, count) = check {
            let found = self.vals.get(start..).unwrap_or_default();
            let valued = found
                .iter()
                .filter(|found| self.presence(read, found.value) == Presence::Valued)
                .count();
            return compare.holds(valued.cmp(&(*count as usize)));
        }
        if start == end {
            return self.asked(check, read, None, hand);
        }
        let mut holds = matches!(check, Check::Absent);
        for at in start..end {
            let found = self.vals.get(at).copied();
            let one = self.asked(check, read, found, hand);
            // Nothing may stand at any of several places for them to be absent; else one that is right is enough.
            if matches!(check, Check::Absent) {
                holds &= one
            } else {
                holds |= one
            }
        }
        holds
    }

    fn decides(&mut self, check: &'a Check<D>, said: Presence, found: Option<Hand>, hand: Option<Hand>) -> bool {
        if T::ON
            && let Some(found) = found
        {
            self.track.tested(found.value.place);
        }
        match (check, said) {
            (Check::Absent, _) => said == Presence::Empty,
            (Check::Null, _) => said == Presence::Null,
            (Check::Valued, _) => said == Presence::Valued,
            (Check::Count(compare, count), _) => compare.holds(u32::from(said == Presence::Valued).cmp(count)),
            (_, Presence::Valued) => found.is_some_and(|found| self.says(check, found, hand)),
            _ => false,
        }
    }

    /// Whether a value says what a test asks; a complex one is tested by its first part.
    fn says(&mut self, check: &'a Check<D>, found: Hand, hand: Option<Hand>) -> bool {
        let doc = self.doc;
        let text = match check {
            Check::Length(..) => doc.text(found.value),
            _ => doc.text(doc.first(found.value)),
        };
        let text = text.trim();
        match check {
            Check::In(values) => values.iter().any(|value| value.as_ref() == text),
            Check::InTable(table) => table.has(text),
            Check::Number => number(text).is_some(),
            Check::NumberIs(compare, wanted) => number(text)
                .and_then(|found| found.partial_cmp(wanted))
                .is_some_and(|order| compare.holds(order)),
            Check::Length(compare, length) => compare.holds(text.chars().count().cmp(&(*length as usize))),
            Check::Same(read) => {
                let start = self.read(read, hand);
                let others = self.vals.get(start..).unwrap_or_default();
                let same = others
                    .iter()
                    .any(|other| doc.text(doc.first(other.value)).trim() == text);
                self.vals.truncate(start);
                same
            }
            _ => false,
        }
    }
}

fn number(text: &str) -> Option<f64> {
    let mut out = String::new();
    let made = crate::primitives::decimal(text, &mut out);
    (made == crate::primitives::Made::Number)
        .then(|| out.parse().ok())
        .flatten()
}

/// Compares versions number by number: 2.5.1 is below 2.10.
fn version_order(found: &str, wanted: &str) -> Ordering {
    let numbers = |text: &str| {
        text.split('.')
            .map(|part| part.trim().parse::<u32>().unwrap_or(0))
            .collect::<Vec<_>>()
    };
    numbers(found).cmp(&numbers(wanted))
}
