//! Finds for each segment the loop and the use of it that the guide has, by table and without going back: first in the
//! innermost open loop, then outward. Where something is missing it goes on at the next thing it knows, so that one missing
//! segment makes one problem. What a segment says is not looked at, but for what tells one use from another and the
//! numbers of HL.

mod find;
mod hierarchy;
#[cfg(test)]
mod tests;

use crate::guide::{CLAIM, Guide, Item, Loop, Usage};
use crate::name::{LoopId, SegmentId};
use crate::problem::{ElementFault, SegmentFault};
use crate::segment::Segment;

use find::Found;
use hierarchy::Level;

/// Open loops at most; a guide's loops nest six deep.
const DEEPEST: usize = 16;

/// An open loop.
#[derive(Debug, Clone)]
pub struct Open {
    /// The loop.
    pub id: LoopId,
    /// Number of the instance among those of the loop in the set, from 1.
    pub instance: u32,
    index: u16,
    /// Number of its entry in the loop around it.
    entry: u16,
    /// Position of the entry that stood last.
    at: u16,
    /// The first entry whose absence was not looked at yet.
    passed: u16,
    /// Where its counts begin.
    counts: usize,
    /// Where the counts of its segments by identifier begin.
    seen: usize,
    /// Where what it lacks begins.
    lacking: usize,
    level: Level,
}

/// Where a segment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// The use of the segment, an index into [`Guide::rules`]; none if the guide has none here.
    pub rule: Option<u16>,
    /// Number of the segment among those of its identifier in its loop instance, from 1.
    pub occurrence: u32,
    /// The open loop it stands in, an index into [`Walk::open`]; not always the innermost.
    pub depth: usize,
}

/// Something met while walking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Met {
    /// What is wrong.
    pub fault: SegmentFault,
    /// The segment.
    pub segment: SegmentId,
    /// Its number in the set.
    pub position: u32,
    /// The loop; of a loop that is missing, its name.
    pub within: LoopId,
    /// The loop instance that stands there: name and number.
    pub around: (LoopId, u32),
    /// Number of the claim's instance it stands in; 0 outside of claims.
    pub claim: u32,
    /// Number of the segment among those of its identifier in the instance.
    pub occurrence: u32,
    /// The element and what is wrong with it.
    pub element: Option<(u16, u16, ElementFault)>,
}

/// A walk through one transaction set.
#[derive(Debug)]
pub struct Walk {
    guide: &'static Guide,
    open: Vec<Open>,
    /// How often each entry of each open loop stood.
    counts: Vec<u32>,
    /// How often each identifier stood in each open loop.
    seen: Vec<(SegmentId, u32)>,
    /// Required entries of open loops that were passed by, and the position where.
    lacking: Vec<(u16, u32)>,
    /// Instances of each loop so far.
    instances: Vec<u32>,
    /// Hierarchical levels so far.
    levels: u32,
    /// Whether segments are skipped until the next loop, since the one they belong to is not known.
    lost: bool,
}

impl Walk {
    /// A walk that begins at ST.
    pub fn new(guide: &'static Guide) -> Self {
        Self {
            guide,
            open: Vec::with_capacity(DEEPEST),
            counts: Vec::new(),
            seen: Vec::new(),
            lacking: Vec::new(),
            instances: vec![0; guide.loops.len()],
            levels: 0,
            lost: false,
        }
    }

    /// The open loops, outermost first.
    pub fn open(&self) -> &[Open] {
        &self.open
    }

    /// Finds where a segment stands. `met` is told what is wrong.
    pub fn step(&mut self, segment: &Segment<'_>, position: u32, met: &mut dyn FnMut(Met)) -> Stand {
        let Some(id) = segment.id() else {
            return self.stray(
                SegmentId::like(segment.element(0)),
                position,
                SegmentFault::Unrecognised,
                met,
            );
        };
        if self.open.is_empty() {
            return self.enter(0, 0, segment, position, met);
        }
        match self.find(id, segment) {
            Found::At { depth, entry } => self.take(depth, entry, segment, position, met),
            Found::Again { depth } => self.supplied(depth, segment, position, met),
            Found::Inside { depth, entry } => {
                self.close_to(depth, position, met);
                self.supply(entry, segment, position, met)
            }
            Found::Late { depth, entry } => self.late(depth, entry, segment, position, met),
            Found::Else { depth, entry } => self.other(depth, entry, segment, position, met),
            Found::Nowhere => {
                let known = self.guide.knows(id);
                let opens = self.guide.loops.iter().any(|one| self.opens(one, id));
                let fault = if known {
                    SegmentFault::Unexpected
                } else {
                    SegmentFault::NotInSet
                };
                let stand = self.stray(id, position, fault, met);
                self.lost |= opens;
                stand
            }
        }
    }

    /// Ends the walk at SE.
    pub fn end(&mut self, position: u32, met: &mut dyn FnMut(Met)) {
        self.close_to(0, position, met);
        if let Some(root) = self.open.pop() {
            self.close(&root, position, met);
        }
    }

    fn opens(&self, one: &Loop, id: SegmentId) -> bool {
        one.entries
            .first()
            .and_then(|first| self.guide.opener(first))
            .is_some_and(|rule| rule.id == id)
    }

    /// A segment that stands in sequence.
    fn take(
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
    fn late(
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
    fn other(
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
    fn stray(&mut self, id: SegmentId, position: u32, fault: SegmentFault, met: &mut dyn FnMut(Met)) -> Stand {
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
    fn supply(&mut self, entry: u16, segment: &Segment<'_>, position: u32, met: &mut dyn FnMut(Met)) -> Stand {
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
    fn supplied(&mut self, depth: usize, segment: &Segment<'_>, position: u32, met: &mut dyn FnMut(Met)) -> Stand {
        let Some(entry) = self.open.get(depth).map(|open| open.entry) else {
            return self.lost_stand(segment);
        };
        self.close_to(depth.saturating_sub(1), position, met);
        self.supply(entry, segment, position, met)
    }

    fn lost_stand(&mut self, segment: &Segment<'_>) -> Stand {
        Stand {
            rule: None,
            occurrence: self.see(segment),
            depth: self.open.len().saturating_sub(1),
        }
    }

    /// Opens a loop with its first segment.
    fn enter(
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

    fn push(&mut self, index: u16, entry: u16) {
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

    fn tell(&self, fault: SegmentFault, segment: &Segment<'_>, position: u32, stand: Stand, met: &mut dyn FnMut(Met)) {
        let (Some(open), Some(id)) = (self.open.get(stand.depth), segment.id()) else {
            return;
        };
        met(Met {
            occurrence: stand.occurrence,
            ..self.met(fault, id, position, open)
        });
    }

    /// Something met in an open loop.
    fn met(&self, fault: SegmentFault, segment: SegmentId, position: u32, open: &Open) -> Met {
        let claims = |open: &&Open| open.id.as_str() == CLAIM;
        let claim = Some(open).filter(claims).or_else(|| self.open.iter().find(claims));
        Met {
            fault,
            segment,
            position,
            within: open.id,
            around: (open.id, open.instance),
            claim: claim.map_or(0, |open| open.instance),
            occurrence: 1,
            element: None,
        }
    }

    /// Counts a segment in the innermost loop by its identifier.
    fn see(&mut self, segment: &Segment<'_>) -> u32 {
        self.see_id(segment.id().unwrap_or(SegmentId::like(segment.element(0))))
    }

    fn see_id(&mut self, id: SegmentId) -> u32 {
        self.see_at(self.open.len().saturating_sub(1), id)
    }

    /// Counts a segment in an open loop by its identifier.
    fn see_at(&mut self, depth: usize, id: SegmentId) -> u32 {
        let begin = self.open.get(depth).map_or(0, |open| open.seen);
        let end = self
            .open
            .get(depth + 1)
            .map_or(self.seen.len(), |open| open.seen)
            .max(begin);
        let known = self
            .seen
            .get_mut(begin..end)
            .unwrap_or_default()
            .iter_mut()
            .find(|(known, _)| *known == id);
        if let Some((_, count)) = known {
            *count = count.saturating_add(1);
            return *count;
        }
        self.seen.insert(end.min(self.seen.len()), (id, 1));
        self.open.iter_mut().skip(depth + 1).for_each(|inner| inner.seen += 1);
        1
    }
}
