//! What becomes of a segment once it is known where it stands: loops are closed and opened, and what is wrong with the place
//! is told.

use crate::guide::{Item, Usage};
use crate::name::SegmentId;
use crate::problem::{ElementFault, SegmentFault};
use crate::segment::Segment;

use super::hierarchy::Level;
use super::{Met, Open, Stand, Walk};

impl Walk {
    /// A segment that stands in sequence.
    pub(super) fn take(
        &mut self,
        depth: usize,
        entry: u16,
        segment: &Segment<'_>,
        position: u32,
        met: &mut dyn FnMut(Met),
    ) -> Stand {
        self.close_to(depth, position, met);
        self.pass(depth, entry, position);
        self.lost = false;
        let Some(found) = self.entry(depth, entry) else {
            return self.lost_stand(segment);
        };
        let over = self.count(depth, entry) > found.max;
        match found.item {
            Item::Loop(inner) => {
                let stand = self.enter(inner, entry, segment, position, met);
                if over {
                    self.tell(SegmentFault::LoopTooOften, segment, position, stand, met);
                }
                stand
            }
            Item::Segment(rule) => {
                let stand = Stand {
                    rule: Some(rule),
                    occurrence: self.see(segment),
                    depth,
                };
                if over {
                    self.tell(SegmentFault::TooOften, segment, position, stand, met);
                }
                stand
            }
        }
    }

    /// A segment that stands too late in its loop. The loops within stay open: what follows belongs to them.
    pub(super) fn late(
        &mut self,
        depth: usize,
        entry: u16,
        segment: &Segment<'_>,
        position: u32,
        met: &mut dyn FnMut(Met),
    ) -> Stand {
        let Some(found) = self.entry(depth, entry) else {
            return self.lost_stand(segment);
        };
        self.count(depth, entry);
        let stand = match found.item {
            Item::Loop(inner) => {
                self.close_to(depth, position, met);
                self.enter(inner, entry, segment, position, met)
            }
            Item::Segment(rule) => {
                let id = segment.id().unwrap_or_else(|| SegmentId::like(segment.element(0)));
                Stand {
                    rule: Some(rule),
                    occurrence: self.see_at(depth, id),
                    depth,
                }
            }
        };
        self.tell(SegmentFault::OutOfSequence, segment, position, stand, met);
        stand
    }

    /// A segment whose qualifier is none of those that may stand here.
    pub(super) fn other(
        &mut self,
        depth: usize,
        entry: u16,
        segment: &Segment<'_>,
        position: u32,
        met: &mut dyn FnMut(Met),
    ) -> Stand {
        self.close_to(depth, position, met);
        if self
            .entry(depth, entry)
            .is_some_and(|found| found.usage == Usage::Required)
        {
            self.count(depth, entry); // it is there, with a wrong qualifier, and not missing too
        }
        let occurrence = self.see(segment);
        let rule = self.entry(depth, entry).and_then(|found| self.guide.opener(&found));
        let failing = rule.and_then(|rule| rule.discriminators.iter().find(|one| !one.is_met(segment)));
        let missing = |value: &[u8]| {
            if value.is_empty() {
                ElementFault::Missing
            } else {
                ElementFault::Code
            }
        };
        let element = failing.map(|one| {
            let (element, component) = (usize::from(one.element), usize::from(one.component));
            let value = if component == 0 {
                segment.element(element)
            } else {
                segment.component(element, component)
            };
            (u16::from(one.element), u16::from(one.component), missing(value))
        });
        if let Some(open) = self.open.last() {
            let id = segment.id().unwrap_or_else(|| SegmentId::like(segment.element(0)));
            met(Met {
                occurrence,
                element,
                ..self.met(SegmentFault::Elements, id, position, open)
            });
        }
        Stand {
            rule: None,
            occurrence,
            depth,
        }
    }

    /// A segment that no open loop has. It stays in the innermost.
    pub(super) fn stray(
        &mut self,
        id: SegmentId,
        position: u32,
        fault: SegmentFault,
        met: &mut dyn FnMut(Met),
    ) -> Stand {
        let occurrence = self.see_id(id);
        if let Some(open) = self.open.last().filter(|_| !self.lost) {
            met(Met {
                occurrence,
                ..self.met(fault, id, position, open)
            });
        }
        Stand {
            rule: None,
            occurrence,
            depth: self.open.len().saturating_sub(1),
        }
    }

    /// A segment that stands where its loop should have been opened before: the opening segment is missing.
    pub(super) fn supply(
        &mut self,
        entry: u16,
        segment: &Segment<'_>,
        position: u32,
        met: &mut dyn FnMut(Met),
    ) -> Stand {
        let depth = self.open.len().saturating_sub(1);
        self.pass(depth, entry, position);
        self.count(depth, entry);
        let Some(Item::Loop(inner)) = self.entry(depth, entry).map(|found| found.item) else {
            return self.lost_stand(segment);
        };
        self.push(inner, entry);
        let opener = self.guide.loop_at(inner).and_then(|one| one.entries.first());
        if let (Some(rule), Some(open)) = (opener.and_then(|first| self.guide.opener(first)), self.open.last()) {
            met(self.met(SegmentFault::Missing, rule.id, position, open));
        }
        self.step(segment, position, met)
    }

    /// As [`Self::supply`], for a loop that repeats: the open instance ends here.
    pub(super) fn supplied(
        &mut self,
        depth: usize,
        segment: &Segment<'_>,
        position: u32,
        met: &mut dyn FnMut(Met),
    ) -> Stand {
        let Some(entry) = self.open.get(depth).map(|open| open.entry) else {
            return self.lost_stand(segment);
        };
        self.close_to(depth.saturating_sub(1), position, met);
        self.supply(entry, segment, position, met)
    }

    pub(super) fn lost_stand(&mut self, segment: &Segment<'_>) -> Stand {
        Stand {
            rule: None,
            occurrence: self.see(segment),
            depth: self.open.len().saturating_sub(1),
        }
    }

    /// Opens a loop with its first segment.
    pub(super) fn enter(
        &mut self,
        index: u16,
        entry: u16,
        segment: &Segment<'_>,
        position: u32,
        met: &mut dyn FnMut(Met),
    ) -> Stand {
        self.push(index, entry);
        let occurrence = self.see(segment);
        let first = self.guide.loop_at(index).and_then(|one| one.entries.first());
        let rule = match first.map(|first| first.item) {
            Some(Item::Segment(rule)) => Some(rule),
            _ => None,
        };
        self.enter_level(segment, position, met);
        Stand {
            rule,
            occurrence,
            depth: self.open.len().saturating_sub(1),
        }
    }

    pub(super) fn push(&mut self, index: u16, entry: u16) {
        let Some(one) = self.guide.loop_at(index) else { return };
        let instance = self.instances.get_mut(usize::from(index)).map_or(1, |count| {
            *count = count.saturating_add(1);
            *count
        });
        let first = one.entries.first().map_or(0, |first| first.position);
        self.open.push(Open {
            id: one.id,
            instance,
            index,
            entry,
            at: first,
            passed: 1,
            counts: self.counts.len(),
            seen: self.seen.len(),
            lacking: self.lacking.len(),
            level: Level::default(),
        });
        let begin = self.counts.len();
        self.counts.resize(begin + one.entries.len(), 0);
        if let Some(count) = self.counts.get_mut(begin) {
            *count = 1;
        }
    }
}
