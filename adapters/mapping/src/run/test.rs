//! Tests: whether a row fires for a value.

use std::cmp::Ordering;

use super::read::Single;
use super::track::Track;
use super::{Hand, Run};
use crate::doc::{Doc, Presence};
use crate::plan::{Check, From, Read, Test};
use crate::primitives::behind_comparator;

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// Whether all tests hold.
    pub(crate) fn hold(&mut self, tests: &'a [Test<D>], hand: Option<Hand>) -> bool {
        tests.iter().all(|test| self.steady(test, hand) != test.not)
    }

    /// A test that says the same for the whole instance is asked once.
    fn steady(&mut self, test: &'a Test<D>, hand: Option<Hand>) -> bool {
        let Some(id) = test.id.filter(|_| !T::ON) else {
            return self.holds(test, hand);
        };
        let stamp = u64::from(self.group) << 32 | u64::from(self.number);
        if let Some((asked, holds)) = self.asked.get(id as usize)
            && *asked == stamp
        {
            return *holds;
        }
        let holds = self.holds(test, hand);
        if let Some(asked) = self.asked.get_mut(id as usize) {
            *asked = (stamp, holds);
        }
        holds
    }

    fn holds(&mut self, test: &'a Test<D>, hand: Option<Hand>) -> bool {
        match &test.check {
            Check::Fixed(holds) => return *holds,
            Check::Trigger(triggers) => return triggers.iter().any(|trigger| trigger.as_ref() == self.doc.trigger()),
            Check::Version(compare, version) => return compare.holds(version_order(self.doc.version(), version)),
            Check::Has(symbol) => return (0..self.doc.items()).any(|item| self.doc.symbol(item) == *symbol),
            Check::HasGroup(symbol) => return (0..self.doc.groups()).any(|group| self.doc.group(group).0 == *symbol),
            _ => {}
        }
        let Some(read) = &test.on else {
            return self.in_hand(&test.check, hand);
        };
        if !T::ON && self.is_bare(read) && matches!(test.check, Check::Valued | Check::Absent) {
            return matches!(test.check, Check::Absent);
        }
        if Self::is_one(read) {
            let found = self.read_one(read, hand);
            return self.asked(&test.check, found, hand);
        }
        if !matches!(test.check, Check::Count(..))
            && let Single::Found(found) = self.read_single(read)
        {
            return self.asked(&test.check, found, hand);
        }
        let start = self.read(read, hand);
        let holds = self.several(&test.check, start, hand);
        self.vals.truncate(start);
        holds
    }

    fn number(&mut self, text: &str) -> Option<f64> {
        self.figure.clear();
        let made = crate::primitives::decimal(text, &mut self.figure);
        if made == crate::primitives::Made::Number {
            self.figure.parse().ok()
        } else {
            None
        }
    }

    /// Whether nothing stands in the part of a cut value that a place reads; known without reading it.
    fn is_bare(&self, read: &Read<D>) -> bool {
        let (From::Frame(depth), Some(step)) = (read.from, &read.step) else {
            return false;
        };
        self.frames
            .get(usize::from(depth))
            .is_some_and(|frame| frame.mask & D::bit(step, false) == 0)
    }

    fn in_hand(&mut self, check: &'a Check<D>, hand: Option<Hand>) -> bool {
        let said = hand.map_or(Presence::Empty, |hand| hand.said);
        self.decides(check, said, hand, hand)
    }

    fn asked(&mut self, check: &'a Check<D>, found: Option<Hand>, hand: Option<Hand>) -> bool {
        let said = found.map_or(Presence::Empty, |found| found.said);
        self.decides(check, said, found, hand)
    }

    fn several(&mut self, check: &'a Check<D>, start: usize, hand: Option<Hand>) -> bool {
        let end = self.vals.len();
        if let Check::Count(compare, count) = check {
            let found = self.vals.get(start..).unwrap_or_default();
            let valued = found.iter().filter(|found| found.said == Presence::Valued).count();
            return compare.holds(valued.cmp(&(*count as usize)));
        }
        if start == end {
            return self.asked(check, None, hand);
        }
        let mut holds = matches!(check, Check::Absent);
        for at in start..end {
            let found = self.vals.get(at).copied();
            let one = self.asked(check, found, hand);
            // Nothing may stand at any of several places for them to be absent; else one that is right is enough.
            if matches!(check, Check::Absent) {
                holds &= one;
            } else {
                holds |= one;
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
        let text = crate::primitives::trimmed(&text);
        match check {
            Check::In(values) => values.iter().any(|value| value.as_ref() == text),
            Check::InTable(table) => table.has(text),
            Check::Number => self.number(text).is_some(),
            Check::Measure => self.number(behind_comparator(text).1).is_some(),
            Check::NumberIs(compare, wanted) => self
                .number(text)
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

/// Compares versions number by number: 2.5.1 is below 2.10.
fn version_order(found: &str, wanted: &str) -> Ordering {
    let numbers = |text: &str| {
        text.split('.')
            .map(|part| part.trim().parse::<u32>().unwrap_or(0))
            .collect::<Vec<_>>()
    };
    numbers(found).cmp(&numbers(wanted))
}
