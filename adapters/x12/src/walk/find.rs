//! Where a segment may stand, and the closing of loops that it leaves: what they lack is said then, so that a segment that
//! comes late is not called missing too.

use crate::guide::{Entry, Item, Loop, Usage};
use crate::name::SegmentId;
use crate::problem::SegmentFault;
use crate::segment::Segment;

use super::{Met, Open, Walk};

/// Where a segment may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// In sequence, at an entry of an open loop.
    At { depth: usize, entry: u16 },
    /// In another instance of an open loop, whose opening segment is missing.
    Again { depth: usize },
    /// In a loop within an open one, whose opening segment is missing.
    Inside { depth: usize, entry: u16 },
    /// At an entry of an open loop that was passed already.
    Late { depth: usize, entry: u16 },
    /// At an entry of an open loop, but for its qualifier.
    Else { depth: usize, entry: u16 },
    /// Nowhere.
    Nowhere,
}

/// What an open loop has for a segment.
#[derive(Debug, Clone, Copy, Default)]
struct Fit {
    /// In sequence.
    at: Option<u16>,
    /// Passed already.
    late: Option<u16>,
    /// But for the qualifier.
    other: Option<u16>,
}

impl Walk {
    pub(super) fn find(&self, id: SegmentId, segment: &Segment<'_>) -> Found {
        let (mut late, mut other, mut again) = (None, None, None);
        for depth in (0..self.open.len()).rev() {
            let fit = self.fit(depth, id, segment);
            if let Some(entry) = fit.at.filter(|entry| !self.lost || self.is_loop(depth, *entry)) {
                return Found::At { depth, entry };
            }
            if let Some(entry) = fit.late {
                let next = self.begins_next(depth, entry);
                again = again.or(next.then_some(Found::Again { depth }).filter(|_| late.is_none()));
                late = late.or(Some(Found::Late { depth, entry }));
            }
            if depth + 1 == self.open.len() {
                other = fit.other.map(|entry| Found::Else { depth, entry });
            }
        }
        if self.lost {
            return Found::Nowhere;
        }
        let inside = again.or(late).map_or_else(|| self.inside(id, segment), |_| None);
        // A qualifier that another loop knows says more than one that no use of the segment here has.
        let told = inside.filter(|_| other.is_some_and(|_| self.is_told(inside, segment)));
        again.or(late).or(told).or(other).or(inside).unwrap_or(Found::Nowhere)
    }

    fn fit(&self, depth: usize, id: SegmentId, segment: &Segment<'_>) -> Fit {
        let mut fit = Fit::default();
        let Some((open, one)) = self.at_depth(depth) else {
            return fit;
        };
        for index in one.opened_by(id) {
            let Some(entry) = one.entries.get(usize::from(*index)) else {
                continue;
            };
            if *index == 0 {
                continue; // what opens the loop opens another instance of it, which is the outer loop's affair
            }
            if !self.guide.opener(entry).is_some_and(|rule| rule.is_meant(segment)) {
                let near = entry.position >= open.at && matches!(entry.item, Item::Segment(_));
                fit.other = fit.other.or(near.then_some(*index));
            } else if entry.position < open.at {
                fit.late = fit.late.or(Some(*index));
            } else {
                fit.at = fit.at.or(Some(*index));
            }
        }
        fit
    }

    /// Whether a segment that stands too late is the one that follows an opening segment, stood already as often as it
    /// may, and the loop may stand again: then it begins the next instance, and its opening segment is missing.
    fn begins_next(&self, depth: usize, entry: u16) -> bool {
        let Some((open, one)) = self.at_depth(depth) else {
            return false;
        };
        let outer = depth.checked_sub(1).and_then(|outer| self.entry(outer, open.entry));
        let full = one
            .entries
            .get(usize::from(entry))
            .is_some_and(|found| found.usage == Usage::Required && self.stood(open, entry) >= found.max);
        entry == 1 && full && outer.is_some_and(|outer| outer.max > 1)
    }

    /// A loop within an open one that has the segment, where its opening segment is missing. A loop that NM1 opens is
    /// supposed only where it must stand: addresses and numbers stand in all of them and tell none.
    fn inside(&self, id: SegmentId, segment: &Segment<'_>) -> Option<Found> {
        for depth in (0..self.open.len()).rev() {
            let (open, one) = self.at_depth(depth)?;
            let next = (0_u16..).zip(&one.entries).find(|(index, entry)| {
                let ahead = entry.position >= open.at && self.stood(open, *index) < entry.max;
                let told = entry.usage == Usage::Required
                    || self
                        .guide
                        .opener(entry)
                        .is_some_and(|rule| rule.id != SegmentId::new(b"NM1"));
                ahead && told && self.has_first(entry, id, segment)
            });
            if let Some((entry, _)) = next {
                return Some(Found::Inside { depth, entry });
            }
        }
        None
    }

    /// Whether a loop that is supposed is not one of those that NM1 opens, which share their qualifiers.
    fn is_told(&self, inside: Option<Found>, segment: &Segment<'_>) -> bool {
        let Some(Found::Inside { depth, entry }) = inside else {
            return false;
        };
        let opener = self
            .entry(depth, entry)
            .and_then(|entry| self.guide.opener(&entry).map(|rule| rule.id));
        opener != Some(SegmentId::new(b"NM1")) && !segment.is_empty()
    }

    /// Whether an entry is a loop that has the segment behind its first, and nothing else that it must have before it: so
    /// that to suppose the loop is to suppose one missing segment and no more.
    fn has_first(&self, entry: &Entry, id: SegmentId, segment: &Segment<'_>) -> bool {
        let Item::Loop(inner) = entry.item else { return false };
        let Some(one) = self.guide.loop_at(inner) else {
            return false;
        };
        let meant = |entry: &&Entry| self.guide.opener(entry).is_some_and(|rule| rule.is_meant(segment));
        let indices = one.opened_by(id).iter().filter(|index| **index > 0);
        let mut found = indices
            .filter_map(|index| one.entries.get(usize::from(*index)))
            .filter(meant);
        found.any(|found| {
            let mut before = one
                .entries
                .iter()
                .skip(1)
                .take_while(|before| before.position < found.position);
            !before.any(|before| before.usage == Usage::Required)
        })
    }

    fn is_loop(&self, depth: usize, entry: u16) -> bool {
        self.entry(depth, entry)
            .is_some_and(|entry| matches!(entry.item, Item::Loop(_)))
    }

    fn at_depth(&self, depth: usize) -> Option<(&Open, &'static Loop)> {
        let open = self.open.get(depth)?;
        Some((open, self.guide.loop_at(open.index)?))
    }

    fn stood(&self, open: &Open, entry: u16) -> u32 {
        self.counts.get(open.counts + usize::from(entry)).copied().unwrap_or(0)
    }

    /// An entry of an open loop.
    pub(super) fn entry(&self, depth: usize, entry: u16) -> Option<Entry> {
        let (_, one) = self.at_depth(depth)?;
        one.entries.get(usize::from(entry)).copied()
    }

    /// Counts one more of an entry.
    pub(super) fn count(&mut self, depth: usize, entry: u16) -> u32 {
        let begin = self.open.get(depth).map_or(usize::MAX, |open| open.counts);
        let slot = begin
            .checked_add(usize::from(entry))
            .and_then(|at| self.counts.get_mut(at));
        slot.map_or(1, |count| {
            *count = count.saturating_add(1);
            *count
        })
    }

    /// Goes on to an entry: the required ones before it that did not stand are noted with the position.
    pub(super) fn pass(&mut self, depth: usize, entry: u16, position: u32) {
        let Some((open, one)) = self.at_depth(depth) else {
            return;
        };
        let Some(to) = one.entries.get(usize::from(entry)).map(|entry| entry.position) else {
            return;
        };
        let (mut passed, counts) = (open.passed, open.counts);
        while let Some(before) = one
            .entries
            .get(usize::from(passed))
            .filter(|before| before.position < to)
        {
            let stood = self.counts.get(counts + usize::from(passed)).copied().unwrap_or(0);
            if before.usage == Usage::Required && stood == 0 {
                self.lacking.push((passed, position));
            }
            passed += 1;
        }
        if let Some(open) = self.open.get_mut(depth) {
            open.passed = passed;
            open.at = open.at.max(to);
        }
    }

    /// Closes all loops that are deeper.
    pub(super) fn close_to(&mut self, depth: usize, position: u32, met: &mut dyn FnMut(Met)) {
        while self.open.len() > depth + 1 {
            if let Some(open) = self.open.pop() {
                self.close(&open, position, met);
            }
        }
    }

    /// Says what a loop lacks that ends here.
    pub(super) fn close(&mut self, open: &Open, position: u32, met: &mut dyn FnMut(Met)) {
        self.leave_level(open, met);
        let Some(one) = self.guide.loop_at(open.index) else {
            return;
        };
        let passed = self.lacking.get(open.lacking..).unwrap_or_default().iter().copied();
        let rest = (open.passed..).zip(one.entries.iter().skip(usize::from(open.passed)));
        let rest = rest
            .filter(|(_, entry)| entry.usage == Usage::Required)
            .map(|(index, _)| (index, position));
        for (index, position) in passed.chain(rest) {
            let entry = one
                .entries
                .get(usize::from(index))
                .filter(|_| self.stood(open, index) == 0);
            let Some(rule) = entry.and_then(|entry| self.guide.opener(entry)) else {
                continue;
            };
            let within = match entry.map(|entry| entry.item) {
                Some(Item::Loop(inner)) => self.guide.loop_at(inner).map_or(open.id, |inner| inner.id),
                _ => open.id,
            };
            met(Met {
                within,
                ..self.met(SegmentFault::Missing, rule.id, position, open)
            });
        }
        self.lacking.truncate(open.lacking);
        self.counts.truncate(open.counts);
        self.seen.truncate(open.seen);
    }
}
