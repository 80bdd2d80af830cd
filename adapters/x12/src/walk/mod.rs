//! Finds for each segment the loop and the use of it that the guide has, by table and without going back: first in the
//! innermost open loop, then outward. Where something is missing it goes on at the next thing it knows, so that one missing
//! segment makes one problem. What a segment says is not looked at, but for what tells one use from another and the
//! numbers of HL.

mod find;
mod hierarchy;
mod stand;

use crate::guide::{CLAIM, Guide, Loop};
use crate::name::{LoopId, SegmentId};
use crate::problem::{ElementFault, SegmentFault};
use crate::segment::Segment;

use find::Found;
use hierarchy::Level;

/// Open loops at most; a guide's loops nest six deep.
const DEEPEST: usize = 16;

/// Different identifiers that are counted in a loop instance; the largest loop of a guide has some twenty.
const MOST_NAMES: usize = 64;

/// An open loop.
#[derive(Debug, Clone)]
pub struct Open {
    /// The loop.
    pub id: LoopId,
    /// Number of the instance among those of the loop in the set, from 1.
    pub instance: u32,
    pub(crate) index: u16,
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
        if end - begin >= MOST_NAMES {
            return 1; // garbage; its numbers are of no use to anybody
        }
        self.seen.insert(end.min(self.seen.len()), (id, 1));
        self.open.iter_mut().skip(depth + 1).for_each(|inner| inner.seen += 1);
        1
    }
}
