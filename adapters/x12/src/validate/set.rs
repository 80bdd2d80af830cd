//! One transaction set: its segments go to the guide's walk and to the check of their elements, and what is wrong is
//! kept with its place. A set without a guide is counted, and its segments need only have identifiers.

use crate::check::{check, copy};
use crate::guide::{CLAIM, Guide};
use crate::name::{LoopId, SegmentId};
use crate::problem::{ElementProblem, Problem, SegmentFault, SetFault};
use crate::record::{MAX_PROBLEMS, MAX_PROBLEMS_OF_SET, Records, Set};
use crate::segment::Segment;
use crate::tokenise::Kind;
use crate::walk::{Met, Stand, Walk};

use super::envelope::number;

/// A transaction set that is being read.
#[derive(Debug)]
pub(super) struct OpenSet {
    set: Set,
    guide: Option<&'static Guide>,
    walk: Option<Walk>,
    /// Segments so far.
    position: u32,
    /// CLM01 of the claim in hand; empty outside of claims.
    claim: String,
    /// Number of its instance; 0 outside of claims.
    instance: u32,
    /// What was met in the segment in hand.
    met: Vec<Met>,
    elements: Vec<ElementProblem>,
}

impl OpenSet {
    pub(super) fn new(set: Set, records: &Records) -> Self {
        let guide = records.guide(&set);
        Self {
            set,
            guide,
            walk: guide.map(Walk::new),
            position: 0,
            claim: String::new(),
            instance: 0,
            met: Vec::new(),
            elements: Vec::new(),
        }
    }

    /// Takes the next segment.
    pub(super) fn take(&mut self, segment: &Segment<'_>, kind: &Kind, records: &mut Records) {
        self.position = self.position.saturating_add(1);
        let position = self.position;
        let Some(walk) = &mut self.walk else {
            return self.structural(segment, kind, records);
        };
        let met = &mut self.met;
        let stand = walk.step(segment, position, &mut |one| met.push(one));
        self.keep_met(Some(segment), records, true);
        self.enter(segment);
        self.place(segment, stand, records);
        self.keep_met(Some(segment), records, false);
        if let (Some(rule), Some(guide)) = (stand.rule, self.guide) {
            let elements = &mut self.elements;
            if let Some(rule) = guide.rule(rule) {
                check(segment, rule, &mut |problem| elements.push(problem));
            }
            self.keep_elements(segment, stand, records);
        }
        if !matches!(kind, Kind::Segment) {
            self.keep_kind(segment, stand, records);
        }
    }

    /// Keeps where the segment stands, for whoever is to find it by its place.
    fn place(&mut self, segment: &Segment<'_>, stand: Stand, records: &mut Records) {
        let open = self.walk.as_ref().and_then(|walk| walk.open().get(stand.depth));
        let within = open.map_or((0, 1), |open| (open.index, open.instance));
        let id = segment.id().unwrap_or_else(|| SegmentId::like(segment.element(0)));
        records.index.add(within, id, stand.occurrence);
        self.set.segments.1 = self.set.segments.1.saturating_add(1);
    }

    /// Keeps the claim's number, for whoever is to find what is wrong in it.
    fn enter(&mut self, segment: &Segment<'_>) {
        let open = self.walk.as_ref().map(Walk::open).unwrap_or_default();
        let claim = open
            .iter()
            .find(|open| open.id.as_str() == CLAIM)
            .map_or(0, |open| open.instance);
        if claim != self.instance {
            self.instance = claim;
            self.claim.clear();
            if segment.element(0) == b"CLM" {
                self.claim.extend(copy(segment.element(1), segment).as_deref());
            }
        }
    }

    /// A segment of a set without a guide.
    fn structural(&mut self, segment: &Segment<'_>, kind: &Kind, records: &mut Records) {
        let unknown = segment.id().is_none();
        if !unknown && matches!(kind, Kind::Segment | Kind::Binary(_)) {
            return;
        }
        let fault = if unknown {
            SegmentFault::Unrecognised
        } else {
            SegmentFault::Elements
        };
        let problem = self.problem(fault, SegmentId::like(segment.element(0)), LoopId::ROOT);
        self.keep(problem, records);
    }

    fn problem(&self, fault: SegmentFault, segment: SegmentId, within: LoopId) -> Problem {
        Problem {
            fault,
            segment,
            position: self.position,
            within,
            around: (within, 1),
            occurrence: 1,
            element: None,
            claim: None,
        }
    }

    /// A segment that is too long, broken off or carries data of another length than it says.
    fn keep_kind(&mut self, segment: &Segment<'_>, stand: Stand, records: &mut Records) {
        let around = self.around(stand);
        let id = SegmentId::like(segment.element(0));
        let problem = Problem {
            around,
            occurrence: stand.occurrence,
            claim: self.claim(),
            ..self.problem(SegmentFault::Elements, id, around.0)
        };
        self.keep(problem, records);
    }

    /// The loop instance that a segment stands in.
    fn around(&self, stand: Stand) -> (LoopId, u32) {
        let open = self.walk.as_ref().and_then(|walk| walk.open().get(stand.depth));
        open.map_or((LoopId::ROOT, 1), |open| (open.id, open.instance))
    }

    fn claim(&self) -> Option<Box<str>> {
        (!self.claim.is_empty()).then(|| self.claim.as_str().into())
    }

    /// Keeps what was met: what is missing belongs to the claim that ends, the rest to the one that begins.
    fn keep_met(&mut self, segment: Option<&Segment<'_>>, records: &mut Records, missing: bool) {
        if self.met.is_empty() {
            return;
        }
        let (now, later) = std::mem::take(&mut self.met)
            .into_iter()
            .partition(|met| (met.fault == SegmentFault::Missing) == missing);
        self.met = later;
        let now: Vec<Met> = now;
        for met in now {
            let element = met.element.map(|(element, component, fault)| {
                let number = self.number_of(met.segment, element, component);
                let text = segment.map(|segment| {
                    let (element, component) = (usize::from(element), usize::from(component));
                    if component == 0 {
                        segment.element(element)
                    } else {
                        segment.component(element, component)
                    }
                });
                let here = segment.filter(|_| met.position == self.position);
                let copy = here.zip(text).and_then(|(segment, text)| copy(text, segment));
                Box::new(ElementProblem {
                    fault,
                    element,
                    component,
                    repetition: 0,
                    number,
                    copy,
                })
            });
            let of_claim = met.claim != 0 && met.claim == self.instance;
            let problem = Problem {
                fault: met.fault,
                segment: met.segment,
                position: met.position,
                within: met.within,
                around: met.around,
                occurrence: met.occurrence,
                element,
                claim: self.claim().filter(|_| of_claim),
            };
            self.keep(problem, records);
        }
    }

    fn number_of(&self, id: SegmentId, element: u16, component: u16) -> u16 {
        self.guide.map_or(0, |guide| guide.number_of(id, element, component))
    }

    fn keep_elements(&mut self, segment: &Segment<'_>, stand: Stand, records: &mut Records) {
        if self.elements.is_empty() {
            return;
        }
        let around = self.around(stand);
        let id = SegmentId::like(segment.element(0));
        for element in std::mem::take(&mut self.elements) {
            let problem = Problem {
                around,
                occurrence: stand.occurrence,
                element: Some(Box::new(element)),
                claim: self.claim(),
                ..self.problem(SegmentFault::Elements, id, around.0)
            };
            self.keep(problem, records);
        }
    }

    fn keep(&mut self, problem: Problem, records: &mut Records) {
        let tolerable = problem.is_tolerable();
        self.set.rejected |= !tolerable;
        let guide = problem
            .element
            .as_ref()
            .is_some_and(|element| element.fault.code().starts_with('I'));
        self.set.faults.set(if guide {
            SetFault::GuideSegments
        } else {
            SetFault::Segments
        });
        let of_set = records.problems.len().saturating_sub(self.set.problems.start as usize);
        if of_set < MAX_PROBLEMS_OF_SET && records.problems.len() < MAX_PROBLEMS {
            records.problems.push(problem);
            self.set.problems.end = u32::try_from(records.problems.len()).unwrap_or(u32::MAX);
        } else {
            self.set.more = self.set.more.saturating_add(1);
        }
    }

    /// Ends the set with its SE, or without.
    pub(super) fn end(mut self, trailer: Option<&Segment<'_>>, records: &mut Records) -> Set {
        self.position = self.position.saturating_add(1);
        if let Some(walk) = &mut self.walk {
            let met = &mut self.met;
            walk.end(self.position, &mut |one| met.push(one));
            self.keep_met(None, records, true);
            self.keep_met(None, records, false);
        }
        match trailer {
            None => self.set.faults.set(SetFault::NoTrailer),
            Some(trailer) => {
                if number(trailer.element(1)) != Some(self.position) {
                    self.set.faults.set(SetFault::SegmentCount);
                }
                if trailer.text(2) != self.set.control.as_str() {
                    self.set.faults.set(SetFault::ControlNumber);
                }
            }
        }
        let whole = |fault: SetFault| !matches!(fault, SetFault::Segments | SetFault::GuideSegments);
        self.set.rejected |= self.set.faults.of_set().any(whole);
        let range = self.set.problems.start as usize..self.set.problems.end as usize;
        if let Some(problems) = records.problems.get_mut(range) {
            problems.sort_by_key(|problem| problem.position); // what was missing is known only when its loop ends
        }
        self.set
    }
}
